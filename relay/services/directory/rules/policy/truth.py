"""Three values. Unknown is never taken as true: a permission with it does not permit, a prohibition with it forbids."""

from collections.abc import Iterable
from enum import Enum


class Truth(Enum):
    """What is found of a constraint."""

    TRUE = "true"
    FALSE = "false"
    UNKNOWN = "unknown"

    @staticmethod
    def of(value: bool) -> "Truth":
        """The one of a plain answer."""
        return Truth.TRUE if value else Truth.FALSE


def all_of(values: Iterable[Truth]) -> Truth:
    """False where one is false, else unknown where one is unknown; true of none."""
    found = Truth.TRUE
    for value in values:
        if value is Truth.FALSE:
            return Truth.FALSE
        if value is Truth.UNKNOWN:
            found = Truth.UNKNOWN
    return found


def any_of(values: Iterable[Truth]) -> Truth:
    """True where one is true, else unknown where one is unknown; false of none."""
    found = Truth.FALSE
    for value in values:
        if value is Truth.TRUE:
            return Truth.TRUE
        if value is Truth.UNKNOWN:
            found = Truth.UNKNOWN
    return found


def one_of(values: Iterable[Truth]) -> Truth:
    """True where exactly one is true and the others are false; false where two are true or all are false."""
    seen = list(values)
    if seen.count(Truth.TRUE) > 1:
        return Truth.FALSE
    if Truth.UNKNOWN in seen:
        return Truth.UNKNOWN
    return Truth.of(Truth.TRUE in seen)
