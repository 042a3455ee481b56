"""Observations for a HubReader: what the hub's records say newer than the reader keeps."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from eth_utils.address import to_checksum_address

from hutong.adapters.evm.hub_reader import Answer, ShownRecords
from hutong.adapters.evm.reader_calls import ANY_AGE_S, KeptEpoch, ReaderCalls
from hutong.adapters.interface import ClientInfo, Proof
from hutong.adapters.rpc import all_of
from hutong.light_clients.crypto.hashes import keccak256
from hutong.light_clients.interface import NANOSECONDS_PER_SECOND, VERIFY, Height
from hutong.light_clients.records import (
    ClientEpoch,
    Demand,
    Observation,
    decode_epoch,
    decode_observation,
    epoch_key,
    judge_observation,
)
from hutong.light_clients.records.gathering import gather_under
from hutong.light_clients.tendermint.codec import decode_consensus_state
from hutong.relay.core.observing.building import check_active
from hutong.relay.core.observing.looking import observing_hub
from hutong.relay.core.observing.pushing import (
    LOOK_AT_LEAST_EVERY_S,
    Rest,
    Shown,
    Turn,
    check_reads_through,
    evm_calls_of,
)
from hutong.relay.core.observing.watched import Pushed
from hutong.relay.core.route.local_verification import verification_time_ns
from hutong.relay.core.route.route_context import RouteContext
from hutong.relay.telemetry import KeptMetrics, Logger

MAX_DRIFT_S = 60
"""Of a HubReader: by how much a time may be ahead of its chain's."""
MAX_RECORDS = 16
"""In one call: each costs its reader some 100 000 gas to keep."""


@dataclass(frozen=True, slots=True)
class RecordsDue:
    """Records that are newer on the hub, and clients whose epoch the reader does not know."""

    records: tuple[Pushed, ...]
    observations: tuple[Observation, ...]
    epochs: tuple[tuple[str, ClientEpoch], ...]
    turn: Turn
    latest: Height
    """Of the chain's client of the hub."""

    @property
    def keys(self) -> tuple[bytes, ...]:
        """Of the records, then of the epochs of all their clients and of `epochs`."""
        clients = sorted({one.observed_client for one in self.records} | {client for client, _ in self.epochs})
        return (*(one.key for one in self.records), *map(epoch_key, clients))


@dataclass(frozen=True, slots=True)
class RecordsOnHub:
    """What the hub's newest state says of everything that is pushed."""

    epochs: Mapping[str, ClientEpoch | None]
    records: tuple[Observation | None, ...]


@dataclass(frozen=True, slots=True)
class _AtReader:
    """What the reader keeps under each key and of each client, and the newest height of its chain's client of the hub."""

    latest: Height
    kept: tuple[Answer | None, ...]
    epochs: Mapping[str, KeptEpoch | None]


class ReaderCargo:
    """See `Cargo`."""

    what = "observations"

    def __init__(self, context: RouteContext, reader: bytes, pushed: Sequence[Pushed]) -> None:
        """`reader`: 20 bytes."""
        self._context = context
        self._route = context.route
        self._hub = context.source.adapter
        self._destination = context.destination.adapter
        self._reader = reader
        self._pushed = tuple(sorted(pushed, key=lambda one: one.key))
        self._brought: dict[bytes, int] = {}
        """By record key, the time of the hub's header under which it was last kept by us."""
        self.address: str = to_checksum_address(reader)
        self.metrics: KeptMetrics = context.destination.metrics.observations

    def named(self, log: Logger) -> Logger:
        """See `Cargo`."""
        return log.bind(reader=self.address)

    async def _calls(self) -> ReaderCalls:
        chain, chain_id = await evm_calls_of(self._context)
        return ReaderCalls(chain.execution, chain_id, self._reader, self._destination.batch_limits)

    async def on_hub(self) -> RecordsOnHub:
        """See `Cargo`."""
        hub = observing_hub(self._hub)
        clients = sorted({one.observed_client for one in self._pushed})
        epochs: dict[str, ClientEpoch | None] = {}
        records: list[Observation | None] = []

        async def read_epoch(client: str) -> None:
            epochs[client] = await hub.epoch(client)

        async def read_records(keys: Sequence[bytes]) -> None:
            records.extend(await hub.observations(keys))

        await all_of([(read_records, [one.key for one in self._pushed]), *((read_epoch, one) for one in clients)])
        return RecordsOnHub(epochs, tuple(records))

    async def _at_reader(self) -> _AtReader:
        """Raises RouteBlocked if the chain's client of the hub is not active, or the reader reads through another one."""
        calls = await self._calls()
        infos: list[ClientInfo] = []
        reads_through: list[str] = []
        kept: list[Answer | None] = []
        epochs: dict[str, KeptEpoch | None] = {}

        async def read_client(client_id: str) -> None:
            infos.append(await self._destination.client(client_id))

        async def read_kept(keys: Sequence[bytes]) -> None:
            reads_through.append(await calls.client_id())
            kept.extend(await calls.kept(keys))

        async def read_epoch(client: str) -> None:
            epochs[client] = await calls.kept_epoch(client)

        keys = [one.key for one in self._pushed]
        clients = {one.observed_client for one in self._pushed}
        await all_of(
            [(read_client, self._route.client), (read_kept, keys), *((read_epoch, client) for client in clients)]
        )
        check_active(self._route.name, infos[0])
        check_reads_through(f"the reader {self.address}", reads_through[0], self._route.client)
        return _AtReader(infos[0].latest_height, tuple(kept), epochs)

    async def due(self, on_hub: RecordsOnHub) -> RecordsDue | Rest:
        """See `Cargo`; at most MAX_RECORDS. Raises as `Cargo.due`."""
        there = await self._at_reader()
        epochs = on_hub.epochs
        found: list[tuple[Pushed, Observation, Answer | None]] = []
        for one, record, have in zip(self._pushed, on_hub.records, there.kept, strict=True):
            epoch = epochs[one.observed_client]
            is_current = record is not None and epoch is not None and epoch.is_readable and record.epoch == epoch.number
            if record is not None and is_current and (have is None or have.source_height < record.height):
                found.append((one, record, have))
        found = found[:MAX_RECORDS]
        unknown = tuple(
            (client, epoch)
            for client in sorted(epochs)
            if (epoch := epochs[client]) is not None and _is_news(epoch, there.epochs[client])
        )
        if not found and not unknown:
            return Rest(LOOK_AT_LEAST_EVERY_S)
        is_ours = bool(found) and all(
            have is not None and self._brought.get(one.key) == have.header_time_s for one, _, have in found
        )
        first = found[0][0].key.hex() if found else unknown[0][0]
        turn = Turn(f"{first} {self._reader.hex()}", is_ours, is_new=all(have is None for _, _, have in found))
        return RecordsDue(
            tuple(one for one, _, _ in found), tuple(record for _, record, _ in found), unknown, turn, there.latest
        )

    async def proven(self, due: RecordsDue, height: Height) -> Sequence[Proof] | None:
        """See `Cargo`; of `due.keys`."""
        proofs = await self._hub.prove_all([(key,) for key in due.keys], height)
        count = len(due.records)
        newest = {epoch_key(client): epoch for client, epoch in due.epochs}
        for proof, record in zip(proofs[:count], due.observations, strict=True):
            if proof.value is None or decode_observation(proof.value).height < record.height:
                return None
        for key, proof in zip(due.keys[count:], proofs[count:], strict=True):
            known = newest.get(key)
            if proof.value is None or (known is not None and decode_epoch(proof.value).number < known.number):
                return None
        return proofs

    async def shown(self, due: RecordsDue, height: Height, proven: Sequence[Proof], state: bytes) -> Shown:
        """See `Cargo`: one multiproof, judged under the root, and the records as the reader will judge them."""
        header = decode_consensus_state(state)
        claims, multiproof = gather_under(header.root, due.keys, [proof.proof for proof in proven])
        head = await self._context.destination.heads.head()
        now_s = verification_time_ns(head.time_ns, self._context.relay.services.now_ns()) // NANOSECONDS_PER_SECOND
        demand = Demand(now_s, ANY_AGE_S, max_drift_s=MAX_DRIFT_S)
        judged = {claim.key: claim.value for claim in claims}
        for pushed in due.records:
            judge_observation(VERIFY, pushed.key, judged, header.timestamp_ns // NANOSECONDS_PER_SECOND, demand)
        calls, records = await self._calls(), ShownRecords.of(height, claims, multiproof)
        return Shown(
            height,
            header.timestamp_ns // NANOSECONDS_PER_SECOND,
            partial(calls.prepare_keep, records),
            partial(calls.prepare_keep_after_update, records),
        )

    def failed(self, due: RecordsDue) -> None:
        """See `Cargo`."""
        self.metrics.ended(self._route.destination, self._route.client, "failed", len(due.records))

    async def ended(self, due: RecordsDue, shown: Shown, transaction_hash: bytes, log: Logger) -> None:
        """See `Cargo`."""
        chain, client = self._route.destination, self._route.client
        written = await (await self._calls()).written_in(transaction_hash)
        done = [one for one in due.records if keccak256(one.key) in written]
        self._brought |= {one.key: shown.header_time_s for one in done}
        self.metrics.ended(chain, client, "written", len(done))
        self.metrics.ended(chain, client, "superseded", len(due.records) - len(done))
        log.info(
            "pushed",
            observations=[one.name for one in done],
            epochs=[observed for observed, _ in due.epochs],
            height=str(shown.height),
            transaction=transaction_hash,
        )


def _is_news(epoch: ClientEpoch, kept: KeptEpoch | None) -> bool:
    """Only what takes records away is worth a push of its own: the first epoch comes with the first record."""
    if kept is None:
        return False
    return (epoch.number, epoch.is_readable) != (kept.number, kept.is_readable)
