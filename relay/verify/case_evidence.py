"""Evidence of a case from files: read, bounded, judged offline."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hutong.light_clients.interface import MalformedInput
from hutong.relay.audit import MissingTrust
from hutong.relay.audit.cases import CaseAuditor, CaseReport, decode_trust
from hutong.relay.audit.cases.document import MAX_EVIDENCE_BYTES
from hutong.relay.audit.cases.trust import MAX_TRUST_BYTES
from hutong.relay.verify.bundles.inputs import read_checkpoints
from hutong.relay.verify.inputs import UnusableInput, read_file
from hutong.relay.verify.verdict_fields import check_fields

__all__ = ["CaseReport", "audit_case", "case_fields"]


def audit_case(evidence: Path, checkpoints: Sequence[Path], trust: Path, now_ns: int) -> CaseReport:
    """Judge a file of evidence.

    Args:
        checkpoints: files, or folders of them.
        now_ns: time of judgement, nanoseconds of Unix time.

    Raises:
        UnusableInput: a file cannot be read, or what the reader trusts does not reach.
    """
    try:
        meant = decode_trust(read_file(trust, MAX_TRUST_BYTES))
    except MalformedInput as error:
        raise UnusableInput(f"{trust}: {error}") from None
    try:
        auditor = CaseAuditor(read_checkpoints(checkpoints), meant, now_ns)
        return auditor.audit(read_file(evidence, MAX_EVIDENCE_BYTES))
    except MissingTrust as error:
        raise UnusableInput(f"{evidence}: {error}") from None


def case_fields(report: CaseReport) -> dict[str, Any]:
    """Everything but the predicates, as JSON has it; the conclusion is empty where the evidence is refused."""
    return {
        "valid": report.is_valid,
        "case": "" if report.evidence is None else report.evidence.case,
        "statements": 0 if report.evidence is None else len(report.evidence.statements),
        "conclusion": dict(report.conclusion),
        "trust": dict(report.trust),
        "predicates": len(report.verdicts),
        "failure": None if report.failure is None else check_fields(report.failure),
    }
