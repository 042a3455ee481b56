"""Running a case to its end: a report and evidence in the city's home, whatever comes of it."""

import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from time import monotonic
from typing import Any

import httpx

from hutong.relay.cases.case import Case, CaseReport, CaseRun
from hutong.relay.cases.chain import CallReverted
from hutong.relay.cases.city_file import CaseBrokeOff, City, CityUnreadable
from hutong.relay.cases.evidence import EvidenceWriter
from hutong.relay.sdk import HutongError

REPORTS, EVIDENCE = "reports", "evidence"


@dataclass(frozen=True, slots=True)
class CaseFiles:
    """Where a case's files are. Those of evidence are there only where the case stated something: the evidence, what its
    auditor is to mean by names, and a folder of the checkpoints that it is judged by."""

    report: Path
    evidence: Path
    trust: Path
    checkpoints: Path

    @classmethod
    def of(cls, home: Path, name: str) -> "CaseFiles":
        """In the city's home."""
        folder = home / EVIDENCE
        return cls(
            home / REPORTS / f"{name}.json",
            folder / f"{name}.json",
            folder / f"{name}.trust.json",
            folder / f"{name}.checkpoints",
        )


def run_case(case: Case, city: City, size: int, say: Callable[[str], None]) -> CaseReport:
    """Run it, and write what it stated. Its report is the caller's to write, once the evidence has been judged.

    Args:
        size: in the case's unit.

    Raises:
        OSError: a file cannot be written.
    """
    run = CaseRun(say, EvidenceWriter(case.name))
    started, failure = monotonic(), ""
    try:
        case.run(city, size, run)
    except (CallReverted, CityUnreadable, HutongError, CaseBrokeOff, httpx.HTTPError) as error:
        failure = str(error)
    files = CaseFiles.of(city.home, case.name)
    for old in (files.evidence, files.trust):
        old.unlink(missing_ok=True)
    if not failure and not run.evidence.is_empty:
        write_whole(files.evidence, run.evidence.encoded())
        write_whole(files.trust, as_json(run.evidence.trust(city.trust())))
    return CaseReport(
        case.number,
        case.name,
        case.title,
        case.sizes.unit,
        size,
        tuple(run.checks),
        round(monotonic() - started, 1),
        run.messages,
        run.evidence.proof_bytes,
        run.transactions,
        run.gas,
        failure,
    )


def write_report(city: City, report: CaseReport, judged: dict[str, Any]) -> None:
    """`reports/<case>.json`; `judged` is what the offline judgement of its evidence said.

    Raises:
        OSError: it cannot be written.
    """
    document = {"format": "hutong-case-report", "version": 1} | asdict(report) | {"audit": judged, "good": report.good}
    write_whole(CaseFiles.of(city.home, report.name).report, as_json(document))


def as_json(document: dict[str, Any]) -> bytes:
    """For people and programs."""
    return json.dumps(document, indent=1, sort_keys=True).encode() + b"\n"


def write_whole(path: Path, data: bytes) -> None:
    """All of it or nothing, for whoever reads meanwhile.

    Raises:
        OSError: it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_bytes(data)
    temporary.replace(path)
