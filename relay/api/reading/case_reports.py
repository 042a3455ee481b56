"""Reports of application cases in the folder that the configuration names: read strictly, each within its bounds.

`hutong city test` writes them (docs/cases.md); to the API they are input like any other. Nothing is followed out of the
folder: a name is one of NAME, and what is not a plain file is passed over.
"""

import re
import stat
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.interface.document import Document
from hutong.relay.schemas.cases import CaseCheck, CaseList, CaseRun

REPORTS, EVIDENCE = "reports", "evidence"
FORMAT = "hutong-case-report"
VERSION = 1
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
MAX_REPORT_BYTES = 256 * 1024
MAX_EVIDENCE_BYTES = 64 * 1024 * 1024
"""As docs/spec/case-evidence.md has it."""
MAX_FILES = 64
"""Reports that are listed; further ones, by name, are not looked at."""
MAX_CHECKS = 256
MAX_TEXT_CHARS = 8_192
MAX_NAME_CHARS = 256
MAX_COUNT = 2**63 - 1
MAX_DURATION_S = 10**7


def read_reports(folder: Path) -> CaseList:
    """Every report in `folder`/reports, ascending by number. A folder that is not there has none. Blocks.

    Raises:
        OSError: the folder cannot be listed.
    """
    try:
        names = sorted(path.stem for path in (folder / REPORTS).iterdir() if path.suffix == ".json")
    except FileNotFoundError:
        names = []
    runs, unreadable = [], []
    for name in names[:MAX_FILES]:
        try:
            runs.append(_read(folder, name))
        except (MalformedInput, OSError):
            # a file may have any bytes for a name, of which JSON can say those alone that are UTF-8
            unreadable.append(name[:MAX_NAME_CHARS].encode(errors="replace").decode())
    runs.sort(key=lambda run: (run.number, run.name))
    return CaseList(tuple(runs), tuple(unreadable))


def evidence_of(folder: Path, name: str) -> Path | None:
    """The plain file of a case's evidence; None where there is none, or it is larger than evidence may be. Blocks.

    Args:
        name: judged here; one that is no case's has no evidence.
    """
    path = folder / EVIDENCE / f"{name}.json"
    if NAME.fullmatch(name) is None:
        return None
    try:
        found = path.lstat()
    except OSError:
        return None
    return path if stat.S_ISREG(found.st_mode) and found.st_size <= MAX_EVIDENCE_BYTES else None


def _read(folder: Path, name: str) -> CaseRun:
    path = folder / REPORTS / f"{name}.json"
    if NAME.fullmatch(name) is None or not stat.S_ISREG(path.lstat().st_mode):
        raise MalformedInput("reports", "is not the file of a case", name[:MAX_NAME_CHARS])
    with path.open("rb") as file:
        data = file.read(MAX_REPORT_BYTES + 1)
        written = datetime.fromtimestamp(int(path.lstat().st_mtime), UTC)
    has_evidence = evidence_of(folder, name) is not None
    return decode_report(data, name, written, evidence=f"/v1/cases/{name}/evidence" if has_evidence else None)


def decode_report(data: bytes, name: str, written: datetime, *, evidence: str | None) -> CaseRun:
    """A case's report, whose name is that of its file.

    Raises:
        MalformedInput: more than MAX_REPORT_BYTES, or not such a document.
    """
    document = Document.parse(data, "report", MAX_REPORT_BYTES)
    with document.of_format("a case's report", FORMAT, VERSION) as fields:
        fields["name"].exactly(name, "is not the name of its file")
        return CaseRun(
            number=_count(fields["number"]),
            name=name,
            title=fields["title"].text(MAX_TEXT_CHARS),
            unit=fields["unit"].text(MAX_NAME_CHARS),
            size=_count(fields["size"]),
            good=fields["good"].flag(),
            failure=fields["failure"].text(MAX_TEXT_CHARS),
            checks=tuple(_check(one) for one in fields["checks"].items(MAX_CHECKS)),
            time=written,
            duration_s=_seconds(fields["duration_s"]),
            messages=_count(fields["messages"]),
            proof_bytes=_count(fields["proof_bytes"]),
            transactions=_count(fields["transactions"]),
            gas=_count(fields["gas"]),
            judged=_judged(fields["audit"]),
            evidence=evidence,
        )


def _check(document: Document) -> CaseCheck:
    with document.members() as fields:
        return CaseCheck(
            fields["name"].text(MAX_NAME_CHARS),
            fields["held"].flag(),
            fields["negative"].flag(),
            fields["said"].text(MAX_TEXT_CHARS),
        )


def _count(document: Document) -> int:
    return document.integer(0, MAX_COUNT)


def _seconds(document: Document) -> float:
    value = document.value
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= MAX_DURATION_S:
        raise document.refused("is not a number of seconds", value, f"0 to {MAX_DURATION_S}")
    return float(value)


def _judged(document: Document) -> bool | None:
    """Of what the judgement said only whether the evidence held; the rest is in the evidence for whoever judges again."""
    said: Any = document.value
    if not isinstance(said, dict):
        raise document.refused("is not an object", said)
    valid = said.get("valid")
    return valid if isinstance(valid, bool) else None
