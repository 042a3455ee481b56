"""What `hutong pending`, `show` and `why` share: the ledger read beside the relay, and the chains where it is
silent."""

import os
import re
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from hutong.relay.base.error_groups import expected_leaves
from hutong.relay.cli.common.refusal import REFUSED, UNUSABLE, Refused
from hutong.relay.cli.common.session import config_of
from hutong.relay.config import Config, PathEnd
from hutong.relay.ledger import LedgerReader, LedgerUnavailable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Mapping

    from hutong.adapters.interface import ChainAdapter
    from hutong.relay.core.standing import Standing

ASK_LIMIT_S = 30
"""For all answers of the chains to one command."""


PacketName = Annotated[
    str, typer.Argument(metavar="ID", help="chain/client/sequence, a message id or a transaction hash (0x…).")
]

_PACKET_ID = re.compile(r"([a-z0-9-]{1,32})/([\w+-]{1,64})/([1-9][0-9]{0,19})", re.ASCII)
_HASH = re.compile(r"0x[0-9a-fA-F]{64}", re.ASCII)

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class PacketRef:
    """A packet by its parts."""

    end: PathEnd
    sequence: int


def checked_name(name: str) -> str:
    """The ID as it was typed, if it can be one.

    Raises:
        Refused: code 2, it is neither a packet id nor 32 bytes of hex.
    """
    if _PACKET_ID.fullmatch(name) is None and _HASH.fullmatch(name) is None:
        raise Refused(
            f"{name[:80]!r} is not an ID: give chain/client/sequence (alpha/client-0/7), a message id or a transaction hash",
            UNUSABLE,
        )
    return name


def packet_ref(name: str, config: Config) -> PacketRef | None:
    """The parts of a packet id; None if it is a hash.

    Raises:
        Refused: code 2, the configuration has no such chain, or the client is no identifier.
    """
    match = _PACKET_ID.fullmatch(name)
    if match is None:
        return None
    chain, client, sequence = match.groups()
    if all(known.name != chain for known in config.chains):
        raise Refused(
            f"no chain is called {chain}; the configuration has {', '.join(one.name for one in config.chains)}",
            UNUSABLE,
        )
    try:
        return PacketRef(PathEnd(chain=chain, client=client), int(sequence))
    except ValueError:
        raise Refused(f"{client!r} is not a client identifier", UNUSABLE) from None


@contextmanager
def opened_ledger(file: Path) -> Iterator[tuple[Config, LedgerReader | None]]:
    """Configuration and ledger while the block lasts; None where there is no ledger file yet.

    Raises:
        Refused: code 2, the configuration is unusable, or the ledger cannot be read, also within the block.
    """
    from hutong.relay.core.history.ledgers import ledger_password

    config = config_of(file)
    relay = config.relay
    reader: LedgerReader | None = None
    try:
        if relay.ledger_url is not None:
            reader = LedgerReader.open_url(relay.ledger_url, ledger_password(relay, os.environ))
        elif (path := relay.home / "ledger.sqlite").exists():
            reader = LedgerReader.open_file(path)
        yield config, reader
    except LedgerUnavailable as error:
        raise Refused(str(error), UNUSABLE) from None
    finally:
        if reader is not None:
            reader.close()


def ids_of(name: str, reader: LedgerReader | None) -> list[str]:
    """Packets that the ledger knows by this name; none where there is no ledger.

    Raises:
        Refused: code 2, as `checked_name`.
        LedgerUnavailable: the ledger cannot be read.
    """
    return [] if reader is None else reader.find(checked_name(name))


def standing_of(ref: PacketRef, config: Config) -> "tuple[PathEnd, Standing]":
    """(opposite end, what the chains say) of a packet that the ledger does not know.

    Raises:
        Refused: code 1 (REFUSED), no path of the configuration has its end; code 2, a chain does not answer.
    """
    from hutong.relay.core.standing import standing
    from hutong.relay.core.topology.paths import Paths

    opposite = Paths.of(config.paths).opposite.get(ref.end)
    if opposite is None:
        raise Refused(
            f"the ledger does not know it, and no path of the configuration has the end {ref.end.chain}:{ref.end.client}",
            REFUSED,
        )

    async def ask(adapters: "Mapping[str, ChainAdapter]") -> "Standing":
        return await standing(ref.end, opposite, ref.sequence, adapters)

    return opposite, ask_chains(config, {ref.end.chain, opposite.chain}, ask)


def ask_chains(
    config: Config, names: set[str], work: "Callable[[Mapping[str, ChainAdapter]], Awaitable[Result]]"
) -> Result:
    """Run `work` with adapters of the named chains, each of which is the configured one.

    Raises:
        Refused: code 2, with one sentence, where a chain does not answer or `work` raises AdapterError, or all
            together take more than ASK_LIMIT_S.
    """
    import trio

    from hutong.adapters.interface import AdapterError
    from hutong.relay.core.topology.chains import open_chain
    from hutong.relay.telemetry import configure_logs

    configure_logs("error")

    async def ask() -> Result:
        async with AsyncExitStack() as stack:
            adapters: dict[str, Any] = {}
            for name in sorted(names):
                opened = open_chain(config.chain(name), Random())  # noqa: S311  endpoint choice, no secret
                adapters[name] = await stack.enter_async_context(opened)
                await adapters[name].check_identity()
            return await work(adapters)

    async def bounded() -> Result:
        with trio.fail_after(ASK_LIMIT_S):
            return await ask()

    try:
        return trio.run(bounded)
    except trio.TooSlowError:
        raise Refused(f"{', '.join(sorted(names))}: no answer in {ASK_LIMIT_S} s", UNUSABLE) from None
    except (AdapterError, BaseExceptionGroup) as error:
        raise Refused(str(expected_leaves(error, (AdapterError,))[0]), UNUSABLE) from None
