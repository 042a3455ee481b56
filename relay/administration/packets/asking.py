"""Questions of an operator to the configured chains, for packets that the ledger does not know."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from random import Random
from typing import Any, TypeVar

import trio

from hutong.adapters.interface import AdapterError, ChainAdapter
from hutong.relay.administration.errors import Declined, Unusable
from hutong.relay.base.error_groups import expected_leaves
from hutong.relay.config import Config, PathEnd
from hutong.relay.core.standing import Standing, standing
from hutong.relay.core.topology.chains import open_chain
from hutong.relay.core.topology.paths import Paths
from hutong.relay.ledger import LedgerReader
from hutong.relay.telemetry import configure_logs

ASK_LIMIT_S = 30
"""For all answers of the chains to one command."""
BALANCE_LIMIT_S = 10
WINDOW = 1_000
MAX_UNKNOWN = 1_000
"""Packets of one path end that only its chain knows."""

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Balances:
    """Amounts in the chain's smallest unit by address, and why some are missing."""

    amounts: Mapping[str, int]
    problem: str | None


def ask_chains(
    config: Config, names: set[str], work: Callable[[Mapping[str, ChainAdapter]], Awaitable[Result]]
) -> Result:
    """Run `work` with adapters of the named chains, each of which is the configured one.

    Raises:
        Unusable: a chain does not answer or `work` raises AdapterError, or all together take more than ASK_LIMIT_S.
    """
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
        raise Unusable(f"{', '.join(sorted(names))}: no answer in {ASK_LIMIT_S} s") from None
    except (AdapterError, BaseExceptionGroup) as error:
        raise Unusable(str(expected_leaves(error, (AdapterError,))[0])) from None


def standing_of(config: Config, end: PathEnd, sequence: int) -> tuple[PathEnd, Standing]:
    """(opposite end, what the chains say) of a packet that the ledger does not know.

    Raises:
        Declined: no path of the configuration has its end.
        Unusable: a chain does not answer.
    """
    opposite = Paths.of(config.paths).opposite.get(end)
    if opposite is None:
        raise Declined(
            f"the ledger does not know it, and no path of the configuration has the end {end.chain}:{end.client}"
        )

    async def ask(adapters: Mapping[str, ChainAdapter]) -> Standing:
        return await standing(end, opposite, sequence, adapters)

    return opposite, ask_chains(config, {end.chain, opposite.chain}, ask)


def unknown_to_ledger(config: Config, chain: str | None, reader: LedgerReader | None) -> list[str]:
    """Packets that a chain holds unsettled and the ledger does not, at most MAX_UNKNOWN of each path end.

    Args:
        chain: only those from or to this one; None: from and to each.
        reader: None where there is no ledger.

    Raises:
        Unusable: a chain does not answer.
        LedgerUnavailable: the ledger cannot be read.
    """
    ends = [end for path in config.paths for end in (path.a, path.b) if chain in (None, path.a.chain, path.b.chain)]
    if not ends:
        return []

    async def read(adapters: Mapping[str, ChainAdapter]) -> list[str]:
        unsettled: list[str] = []
        for end in ends:
            adapter, at, found = adapters[end.chain], 1, 0
            last = await adapter.next_sequence_send(end.client)
            while at < last and found < MAX_UNKNOWN:
                for sequence in await adapter.unsettled_sends(end.client, at, WINDOW):
                    packet_id = f"{end.chain}/{end.client}/{sequence}"
                    life = None if reader is None else reader.life(packet_id)
                    if life is None or life.packet is None or life.packet.outcome is not None:
                        unsettled.append(packet_id)
                        found += 1
                at += WINDOW
        return unsettled

    return ask_chains(config, {end.chain for end in ends}, read)


def balances(config: Config, chain: str, addresses: list[str]) -> Balances:
    """What accounts of a chain hold, as far as it answers within BALANCE_LIMIT_S."""
    configure_logs("error")
    found: dict[str, int] = {}

    async def ask() -> None:
        with trio.fail_after(BALANCE_LIMIT_S):
            async with open_chain(config.chain(chain), Random()) as adapter:  # noqa: S311  endpoint choice, no secret
                await adapter.check_identity()
                for address in addresses:
                    found[address] = (await adapter.account(address)).balance_wei

    problem: str | None = None
    try:
        trio.run(ask)
    except trio.TooSlowError:
        problem = f"{chain} did not answer in {BALANCE_LIMIT_S} s"
    except AdapterError as error:
        problem = str(error)
    except BaseExceptionGroup as group:
        expected_leaves(group, (AdapterError,))
        problem = f"{chain} does not answer"
    return Balances(found, problem)
