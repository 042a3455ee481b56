"""An operator with all its bytes: a log of batches over masked shards, which answers any probe."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256

from hutong.relay.services.storage.rules.audits.answers import Answer, LeafAnswer
from hutong.relay.services.storage.rules.audits.probes import Challenge, probe_leaf
from hutong.relay.services.storage.rules.commitments.entries import (
    LogEntry,
    OperatorSet,
    ShardEntry,
    batch_part,
    next_log_entry,
)
from hutong.relay.services.storage.rules.commitments.placed import PlacedEntry, place_entry, shown_set
from hutong.relay.services.storage.rules.packs.leaf_tree import (
    SPAN_BYTES,
    outboard,
    prove_shard_leaf,
    shard_height,
    shard_root,
    span_roots,
)
from hutong.relay.services.storage.rules.packs.shape import LEAF_BYTES


def named(text: str) -> bytes:
    """32 bytes that stand for something in tests and vectors."""
    return sha256(b"hutong/storage/vector/" + text.encode()).digest()


def octets(text: str, size: int) -> bytes:
    """As many bytes as are asked for, each 32 of them a hash of the text and a counter."""
    count = -(-size // 32)
    return b"".join(sha256(text.encode() + number.to_bytes(8, "big")).digest() for number in range(count))[:size]


@dataclass(frozen=True)
class HeldShard:
    pack: bytes
    shard: int
    octets: bytes
    retain_until_s: int = 0

    @cached_property
    def entry_at(self):
        root, height = shard_root(self.octets), shard_height(len(self.octets))
        return lambda first: ShardEntry(first, height, self.pack, self.shard, root, self.retain_until_s)


def entries_of(shards: Sequence[HeldShard]) -> list[ShardEntry]:
    entries, first = [], 0
    for shard in shards:
        entries.append(shard.entry_at(first))
        first += entries[-1].leaves
    return entries


class Operator:
    """`batches` are its shards, batch by batch."""

    def __init__(self, name: str, batches: Sequence[Sequence[HeldShard]]) -> None:
        self.id = named(f"operator {name}")
        self.batches = [list(batch) for batch in batches]
        self.entries = [entries_of(batch) for batch in self.batches]
        self.log: list[LogEntry] = []
        standing: OperatorSet | None = None
        for number, entries in enumerate(self.entries):
            self.log.append(next_log_entry(standing, batch_part(entries), 100 + number))
            standing = shown_set(self.log)
        assert standing is not None
        self.set = standing

    def challenge(self, seed: bytes, probes: int) -> Challenge:
        return Challenge(seed, self.id, self.set, probes)

    def placed(self, batch: int, entry: int) -> PlacedEntry:
        return place_entry(self.entries[batch], entry, self.log, batch)

    def place_of(self, leaf: int) -> tuple[int, int, int]:
        """Batch, entry and leaf in the shard."""
        for batch, log_entry in enumerate(self.log):
            if leaf < log_entry.first + log_entry.leaves:
                within = leaf - log_entry.first
                for number, entry in enumerate(self.entries[batch]):
                    if within < entry.first + entry.leaves:
                        return batch, number, within - entry.first
        raise IndexError(leaf)

    def answer_leaf(self, leaf: int) -> LeafAnswer:
        batch, number, at = self.place_of(leaf)
        held = self.batches[batch][number].octets
        span_at = at * LEAF_BYTES // SPAN_BYTES * SPAN_BYTES
        spans = span_roots(shard_height(len(held)), outboard(held))
        proof = prove_shard_leaf(spans, held[span_at : span_at + SPAN_BYTES], at)
        leaf_octets = held[at * LEAF_BYTES : (at + 1) * LEAF_BYTES]
        return LeafAnswer(self.placed(batch, number), at, leaf_octets, proof.aunts)

    def answer(self, challenge: Challenge, number: int) -> LeafAnswer:
        return self.answer_leaf(probe_leaf(challenge, number))

    def answers(self, challenge: Challenge) -> list[Answer]:
        return [self.answer(challenge, number) for number in range(challenge.probes)]


def drawn_operator(name: str, heights: Sequence[Sequence[int]], retain_until_s: int = 0) -> Operator:
    """Shards of drawn bytes, one list of heights a batch."""
    batches = [
        [
            HeldShard(
                named(f"{name} pack {batch}.{at}"),
                at % 14,
                octets(f"{name}/{batch}/{at}", LEAF_BYTES << height),
                retain_until_s,
            )
            for at, height in enumerate(row)
        ]
        for batch, row in enumerate(heights)
    ]
    return Operator(name, batches)
