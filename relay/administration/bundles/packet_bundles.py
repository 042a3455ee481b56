"""Proof bundles and checkpoints from the configured chains and the relay's evidence."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from random import Random

from hutong.adapters.interface import ChainAdapter
from hutong.light_clients.ibc.identifiers import check_client_id
from hutong.light_clients.interface import MalformedInput, UnsupportedOperation
from hutong.relay.administration.errors import Declined, Unusable
from hutong.relay.archive import Archive, ArchiveUnavailable
from hutong.relay.archive.bundle import Bundle
from hutong.relay.archive.checkpoint import Checkpoint
from hutong.relay.config import Config, PathEnd
from hutong.relay.config.logs import LogConfig
from hutong.relay.core.archiving.bundling import Exporter, NotExportable, read_checkpoint, read_log_checkpoint
from hutong.relay.core.topology.chains import open_chain
from hutong.relay.core.topology.logs import open_log
from hutong.relay.core.topology.paths import Paths

Keep = Callable[[str, Bundle], None]


def packet_of(config: Config, text: str) -> tuple[PathEnd, int]:
    """(sending end, sequence) of `chain/client/sequence`, where chain is a configured chain's name or id, or a log's name.

    Raises:
        Unusable: it is not a packet of a configured path or log.
    """
    chain, _, rest = text.partition("/")
    client, _, sequence = rest.partition("/")
    ends = [end for path in config.paths for end in (path.a, path.b)]
    is_number = sequence.isascii() and sequence.isdigit()
    if chain in [log.name for log in config.logs] and is_number:
        with suppress(MalformedInput):
            return PathEnd(chain=chain, client=check_client_id(client)), int(sequence[:20])
    named = {one.name for one in config.chains if chain in (one.name, str(one.chain_id))}
    for end in ends:
        if end.chain in named and end.client == client and is_number:
            return end, int(sequence[:20])
    raise Unusable(f"{text[:80]} is not a chain/client/sequence of a configured path or log")


async def export_bundle(
    config: Config, checkpoints: Sequence[Checkpoint], source: PathEnd, sequence: int, random: Random
) -> Bundle:
    """The bundle of one packet, provable from `checkpoints` where there are any.

    Raises:
        Declined: there is no provable bundle of it.
        AdapterError: a chain does not answer.
    """
    async with _exporter(config, checkpoints, random) as exporter:
        try:
            log = next((one for one in config.logs if one.name == source.chain), None)
            if log is not None:
                return await exporter.export_from_log(log, source.client, sequence, random)
            return await exporter.export(source, sequence)
        except (NotExportable, ArchiveUnavailable, UnsupportedOperation) as error:
            raise Declined(str(error)) from None


@dataclass(frozen=True, slots=True)
class WithoutBundle:
    """Packets that have none, each with the reason; `unreadable` says why the evidence could not be read, if so."""

    reasons: Mapping[str, str]
    unreadable: str | None = None


async def export_every_bundle(
    config: Config, checkpoints: Sequence[Checkpoint], keep: Keep, random: Random
) -> WithoutBundle:
    """The bundle of each packet that the relay has evidence of.

    Args:
        keep: is given packet id and bundle, one after the other.

    Raises:
        AdapterError: a chain does not answer.
    """
    async with _exporter(config, checkpoints, random) as exporter:
        try:
            return WithoutBundle(await exporter.export_all(keep))
        except ArchiveUnavailable as error:
            return WithoutBundle({}, str(error))


async def checkpoint_of(config: Config, name: str, height: int | None, random: Random) -> Checkpoint:
    """What a node says of a chain, by the rules of the clients that follow it. Nothing of it is proven.

    Args:
        height: None: the chain's head. Of an Ethereum chain no other can be had.

    Raises:
        AdapterError: a chain does not answer, or no configured path says how to follow it.
    """
    log = next((one for one in config.logs if one.name == name), None)
    if log is not None:
        return await _checkpoint_of_log(config, log, height, random)
    ends = [(path.a, path.b) for path in config.paths] + [(path.b, path.a) for path in config.paths]
    here = [(end, other) for end, other in ends if end.chain == name]
    async with AsyncExitStack() as stack:
        chain: ChainAdapter = await stack.enter_async_context(open_chain(config.chain(name), random))
        followers = []
        for _, other in here:
            opposite: ChainAdapter = await stack.enter_async_context(open_chain(config.chain(other.chain), random))
            followers.append(await opposite.client(other.client))
        clients = [end.client for end, _ in here]
        clients += [end.client for log in config.logs for end in log.kept_on if end.chain == name]
        return await read_checkpoint(chain, clients, followers, height)


async def _checkpoint_of_log(config: Config, log: LogConfig, height: int | None, random: Random) -> Checkpoint:
    if height is not None:
        raise UnsupportedOperation("a checkpoint of a signed log at a height: it is made of the newest tree")
    if not log.kept_on:
        raise UnsupportedOperation(
            f"a checkpoint of log {log.name}, of which the configuration names no client (kept_on)"
        )
    followed = []
    async with AsyncExitStack() as stack:
        for end in log.kept_on:
            host: ChainAdapter = await stack.enter_async_context(open_chain(config.chain(end.chain), random))
            followed.append((host.chain_id, await host.client(end.client)))
        source = await stack.enter_async_context(open_log(log, random))
        return await read_log_checkpoint(source, followed)


@asynccontextmanager
async def _exporter(config: Config, checkpoints: Sequence[Checkpoint], random: Random) -> AsyncIterator[Exporter]:
    async with AsyncExitStack() as stack:
        adapters: dict[str, ChainAdapter] = {}
        for chain in config.chains:
            adapters[chain.name] = await stack.enter_async_context(open_chain(chain, random))
        archive = Archive(config.relay.home / "evidence")
        yield Exporter(adapters, Paths.of(config.paths), archive, list(checkpoints))
