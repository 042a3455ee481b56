"""The same vectors under other names, in another directory and another order: every verdict must be the same."""

import json
import os
import random
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.vectors.conftest import VECTORS
from tests.vectors.shapes import shaped_entries
from tests.vectors.test_vectors import absent

pytestmark = [pytest.mark.vectors, pytest.mark.long]

ROOT = Path(__file__).resolve().parents[2]
SEED = 20261128
VERDICT = re.compile(r"^tests/vectors/test_vectors\.py::test_vector\[(?P<id>.*)\] (?P<verdict>[A-Z]+)", re.MULTILINE)


def renamed(folder: Path) -> dict[str, str]:
    """Copies what is judged under drawn names, the entries in a drawn order. Returns, by new test id, the old one."""
    drawn = random.Random(SEED)
    document = json.loads((VECTORS / "manifest.json").read_bytes())
    entries = document["entries"]
    shaped = list(shaped_entries(VECTORS, frozenset(entry["file"] for entry in entries)))
    numbers = iter(drawn.sample(range(10**6), len(entries) + len(shaped)))
    ids = {}

    def copied(old: str, below: str, name: str) -> str:
        new = f"{below}/{next(numbers):06}{Path(old).suffix}"
        (folder / new).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(VECTORS / old, folder / new)
        ids[f"{name}-{new}"] = f"{name}-{old}"
        return new

    names = {}
    for entry in entries:
        old = entry["file"]
        entry["file"] = names[old] = copied(old, f"{len(names) % 7}", entry["format"])
    for entry in entries:
        if "ancestor_of" in entry.get("params", {}):
            entry["params"]["ancestor_of"] = names[entry["params"]["ancestor_of"]]
    for found in shaped:
        copied(found.file, found.area, found.format)
        (folder / found.area / "MANIFEST.md").write_text("files without a format")
    drawn.shuffle(entries)
    (folder / "manifest.json").write_text(json.dumps(document))
    return ids


def verdicts(folder: Path) -> tuple[dict[str, str], list[str]]:
    """By file, and what is said at the end, of a run over `folder`."""
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-v",
            "-m",
            "vectors",
            "-p",
            "no:cacheprovider",
            "tests/vectors/test_vectors.py",
        ],
        cwd=ROOT,
        env={**os.environ, "HUTONG_VECTORS": str(folder), "PYTEST_ADDOPTS": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    found = {match["id"]: match["verdict"] for match in VERDICT.finditer(done.stdout)}
    assert found, done.stdout + done.stderr
    summary = [line for line in done.stdout.splitlines() if " verifications" in line]
    return found, sorted(summary)


def test_other_names_and_another_order_give_equal_verdicts(tmp_path):
    if not (VECTORS / "manifest.json").is_file():
        absent()
    ids = renamed(tmp_path)
    here, counts_here = verdicts(VECTORS)
    there, counts_there = verdicts(tmp_path)
    assert there == {new: here[old] for new, old in ids.items()}
    assert "FAILED" not in there.values()
    assert counts_there == counts_here
