"""Values of records about epochs: where the present one stands, secrets, how far answers are, and the ledger (docs/spec/storage-records.md)."""

from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import Final

from hutong.light_clients.interface import MalformedInput
from hutong.relay.services.identity.rules.records.encoding import check_bytes, check_number, decode_value, encode_value
from hutong.relay.services.storage.rules.audits.probes import MAX_PROBES

CLOCK_STRUCT: Final = "(uint64,uint8,uint64,uint64,uint64,bytes32,uint64,uint64)"
REVEAL_STRUCT: Final = "(bytes32,bytes32,uint8,uint8,uint64,uint64)"
ANSWERED_STRUCT: Final = "(uint64,uint32,uint32)"
LEDGER_STRUCT: Final = "(uint64,uint64,uint64,uint64,uint256,uint256,uint64)"
NOTHING: Final = bytes(32)
_MAX_SUM: Final = 2**256 - 1


class Phase(IntEnum):
    """Where an epoch stands."""

    COMMITTING = 1
    """Sets are cut, and auditors commit."""
    REVEALING = 2
    """The header is there, and auditors reveal."""
    ANSWERING = 3
    """The seed is drawn, and operators answer."""
    CLOSED = 4
    """Every operator has its verdict."""


class SecretState(IntEnum):
    """What has become of a secret."""

    COMMITTED = 1
    REVEALED = 2
    """In time, so that the seed holds it."""
    LOST = 3
    """It is not in the seed: withheld, revealed too early, or public before."""


class Fault(IntFlag):
    """What an auditor did that it may not; none of it reaches the seed."""

    EARLY = 1
    """Revealed before the header was final: its proposer could have known the secret."""
    OTHER = 2
    """Revealed another secret than the one it committed to."""
    CHANGED = 4
    """Committed to another secret after the first."""
    LATE = 8
    """Revealed after the seed was drawn."""
    REUSED = 16
    """Committed to a secret that was public from another epoch or auditor."""
    WITHHELD = 32
    """Did not reveal."""


@dataclass(frozen=True, slots=True)
class ClockRecord:
    """The newest epoch. `header`, its time and `due_s` are zero until they are known."""

    epoch: int
    phase: Phase
    begun_height: int
    begun_s: int
    header_height: int
    header: bytes
    header_s: int
    due_s: int

    def __post_init__(self) -> None:
        check_number("clock.epoch", self.epoch, least=1)
        for field in ("begun_height", "begun_s", "header_height", "header_s", "due_s"):
            check_number(f"clock.{field}", getattr(self, field))
        check_bytes("clock.header", self.header)


@dataclass(frozen=True, slots=True)
class SecretRecord:
    """One auditor in one epoch. `secret` is zero until it is known; heights of blocks, 0 for none."""

    commitment: bytes
    secret: bytes
    state: SecretState
    faults: Fault
    committed_height: int
    revealed_height: int

    def __post_init__(self) -> None:
        check_bytes("secret.commitment", self.commitment)
        check_bytes("secret.secret", self.secret)
        check_number("secret.committed", self.committed_height)
        check_number("secret.revealed", self.revealed_height)


@dataclass(frozen=True, slots=True)
class AnsweredRecord:
    """How many probes of an epoch an operator has answered: by leaves, and by removals."""

    epoch: int
    held: int
    removed: int

    def __post_init__(self) -> None:
        check_number("answered.epoch", self.epoch, least=1)
        check_number("answered.held", self.held, most=MAX_PROBES)
        check_number("answered.removed", self.removed, most=MAX_PROBES - self.held)


@dataclass(frozen=True, slots=True)
class LedgerRecord:
    """What an operator has done: epochs by outcome, and what it has proven.

    `weak` are passes under a seed that no auditor's secret is in; they prove nothing, so their leaves count nowhere.
    `priced` is the sum of leaves · price of each proven epoch: divided by 2^30 it is what is owed.
    """

    passed: int = 0
    failed: int = 0
    missed: int = 0
    weak: int = 0
    proven_leaves: int = 0
    priced: int = 0
    epoch: int = 0
    """The newest that is counted."""

    def __post_init__(self) -> None:
        for field in ("passed", "failed", "missed", "weak", "epoch"):
            check_number(f"ledger.{field}", getattr(self, field))
        check_number("ledger.proven_leaves", self.proven_leaves, most=_MAX_SUM)
        check_number("ledger.priced", self.priced, most=_MAX_SUM)


def encode_clock_record(record: ClockRecord) -> bytes:
    """Inverse of `decode_clock_record`."""
    begun = (record.epoch, int(record.phase), record.begun_height, record.begun_s)
    return encode_value(CLOCK_STRUCT, (*begun, record.header_height, record.header, record.header_s, record.due_s))


def decode_clock_record(data: bytes) -> ClockRecord:
    """The newest epoch.

    Raises:
        MalformedInput: an unknown version or phase, another encoding, or a member out of its rule.
    """
    epoch, phase, *rest = decode_value(CLOCK_STRUCT, data, "clock")
    try:
        known = Phase(phase)
    except ValueError:
        raise MalformedInput("clock.phase", "is unknown", got=phase) from None
    return ClockRecord(epoch, known, *rest)


def encode_secret_record(record: SecretRecord) -> bytes:
    """Inverse of `decode_secret_record`."""
    state = (int(record.state), int(record.faults))
    heights = (record.committed_height, record.revealed_height)
    return encode_value(REVEAL_STRUCT, (record.commitment, record.secret, *state, *heights))


def decode_secret_record(data: bytes) -> SecretRecord:
    """One auditor in one epoch.

    Raises:
        MalformedInput: see `decode_clock_record`.
    """
    commitment, secret, state, faults, *heights = decode_value(REVEAL_STRUCT, data, "secret")
    try:
        known = SecretState(state)
    except ValueError:
        raise MalformedInput("secret.state", "is unknown", got=state) from None
    check_number("secret.faults", faults, most=sum(Fault))
    return SecretRecord(commitment, secret, known, Fault(faults), *heights)


def encode_answered_record(record: AnsweredRecord) -> bytes:
    """Inverse of `decode_answered_record`."""
    return encode_value(ANSWERED_STRUCT, (record.epoch, record.held, record.removed))


def decode_answered_record(data: bytes) -> AnsweredRecord:
    """How far an operator is in its newest audit.

    Raises:
        MalformedInput: see `decode_clock_record`.
    """
    return AnsweredRecord(*decode_value(ANSWERED_STRUCT, data, "answered"))


def encode_ledger_record(record: LedgerRecord) -> bytes:
    """Inverse of `decode_ledger_record`."""
    counts = (record.passed, record.failed, record.missed, record.weak)
    return encode_value(LEDGER_STRUCT, (*counts, record.proven_leaves, record.priced, record.epoch))


def decode_ledger_record(data: bytes) -> LedgerRecord:
    """What an operator has done.

    Raises:
        MalformedInput: see `decode_clock_record`.
    """
    return LedgerRecord(*decode_value(LEDGER_STRUCT, data, "ledger"))
