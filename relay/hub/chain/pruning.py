"""Bounded disk: what a node of the embedded engine keeps of old states and blocks, and deleting the rest.

One step follows each block in the thread that applied it, in batches of its own: a crash in between leaves a chain with a few
more rows, and the next step goes on. A step deletes about as much as a block adds, and a backlog faster than it grew.
"""

from dataclasses import dataclass

from hutong.light_clients.interface import NANOSECONDS_PER_SECOND
from hutong.relay.evm.chain.block_store import prune_block
from hutong.relay.evm.store.database import KeyValueStore, Table
from hutong.relay.evm.vm.state_traversal import StateTraversal
from hutong.relay.hub.application.application import STATE_TABLE, HubApplication
from hutong.relay.hub.application.genesis import HubParams
from hutong.relay.hub.application.machine.evm_pruning import (
    EVM_TABLE,
    PlaceFilter,
    counts_places,
    mark_counted,
    prune_evm_version,
)
from hutong.relay.hub.application.snapshot.restoring import prune_restored_header
from hutong.relay.hub.chain.block_records import BlockRecords, prune_block_records
from hutong.relay.hub.chain.bodies import BodyBudget
from hutong.relay.hub.consensus.blocks import ConsensusParams
from hutong.relay.hub.state import StateDamaged
from hutong.relay.hub.state.keys import EVM_STATE_ROOT_KEY
from hutong.relay.hub.state.versions import prune_version

HOUR_S = 3600
LEAST_STATES = 256
"""Whatever their age: a snapshot that is being made, or a relay that is proving, has begun with one of the newest."""
VERSIONS_IN_STEP = 4
BLOCKS_IN_STEP = 16
_ROWS_IN_BATCH = 8_192


@dataclass(frozen=True, slots=True)
class Retention:
    """What is kept at the least; None keeps all. A block goes once more than `blocks` stand above it and it is older than
    `blocks_s` too: until then evidence about it must be judged. Its body goes once all bodies take more than `bodies_bytes`."""

    states_s: int | None
    blocks: int | None
    blocks_s: int = 0
    bodies_bytes: int | None = None


class TooFewBlocks(Exception):
    """One sentence."""

    def __init__(self, got: int, expected: int) -> None:
        self.got, self.expected = got, expected
        super().__init__(got, expected)

    def __str__(self) -> str:
        return (
            f"keeping {self.got} blocks is too few: evidence against a validator counts for {self.expected} blocks, and a node"
            f" without them cannot judge it; keep {self.expected} or more, or 0 for all"
        )


KEEP_ALL = Retention(None, None)


DEFAULT_BODIES_GIB = 64
"""A quarter of the default database: six hours of full blocks, years of a hub that carries a message a second."""


def retention_of(
    params: HubParams, states_h: int | None, blocks: int | None, bodies_gib: int | None = None
) -> Retention:
    """What is kept, from the command's numbers: hours, blocks and GiB; 0 keeps all.

    None is the default, which is what relays and light clients may ask for: the trusting period, the blocks for which
    evidence counts, and DEFAULT_BODIES_GIB. No number shortens the time for which evidence counts.

    Raises:
        TooFewBlocks: fewer blocks than those for which evidence counts.
    """
    bodies_bytes = (DEFAULT_BODIES_GIB if bodies_gib is None else bodies_gib) * 1024**3 or None
    accountable = ConsensusParams()
    states_s = params.trusting_period_s if states_h is None else states_h * HOUR_S
    least = accountable.evidence_max_age_blocks
    kept_blocks = least if blocks is None else blocks
    if 0 < kept_blocks < least:
        raise TooFewBlocks(kept_blocks, least)
    if kept_blocks == 0:
        return Retention(states_s or None, None, bodies_bytes=bodies_bytes)
    accountable_s = accountable.evidence_max_age_ns // NANOSECONDS_PER_SECOND
    return Retention(states_s or None, kept_blocks, accountable_s, bodies_bytes)


class Pruner:
    """Blocking, for the thread that applies blocks."""

    def __init__(
        self, store: KeyValueStore, application: HubApplication, records: BlockRecords, retention: Retention
    ) -> None:
        self._store = store
        self._application = application
        self._records = records
        self._retention = retention
        self._bodies = (
            None if retention.bodies_bytes is None else BodyBudget(store, application, records, retention.bodies_bytes)
        )

    def prepare(self) -> bool:
        """Count the places of the newest EVM state where that was not done, once in a home's life.

        A blocking walk over the whole state; call it before the first block is applied.

        Returns:
            Whether the walk was made now.

        Raises:
            StateDamaged: a node of the state is missing.
            StoreFull: the counts do not fit.
        """
        if self._retention.states_s is None or counts_places(self._store):
            return False
        root = self._application.view()[0].get(EVM_STATE_ROOT_KEY)
        if root is None:
            raise StateDamaged("the state has no EVM state root")
        evm, places, traversal = Table(self._store, EVM_TABLE), PlaceFilter(), StateTraversal(root)
        rows: list[tuple[bytes, bytes]] = []
        while (expected := traversal.expected) is not None:
            record = evm.get(expected.hash)
            if record is None:
                raise StateDamaged(f"{expected.item.value} {expected.hash.hex()} is missing")
            traversal.feed(record)
            row = places.row(expected.item, expected.hash)
            if row is not None:
                rows.append(row)
        while rows:
            with self._store.batch() as batch:
                for key, value in rows[:_ROWS_IN_BATCH]:
                    batch.put(key, value)
            del rows[:_ROWS_IN_BATCH]
        with self._store.batch() as batch:
            mark_counted(batch)
        return True

    def bodies_bytes(self) -> int:
        """Bytes of the bodies that are stored and counted; 0 where all are kept."""
        return 0 if self._bodies is None else self._bodies.total_bytes

    def step(self) -> int:
        """Delete what is old, in one batch: some versions, some blocks, or some bodies; returns how many rows went.

        Call it after each block, from the thread that applied it.

        Raises:
            StoreFull: the batch does not fit; nothing was deleted.
        """
        newest = self._application.state.latest_version()
        if newest is None:
            return 0
        versions = self._old_versions(newest)
        heights = self._old_blocks(newest, versions)
        bodies = range(0) if self._bodies is None or heights else self._bodies.excess(newest)
        is_due = self._bodies is not None and self._bodies.is_due
        if not versions and not heights and not bodies and not is_due:
            return 0
        deleted = len(heights) + len(bodies)
        with self._store.batch() as batch:
            if self._bodies is not None:
                for height in heights:
                    self._bodies.forget(height)
                for height in bodies:
                    self._bodies.prune(batch, height)
                self._bodies.save(batch)
            for version in versions:
                deleted += prune_version(batch, STATE_TABLE, version) + prune_evm_version(batch, version)
            for height in heights:
                prune_block_records(batch, self._records, height)
                for number in (height - 1, height) if height == 1 else (height,):
                    prune_block(batch, self._application.blocks, number)
                prune_restored_header(batch, height)
        return deleted

    def _old_versions(self, newest: int) -> list[int]:
        """The oldest ones, as far as one step takes them."""
        oldest = self._application.state.oldest_version()
        if self._retention.states_s is None or oldest is None or not counts_places(self._store):
            return []
        horizon_ns = self._application.block_time_ns(newest) - self._retention.states_s * NANOSECONDS_PER_SECOND
        found: list[int] = []
        for version in range(oldest, oldest + VERSIONS_IN_STEP):
            if version > newest - LEAST_STATES or self._application.state.root(version) is None:
                break
            # The state after block n is the newest one until block n + 1.
            successor = self._application.blocks.header(version + 1)
            if successor is not None and self._application.block_time_ns(version + 1) > horizon_ns:
                break
            found.append(version)
        return found

    def _old_blocks(self, newest: int, versions: list[int]) -> range:
        """A block stays while there is a state that its successor's header proves."""
        if self._retention.blocks is None:
            return range(0)
        oldest = versions[-1] + 1 if versions else 0
        first = self._records.first_height()
        most = min(
            newest - self._retention.blocks, max(oldest, self._application.oldest_state()), first + BLOCKS_IN_STEP
        )
        horizon_ns = self._application.block_time_ns(newest) - self._retention.blocks_s * NANOSECONDS_PER_SECOND
        end = first
        while end < most and self._application.block_time_ns(end) < horizon_ns:
            end += 1
        return range(first, end)
