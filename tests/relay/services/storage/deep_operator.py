"""An operator of a petabyte's shape: a log of thousands of batches over full shards, which answers any probe in microseconds.

All its shards have the same bytes, under other names, so that one shard of 2^height KiB is in memory and every path has its
full length.
"""

from collections.abc import Container, Sequence
from dataclasses import dataclass
from functools import cached_property

from hutong.light_clients.proofs.merkle import inner_hash, leaf_hash
from hutong.relay.services.storage.rules.audits.probes import Challenge, probe_leaf
from hutong.relay.services.storage.rules.commitments.entries import (
    LogEntry,
    OperatorSet,
    ShardEntry,
    encode_log_entry,
    encode_shard_entry,
)
from hutong.relay.services.storage.rules.packs.shape import LEAF_BYTES
from tests.relay.services.storage.rules.held import named, octets


class Layers:
    """A tree of RFC 6962 with all its nodes: a path is as many look-ups as it has nodes."""

    def __init__(self, leaf_hashes: Sequence[bytes]) -> None:
        self.levels = [list(leaf_hashes)]
        while len(self.levels[-1]) > 1:
            below = self.levels[-1]
            # a lone last node stands again on the level above
            level = [inner_hash(below[at], below[at + 1]) for at in range(0, len(below) - 1, 2)]
            self.levels.append(level + below[len(level) * 2 :])

    @property
    def root(self) -> bytes:
        return self.levels[-1][0]

    def path(self, index: int) -> bytes:
        nodes = []
        for level in self.levels[:-1]:
            beside = index ^ 1
            if beside < len(level):
                nodes.append(level[beside])
            index >>= 1
        return b"".join(nodes)


@dataclass(frozen=True)
class DeepOperator:
    """`entries` shards of 2^`height` leaves in each batch; the log has as many batches as is asked for."""

    name: str
    entries: int = 1_024
    height: int = 13
    retain_until_s: int = 0

    @property
    def id(self) -> bytes:
        return named(f"operator {self.name}")

    @cached_property
    def leaves(self) -> list[bytes]:
        held = octets(f"deep {self.name}", LEAF_BYTES << self.height)
        return [held[at : at + LEAF_BYTES] for at in range(0, len(held), LEAF_BYTES)]

    @cached_property
    def shard(self) -> Layers:
        return Layers([leaf_hash(leaf) for leaf in self.leaves])

    def pack(self, entry: int) -> bytes:
        """Of the entry's shard, whose number in the pack is 0."""
        return named(f"{self.name} {entry}")

    @cached_property
    def encoded_entries(self) -> list[bytes]:
        root, step = self.shard.root, 1 << self.height
        return [
            encode_shard_entry(ShardEntry(number * step, self.height, self.pack(number), 0, root, self.retain_until_s))
            for number in range(self.entries)
        ]

    @cached_property
    def batch(self) -> Layers:
        return Layers([leaf_hash(entry) for entry in self.encoded_entries])

    def log_entry(self, number: int) -> bytes:
        leaves = self.entries << self.height
        return encode_log_entry(LogEntry(number * leaves, leaves, self.entries, number, self.batch.root))


class HeldLog:
    """An operator's log of so many batches."""

    def __init__(self, operator: DeepOperator, size: int) -> None:
        self.operator = operator
        self.log = [operator.log_entry(number) for number in range(size)]
        self.layers = Layers([leaf_hash(entry) for entry in self.log])
        self.set = OperatorSet(self.layers.root, size, size * (operator.entries << operator.height))

    def place_of(self, leaf: int) -> tuple[int, int, int]:
        """Batch, entry and leaf in the shard."""
        operator = self.operator
        batch, within = divmod(leaf, operator.entries << operator.height)
        return batch, *divmod(within, 1 << operator.height)

    def answer(self, challenge: Challenge, number: int, removed: Container[tuple[int, bytes]] = ()) -> bytes:
        """Encoded. Shards of packs in `removed`, by batch and pack, are called removed."""
        operator = self.operator
        batch, entry, at = self.place_of(probe_leaf(challenge, number))
        is_removed = bool(removed) and (batch, operator.pack(entry)) in removed
        placed = b"".join(
            (
                b"\x02" if is_removed else b"\x01",
                entry.to_bytes(2, "big"),
                batch.to_bytes(4, "big"),
                operator.encoded_entries[entry],
                self.log[batch],
                operator.batch.path(entry),
                self.layers.path(batch),
            )
        )
        if is_removed:
            return placed
        return b"".join((placed, at.to_bytes(2, "big"), operator.leaves[at], operator.shard.path(at)))

    def answers(
        self, challenge: Challenge, first: int, count: int, removed: Container[tuple[int, bytes]] = ()
    ) -> bytes:
        return b"".join(self.answer(challenge, number, removed) for number in range(first, first + count))
