"""`.ci/proofs.json`: for each section of `.ci/whole` the commit at which it was green last, a line a section.

Anybody sees how old each proof is, and what has changed below its sources since.
"""

import datetime as dt
import json
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.gate.sections import ROOT, Section

PROOFS = ROOT / ".ci" / "proofs.json"
MAX_TITLE = 62


@dataclass(frozen=True, slots=True)
class Proof:
    """A section that was green."""

    commit: str
    date: str
    """YYYY-MM-DD, UTC."""
    seconds: int
    seed: int
    unsteady: tuple[str, ...] = ()
    """Tests that failed among others and passed alone."""


@dataclass(frozen=True, slots=True)
class Age:
    section: Section
    proof: Proof | None
    changed: tuple[str, ...] | None
    """Files below its sources that have changed since; None where its commit is not in this clone."""

    @property
    def is_stale(self) -> bool:
        return self.proof is None or self.changed is None or bool(self.changed)

    @property
    def line(self) -> str:
        if self.proof is None:
            return f"{'never':10}  {'':9} {'':>6}    {self.section.name}"
        if self.changed is None:
            since = "its commit is not in this clone"
        elif self.changed:
            since = f"{len(self.changed)} files changed since, such as {self.changed[0]}"
        else:
            since = "nothing changed since"
        proof = self.proof
        return f"{proof.date}  {proof.commit[:9]} {proof.seconds:6} s  {self.section.name[:MAX_TITLE]}: {since}"


def load(path: Path = PROOFS) -> dict[str, Proof]:
    """By section; empty where there is no file yet."""
    if not path.exists():
        return {}
    document = json.loads(path.read_text(encoding="utf-8"))
    return {name: Proof(**{**fields, "unsteady": tuple(fields["unsteady"])}) for name, fields in document.items()}


def store(proofs: Mapping[str, Proof], path: Path = PROOFS) -> None:
    lines = [f"  {json.dumps(name)}: {json.dumps(asdict(proofs[name]))}" for name in sorted(proofs)]
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


def git(*arguments: str) -> str | None:
    """What git says, or None where it refuses."""
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else None


def head() -> str:
    return git("rev-parse", "HEAD") or "no commit"


def uncommitted() -> list[str]:
    """Changed files, the table of proofs apart."""
    listed = git("status", "--porcelain") or ""
    own = PROOFS.relative_to(ROOT).as_posix()
    return [line[3:] for line in listed.splitlines() if line[3:] != own]


def today() -> str:
    return dt.datetime.now(dt.UTC).date().isoformat()


def age(section: Section, proof: Proof | None) -> Age:
    if proof is None:
        return Age(section, None, None)
    listed = git("diff", "--name-only", proof.commit, "HEAD", "--", *(section.sources or (".",)))
    return Age(section, proof, None if listed is None else tuple(listed.splitlines()))


def ages(sections: Iterable[Section], proofs: Mapping[str, Proof]) -> list[Age]:
    return [age(section, proofs.get(section.name)) for section in sections]


def oldest_first(found: Sequence[Age]) -> list[Age]:
    """Those that are stale: never proven first, then by date."""
    return sorted((one for one in found if one.is_stale), key=lambda one: one.proof.date if one.proof else "")
