"""A period of storage audits from its judged files: what each operator proved, and everything that is missing or wrong, by name."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from hutong.relay.audit.storage.entries import AnsweredProbes, PeriodEntry
from hutong.relay.audit.storage.findings import StorageFinding, StorageFindingKind
from hutong.relay.audit.storage.merging import MergedRecords, merge
from hutong.relay.audit.storage.shown import OfOperator
from hutong.relay.services.storage.rules.records.rounds import SecretState
from hutong.relay.services.storage.rules.records.values import Outcome, SetRecord, VerdictRecord

_ORDER = {kind: number for number, kind in enumerate(StorageFindingKind)}
_EARLY_RULE = "removal_is_recorded"


@dataclass(frozen=True, slots=True)
class Demand:
    """What the reader asks for: epochs `first` to `last`, and these operators in each of them.

    None: from the first to the last that is shown, and all operators that are. What lies outside cannot be missed then.
    """

    first: int | None = None
    last: int | None = None
    operators: tuple[bytes, ...] | None = None


@dataclass(frozen=True, slots=True)
class OperatorTotals:
    """Of one operator: its epochs by outcome, and the probes whose answers are here. `leaves` are of its newest set."""

    operator: bytes
    passed: int
    failed: int
    missed: int
    weak: int
    """Passed under a weak seed: not among `passed`."""
    held: int
    removed: int
    leaves: int


@dataclass(frozen=True, slots=True)
class AuditorTotals:
    """Of one auditor: epochs in which it committed, and of these those in which it revealed in time."""

    auditor: bytes
    committed: int
    revealed: int


@dataclass(frozen=True, slots=True)
class StoragePeriod:
    """The result on one period."""

    chain_id: str
    first: int
    last: int
    files: int
    audits: int
    """Of an operator in an epoch, whose probes are all answered here under a verdict that says the same."""
    operators: tuple[OperatorTotals, ...]
    auditors: tuple[AuditorTotals, ...]
    findings: tuple[StorageFinding, ...]

    @property
    def is_clean(self) -> bool:
        """Whether something is proven, and nothing was found."""
        return self.audits > 0 and not self.findings


def summarise(chain_id: str, entries: Iterable[PeriodEntry], demand: Demand) -> StoragePeriod:
    """The result of judged files. The order of entries makes no difference but to the names in findings."""
    known = sorted(entries, key=lambda entry: entry.name)
    merged, contradictions = merge(known)
    findings = [_refusal(entry) for entry in known if entry.failure is not None]
    findings += contradictions
    epochs = _epochs(merged, demand)
    operators = sorted(
        {operator for operator, _ in merged.audits} if demand.operators is None else set(demand.operators)
    )
    answered = _answered(known)
    findings += [_finding(StorageFindingKind.MISSING_EPOCH, epoch, None, "no file shows its seed")
                 for epoch in epochs if epoch not in merged.seeds]  # fmt: skip
    findings += _seed_findings(merged, epochs)
    proven: set[OfOperator] = set()
    for operator in operators:
        for epoch in epochs:
            found = _audit_finding(merged, answered, (operator, epoch))
            if found is None:
                proven.add((operator, epoch))
            elif found.kind is not StorageFindingKind.MISSING_EPOCH:
                findings.append(found)
        findings += _set_findings(merged, operator)
    proven = {of for of in proven if of in answered}
    findings.sort(key=lambda one: (_ORDER[one.kind], one.epoch, one.operator or b"", one.file))
    return StoragePeriod(
        chain_id,
        epochs.start,
        epochs.stop - 1,
        len(known),
        len(proven),
        tuple(_totals(merged, answered, operator) for operator in operators),
        _auditors(merged),
        tuple(findings),
    )


def _epochs(merged: MergedRecords, demand: Demand) -> range:
    shown = merged.seeds.keys() | {epoch for _, epoch in merged.audits}
    first = min(shown, default=1) if demand.first is None else demand.first
    last = max(shown, default=first - 1) if demand.last is None else demand.last
    return range(first, last + 1)


def _finding(kind: StorageFindingKind, epoch: int, operator: bytes | None, reason: str) -> StorageFinding:
    return StorageFinding(kind, epoch, operator, reason)


def _refusal(entry: PeriodEntry) -> StorageFinding:
    failure = entry.failure
    if failure is None:
        raise TypeError("the entry was not refused")
    kind = StorageFindingKind.EARLY_REMOVAL if failure.rule == _EARLY_RULE else StorageFindingKind.REFUSED
    if failure.rule == "":
        kind = StorageFindingKind.UNREADABLE
    return StorageFinding(kind, failure.epoch, failure.operator, failure.reason, entry.name, failure.rule)


def _seed_findings(merged: MergedRecords, epochs: Sequence[int]) -> list[StorageFinding]:
    findings, before = [], 0
    for epoch in epochs:
        seed = merged.seeds.get(epoch)
        if seed is None:
            continue
        if seed.is_weak:
            said = f"none of {seed.auditors} auditors revealed"
            findings.append(_finding(StorageFindingKind.WEAK_SEED, epoch, None, said))
        if seed.header_height <= before:
            said = f"its header has height {seed.header_height}, one before has {before}"
            findings.append(_finding(StorageFindingKind.OUT_OF_ORDER, epoch, None, said))
        before = max(before, seed.header_height)
    return findings


def _audit_finding(
    merged: MergedRecords, answered: dict[OfOperator, list[AnsweredProbes]], of: OfOperator
) -> StorageFinding | None:
    """What is wrong with one audit; None where nothing is, also where the operator was not asked."""
    operator, epoch = of
    seed = merged.seeds.get(epoch)
    if seed is None:
        return _finding(StorageFindingKind.MISSING_EPOCH, epoch, operator, "")
    if of in merged.sets and merged.sets[of] is None:
        return None
    verdict = merged.verdicts.get(of)
    gaps = _gaps(answered.get(of, []), seed.probes)
    if of not in merged.verdicts:
        return _finding(StorageFindingKind.MISSING_AUDIT, epoch, operator, "no file shows what became of it")
    if verdict is None:
        said = "answers to all probes are here" if not gaps else f"probes {gaps} are not answered here"
        return _finding(StorageFindingKind.NO_VERDICT, epoch, operator, f"the hub has no verdict; {said}")
    if verdict.outcome is not Outcome.PASSED:
        kind = StorageFindingKind.FAILED if verdict.outcome is Outcome.FAILED else StorageFindingKind.MISSED
        return _finding(kind, epoch, operator, f"{verdict.held + verdict.removed} of {verdict.asked} answered")
    if gaps:
        return _finding(StorageFindingKind.GAP, epoch, operator, f"answers to probes {gaps} are not here")
    return None


def _gaps(answered: Sequence[AnsweredProbes], probes: int) -> str:
    """The probes that nobody answered here, such as `64-127`; empty where there are none."""
    at, gaps = 0, []
    for first, end in sorted((one.first, one.first + one.count) for one in answered):
        if first > at:
            gaps.append(f"{at}-{first - 1}")
        at = max(at, end)
    if at < probes:
        gaps.append(f"{at}-{probes - 1}")
    return ", ".join(gaps)


def _answered(entries: Sequence[PeriodEntry]) -> dict[OfOperator, list[AnsweredProbes]]:
    found: dict[OfOperator, list[AnsweredProbes]] = {}
    for entry in entries:
        if entry.answered is not None:
            found.setdefault((entry.answered.operator, entry.answered.epoch), []).append(entry.answered)
    return found


def _sets_of(merged: MergedRecords, operator: bytes) -> list[tuple[int, SetRecord]]:
    return sorted((epoch, one) for (of, epoch), one in merged.sets.items() if of == operator and one is not None)


def _set_findings(merged: MergedRecords, operator: bytes) -> list[StorageFinding]:
    findings: list[StorageFinding] = []
    before: SetRecord | None = None
    for epoch, record in _sets_of(merged, operator):
        now = record.operator_set
        if before is not None:
            then = before.operator_set
            shrank = now.size < then.size or now.leaves < then.leaves or record.height <= before.height
            if shrank or (now.size == then.size and now != then):
                said = f"{now.size} batches and {now.leaves} leaves, {then.size} and {then.leaves} before"
                findings.append(_finding(StorageFindingKind.SET_SHRANK, epoch, operator, said))
        before = record
    return findings


def _totals(merged: MergedRecords, answered: dict[OfOperator, list[AnsweredProbes]], operator: bytes) -> OperatorTotals:
    verdicts = [one for (of, _), one in merged.verdicts.items() if of == operator and one is not None]
    probes = {one for (of, _), files in answered.items() if of == operator for one in files}
    sets = _sets_of(merged, operator)
    return OperatorTotals(
        operator,
        sum(_is(one, Outcome.PASSED) and one.reveals > 0 for one in verdicts),
        sum(_is(one, Outcome.FAILED) for one in verdicts),
        sum(_is(one, Outcome.MISSED) for one in verdicts),
        sum(_is(one, Outcome.PASSED) and one.reveals == 0 for one in verdicts),
        sum(one.held for one in probes),
        sum(one.removed for one in probes),
        sets[-1][1].operator_set.leaves if sets else 0,
    )


def _is(verdict: VerdictRecord, outcome: Outcome) -> bool:
    return verdict.outcome is outcome


def _auditors(merged: MergedRecords) -> tuple[AuditorTotals, ...]:
    found: dict[bytes, list[bool]] = {}
    for (_, auditor), secret in merged.secrets.items():
        found.setdefault(auditor, []).append(secret.state is SecretState.REVEALED)
    return tuple(AuditorTotals(auditor, len(said), sum(said)) for auditor, said in sorted(found.items()))
