"""An entry with its two paths: one shard, shown to be in an operator's set (docs/spec/storage-sets.md).

Path lengths follow from positions and sizes, so no byte of the encoding is free: another spelling of the same proof is refused.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from hutong.light_clients.interface import Judge, MalformedInput, PredicateFailed, rule
from hutong.light_clients.proofs.merkle import MerkleProof, leaf_hash, path_length, prove, root, root_of
from hutong.light_clients.proofs.merkle.proof import index_within_total, path_is_canonical
from hutong.relay.services.storage.rules.commitments.entries import (
    LOG_ENTRY_BYTES,
    SHARD_ENTRY_BYTES,
    SPEC,
    LogEntry,
    OperatorSet,
    ShardEntry,
    decode_log_entry,
    decode_shard_entry,
    encode_log_entry,
    encode_shard_entry,
)
from hutong.relay.services.storage.rules.commitments.fields import Fields

MAX_PLACED_BYTES: Final = 6 + SHARD_ENTRY_BYTES + LOG_ENTRY_BYTES + 32 * (10 + 24)


@dataclass(frozen=True, slots=True)
class PlacedEntry:
    """`entry` is number `entry_index` of its batch, and the batch number `log_index` of the log. Paths run from below."""

    entry_index: int
    log_index: int
    entry: ShardEntry
    log_entry: LogEntry
    entry_path: tuple[bytes, ...]
    log_path: tuple[bytes, ...]


def place_entry(
    entries: Sequence[ShardEntry], entry_index: int, log: Sequence[LogEntry], log_index: int
) -> PlacedEntry:
    """The proof of one entry, for operators, which hold the whole log and its batches.

    Raises:
        IndexError: there is no such entry or batch.
    """
    low = prove([encode_shard_entry(entry) for entry in entries], entry_index)
    high = prove([encode_log_entry(entry) for entry in log], log_index)
    return PlacedEntry(entry_index, log_index, entries[entry_index], log[log_index], low.aunts, high.aunts)


def encode_placed(placed: PlacedEntry) -> bytes:
    """`entry_index` in two bytes, `log_index` in four, both entries, both paths."""
    return b"".join(
        (
            placed.entry_index.to_bytes(2, "big"),
            placed.log_index.to_bytes(4, "big"),
            encode_shard_entry(placed.entry),
            encode_log_entry(placed.log_entry),
            *placed.entry_path,
            *placed.log_path,
        )
    )


def read_placed(fields: Fields, log_size: int) -> PlacedEntry:
    """The next placed entry of `fields`, under a log of `log_size` batches.

    Raises:
        MalformedInput: too few bytes, an index that batch or log does not have, or an entry out of its bounds.
    """
    entry_index, log_index = fields.number(2), fields.number(4)
    entry = decode_shard_entry(fields.take(SHARD_ENTRY_BYTES))
    log_entry = decode_log_entry(fields.take(LOG_ENTRY_BYTES))
    if entry_index >= log_entry.entries:
        raise MalformedInput("placed.entry_index", "the batch has no such entry", entry_index, log_entry.entries)
    if log_index >= log_size:
        raise MalformedInput("placed.log_index", "the log has no such batch", log_index, log_size)
    entry_path = fields.hashes(path_length(entry_index, log_entry.entries))
    return PlacedEntry(
        entry_index, log_index, entry, log_entry, entry_path, fields.hashes(path_length(log_index, log_size))
    )


def decode_placed(octets: bytes, log_size: int) -> PlacedEntry:
    """Inverse of `encode_placed`.

    Raises:
        MalformedInput: see `read_placed`, or bytes after the end.
    """
    fields = Fields(octets, "placed")
    placed = read_placed(fields, log_size)
    fields.end()
    return placed


def _leads_to(name: str, proof: MerkleProof, believed: bytes) -> None:
    index_within_total(proof)
    path_is_canonical(proof)
    found = root_of(proof)
    if found != believed:
        raise PredicateFailed(name, "the path leads to another root", got=found, expected=believed)


@rule(SPEC)
def batch_stands_in_log(operator_set: OperatorSet, placed: PlacedEntry) -> None:
    """The log entry is the one of its number in the operator's set.

    Raises:
        PredicateFailed: another root, or a path of another length.
    """
    hashed = leaf_hash(encode_log_entry(placed.log_entry))
    proof = MerkleProof(operator_set.size, placed.log_index, hashed, placed.log_path)
    _leads_to("batch_stands_in_log", proof, operator_set.root)


@rule(SPEC)
def entry_stands_in_batch(placed: PlacedEntry) -> None:
    """The shard's entry is the one of its number in the batch.

    Raises:
        PredicateFailed: another root, or a path of another length.
    """
    hashed = leaf_hash(encode_shard_entry(placed.entry))
    proof = MerkleProof(placed.log_entry.entries, placed.entry_index, hashed, placed.entry_path)
    _leads_to("entry_stands_in_batch", proof, placed.log_entry.root)


@rule(SPEC)
def entry_ends_within_batch(placed: PlacedEntry) -> None:
    """The shard's leaves are leaves of its batch.

    Raises:
        PredicateFailed: the last one is not.
    """
    end = placed.entry.first + placed.entry.leaves
    if end > placed.log_entry.leaves:
        raise PredicateFailed(
            "entry_ends_within_batch", "the shard ends after its batch", got=end, expected=placed.log_entry.leaves
        )


def judge_placed(judge: Judge, operator_set: OperatorSet, placed: PlacedEntry) -> ShardEntry:
    """The shard's entry, which stands in the operator's set.

    Raises:
        PredicateFailed: the first rule that does not hold.
    """
    judge(batch_stands_in_log, operator_set, placed)
    judge(entry_stands_in_batch, placed)
    judge(entry_ends_within_batch, placed)
    return placed.entry


def shown_set(log: Sequence[LogEntry]) -> OperatorSet:
    """The set of a whole log, for operators and auditors, which hold all of it.

    Raises:
        MalformedInput: an empty log, or one above its bounds.
    """
    leaves = log[-1].first + log[-1].leaves if log else 0
    return OperatorSet(root([encode_log_entry(entry) for entry in log]), len(log), leaves)
