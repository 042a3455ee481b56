"""Which shards of which batches nobody holds who can be trusted, and who is to hold them: from the hub's records alone.

A repair is of a whole part. Its entries are those of the part that was lost, so its root is the root that the hub has, and where the hub
has that root again in the log of an operator that is trusted, the shards are held. Nothing else is remembered of a repair.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from hutong.light_clients.interface import PredicateFailed
from hutong.relay.services.storage.repairer.ledger import KnownBatch
from hutong.relay.services.storage.repairer.standing import GONE, Standing
from hutong.relay.services.storage.rules.commitments.entries import LogEntry
from hutong.relay.services.storage.rules.lifecycle.signed import OperatorPart
from hutong.relay.services.storage.rules.packs.shape import PackShape
from hutong.relay.services.storage.rules.placement import placement_is_possible, score
from hutong.relay.services.storage.rules.records.members import Candidate, MapRecord


@dataclass(frozen=True, slots=True)
class Copy:
    """Where a part stands: entry `position` of an operator's log."""

    operator: bytes
    position: int
    is_trusted: bool


@dataclass(frozen=True, slots=True)
class Column:
    """The shards of one number, of all packs of a batch: one operator's part. `index` is the part's number in the batch."""

    shard: int
    index: int
    part: OperatorPart
    copies: tuple[Copy, ...]
    """That can be read, the trusted ones first."""
    holders: frozenset[bytes]
    """Every operator that has it in its log, whatever it is worth."""

    @property
    def is_held(self) -> bool:
        """By an operator that is trusted."""
        return any(copy.is_trusted for copy in self.copies)


@dataclass(frozen=True, slots=True)
class BatchState:
    """A writer's batch, and its columns by shard number."""

    batch: KnownBatch
    shape: PackShape
    """Of the code; its height says nothing."""
    columns: tuple[Column, ...]

    @property
    def lost(self) -> tuple[Column, ...]:
        """That nobody holds who is trusted."""
        return tuple(column for column in self.columns if not column.is_held)

    @property
    def readable(self) -> int:
        """Columns that somebody may still show."""
        return sum(1 for column in self.columns if column.copies)

    @property
    def held(self) -> int:
        """Columns that an operator holds who is trusted."""
        return len(self.columns) - len(self.lost)


@dataclass(frozen=True, slots=True)
class Known:
    """What the hub says, as it was read."""

    batches: Sequence[KnownBatch]
    logs: Mapping[bytes, Sequence[LogEntry]]
    maps: Mapping[int, MapRecord]
    standings: Mapping[bytes, Standing]
    accounts: Mapping[bytes, bytes]
    """Of operators that the hub knows, 20 bytes each."""


def states_of(known: Known) -> list[BatchState]:
    """Every batch of a writer with its columns; those with the fewest that are held come first.

    A batch is left out whose parts the hub's node did not say: see `unreadable`.
    """
    copies = _copies(known)
    found = []
    for batch in known.batches:
        placing = known.maps.get(batch.record.map)
        if not batch.parts or not _is_placed(batch) or placing is None:
            continue
        shape = PackShape(placing.data, placing.parity, 0)
        numbers = {
            one.operator: number for number, one in enumerate(placement_is_possible(placing, batch.record.group))
        }
        columns = []
        for index, part in enumerate(batch.parts):
            where = copies.get((batch.record.owner, part.part.root), [])
            shown = sorted(
                (one for one in where if one.operator not in _gone(known)), key=lambda one: not one.is_trusted
            )
            holders = frozenset(one.operator for one in where)
            columns.append(Column(numbers[part.operator], index, part, tuple(shown), holders))
        found.append(BatchState(batch, shape, tuple(sorted(columns, key=lambda one: one.shard))))
    return sorted(found, key=lambda one: (one.held, one.batch.number))


def unreadable(known: Known) -> list[int]:
    """Batches of writers that cannot be looked after: whose parts the node did not say, or whose map it does not have."""
    return [
        batch.number
        for batch in known.batches
        if not batch.parts or (_is_placed(batch) and batch.record.map not in known.maps)
    ]


def targets_of(
    state: BatchState,
    newest: MapRecord,
    standings: Mapping[bytes, Standing],
    reached: Collection[bytes],
    avoided: Mapping[int, Collection[bytes]] | None = None,
) -> dict[int, bytes]:
    """Who is to hold each lost column: an operator that the newest map places the group at, or else the next one by its score.

    No organisation and no site comes to hold more shards of a pack than there are parity shards, as far as trusted holders go.

    Args:
        reached: operators whose address is known.
        avoided: by shard number, operators that did not take it before.

    Returns:
        Operators by shard number; a column for which nobody is left is not there.
    """
    group, limit = state.batch.record.group, state.shape.parity
    labels = {one.operator: one for one in newest.candidates}
    organisations, sites = Counter[bytes](), Counter[bytes]()
    for column in state.columns:
        for holder in {copy.operator for copy in column.copies if copy.is_trusted}:
            if (one := labels.get(holder)) is not None:
                organisations[one.organisation] += 1
                sites[one.site] += 1
    taken = frozenset[bytes]().union(*(column.holders for column in state.columns))
    free = [
        one
        for one in _in_order(newest, group)
        if one.operator not in taken and one.operator in reached and standings.get(one.operator) is Standing.TRUSTED
    ]
    found: dict[int, bytes] = {}
    for column in state.lost:
        for one in free:
            if one.operator in (avoided or {}).get(column.shard, ()):
                continue
            if organisations[one.organisation] < limit and sites[one.site] < limit:
                found[column.shard] = one.operator
                organisations[one.organisation] += 1
                sites[one.site] += 1
                free.remove(one)
                break
    return found


def _in_order(newest: MapRecord, group: int) -> list[Candidate]:
    """Whom the newest map places the group at, and then all others by their scores."""
    try:
        first = placement_is_possible(newest, group)
    except PredicateFailed:
        first = ()
    rest = sorted(newest.candidates, key=lambda one: (score(group, one), one.operator))
    return [*first, *(one for one in rest if one not in first)]


def _copies(known: Known) -> dict[tuple[bytes, bytes], list[Copy]]:
    """By owner and root of a part."""
    owners = {batch.number: batch.record.owner for batch in known.batches}
    found: dict[tuple[bytes, bytes], list[Copy]] = defaultdict(list)
    for operator, entries in known.logs.items():
        is_trusted = known.standings.get(operator) is Standing.TRUSTED
        for position, entry in enumerate(entries):
            owner = owners.get(entry.batch)
            if owner is not None:
                found[owner, entry.root].append(Copy(operator, position, is_trusted))
    return found


def _gone(known: Known) -> frozenset[bytes]:
    return frozenset(operator for operator, standing in known.standings.items() if standing in GONE)


def _is_placed(batch: KnownBatch) -> bool:
    """Whether a writer stored it: a repair is in no group."""
    return batch.record.map != 0
