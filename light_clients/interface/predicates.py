"""Verification as an ordered list of named predicates, read by `verify` and by `audit` alike."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

from light_clients.interface.errors import VerificationError

ValueT = TypeVar("ValueT")


class Check(NamedTuple):
    """One rule, ready to run. A named tuple, since some dozens are made for each header and proof.

    `name` is the field's term (`within_trusting_period`), `source` the standard and section that demands it.
    `run` returns nothing and raises `VerificationError` when the rule is broken.
    """

    name: str
    source: str
    run: Callable[[], None]


@dataclass(frozen=True, slots=True)
class CheckVerdict:
    """What one predicate said; `error` is None where it held."""

    name: str
    source: str
    error: VerificationError | None

    @property
    def held(self) -> bool:
        return self.error is None


def run_checks(checks: Iterable[Check]) -> None:
    """Run in order; the first failure leaves as it was raised."""
    for check in checks:
        check.run()


def audit_checks(checks: Iterable[Check]) -> Iterator[CheckVerdict]:
    """Run in order and yield each verdict; stops after the first failure, since later rules assume earlier ones."""
    for check in checks:
        try:
            check.run()
        except VerificationError as error:
            yield CheckVerdict(check.name, check.source, error)
            return
        yield CheckVerdict(check.name, check.source, None)


@dataclass(slots=True)
class Slot(Generic[ValueT]):
    """A value that one check finds and later ones read."""

    value: ValueT | None = None

    def fill(self, make: Callable[[], ValueT]) -> None:
        self.value = make()

    def get(self) -> ValueT:
        if self.value is None:
            raise RuntimeError("a check was run before the one that it stands on")
        return self.value
