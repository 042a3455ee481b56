"""Finds the vectors, loads every `formats_*.py`, prints what was judged."""

import importlib
import os
from collections import Counter
from pathlib import Path

import pytest

from tests.vectors.own_lists import listed_areas
from tests.vectors.shapes import shaped_entries
from tests.vectors.unjudged import SUBJECTS, unjudged_parts
from tests.vectors.vector_registry import Manifest

HERE = Path(__file__).resolve().parent

VECTORS = Path(os.environ.get("HUTONG_VECTORS") or HERE.parents[2] / "shared" / "vectors")

for _module in sorted(HERE.glob("formats_*.py")):
    importlib.import_module(f"tests.vectors.{_module.stem}")


def pytest_generate_tests(metafunc):
    if "vector" not in metafunc.fixturenames:
        return
    if not (VECTORS / "manifest.json").is_file():
        metafunc.parametrize("vector", [None], ids=["absent"])
        return
    manifest = Manifest(VECTORS)
    shaped = list(shaped_entries(VECTORS, frozenset(entry.file for entry in manifest.entries)))
    entries = [*manifest.entries, *shaped]
    areas = list(listed_areas(VECTORS))
    known = [*entries, *(entry for area in areas for entry in area.entries)]
    unjudged = list(unjudged_parts(VECTORS, frozenset(entry.file for entry in known)))
    metafunc.parametrize(
        "vector",
        [*((manifest, entry) for entry in entries), *areas, *unjudged],
        ids=[
            *(f"{entry.format}-{entry.file}" for entry in entries),
            *(f"area-{area.folder}-{area.name}" for area in areas),
            *(f"unjudged-{part.folder}-{part.part}" for part in unjudged),
        ],
    )


class Tally:
    """What the terminal is told at the end, added up over the reports."""

    def __init__(self) -> None:
        self.files, self.verifications, self.bad = Counter(), Counter(), Counter()
        self.unsupported, self.libraries = Counter(), Counter()
        self.unchecked, self.notes = [], []

    def add(self, outcome: str, properties: dict) -> None:
        if "unjudged" in properties:
            folder, part, files = properties["unjudged"]
            self.unsupported[folder, part] += files
            return
        key = (properties["vector_area"], properties["vector_format"], properties["vector_expected"])
        self.unchecked += properties.get("unchecked", [])
        self.notes += properties.get("notes", [])
        if outcome == "skipped":
            self.unsupported[key[:2]] += not properties.get("unchecked")
            return
        self.files[key] += properties.get("files", 1)
        self.verifications[key] += properties.get("verifications", 0)
        for library, count in properties.get("libraries", {}).items():
            self.libraries[*key[:2], library] += count
        self.bad[key] += outcome != "passed"

    def lines(self):
        for key in sorted(self.files):
            area, name, expected = key
            failed = f"  {self.bad[key]} FAILED" if self.bad[key] else ""
            counts = f"files {self.files[key]:3}  verifications {self.verifications[key]:5}{failed}"
            yield f"{area:12} {name:34} {expected:8} {counts}"
        totals = Counter()
        for key, count in self.verifications.items():
            totals[key[0]] += count
        for area in sorted(totals):
            yield f"{area}: {totals[area]} verifications"
        for (area, name, library), count in sorted(self.libraries.items()):
            yield f"by library {library}, not in the totals: {area} {name} ({count} verifications)"
        for line in sorted(self.unchecked):
            yield f"not counted: {line}"
        for line in sorted(self.notes):
            yield f"facts that a reader refused: {line}"
        for (area, name), count in sorted(self.unsupported.items()):
            if count:
                subject = f": {SUBJECTS[area]}" if area in SUBJECTS else ""
                yield f"not supported: {area} {name} ({count} files){subject}"


@pytest.hookimpl
def pytest_terminal_summary(terminalreporter):
    tally = Tally()
    told = False
    for outcome in ("passed", "failed", "error", "skipped"):
        for report in terminalreporter.stats.get(outcome, []):
            properties = dict(getattr(report, "user_properties", ()))
            if {"vector_format", "unjudged"} & set(properties) and (report.when == "call" or outcome == "error"):
                tally.add(outcome, properties)
                told = True
    if told:
        terminalreporter.section("conformance vectors")
        for line in tally.lines():
            terminalreporter.write_line(line)
