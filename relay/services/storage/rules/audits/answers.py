"""Answers to probes: a leaf with its path, or the removal of its shard; packed, without a byte to choose (docs/spec/storage-audits.md)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.proofs.merkle import path_length
from hutong.relay.services.storage.rules.commitments.fields import Fields
from hutong.relay.services.storage.rules.commitments.placed import (
    MAX_PLACED_BYTES,
    PlacedEntry,
    encode_placed,
    read_placed,
)
from hutong.relay.services.storage.rules.packs.shape import LEAF_BYTES, MAX_HEIGHT

LEAF_ANSWER: Final = 1
REMOVED_ANSWER: Final = 2
MAX_ANSWER_BYTES: Final = 3 + LEAF_BYTES + 32 * MAX_HEIGHT + MAX_PLACED_BYTES
MAX_ANSWERS: Final = 1_024
"""In one message."""


@dataclass(frozen=True, slots=True)
class LeafAnswer:
    """The 1 KiB that was asked for, number `leaf_index` of its shard, and its path under the shard's root."""

    placed: PlacedEntry
    leaf_index: int
    leaf: bytes
    leaf_path: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class RemovedAnswer:
    """The leaf belongs to a shard that was removed; the removal's record is shown beside it."""

    placed: PlacedEntry


Answer = LeafAnswer | RemovedAnswer


def encode_answer(answer: Answer) -> bytes:
    """Kind, the placed entry, and of a leaf its index in two bytes, its 1 024 bytes and its path."""
    if isinstance(answer, RemovedAnswer):
        return bytes([REMOVED_ANSWER]) + encode_placed(answer.placed)
    index = answer.leaf_index.to_bytes(2, "big")
    return b"".join((bytes([LEAF_ANSWER]), encode_placed(answer.placed), index, answer.leaf, *answer.leaf_path))


def encode_answers(answers: Sequence[Answer]) -> bytes:
    """One after the other, in the order of their probes."""
    return b"".join(map(encode_answer, answers))


def decode_answers(octets: bytes, log_size: int, count: int) -> tuple[Answer, ...]:
    """Exactly `count` answers under a log of `log_size` batches. Inverse of `encode_answers`.

    Raises:
        MalformedInput: more than may be in one message, an unknown kind, a member out of its bounds, too few bytes or too many.
    """
    if not 0 <= count <= MAX_ANSWERS:
        raise MalformedInput("answers", f"at most {MAX_ANSWERS}", got=count)
    if len(octets) > count * MAX_ANSWER_BYTES:
        raise MalformedInput("answers", "more bytes than so many answers have", len(octets), count * MAX_ANSWER_BYTES)
    fields = Fields(octets, "answers")
    answers = tuple(_read_answer(fields, log_size, number) for number in range(count))
    fields.end()
    return answers


def _read_answer(fields: Fields, log_size: int, number: int) -> Answer:
    kind = fields.number(1)
    if kind not in (LEAF_ANSWER, REMOVED_ANSWER):
        raise MalformedInput(f"answers[{number}].kind", "is unknown", got=kind)
    placed = read_placed(fields, log_size)
    if kind == REMOVED_ANSWER:
        return RemovedAnswer(placed)
    index, leaf = fields.number(2), fields.take(LEAF_BYTES)
    if index >= placed.entry.leaves:
        raise MalformedInput(f"answers[{number}].leaf_index", "the shard has no such leaf", index, placed.entry.leaves)
    return LeafAnswer(placed, index, leaf, fields.hashes(path_length(index, placed.entry.leaves)))
