"""Areas of folders that have a `manifest.json` of their own: what judges each, and one verdict on all of its entries.

Such a list gives each file an area and words for what is expected, no format. A `formats_<area>.py` beside this file registers
one generator an area:

    @judges_area("vcdm2")
    def data_model(area: Area) -> Iterator[Verification]: ...

It goes by areas, by what is expected and by what the files hold; never by counts or hashes, nor by the name of the folder, so
that another directory of the same layout runs unchanged. Each entry must be some verification's `of`.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from os.path import normpath
from pathlib import Path

from hutong.light_clients.interface import VerificationError
from tests.vectors.vector_registry import Entry, Verification


@dataclass(frozen=True)
class Area:
    """The entries of one area of one folder; `Entry.area` is the folder, `Entry.format` the area."""

    folder: str
    name: str
    entries: tuple[Entry, ...]

    def beside(self, entry: Entry, file: str) -> Entry | None:
        """The entry of the area whose file this is, seen from the folder of `entry`."""
        wanted = normpath(entry.path.parent / file)
        return next((other for other in self.entries if normpath(other.path) == wanted), None)


AREA_RUNNERS: dict[str, Callable[[Area], Iterator[Verification]]] = {}


def judges_area(*names: str):
    """Register a generator for areas."""

    def register(runner):
        for name in names:
            if name in AREA_RUNNERS:
                raise ValueError(f"area {name} has two runners")
            AREA_RUNNERS[name] = runner
        return runner

    return register


def listed_areas(root: Path) -> Iterator[Area]:
    """Every area that a folder's own list names and something here judges."""
    for own in sorted(root.glob("*/manifest.json")):
        folder = own.parent.name
        areas: dict[str, list[Entry]] = {}
        for raw in json.loads(own.read_bytes())["entries"]:
            if raw.get("area") in AREA_RUNNERS:
                entry = Entry(root, f"{folder}/{raw['file']}", folder, raw["area"], raw["expected"])
                areas.setdefault(entry.format, []).append(entry)
        for name, entries in sorted(areas.items()):
            yield Area(folder, name, tuple(sorted(entries, key=lambda entry: entry.file)))


@dataclass
class AreaVerdict:
    judged: int
    unchecked: list[str]
    failures: list[str]


def judge_area(area: Area) -> AreaVerdict:
    """Every verification of an area, run to the end: all failures are told, not the first alone."""
    verdict = AreaVerdict(0, [], [])
    left = {entry.file for entry in area.entries}
    for verification in AREA_RUNNERS[area.name](area):
        left -= {entry.file for entry in verification.of}
        if verification.unchecked is not None:
            verdict.unchecked.append(f"{verification.name}: {verification.unchecked}")
            continue
        verdict.judged += 1
        failure = failure_of(verification)
        if failure is not None:
            verdict.failures.append(f"{verification.name}: {failure}")
    verdict.failures += [f"{file}: no verification judges it" for file in sorted(left)]
    return verdict


def failure_of(verification: Verification) -> str | None:
    """Why a verification is not what is expected; None where it is."""
    try:
        verification.run()
    except VerificationError as error:
        return f"refused: {error}" if verification.valid is True else None
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return "accepted, but must be refused" if verification.valid is False else None
