"""Storage audit files judged one after another under one checkpoint of the hub: every rule in order, the first failure ends it."""

from dataclasses import dataclass, field

from hutong.light_clients.interface import (
    CheckVerdict,
    Judge,
    PredicateFailed,
    VerificationError,
    cited,
    rule,
)
from hutong.relay.archive.checkpoint import Checkpoint
from hutong.relay.archive.record_bundle import RecordBundle
from hutong.relay.audit.inquiry import Inquiry, Verdict
from hutong.relay.audit.records import RecordAuditor
from hutong.relay.audit.records.auditor import record_is_canonical
from hutong.relay.audit.records.states import BelievedState
from hutong.relay.audit.storage.shown import (
    SPEC,
    ShownStorage,
    absence_is_of_a_drawn_epoch,
    records_are_of_storage,
    secrets_make_the_seed,
)
from hutong.relay.services.storage.rules.audits.judging import AuditCount
from hutong.relay.services.storage.rules.audits.seed import hub_id
from hutong.relay.services.storage.rules.records.audit_file import (
    AuditFile,
    AuditRecords,
    decode_audit_file,
    judge_audit_file,
)

audit_file_is_canonical = cited(decode_audit_file, SPEC, "audit_file_is_canonical")


@dataclass(frozen=True, slots=True)
class JudgedAudit:
    """An audit file that holds: what it says, what the hub says of it, and what its answers showed."""

    file: AuditFile
    records: AuditRecords
    count: AuditCount


@dataclass(frozen=True, slots=True)
class StorageReport:
    """`bundle` and `shown` are given where they could be read; `judged` where every rule held."""

    verdicts: tuple[Verdict, ...]
    bundle: RecordBundle | None = None
    state: BelievedState | None = None
    judged: JudgedAudit | None = None

    @property
    def is_valid(self) -> bool:
        """Whether every rule held."""
        return self.judged is not None

    @property
    def failure(self) -> Verdict | None:
        """The rule that did not hold; None where all held."""
        return None if self.is_valid else self.verdicts[-1]


@dataclass(slots=True)
class StorageAuditor:
    """Remembers which headers it has believed, so that all files of an epoch cost one header.

    `now_ns` is the time of judgement, nanoseconds of Unix time: trusting periods are counted to it.
    """

    checkpoint: Checkpoint
    now_ns: int
    _records: RecordAuditor = field(init=False)
    _hub: bytes = field(init=False)

    def __post_init__(self) -> None:
        self._records = RecordAuditor(self.checkpoint, self.now_ns)
        self._hub = hub_id(self.checkpoint.chain_id)

    def audit(self, data: bytes) -> StorageReport:
        """Judge a file of any origin, and say what every rule said.

        Raises:
            MissingTrust: its records are of another chain than the checkpoint.
        """
        verdicts: list[Verdict] = []
        inquiry = Inquiry(verdicts.append)
        bundle, state = None, None
        try:
            file = inquiry.about("audit file")(audit_file_is_canonical, data)
            bundle, state, shown = self.examine_records(inquiry, file.records)
            judged = self.examine(inquiry.about(audit_text(file)), file, shown)
        except VerificationError as error:
            if not inquiry.refused_by_a_rule(error):
                # what a rule reads may be no encoding, before there is anything to ask
                verdicts.append(Verdict("answers", CheckVerdict("answers_are_an_encoding", SPEC, error)))
            return StorageReport(tuple(verdicts), bundle, state)
        return StorageReport(tuple(verdicts), bundle, state, judged)

    def examine_records(self, inquiry: Inquiry, data: bytes) -> tuple[RecordBundle, BelievedState, ShownStorage]:
        """A record bundle of the hub, believed from the checkpoint, and what it says of storage.

        Raises:
            MissingTrust: it is of another chain.
            VerificationError: the first rule that does not hold, which `inquiry` has heard.
        """
        bundle = inquiry.about("records")(record_is_canonical, data)
        state, _ = self._records.examine(inquiry, bundle)
        return bundle, state, inquiry.about("records")(records_are_of_storage, bundle)

    def judge_epochs(self, judge: Judge, shown: ShownStorage) -> None:
        """Each seed that is shown, with all secrets beside it; and what is said not to be there.

        Raises:
            VerificationError: the first rule that does not hold.
        """
        judge(secrets_are_of_shown_epochs, shown)
        judge(absence_is_of_a_drawn_epoch, shown)
        for epoch, seed in sorted(shown.seeds.items()):
            judge(secrets_make_the_seed, self._hub, epoch, seed, shown.secrets_of(epoch))

    def examine(self, judge: Judge, file: AuditFile, shown: ShownStorage) -> JudgedAudit:
        """Every rule after the records', for a judge of the caller's.

        Raises:
            VerificationError: the first rule that does not hold.
        """
        records, account = judge(records_are_of_this_audit, file, shown)
        self.judge_epochs(judge, shown)
        return JudgedAudit(file, records, judge_audit_file(judge, self._hub, file, records, account))


def audit_text(file: AuditFile) -> str:
    """What an audit is about, for people."""
    last = file.first + file.count - 1
    return f"operator {file.operator.hex()[:16]}, epoch {file.epoch}, probes {file.first} to {last}"


@rule(SPEC)
def secrets_are_of_shown_epochs(shown: ShownStorage) -> None:
    """No secret is shown of an epoch whose seed is not.

    Raises:
        PredicateFailed: one is.
    """
    for epoch, _ in shown.secrets:
        if epoch not in shown.seeds:
            raise PredicateFailed("secrets_are_of_shown_epochs", "no seed is shown of the epoch", got=epoch)


@rule(SPEC)
def records_are_of_this_audit(file: AuditFile, shown: ShownStorage) -> tuple[AuditRecords, bytes]:
    """Seed, set and operator of the file, its verdict or that there is none, secrets and removals; nothing of another audit.

    Returns:
        What the answers are judged by, and the operator's account.

    Raises:
        PredicateFailed: one of the first three is not there, or something of another audit is.
    """
    name, of = "records_are_of_this_audit", (file.operator, file.epoch)
    seed, asked = shown.seeds.get(file.epoch), shown.sets.get(of)
    operator = shown.operators.get(file.operator)
    if seed is None or asked is None or operator is None:
        raise PredicateFailed(name, "seed, set or operator is not shown", got=file.operator, expected=file.epoch)
    others = (shown.seeds.keys() - {file.epoch}, shown.sets.keys() - {of}, shown.operators.keys() - {file.operator})
    if any(others) or shown.verdicts.keys() != {of}:
        raise PredicateFailed(name, "the verdict is not shown, or records of another audit", got=file.operator)
    return AuditRecords(seed, asked, shown.verdicts[of], shown.removals), operator.account
