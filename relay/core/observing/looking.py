"""One look at both chains: what the hub's records say, what the observed chain holds, and what is due."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from hutong.adapters.interface import (
    ChainAdapter,
    ClientInfo,
    Head,
    NotSupported,
    ObservedChain,
    ObservingHub,
)
from hutong.adapters.rpc import all_of
from hutong.light_clients.interface import Height, PredicateFailed
from hutong.light_clients.records import ClientEpoch, Observation
from hutong.relay.core.observing.due import Reason, SourceBlock, Value, why_due
from hutong.relay.core.observing.watched import Watched

MAX_ITEMS = 64
"""Of one call of `observe` (docs/spec/records.md), and of one read."""


@dataclass(frozen=True, slots=True)
class Sight:
    """One observation as it stands. `value` is None where it was not read or could not be; then `unreadable` says why."""

    watched: Watched
    record: Observation | None
    value: Value | None
    reason: Reason | None
    unreadable: str | None = None


@dataclass(frozen=True, slots=True)
class Look:
    """Everything that is observed over one client."""

    info: ClientInfo
    epoch: ClientEpoch | None
    block: SourceBlock
    sights: tuple[Sight, ...]


def observed_chain(adapter: ChainAdapter) -> ObservedChain:
    """The adapter as a chain whose state is observed: every kind is one that a hub's client can show."""
    return cast(ObservedChain, adapter)


def observing_hub(adapter: ChainAdapter) -> ObservingHub:
    """The adapter of a hub, as the configuration's check has it."""
    return cast(ObservingHub, adapter)


def newest_block(source: ChainAdapter, head: Head) -> SourceBlock:
    """The newest final block as a height of clients of the chain. On chains whose headers commit to the state before
    them it holds the state of the block below.
    """
    return SourceBlock(Height(source.proving_height(head.height).revision_number, head.height), head.time_ns)


async def look(
    source: ChainAdapter,
    hub: ChainAdapter,
    client_id: str,
    head: Head,
    watched: Sequence[Watched],
    *,
    every: bool = False,
) -> Look:
    """Read records and client on the hub, and beside them the values on the source that a change makes due.

    Args:
        head: of the source.
        every: read all values, also of what is renewed at an interval alone.

    Raises:
        AdapterError: one of both chains does not answer.
        VerificationError: the source's proofs do not lead to values.
    """
    block = newest_block(source, head)
    asked = [one for one in watched if one.on_change or every]
    infos: list[ClientInfo] = []
    records: list[Observation | None] = []
    epochs: list[ClientEpoch | None] = []
    read: list[tuple[Mapping[bytes, Value], Mapping[bytes, str]]] = []

    async def read_client(client_id: str) -> None:
        infos.append(await hub.client(client_id))

    async def read_records(keys: Sequence[bytes]) -> None:
        records.extend(await observing_hub(hub).observations(keys))

    async def read_epoch(client_id: str) -> None:
        epochs.append(await observing_hub(hub).epoch(client_id))

    async def read_values(height: Height) -> None:
        read.append(await _values(observed_chain(source), asked, height))

    await all_of(
        [
            (read_client, client_id),
            (read_records, [one.key for one in watched]),
            (read_epoch, client_id),
            (read_values, block.height),
        ]
    )
    (info,), (epoch,), ((values, unreadable),) = infos, epochs, read
    sights = []
    for one, record in zip(watched, records, strict=True):
        value, why_not = values.get(one.key), unreadable.get(one.key)
        reason = None if why_not is not None else why_due(one, record, epoch, block, value)
        sights.append(Sight(one, record, value, reason, why_not))
    return Look(info, epoch, block, tuple(sights))


async def _values(
    source: ObservedChain, watched: Sequence[Watched], height: Height
) -> tuple[Mapping[bytes, Value], Mapping[bytes, str]]:
    """(values, sentences about what no record can hold), both by record key. One that cannot be read spoils no other."""
    values: dict[bytes, Value] = {}
    unreadable: dict[bytes, str] = {}
    for first in range(0, len(watched), MAX_ITEMS):
        part = watched[first : first + MAX_ITEMS]
        try:
            read = await source.read_places([one.place for one in part], height)
            values |= {one.key: Value(word) for one, word in zip(part, read.values, strict=True)}
        except (PredicateFailed, NotSupported):
            for one in part:
                try:
                    (word,) = (await source.read_places([one.place], height)).values
                    values[one.key] = Value(word)
                except (PredicateFailed, NotSupported) as error:
                    unreadable[one.key] = str(error)
    return values, unreadable
