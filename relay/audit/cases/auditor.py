"""Evidence of a case, judged offline: every bundle, every statement, then the case's own rule; the first failure ends it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from hutong.light_clients.interface import PredicateFailed, VerificationError, cited, rule
from hutong.relay.archive.bundle import Bundle
from hutong.relay.archive.checkpoint import Checkpoint
from hutong.relay.archive.record_bundle import RecordBundle
from hutong.relay.audit.auditor import Auditor, MissingTrust, bundle_is_canonical
from hutong.relay.audit.cases.conclusion import conclusion_is_recomputed
from hutong.relay.audit.cases.document import Evidence, decode_evidence
from hutong.relay.audit.cases.rules import RULES, CaseRule
from hutong.relay.audit.cases.shown import Shown, ShownStatement
from hutong.relay.audit.cases.statements import (
    SPEC,
    EntryStatement,
    MessageStatement,
    ReportStatement,
    SealStatement,
    ShownCredential,
    ShownMessage,
    ShownState,
    Statement,
    StateStatement,
    judge_entry,
    judge_report,
    judge_sealed,
    message_ended_so,
    state_held_so,
)
from hutong.relay.audit.cases.trust import CaseTrust
from hutong.relay.audit.chains import JudgedChain
from hutong.relay.audit.inquiry import Inquiry, Verdict
from hutong.relay.audit.records import Finding, RecordAuditor
from hutong.relay.audit.records.auditor import record_is_canonical
from hutong.relay.audit.records.states import BelievedState

evidence_is_canonical = cited(decode_evidence, SPEC, "evidence_is_canonical")


@dataclass(frozen=True, slots=True)
class CaseReport:
    """`evidence` is None if the bytes cannot be parsed; `shown`, `conclusion` and `trust` are empty where a rule refused."""

    verdicts: tuple[Verdict, ...]
    evidence: Evidence | None
    shown: Shown
    conclusion: Mapping[str, Any]
    trust: Mapping[str, str]

    @property
    def is_valid(self) -> bool:
        """Whether every rule that was asked held."""
        return bool(self.verdicts) and self.verdicts[-1].check.held

    @property
    def failure(self) -> Verdict | None:
        """The rule that did not hold; None where all held."""
        return None if self.is_valid else self.verdicts[-1]


class CaseAuditor:
    """Of evidence of any case, under one reader's trust. Remembers headers that it has believed."""

    def __init__(
        self,
        checkpoints: Iterable[Checkpoint],
        trust: CaseTrust,
        now_ns: int,
        rules: Mapping[str, CaseRule] = RULES,
    ) -> None:
        """`now_ns` is the time of judgement, nanoseconds of Unix time.

        Raises:
            MissingTrust: two checkpoints are of one chain.
        """
        known = tuple(checkpoints)
        self._packets = Auditor(known, now_ns)
        self._records = {one.chain_id: RecordAuditor(one, now_ns) for one in known}
        self._trust = trust
        self._rules = rules

    def audit(self, data: bytes) -> CaseReport:
        """Judge a file of any origin, and say what every rule said.

        Raises:
            MissingTrust: no checkpoint of a chain that a bundle is about, or the trust file does not say which chain,
                contract or person the case's rule asks for.
        """
        verdicts: list[Verdict] = []
        inquiry = Inquiry(verdicts.append)
        evidence: Evidence | None = None
        try:
            evidence = inquiry.about("evidence")(evidence_is_canonical, data)
            rule_of_case = inquiry.about("evidence")(case_is_known, evidence.case, self._rules)
            judged = _Judging(inquiry, evidence, self._packets, self._records)
            shown = judged.statements()
            conclusion = rule_of_case(inquiry, shown, self._trust)
            inquiry.about(f"case {evidence.case}")(conclusion_is_recomputed, evidence.conclusion, conclusion)
        except VerificationError as error:
            if not inquiry.refused_by_a_rule(error):
                raise
            return CaseReport(tuple(verdicts), evidence, Shown({}), {}, {})
        return CaseReport(tuple(verdicts), evidence, shown, conclusion, dict(sorted(judged.modes.items())))


@rule(SPEC)
def case_is_known(name: str, rules: Mapping[str, CaseRule]) -> CaseRule:
    """This version has the case's rule.

    Raises:
        PredicateFailed: it has none of that name.
    """
    found = rules.get(name)
    if found is None:
        raise PredicateFailed("case_is_known", "this version knows no such case", name, sorted(rules))
    return found


class _Judging:
    """One evidence. A bundle that several statements name is judged once, and so are headers that several bundles share."""

    def __init__(
        self, inquiry: Inquiry, evidence: Evidence, packets: Auditor, records: Mapping[str, RecordAuditor]
    ) -> None:
        self._inquiry = inquiry
        self._evidence = evidence
        self._packets = packets
        self._records = records
        self._told: dict[str, tuple[Bundle, dict[str, JudgedChain]]] = {}
        self._read: dict[str, tuple[RecordBundle, BelievedState, tuple[Finding, ...]]] = {}
        self.modes: dict[str, str] = {}

    def statements(self) -> Shown:
        """Messages and states first: entries and reports lie under them. In the order of their ids.

        Raises:
            VerificationError: the first rule that does not hold.
        """
        shown: dict[str, ShownStatement] = {}
        later: list[EntryStatement | ReportStatement] = []
        for statement in self._evidence.statements:
            if isinstance(statement, EntryStatement | ReportStatement):
                later.append(statement)
            else:
                shown[statement.id] = self._first_hand(statement)
        first_hand = dict(shown)
        for resting in later:
            shown[resting.id] = self._under(resting, first_hand.get(resting.under))
        return Shown({name: shown[name] for name in sorted(shown)})

    def _first_hand(self, statement: MessageStatement | StateStatement | SealStatement) -> ShownStatement:
        if isinstance(statement, MessageStatement):
            return self._message(statement)
        return self._seal(statement) if isinstance(statement, SealStatement) else self._state(statement)

    def _under(self, statement: EntryStatement | ReportStatement, source: ShownStatement | None) -> ShownStatement:
        judge = self._inquiry.about(f"statement {statement.id}")
        if isinstance(statement, ReportStatement):
            return judge_report(judge, statement, source)
        return judge_entry(judge, statement, source if isinstance(source, ShownMessage | ShownState) else None)

    def _message(self, statement: MessageStatement) -> ShownMessage:
        if statement.bundle not in self._told:
            inquiry = self._within(statement)
            bundle = inquiry.about("bundle")(bundle_is_canonical, self._evidence.bundles[statement.bundle])
            chains = self._packets.examine(inquiry, bundle)
            self.modes |= {chain_id: chain.mode for chain_id, chain in chains.items()}
            self._told[statement.bundle] = bundle, chains
        return self._inquiry.about(f"statement {statement.id}")(
            message_ended_so, statement, *self._told[statement.bundle]
        )

    def _state(self, statement: StateStatement) -> ShownState:
        judge = self._inquiry.about(f"statement {statement.id}")
        return judge(state_held_so, statement, *self._records_of(statement))

    def _seal(self, statement: SealStatement) -> ShownCredential:
        bundle, state, _ = self._records_of(statement)
        return judge_sealed(self._inquiry.about(f"statement {statement.id}"), statement, bundle, state)

    def _records_of(
        self, statement: StateStatement | SealStatement
    ) -> tuple[RecordBundle, BelievedState, tuple[Finding, ...]]:
        if statement.bundle not in self._read:
            inquiry = self._within(statement)
            bundle = inquiry.about("bundle")(record_is_canonical, self._evidence.bundles[statement.bundle])
            auditor = self._records.get(bundle.chain.chain_id)
            if auditor is None:
                raise MissingTrust(
                    f"no checkpoint of chain {bundle.chain.chain_id}, which the record {statement.bundle} is about"
                )
            state, findings = auditor.examine(inquiry, bundle)
            self.modes[bundle.chain.chain_id] = state.mode
            self._read[statement.bundle] = bundle, state, findings
        return self._read[statement.bundle]

    def _within(self, statement: Statement) -> Inquiry:
        """For a bundle's own rules, which the evidence's inquiry hears under the bundle's name."""
        if isinstance(statement, EntryStatement | ReportStatement):
            raise TypeError("an entry or a report has no bundle")
        prefix = f"bundle {statement.bundle}, "
        return Inquiry(lambda verdict: self._inquiry.hear(Verdict(prefix + verdict.subject, verdict.check)))
