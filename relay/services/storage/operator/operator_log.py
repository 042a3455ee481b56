"""An operator's log in memory, as the hub has it: which shard holds a leaf, and the paths that show it."""

from bisect import bisect_right
from collections.abc import Sequence
from functools import lru_cache

from hutong.light_clients.proofs.merkle import leaf_hash
from hutong.relay.services.storage.operator.index import HeldPart, ShardIndex
from hutong.relay.services.storage.operator.levels import TreeLevels
from hutong.relay.services.storage.rules.commitments.entries import (
    LogEntry,
    OperatorSet,
    ShardEntry,
    encode_log_entry,
    encode_shard_entry,
)
from hutong.relay.services.storage.rules.commitments.placed import PlacedEntry

KEPT_TREES = 4
"""Sets of which all levels are kept: that of the epoch, and those that people ask for."""
KEPT_PARTS = 256


class OperatorLog:
    """Grows by `append`, which the index has done before. Calls block for a moment: they may read the index."""

    def __init__(self, index: ShardIndex) -> None:
        """Reads all of the log: some 100 bytes a batch."""
        self._index = index
        self._entries = index.log()
        self._firsts = [entry.first for entry in self._entries]
        self._hashes = [leaf_hash(encode_log_entry(entry)) for entry in self._entries]
        self._tree = lru_cache(KEPT_TREES)(self._tree_of)
        self._part = lru_cache(KEPT_PARTS)(self._part_of)

    @property
    def size(self) -> int:
        """How many batches it has."""
        return len(self._entries)

    @property
    def end(self) -> int:
        """Leaves of all."""
        return self._entries[-1].first + self._entries[-1].leaves if self._entries else 0

    def append(self, entry: LogEntry) -> None:
        """The next entry."""
        self._hashes.append(leaf_hash(encode_log_entry(entry)))
        self._firsts.append(entry.first)
        self._entries.append(entry)

    def entries(self, first: int, count: int) -> Sequence[LogEntry]:
        """Entries `first` and the following ones, as many as there are."""
        return self._entries[first : first + count]

    def set_of(self, size: int) -> OperatorSet:
        """The set of the first `size` batches.

        Raises:
            IndexError: the log is shorter, or `size` is 0.
        """
        if not 1 <= size <= self.size:
            raise IndexError(size)
        last = self._entries[size - 1]
        return OperatorSet(self._tree(size).root, size, last.first + last.leaves)

    def part(self, position: int) -> HeldPart:
        """The part of a log entry.

        Raises:
            IndexError: the log has no such entry.
        """
        return self._part(position)[0]

    def place_of_leaf(self, size: int, leaf: int) -> tuple[PlacedEntry, bytes, int]:
        """The entry that holds a leaf of the set of `size` batches, the owner of its pack, and the leaf's number in the shard.

        Raises:
            IndexError: the set has no such leaf.
        """
        if not 0 <= leaf < self.set_of(size).leaves:
            raise IndexError(leaf)
        position = bisect_right(self._firsts, leaf) - 1
        within = leaf - self._firsts[position]
        part, _ = self._part(position)
        number = bisect_right([entry.first for entry in part.entries], within) - 1
        return self.placed(size, position, number), part.owner, within - part.entries[number].first

    def placed(self, size: int, position: int, number: int) -> PlacedEntry:
        """Entry `number` of batch `position`, shown to stand in the set of `size` batches.

        Raises:
            IndexError: there is no such batch in it, or no such entry.
        """
        part, tree = self._part(position)
        path = self._tree(size).path(position)
        return PlacedEntry(number, position, part.entries[number], self._entries[position], tree.path(number), path)

    def _tree_of(self, size: int) -> TreeLevels:
        return TreeLevels(self._hashes[:size])

    def _part_of(self, position: int) -> tuple[HeldPart, TreeLevels]:
        part = self._index.logged_part(position)
        return part, TreeLevels([leaf_hash(encode_shard_entry(entry)) for entry in part.entries])


def number_of(entries: Sequence[ShardEntry], pack: bytes, shard: int) -> int | None:
    """Which entry of a part is of a shard; None where none is."""
    return next((at for at, entry in enumerate(entries) if (entry.pack, entry.shard) == (pack, shard)), None)
