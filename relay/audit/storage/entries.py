"""One file of a period: an audit file or a record bundle, judged, and what it says in a form that crosses processes."""

from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

from hutong.light_clients.interface import VERIFY, PredicateFailed, VerificationError
from hutong.relay.audit import MissingTrust
from hutong.relay.audit.inquiry import Inquiry
from hutong.relay.audit.storage.auditor import StorageAuditor, audit_file_is_canonical
from hutong.relay.audit.storage.shown import ShownStorage

AUDIT_SUFFIX: Final = ".audit"
RECORD_SUFFIX: Final = ".record.json"
MALFORMED: Final = "is_well_formed"
"""Said in the place of a rule of what is no encoding."""


@dataclass(frozen=True, slots=True)
class AnsweredProbes:
    """Probes `first` to `first` + `count` - 1 of an audit, all answered."""

    operator: bytes
    epoch: int
    first: int
    count: int
    held: int
    removed: int


@dataclass(frozen=True, slots=True)
class EntryFailure:
    """The rule that refused a file; `operator` and `epoch` are what the file says of itself, if it could be read."""

    rule: str
    reason: str
    operator: bytes | None = None
    epoch: int = 0


@dataclass(frozen=True, slots=True)
class PeriodEntry:
    """What a file of the period said. `digest` is its SHA-256, `answered` None of a record bundle."""

    name: str
    digest: bytes
    failure: EntryFailure | None = None
    shown: ShownStorage = field(default_factory=ShownStorage)
    answered: AnsweredProbes | None = None


def judge_file(auditor: StorageAuditor, name: str, data: bytes) -> PeriodEntry:
    """The verdict on a file, whatever is wrong with it.

    Args:
        name: which ends in `AUDIT_SUFFIX` or `RECORD_SUFFIX`.

    Raises:
        MissingTrust: it is of another chain than the checkpoint.
    """
    digest = sha256(data).digest()
    judge = _judge_audit if name.endswith(AUDIT_SUFFIX) else _judge_records
    return judge(auditor, name, data, digest)


def _judge_audit(auditor: StorageAuditor, name: str, data: bytes, digest: bytes) -> PeriodEntry:
    try:
        file = audit_file_is_canonical(data)
    except VerificationError as error:
        return PeriodEntry(name, digest, _failure(error))
    try:
        _, _, shown = auditor.examine_records(Inquiry(), file.records)
        count = auditor.examine(VERIFY, file, shown).count
    except MissingTrust:
        raise
    except VerificationError as error:
        return PeriodEntry(name, digest, _failure(error, file.operator, file.epoch))
    probes = AnsweredProbes(file.operator, file.epoch, file.first, file.count, count.held, count.removed)
    return PeriodEntry(name, digest, None, shown, probes)


def _judge_records(auditor: StorageAuditor, name: str, data: bytes, digest: bytes) -> PeriodEntry:
    try:
        _, _, shown = auditor.examine_records(Inquiry(), data)
        auditor.judge_epochs(VERIFY, shown)
    except VerificationError as error:
        return PeriodEntry(name, digest, _failure(error))
    return PeriodEntry(name, digest, None, shown)


def _failure(error: VerificationError, operator: bytes | None = None, epoch: int = 0) -> EntryFailure:
    rule = error.predicate if isinstance(error, PredicateFailed) else MALFORMED
    return EntryFailure(rule, str(error), operator, epoch)
