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
from tests.vectors.own_lists import AREA_RUNNERS, listed_areas
from tests.vectors.shapes import shaped_entries
from tests.vectors.test_vectors import absent
from tests.vectors.vector_registry import Entry

pytestmark = [pytest.mark.vectors, pytest.mark.long]

ROOT = Path(__file__).resolve().parents[2]
SEED = 20261128
VERDICT = re.compile(r"^tests/vectors/test_vectors\.py::test_vector\[(?P<id>.*)\] (?P<verdict>[A-Z]+)", re.MULTILINE)


def with_what_it_names(found: Entry) -> list[Path] | None:
    """The file and those beside it that its cases name; None where a file is judged by itself."""
    match found.format:
        case "catalogue-pair-json":
            named = {case[side] for case in found.json() for side in ("from", "to")}
            return [found.path, *(found.path.parent / name for name in sorted(named))]
        case "odrl-verdicts-json" | "odrl-relation-ttl":  # the policies of such a list are entries themselves
            return [found.path]
        case "odrl-testcase-ttl":
            suite = found.path.parent.parent
            return [
                found.path,
                *(file for part in ("policies", "requests", "sotw") for file in suite.glob(f"{part}/*.ttl")),
            ]
    return None


def renamed(folder: Path) -> dict[str, str]:
    """Copies what is judged under drawn names, the entries in a drawn order. Returns, by new test id, the old one.

    Files of folders with a list of their own keep their names, which other files there may say; their lists are drawn anew. So do
    files whose cases name others.
    """
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

    logs: dict[str, str] = {}

    def moved(found) -> None:
        """A file of a served log keeps its name below the log, which the specification gives it."""
        log = found.params["log"]
        new_log = logs.setdefault(log, f"{found.area}/{next(numbers):06}")
        new = f"{new_log}/{Path(found.file).relative_to(log).as_posix()}"
        (folder / new).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(VECTORS / found.file, folder / new)
        ids[f"{found.format}-{new}"] = f"{found.format}-{found.file}"

    names = {}
    for entry in entries:
        old = entry["file"]
        entry["file"] = names[old] = copied(old, f"{len(names) % 7}", entry["format"])
    for entry in entries:
        if "ancestor_of" in entry.get("params", {}):
            entry["params"]["ancestor_of"] = names[entry["params"]["ancestor_of"]]
    own = {entry.file for area in listed_areas(VECTORS) for entry in area.entries}
    for found in shaped:
        if "log" in found.params:
            moved(found)
        elif found.file in own:  # copied below, by the name that it has
            ids[f"{found.format}-{found.file}"] = f"{found.format}-{found.file}"
        elif (files := with_what_it_names(found)) is not None:
            for file in files:
                kept = folder / file.relative_to(VECTORS)
                kept.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, kept)
            ids[f"{found.format}-{found.file}"] = f"{found.format}-{found.file}"
        else:
            copied(found.file, found.area, found.format)
        (folder / found.area).mkdir(exist_ok=True)
        (folder / found.area / "MANIFEST.md").write_text("files without a format")
    for area in listed_areas(VECTORS):
        ids[f"area-{area.folder}-{area.name}"] = f"area-{area.folder}-{area.name}"
        for entry in area.entries:
            (folder / entry.file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(entry.path, folder / entry.file)
    for lists in VECTORS.glob("*/manifest.json"):
        listed = json.loads(lists.read_bytes())
        listed["entries"] = [raw for raw in listed["entries"] if raw.get("area") in AREA_RUNNERS]
        drawn.shuffle(listed["entries"])
        (folder / lists.relative_to(VECTORS)).write_text(json.dumps(listed))
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
    unjudged = {name for name in there if name.startswith("unjudged-")}  # folders of files that came along
    assert unjudged <= here.keys()
    assert {name: there[name] for name in there.keys() - unjudged} == {new: here[old] for new, old in ids.items()}
    assert "FAILED" not in there.values()
    assert counts_there == counts_here
