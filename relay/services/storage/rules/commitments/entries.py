"""Entries of an operator's set: one shard in a batch, and one batch in the operator's log (docs/spec/storage-sets.md)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from hutong.light_clients.crypto.hashes import HASH_BYTES
from hutong.light_clients.interface import MalformedInput, PredicateFailed, rule
from hutong.light_clients.interface.height import MAX_UINT64
from hutong.light_clients.proofs.merkle import root
from hutong.relay.services.identity.rules.records.encoding import check_bytes, check_number, check_some_hash
from hutong.relay.services.storage.rules.commitments.fields import Fields
from hutong.relay.services.storage.rules.packs.shape import MAX_HEIGHT, MAX_PACK_SHARDS

SPEC: Final = "docs/spec/storage-sets.md"
MAX_BATCH_ENTRIES: Final = 1_024
"""Shards of one operator in one batch, so that its tree has at most ten levels."""
MAX_LOG_ENTRIES: Final = 2**24
MAX_SET_LEAVES: Final = 2**56
SHARD_ENTRY_BYTES: Final = 83
LOG_ENTRY_BYTES: Final = 61
_SHARD_KIND: Final = 1
_LOG_KIND: Final = 2


@dataclass(frozen=True, slots=True)
class ShardEntry:
    """One shard that an operator holds: leaves `first` to `first` + 2^`height` - 1 of its batch.

    `pack` is the pack's name, `root` that of the masked shard's leaf tree.
    """

    first: int
    height: int
    pack: bytes
    shard: int
    root: bytes
    retain_until_s: int
    """Unix seconds up to which no removal is accepted; 0 for none."""

    def __post_init__(self) -> None:
        check_number("entry.first", self.first, most=(MAX_BATCH_ENTRIES << MAX_HEIGHT) - 1)
        check_number("entry.height", self.height, most=MAX_HEIGHT)
        check_some_hash("entry.pack", self.pack)
        check_number("entry.shard", self.shard, most=MAX_PACK_SHARDS - 1)
        check_bytes("entry.root", self.root)
        check_number("entry.retain_until", self.retain_until_s)

    @property
    def leaves(self) -> int:
        """Of the shard."""
        return 1 << self.height


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One batch in an operator's log: leaves `first` to `first` + `leaves` - 1 of its set.

    `entries` is how many shards the batch has for this operator, `root` the RFC 6962 root over their entries.
    """

    first: int
    leaves: int
    entries: int
    batch: int
    """The number of the batch on the hub."""
    root: bytes

    def __post_init__(self) -> None:
        check_number("log.first", self.first, most=MAX_SET_LEAVES - 1)
        check_number("log.entries", self.entries, least=1, most=MAX_BATCH_ENTRIES)
        check_number("log.leaves", self.leaves, least=self.entries, most=self.entries << MAX_HEIGHT)
        check_number("log.batch", self.batch)
        check_bytes("log.root", self.root)


@dataclass(frozen=True, slots=True)
class BatchPart:
    """What one batch gives to one operator: what the writer signs and the operator signs as well."""

    leaves: int
    entries: int
    root: bytes


@dataclass(frozen=True, slots=True)
class OperatorSet:
    """All that an operator has to hold: the root over its log, how many batches the log has, and the leaves of all."""

    root: bytes
    size: int
    leaves: int

    def __post_init__(self) -> None:
        check_bytes("set.root", self.root)
        check_number("set.size", self.size, least=1, most=MAX_LOG_ENTRIES)
        check_number("set.leaves", self.leaves, least=self.size, most=MAX_SET_LEAVES)


def encode_shard_entry(entry: ShardEntry) -> bytes:
    """83 bytes; a leaf of the batch's tree, before RFC 6962 hashes it."""
    return b"".join(
        (
            bytes([_SHARD_KIND]),
            entry.first.to_bytes(8, "big"),
            bytes([entry.height]),
            entry.pack,
            bytes([entry.shard]),
            entry.root,
            entry.retain_until_s.to_bytes(8, "big"),
        )
    )


def decode_shard_entry(octets: bytes) -> ShardEntry:
    """Inverse of `encode_shard_entry`.

    Raises:
        MalformedInput: another length or kind, or a member out of its bounds.
    """
    fields = Fields(octets, "entry")
    fields.kind(_SHARD_KIND)
    entry = ShardEntry(
        first=fields.number(8),
        height=fields.number(1),
        pack=fields.take(HASH_BYTES),
        shard=fields.number(1),
        root=fields.take(HASH_BYTES),
        retain_until_s=fields.number(8),
    )
    fields.end()
    return entry


def encode_log_entry(entry: LogEntry) -> bytes:
    """61 bytes; a leaf of the operator's log, before RFC 6962 hashes it."""
    return b"".join(
        (
            bytes([_LOG_KIND]),
            entry.first.to_bytes(8, "big"),
            entry.leaves.to_bytes(8, "big"),
            entry.entries.to_bytes(4, "big"),
            entry.batch.to_bytes(8, "big"),
            entry.root,
        )
    )


def decode_log_entry(octets: bytes) -> LogEntry:
    """Inverse of `encode_log_entry`.

    Raises:
        MalformedInput: another length or kind, or a member out of its bounds.
    """
    fields = Fields(octets, "log")
    fields.kind(_LOG_KIND)
    first, leaves, entries, batch = fields.number(8), fields.number(8), fields.number(4), fields.number(8)
    entry = LogEntry(first, leaves, entries, batch, fields.take(HASH_BYTES))
    fields.end()
    return entry


@rule(SPEC)
def entries_follow_one_another(entries: Sequence[ShardEntry]) -> None:
    """Each leaf of a batch belongs to one shard: entries leave no gap and do not overlap.

    The hub sees roots alone, so this is judged by the operator before it signs, and by whoever holds all entries.

    Raises:
        PredicateFailed: one does not begin where the one before ends.
    """
    end = 0
    for number, entry in enumerate(entries):
        if entry.first != end:
            raise PredicateFailed(
                "entries_follow_one_another", f"entry {number} begins elsewhere", got=entry.first, expected=end
            )
        end += entry.leaves


@rule(SPEC)
def no_shard_is_counted_twice(entries: Sequence[ShardEntry]) -> None:
    """A batch names each shard once for an operator, and no two shards of a pack: its loss would be that of two.

    Raises:
        PredicateFailed: a pack is named again.
    """
    seen: set[bytes] = set()
    for entry in entries:
        if entry.pack in seen:
            raise PredicateFailed("no_shard_is_counted_twice", "a second shard of one pack", got=entry.pack)
        seen.add(entry.pack)


def batch_part(entries: Sequence[ShardEntry]) -> BatchPart:
    """What a batch of these entries gives to their operator.

    Raises:
        MalformedInput: no entries, or more than `MAX_BATCH_ENTRIES`.
        PredicateFailed: see `entries_follow_one_another` and `no_shard_is_counted_twice`.
    """
    if not 1 <= len(entries) <= MAX_BATCH_ENTRIES:
        raise MalformedInput("batch.entries", f"1 to {MAX_BATCH_ENTRIES}", got=len(entries))
    entries_follow_one_another(entries)
    no_shard_is_counted_twice(entries)
    leaves = sum(entry.leaves for entry in entries)
    return BatchPart(leaves, len(entries), root([encode_shard_entry(entry) for entry in entries]))


def next_log_entry(standing: OperatorSet | None, part: BatchPart, batch: int) -> LogEntry:
    """What the hub appends to an operator's log for its part of batch number `batch`.

    Raises:
        MalformedInput: a part that no batch has, or a set that would be larger than its bound.
    """
    first = 0 if standing is None else standing.leaves
    if first + part.leaves > MAX_SET_LEAVES or batch > MAX_UINT64:
        raise MalformedInput("set.leaves", f"at most {MAX_SET_LEAVES}", got=first + part.leaves)
    return LogEntry(first, part.leaves, part.entries, batch, part.root)
