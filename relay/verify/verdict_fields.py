"""Verdicts as JSON has them."""

from base64 import b64encode
from pathlib import Path
from typing import Any

from hutong.light_clients.interface import CheckVerdict
from hutong.relay.archive.record_bundle import what_fields
from hutong.relay.audit import Report, Verdict
from hutong.relay.audit.period import Entry
from hutong.relay.audit.records import Finding, RecordReport, statement_text, time_text


def verdict_fields(verdict: CheckVerdict) -> dict[str, str | bool | None]:
    """A verdict as JSON has it; `reason` is null where the predicate held."""
    return {
        "name": verdict.name,
        "source": verdict.source,
        "held": verdict.held,
        "reason": None if verdict.error is None else str(verdict.error),
    }


def entry_fields(file: Path, entry: Entry) -> dict[str, Any]:
    """As `report_fields`, with the entry's file; `packet` of an entry that is not proven is what it says, if anything."""
    packets = [leg.packet_id for leg in entry.legs] or list(entry.claimed)
    failure = entry.failure
    return {
        "file": str(file).encode(errors="backslashreplace").decode(),
        "state": entry.state.value,
        "valid": entry.is_proven,
        "packet": str(packets[0]) if packets else "",
        "outcome": entry.outcome,
        "trust": dict(entry.trust),
        "predicates": entry.predicates,
        "failure": None
        if failure is None
        else {
            "subject": failure.subject,
            "name": failure.predicate,
            "source": failure.source,
            "held": False,
            "reason": failure.reason,
        },
    }


def report_fields(report: Report) -> dict[str, Any]:
    """A bundle's report without its predicates."""
    return {
        "valid": report.is_valid,
        "packet": report.packet_id,
        "outcome": report.outcome,
        "trust": dict(report.trust),
        "predicates": len(report.verdicts),
        "failure": None if report.failure is None else check_fields(report.failure),
    }


def check_fields(verdict: Verdict) -> dict[str, Any]:
    """A verdict with what it is about."""
    return {"subject": verdict.subject} | verdict_fields(verdict.check)


def record_fields(report: RecordReport) -> dict[str, Any]:
    """Everything but the predicates, as JSON has it; empty or null where the bundle is refused."""
    bundle, state = report.bundle, report.state
    return {
        "valid": report.is_valid,
        "chain_id": "" if bundle is None else bundle.chain.chain_id,
        "height": None if bundle is None else str(bundle.height),
        "time": None if state is None else time_text(state.time_ns),
        "trust": "" if state is None else state.mode,
        "statements": [_finding(one) for one in report.findings],
        "predicates": len(report.verdicts),
        "failure": None if report.failure is None else check_fields(report.failure),
    }


def _finding(finding: Finding) -> dict[str, Any]:
    value = finding.statement.value
    return {
        "what": what_fields(finding.statement.what),
        "value": None if value is None else b64encode(value).decode(),
        "said": statement_text(finding.statement, finding.said),
    }
