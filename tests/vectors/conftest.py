"""Finds the vectors, loads every `formats_*.py`, prints what was judged."""

import importlib
import os
import sys
from collections import Counter
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from vector_registry import Manifest  # noqa: E402

VECTORS = Path(os.environ.get("HUTONG_VECTORS") or HERE.parents[2] / "shared" / "vectors")

for _module in sorted(HERE.glob("formats_*.py")):
    importlib.import_module(_module.stem)


def pytest_generate_tests(metafunc):
    if "vector" not in metafunc.fixturenames:
        return
    if not (VECTORS / "manifest.json").is_file():
        metafunc.parametrize("vector", [None], ids=["absent"])
        return
    manifest = Manifest(VECTORS)
    metafunc.parametrize(
        "vector",
        [(manifest, entry) for entry in manifest.entries],
        ids=[f"{entry.format}-{entry.file}" for entry in manifest.entries],
    )


@pytest.hookimpl
def pytest_terminal_summary(terminalreporter):
    files, verifications, bad, unsupported, libraries = Counter(), Counter(), Counter(), Counter(), Counter()
    for outcome in ("passed", "failed", "error", "skipped"):
        for report in terminalreporter.stats.get(outcome, []):
            properties = dict(getattr(report, "user_properties", ()))
            if "vector_format" not in properties or (report.when != "call" and outcome != "error"):
                continue
            key = (properties["vector_area"], properties["vector_format"], properties["vector_expected"])
            if outcome == "skipped":
                unsupported[key[:2]] += 1
                continue
            files[key] += 1
            verifications[key] += properties.get("verifications", 0)
            for library, count in properties.get("libraries", {}).items():
                libraries[*key[:2], library] += count
            bad[key] += outcome != "passed"
    if not files and not unsupported:
        return
    terminalreporter.section("conformance vectors")
    for key in sorted(files):
        area, name, expected = key
        failed = f"  {bad[key]} FAILED" if bad[key] else ""
        terminalreporter.write_line(
            f"{area:12} {name:34} {expected:8} files {files[key]:3}  verifications {verifications[key]:5}{failed}"
        )
    totals = Counter()
    for key, count in verifications.items():
        totals[key[0]] += count
    for area in sorted(totals):
        terminalreporter.write_line(f"{area}: {totals[area]} verifications")
    for (area, name, library), count in sorted(libraries.items()):
        terminalreporter.write_line(f"by library {library}, not in the totals: {area} {name} ({count} verifications)")
    for (area, name), count in sorted(unsupported.items()):
        terminalreporter.write_line(f"not supported: {area} {name} ({count} files)")
