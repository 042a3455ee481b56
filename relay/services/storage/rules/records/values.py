"""Values of storage records: `01 ‖ abi.encode(struct)`, which a contract on another chain reads (docs/spec/storage-records.md)."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from hutong.light_clients.interface import MalformedInput
from hutong.relay.services.identity.rules.records.encoding import (
    check_bytes,
    check_number,
    decode_value,
    encode_value,
)
from hutong.relay.services.storage.rules.audits.probes import MAX_PROBES
from hutong.relay.services.storage.rules.audits.seed import MAX_AUDITORS
from hutong.relay.services.storage.rules.commitments.entries import OperatorSet

SET_STRUCT: Final = "(bytes32,uint64,uint64,uint64)"
SEED_STRUCT: Final = "(bytes32,bytes32,uint64,uint64,uint32,uint8,uint8)"
VERDICT_STRUCT: Final = "(uint8,uint32,uint32,uint32,uint8,bytes32,bytes32,uint64,uint64)"
REMOVAL_STRUCT: Final = "(uint64,uint64,uint64)"
HOLD_STRUCT: Final = "(uint64)"


class Outcome(IntEnum):
    """What became of an audit."""

    PASSED = 1
    """Every probe was answered in time, by its leaf or by its shard's removal."""
    FAILED = 2
    """A probe was answered wrongly."""
    MISSED = 3
    """A probe was not answered in time."""


@dataclass(frozen=True, slots=True)
class SetRecord:
    """An operator's set as it stood at a height, some blocks before the epoch's header."""

    operator_set: OperatorSet
    height: int

    def __post_init__(self) -> None:
        check_number("set.height", self.height, least=1)


@dataclass(frozen=True, slots=True)
class SeedRecord:
    """An epoch's seed: the header that it holds, until when answers are taken, how many probes are asked, and who revealed."""

    seed: bytes
    header: bytes
    header_height: int
    due_s: int
    """Unix seconds: the last in which an answer counts."""
    probes: int
    reveals: int
    auditors: int

    def __post_init__(self) -> None:
        check_bytes("seed.seed", self.seed)
        check_bytes("seed.header", self.header)
        check_number("seed.height", self.header_height, least=1)
        check_number("seed.due", self.due_s)
        check_number("seed.probes", self.probes, least=1, most=MAX_PROBES)
        check_number("seed.auditors", self.auditors, most=MAX_AUDITORS)
        check_number("seed.reveals", self.reveals, most=self.auditors)

    @property
    def is_weak(self) -> bool:
        """Whether nobody revealed, so that a proposer could have chosen the seed."""
        return self.reveals == 0


@dataclass(frozen=True, slots=True)
class VerdictRecord:
    """What became of an operator's audit of an epoch, by the hub's consensus. `time_s` is that of the block of `height`."""

    outcome: Outcome
    asked: int
    held: int
    removed: int
    reveals: int
    seed: bytes
    set_root: bytes
    height: int
    time_s: int

    def __post_init__(self) -> None:
        check_number("verdict.asked", self.asked, least=1, most=MAX_PROBES)
        check_number("verdict.held", self.held, most=self.asked)
        check_number("verdict.removed", self.removed, most=self.asked - self.held)
        if (self.held + self.removed == self.asked) != (self.outcome is Outcome.PASSED):
            raise MalformedInput("verdict.outcome", "is not that of its counts", got=int(self.outcome))
        check_number("verdict.reveals", self.reveals, most=MAX_AUDITORS)
        check_bytes("verdict.seed", self.seed)
        check_bytes("verdict.set_root", self.set_root)
        check_number("verdict.height", self.height, least=1)
        check_number("verdict.time", self.time_s)


@dataclass(frozen=True, slots=True)
class RemovalRecord:
    """Which shards of a pack were removed, as bits, and when the last of them was."""

    shards: int
    height: int
    time_s: int

    def __post_init__(self) -> None:
        check_number("removal.shards", self.shards, least=1)
        check_number("removal.height", self.height, least=1)
        check_number("removal.time", self.time_s)


@dataclass(frozen=True, slots=True)
class HoldRecord:
    """Until when a pack is retained, Unix seconds; it only becomes later."""

    until_s: int

    def __post_init__(self) -> None:
        check_number("hold.until", self.until_s, least=1)


def encode_set_record(record: SetRecord) -> bytes:
    """Inverse of `decode_set_record`."""
    shown = record.operator_set
    return encode_value(SET_STRUCT, (shown.root, shown.size, shown.leaves, record.height))


def decode_set_record(data: bytes) -> SetRecord:
    """What an operator is asked about.

    Raises:
        MalformedInput: an unknown version, another encoding, or a member out of its rule.
    """
    root, size, leaves, height = decode_value(SET_STRUCT, data, "set")
    return SetRecord(OperatorSet(root, size, leaves), height)


def encode_seed_record(record: SeedRecord) -> bytes:
    """Inverse of `decode_seed_record`."""
    when = (record.header_height, record.due_s, record.probes)
    return encode_value(SEED_STRUCT, (record.seed, record.header, *when, record.reveals, record.auditors))


def decode_seed_record(data: bytes) -> SeedRecord:
    """An epoch's seed.

    Raises:
        MalformedInput: see `decode_set_record`.
    """
    return SeedRecord(*decode_value(SEED_STRUCT, data, "seed"))


def encode_verdict_record(record: VerdictRecord) -> bytes:
    """Inverse of `decode_verdict_record`."""
    counts = (int(record.outcome), record.asked, record.held, record.removed, record.reveals)
    return encode_value(VERDICT_STRUCT, (*counts, record.seed, record.set_root, record.height, record.time_s))


def decode_verdict_record(data: bytes) -> VerdictRecord:
    """What became of an audit.

    Raises:
        MalformedInput: see `decode_set_record`, or an unknown outcome.
    """
    outcome, *members = decode_value(VERDICT_STRUCT, data, "verdict")
    try:
        known = Outcome(outcome)
    except ValueError:
        raise MalformedInput("verdict.outcome", "is unknown", got=outcome) from None
    return VerdictRecord(known, *members)


def encode_removal_record(record: RemovalRecord) -> bytes:
    """Inverse of `decode_removal_record`."""
    return encode_value(REMOVAL_STRUCT, (record.shards, record.height, record.time_s))


def decode_removal_record(data: bytes) -> RemovalRecord:
    """Which shards were removed.

    Raises:
        MalformedInput: see `decode_set_record`.
    """
    return RemovalRecord(*decode_value(REMOVAL_STRUCT, data, "removal"))


def encode_hold_record(record: HoldRecord) -> bytes:
    """Inverse of `decode_hold_record`."""
    return encode_value(HOLD_STRUCT, (record.until_s,))


def decode_hold_record(data: bytes) -> HoldRecord:
    """Until when a pack is retained.

    Raises:
        MalformedInput: see `decode_set_record`.
    """
    return HoldRecord(*decode_value(HOLD_STRUCT, data, "hold"))
