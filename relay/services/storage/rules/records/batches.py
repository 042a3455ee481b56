"""Values of records about batches and operators' logs (docs/spec/storage-records.md)."""

from dataclasses import dataclass
from typing import Final

from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.proofs.merkle import Frontier
from hutong.relay.services.identity.rules.records.encoding import (
    check_bytes,
    check_number,
    check_some_hash,
    decode_value,
    encode_value,
)
from hutong.relay.services.storage.rules.commitments.entries import MAX_LOG_ENTRIES, MAX_SET_LEAVES, OperatorSet
from hutong.relay.services.storage.rules.lifecycle.signed import MAX_BATCH_PARTS

BATCH_STRUCT: Final = "(bytes32,bytes32,uint64,uint64,uint32,bytes32,uint32,uint256,uint64,uint64)"
LOG_STRUCT: Final = "(uint64,uint64,bytes32[])"


@dataclass(frozen=True, slots=True)
class BatchRecord:
    """A batch: who wrote it for whom, where it was placed, and which of its parts their operators have signed."""

    writer: bytes
    owner: bytes
    """The writer, or of a repair the one whose packs were rebuilt: who may remove."""
    sequence: int
    map: int
    """Number of the map that placed it; 0 of a repair, which may go to any active operator."""
    group: int
    parts: bytes
    """`parts_hash` of all parts."""
    count: int
    signed: int
    """Bit i is part i."""
    height: int
    time_s: int

    def __post_init__(self) -> None:
        for field, value in (("writer", self.writer), ("owner", self.owner), ("parts", self.parts)):
            check_some_hash(f"batch.{field}", value)
        check_number("batch.sequence", self.sequence)
        check_number("batch.map", self.map)
        check_number("batch.group", self.group, most=2**32 - 1)
        check_number("batch.count", self.count, least=1, most=MAX_BATCH_PARTS)
        check_number("batch.signed", self.signed, least=1, most=(1 << self.count) - 1)
        check_number("batch.height", self.height)
        check_number("batch.time", self.time_s)


@dataclass(frozen=True, slots=True)
class LogRecord:
    """An operator's log as it stands: how many batches and leaves, and the roots of its whole subtrees.

    `peaks` begin with the largest subtree; there is one for each bit of `size`.
    """

    size: int
    leaves: int
    peaks: tuple[bytes, ...]

    def __post_init__(self) -> None:
        check_number("log.size", self.size, least=1, most=MAX_LOG_ENTRIES)
        check_number("log.leaves", self.leaves, least=self.size, most=MAX_SET_LEAVES)
        if len(self.peaks) != self.size.bit_count():
            raise MalformedInput("log.peaks", "one for each bit of the size", len(self.peaks), self.size.bit_count())
        for peak in self.peaks:
            check_bytes("log.peak", peak)

    @property
    def frontier(self) -> Frontier:
        """To which the next entry is appended."""
        return Frontier.of(self.size, self.peaks)

    @property
    def operator_set(self) -> OperatorSet:
        """What the operator has to hold."""
        return OperatorSet(self.frontier.root(), self.size, self.leaves)


def encode_batch_record(record: BatchRecord) -> bytes:
    """Inverse of `decode_batch_record`."""
    place = (record.sequence, record.map, record.group)
    rest = (record.parts, record.count, record.signed, record.height, record.time_s)
    return encode_value(BATCH_STRUCT, (record.writer, record.owner, *place, *rest))


def decode_batch_record(data: bytes) -> BatchRecord:
    """A batch.

    Raises:
        MalformedInput: an unknown version, another encoding, or a member out of its rule.
    """
    return BatchRecord(*decode_value(BATCH_STRUCT, data, "batch"))


def encode_log_record(record: LogRecord) -> bytes:
    """Inverse of `decode_log_record`."""
    return encode_value(LOG_STRUCT, (record.size, record.leaves, list(record.peaks)))


def decode_log_record(data: bytes) -> LogRecord:
    """An operator's log.

    Raises:
        MalformedInput: see `decode_batch_record`.
    """
    size, leaves, peaks = decode_value(LOG_STRUCT, data, "log")
    return LogRecord(size, leaves, tuple(peaks))
