"""Conformance vectors by format: manifest entries in, named verifications out.

A `formats_<area>.py` beside this file registers one generator a format id:

    @runs("ics23-single")
    def ics23_single(entry: Entry, group: Group) -> Iterator[Verification]:
        case = entry.json()
        yield Verification("membership", lambda: verify(...))

It must go by `entry.format`, `entry.params` and roles, never by file names: another directory of the same formats runs
unchanged. `Verification.run` returns when the thing verifies and raises `VerificationError` for a clean refusal; whatever
else it raises (AssertionError for a wrong result, any crash) fails the test. What the manifest expects is applied by the
runner: `valid` wants every run to return, `invalid` wants the first raise to be a VerificationError, `cases` follows
`Verification.valid`, which the generator sets from the case. A generator may itself raise VerificationError (decoding).
`facts` are read and never fail: what a reader says against one is a note.

Folders with a `manifest.json` of their own name no format: their entries have an area, and words for what is expected. All of
an area are judged by one test (own_lists.py), and each of its entries must be some verification's `of`.

What a verification cannot judge (a signature whose keys no file of the group holds) is its `unchecked`: the rest of it is
judged, and it is named as skipped and not counted.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Entry:
    """One line of the manifest."""

    root: Path
    file: str
    area: str
    format: str
    expected: str
    group: str | None = None
    role: str | None = None
    order: int | None = None
    reason: str | None = None
    params: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def from_manifest(cls, root: Path, raw: dict[str, Any]) -> "Entry":
        known = {name: raw[name] for name in cls.__dataclass_fields__ if name in raw}
        return cls(root=root, **known)

    @property
    def path(self) -> Path:
        return self.root / self.file

    def bytes(self) -> bytes:
        return self.path.read_bytes()

    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    def json(self) -> Any:
        return json.loads(self.bytes())


@dataclass(frozen=True)
class Group:
    """The entries that are used together with one (itself included), ordered ones ascending, then the rest by file."""

    entries: tuple[Entry, ...]

    def with_role(self, role: str) -> Entry | None:
        return next((entry for entry in self.entries if entry.role == role), None)

    def all_with_role(self, role: str) -> tuple[Entry, ...]:
        return tuple(entry for entry in self.entries if entry.role == role)

    def before(self, entry: Entry) -> tuple[Entry, ...]:
        """The ordered entries that are applied before `entry`."""
        return tuple(
            e for e in self.entries if e.order is not None and entry.order is not None and e.order < entry.order
        )


@dataclass(frozen=True)
class Verification:
    name: str
    run: Callable[[], object]
    valid: bool | None = True
    """Read for files of expectation `cases`, and in areas; None (areas alone): either verdict will do, and no crash."""
    library: str | None = None
    """What judges where the product has no such code (whole beacon bodies): counted apart."""
    unchecked: str | None = None
    """What is left out of it, and why: such a one is named and not counted."""
    of: tuple[Entry, ...] = ()
    """In areas: the entries that it judges, or reads to judge another."""


Runner = Callable[[Entry, Group], Iterator[Verification]]
RUNNERS: dict[str, Runner] = {}


def runs(*formats: str) -> Callable[[Runner], Runner]:
    """Register a generator for format ids of FORMATS.md."""

    def register(runner: Runner) -> Runner:
        for name in formats:
            if name in RUNNERS:
                raise ValueError(f"format {name} has two runners")
            RUNNERS[name] = runner
        return runner

    return register


class Manifest:
    def __init__(self, root: Path) -> None:
        self.root = root

    @cached_property
    def entries(self) -> tuple[Entry, ...]:
        raw = json.loads((self.root / "manifest.json").read_bytes())
        if raw["version"] != 1:
            raise ValueError(f"manifest version {raw['version']}; this runner reads version 1")
        return tuple(Entry.from_manifest(self.root, entry) for entry in raw["entries"])

    @cached_property
    def _groups(self) -> dict[tuple[str, str], Group]:
        members: dict[tuple[str, str], list[Entry]] = {}
        for entry in self.entries:
            if entry.group is not None:
                members.setdefault((entry.area, entry.group), []).append(entry)
        return {
            key: Group(tuple(sorted(group, key=lambda e: (e.order is None, e.order or 0, e.file))))
            for key, group in members.items()
        }

    def group_of(self, entry: Entry) -> Group:
        return Group((entry,)) if entry.group is None else self._groups[entry.area, entry.group]
