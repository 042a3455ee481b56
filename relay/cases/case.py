"""What a case is: its number, name, sizes, and what a run of it leaves."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from hutong.relay.cases.city_file import City
from hutong.relay.cases.evidence import EvidenceWriter

MAX_SHRINKING = 20
"""A CI size below a twentieth of the full one says why."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much a run does, in the case's own unit, such as `trades`; `why` a CI size is below a twentieth of the full one."""

    unit: str
    ci: int
    full: int
    why: str = ""

    def __post_init__(self) -> None:
        if not 1 <= self.ci <= self.full:
            raise ValueError(f"sizes in {self.unit}: {self.ci} of {self.full}")
        if self.ci * MAX_SHRINKING < self.full and not self.why:
            raise ValueError(f"{self.ci} {self.unit} of {self.full} is below a twentieth: say why")


@dataclass(frozen=True, slots=True)
class Check:
    """One assertion of a case by its name; `negative` where something had to be refused. `said` is what was found."""

    name: str
    held: bool
    negative: bool
    said: str = ""


@dataclass(slots=True)
class CaseRun:
    """What a run collects: checks, evidence and counts. `say` is told each check's outcome, and what goes on."""

    say: Callable[[str], None]
    evidence: EvidenceWriter
    checks: list[Check] = field(default_factory=list)
    gas: int = 0
    transactions: int = 0
    messages: int = 0

    def check(self, name: str, held: bool, said: object = "") -> None:
        """Something that has to be so."""
        self._heard(Check(name, bool(held), negative=False, said=str(said)))

    def refused(self, name: str, held: bool, said: object = "") -> None:
        """Something that has to be refused: `held` where it was."""
        self._heard(Check(name, bool(held), negative=True, said=str(said)))

    def paid(self, *receipts: Any) -> None:
        """Count transactions of the case's people, with their gas."""
        self.transactions += len(receipts)
        self.gas += sum(int(receipt["gasUsed"]) for receipt in receipts)

    def _heard(self, check: Check) -> None:
        self.checks.append(check)
        mark = "ok    " if check.held else "FAILED"
        self.say(
            f"{mark} {'refused: ' if check.negative else ''}{check.name}{f' ({check.said})' if check.said else ''}"
        )


@dataclass(frozen=True, slots=True)
class Case:
    """`name` is that of its module, its evidence and its rule in the audit, with `-` for `_`."""

    number: int
    name: str
    title: str
    sizes: Sizes
    run: Callable[[City, int, CaseRun], None]


@dataclass(frozen=True, slots=True)
class CaseReport:
    """A run that ended. `failure` is one sentence where it broke off; `proof_bytes` are of all bundles in its evidence."""

    number: int
    name: str
    title: str
    unit: str
    size: int
    checks: Sequence[Check]
    duration_s: float
    messages: int
    proof_bytes: int
    transactions: int
    gas: int
    failure: str = ""

    @property
    def good(self) -> bool:
        """Every check held, at least one of them positive and two negative, and nothing broke off."""
        negative = sum(check.negative for check in self.checks)
        return (
            not self.failure
            and all(check.held for check in self.checks)
            and negative >= 2
            and len(self.checks) > negative
        )
