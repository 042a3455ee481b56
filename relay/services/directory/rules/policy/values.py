"""Right operands as values that compare: instants and durations in nanoseconds, numbers exactly, names as text."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from types import MappingProxyType
from typing import Final, TypeAlias

from hutong.light_clients.interface import MalformedInput
from hutong.relay.services.directory.rules.policy.vocabulary import Domain
from hutong.relay.services.identity.rules.dids.instants import NANOSECONDS, parse_instant_ns, write_instant

Value: TypeAlias = "int | Fraction | str"

MAX_NAME_CHARS: Final = 512
MAX_COUNT: Final = 2**53 - 1
MAX_TREE_NAMES: Final = 1_024
MAX_TREE_DEPTH: Final = 16
_DURATION = re.compile(
    r"P(?:([0-9]{1,4})W|(?:([0-9]{1,5})D)?(?:T(?=[0-9])(?:([0-9]{1,6})H)?(?:([0-9]{1,6})M)?(?:([0-9]{1,6})S)?)?)"
)
_DECIMAL = re.compile(r"(?:0|[1-9][0-9]{0,29})(?:\.[0-9]{1,18})?")
_COUNT = re.compile(r"0|[1-9][0-9]{0,15}")
_NAME = re.compile(r"[!-~]+")
_WEEK_S, _DAY_S, _HOUR_S, _MINUTE_S = 604_800, 86_400, 3_600, 60


def read_value(domain: Domain, value: object, path: str) -> Value:
    """One value of a domain, from JSON.

    Raises:
        MalformedInput: another form. Months and years have no length of their own, so no duration has them.
    """
    if domain is Domain.COUNT and isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if domain is Domain.DECIMAL and isinstance(value, int | float) and not isinstance(value, bool):
        value = repr(value)
    if not isinstance(value, str):
        raise MalformedInput(path, f"is not {domain.value}", got=value)
    if domain is Domain.INSTANT:
        return parse_instant_ns(value, path)
    if domain is Domain.DURATION:
        return read_duration_ns(value, path)
    if domain is Domain.COUNT:
        if _COUNT.fullmatch(value) is None or int(value) > MAX_COUNT:
            raise MalformedInput(path, "is not a whole number below 2^53", got=value)
        return int(value)
    if domain is Domain.DECIMAL:
        if _DECIMAL.fullmatch(value) is None:
            raise MalformedInput(path, "is not a decimal number of at most 30 and 18 digits", got=value)
        return Fraction(value)
    return read_name(value, path)


def read_name(value: object, path: str) -> str:
    """An IRI or another name: printable ASCII without spaces.

    Raises:
        MalformedInput: empty, longer than MAX_NAME_CHARS, or with other characters.
    """
    if not isinstance(value, str) or len(value) > MAX_NAME_CHARS or _NAME.fullmatch(value) is None:
        raise MalformedInput(path, f"is not a name of 1 to {MAX_NAME_CHARS} printable characters", got=value)
    return value


def read_duration_ns(text: str, path: str) -> int:
    """Nanoseconds of `P30D`, `PT1H30M`, `P2W`.

    Raises:
        MalformedInput: another form; months and years among them.
    """
    match = _DURATION.fullmatch(text)
    if match is None or text == "P":
        raise MalformedInput(path, "is not a duration of weeks, or of days, hours, minutes and seconds", got=text)
    lengths = (_WEEK_S, _DAY_S, _HOUR_S, _MINUTE_S, 1)
    return NANOSECONDS * sum(int(part or 0) * length for part, length in zip(match.groups(), lengths, strict=True))


def shown_value(domain: Domain, value: Value) -> str:
    """As a person reads it: instants and durations by their units."""
    if isinstance(value, str):
        return value
    if domain is Domain.INSTANT:
        whole, rest = divmod(int(value), NANOSECONDS)
        return write_instant(whole) + (f" and {rest} ns" if rest else "")
    if domain is Domain.DURATION:
        seconds = Fraction(value) / NANOSECONDS
        return f"{seconds.numerator if seconds.denominator == 1 else float(seconds)} s"
    return str(value)


@dataclass(frozen=True, slots=True)
class NameTree:
    """A published hierarchy: each name with the one directly above it, or None at the top."""

    above: Mapping[str, str | None] = field(default_factory=lambda: MappingProxyType({}))

    def __post_init__(self) -> None:
        if len(self.above) > MAX_TREE_NAMES:
            raise MalformedInput("hierarchy", f"more than {MAX_TREE_NAMES} names", got=len(self.above))
        for name, above in self.above.items():
            read_name(name, "hierarchy")
            if above is not None and above not in self.above:
                raise MalformedInput("hierarchy", "a name stands below one that is not there", got=above)
            self._check_depth(name)

    def _check_depth(self, name: str) -> None:
        here: str | None = name
        for _ in range(MAX_TREE_DEPTH):
            if here is None:
                return
            here = self.above[here]
        if here is not None:
            raise MalformedInput("hierarchy", f"a name stands {MAX_TREE_DEPTH} levels deep, or below itself", got=name)

    def knows(self, name: str) -> bool:
        """Whether the hierarchy says where `name` stands."""
        return name in self.above

    def is_within(self, name: str, other: str) -> bool:
        """Whether `name` is `other` or stands below it. Nothing is within another name that is not in the hierarchy."""
        here: str | None = name
        while here is not None:
            if here == other:
                return True
            here = self.above.get(here)
        return False


NO_TREE: Final = NameTree()
