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
from conftest import VECTORS
from test_vectors import absent

pytestmark = pytest.mark.vectors

ROOT = Path(__file__).resolve().parents[2]
SEED = 20261128
VERDICT = re.compile(r"^tests/vectors/test_vectors\.py::test_vector\[(?P<id>.*)\] (?P<verdict>[A-Z]+)", re.MULTILINE)


def renamed(folder: Path) -> dict[str, str]:
    """Copies what the manifest lists under drawn names, the entries in a drawn order. Returns the old name by the new one."""
    drawn = random.Random(SEED)
    manifest = json.loads((VECTORS / "manifest.json").read_bytes())
    entries = manifest["entries"]
    numbers = drawn.sample(range(10**6), len(entries))
    names = {
        entry["file"]: f"{number % 7}/{number:06}{Path(entry['file']).suffix}"
        for entry, number in zip(entries, numbers, strict=True)
    }
    for entry in entries:
        target = folder / names[entry["file"]]
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(VECTORS / entry["file"], target)
        entry["file"] = names[entry["file"]]
        params = entry.get("params", {})
        if "ancestor_of" in params:
            params["ancestor_of"] = names[params["ancestor_of"]]
    drawn.shuffle(entries)
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return {new: old for old, new in names.items()}


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
    olds = renamed(tmp_path)
    here, counts_here = verdicts(VECTORS)
    there, counts_there = verdicts(tmp_path)
    formats = {
        entry["file"]: entry["format"] for entry in json.loads((tmp_path / "manifest.json").read_bytes())["entries"]
    }
    expected = {f"{formats[new]}-{new}": here[f"{formats[new]}-{old}"] for new, old in olds.items()}
    assert there == expected
    assert "FAILED" not in there.values()
    assert counts_there == counts_here
