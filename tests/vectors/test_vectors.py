"""Every file of the conformance vectors, judged by its format (see vector_registry)."""

import os
from collections import Counter
from dataclasses import dataclass, field

import pytest

from hutong.light_clients.interface import VerificationError
from tests.vectors.own_lists import Area, judge_area
from tests.vectors.unjudged import Unjudged, why_unjudged
from tests.vectors.vector_registry import RUNNERS, Manifest, Verification

pytestmark = pytest.mark.vectors

EXPECTATIONS = ("valid", "invalid", "cases", "facts")


@dataclass
class Verdict:
    """What became of one entry."""

    judged: int = 0
    libraries: Counter[str] = field(default_factory=Counter)
    """Of those judged, the ones that a library judged alone."""
    unchecked: list[str] = field(default_factory=list)
    """Verifications that had to leave something out: named, not counted."""
    notes: list[str] = field(default_factory=list)
    """What a reader said against facts."""


def read_facts(manifest: Manifest, entry) -> Verdict:
    """Facts are context: they must be there, and whatever a reader makes of them never fails."""
    assert entry.bytes(), f"{entry.file}: is empty"
    verdict = Verdict()
    try:
        for verification in RUNNERS[entry.format](entry, manifest.group_of(entry)):
            verification.run()
    except Exception as error:
        verdict.notes.append(f"{type(error).__name__}: {error}"[:200])
    return verdict


def judge(manifest: Manifest, entry) -> Verdict:
    """What behaved as the manifest says; fails the test at the first verification that did not."""
    assert entry.expected in EXPECTATIONS
    if entry.expected == "facts":
        return read_facts(manifest, entry)
    verdict = Verdict()
    try:
        for verification in RUNNERS[entry.format](entry, manifest.group_of(entry)):
            if judged(entry, verification):
                verdict.judged += 1
                return verdict
            if verification.unchecked is not None:
                verdict.unchecked.append(f"{verification.name}: {verification.unchecked}")
                continue
            verdict.judged += 1
            if verification.library is not None:
                verdict.libraries[verification.library] += 1
    except VerificationError as error:
        if entry.expected == "invalid":
            verdict.judged += 1
            return verdict
        pytest.fail(f"{entry.file}: cannot be read: {error}")
    if entry.expected == "invalid" and not verdict.unchecked:
        pytest.fail(f"{entry.file}: accepted, but must be refused: {entry.reason}")
    assert verdict.judged or verdict.unchecked, f"{entry.file}: nothing was verified"
    return verdict


def judged(entry, verification: Verification) -> bool:
    """Whether the entry is settled: an invalid one that is refused. Fails the test where the expectation does not hold."""
    if entry.expected == "cases" and not verification.valid and verification.unchecked is None:
        with pytest.raises(VerificationError):
            verification.run()
        return False
    try:
        verification.run()
    except VerificationError as error:
        if entry.expected == "invalid":
            return True
        if entry.expected == "cases" and not verification.valid:
            return False
        pytest.fail(f"{entry.file}: {verification.name}: refused: {error}")
    return False


def test_vector(vector, record_property):
    if vector is None:
        absent()
    if isinstance(vector, Unjudged):
        record_property("unjudged", (vector.folder, vector.part, len(vector.files)))
        pytest.skip(vector.reason)
    if isinstance(vector, Area):
        judged_area(vector, record_property)
        return
    manifest, entry = vector
    for name in ("area", "format", "expected"):
        record_property(f"vector_{name}", getattr(entry, name))
    if entry.format not in RUNNERS:
        pytest.skip(f"{why_unjudged(entry.area, entry.format)}: {entry.file}")
    verdict = judge(manifest, entry)
    record_property("verifications", verdict.judged - verdict.libraries.total())
    record_property("libraries", dict(verdict.libraries))
    record_property("unchecked", [f"{entry.file}: {name}" for name in verdict.unchecked])
    record_property("notes", [f"{entry.file}: {note}" for note in verdict.notes])
    if verdict.unchecked and not verdict.judged:
        pytest.skip(f"{entry.file}: {'; '.join(verdict.unchecked)}")


def judged_area(area: Area, record_property) -> None:
    """Every entry of a folder's own area; fails with all that were judged otherwise than the folder's list expects."""
    verdict = judge_area(area)
    for name, value in (("area", area.folder), ("format", area.name), ("expected", "listed")):
        record_property(f"vector_{name}", value)
    record_property("files", len(area.entries))
    record_property("verifications", verdict.judged)
    record_property("unchecked", [f"{area.folder}: {name}" for name in verdict.unchecked])
    assert not verdict.failures, "\n".join(verdict.failures)


def absent() -> None:
    """Where there are no vectors: a failure in CI, else skipped."""
    reason = "no conformance vectors: HUTONG_VECTORS does not name a directory with manifest.json"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
