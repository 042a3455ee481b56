"""Instants of DID documents and their logs: RFC 3339 in UTC, without any reading of a clock.

Nanoseconds since 1970 in between, so that two texts of one instant compare as equal.
"""

import re
from typing import Final

from hutong.light_clients.interface.errors import MalformedInput

NANOSECONDS: Final = 1_000_000_000
_INSTANT = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,9}))?(?:Z|\+00:00)"
)
_DAYS_BEFORE_MONTH: Final = (0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334)
_DAYS_OF_MONTH: Final = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_FIRST_YEAR: Final = 1970


def parse_instant_ns(text: str, field: str) -> int:
    """Nanoseconds since 1970 of `2026-01-31T23:59:59Z`, with up to nine digits after the second; `+00:00` is `Z`.

    Raises:
        MalformedInput: another form or zone, no such day, a leap second, or before 1970.
    """
    match = _INSTANT.fullmatch(text)
    if match is None:
        raise MalformedInput(field, "is not an instant in UTC", got=text, expected="YYYY-MM-DDThh:mm:ssZ")
    year, month, day, hour, minute, second = (int(match[group]) for group in range(1, 7))
    if year < _FIRST_YEAR or not 1 <= month <= 12 or not 1 <= day <= _days_of(year, month):
        raise MalformedInput(field, "is no day from 1970 on", got=text)
    if hour > 23 or minute > 59 or second > 59:
        raise MalformedInput(field, "is no time of a day", got=text)
    seconds = ((_days_since_1970(year, month, day) * 24 + hour) * 60 + minute) * 60 + second
    return seconds * NANOSECONDS + int((match[7] or "").ljust(9, "0"))


def write_instant(seconds: int) -> str:
    """`2026-01-31T23:59:59Z` of whole seconds since 1970, up to the year 9999.

    Raises:
        ValueError: out of these years: a bug of the caller.
    """
    days, rest = divmod(seconds, 86_400)
    if days < 0:
        raise ValueError(f"{seconds} s is before 1970")
    year = _FIRST_YEAR + days // 366
    while _days_since_1970(year + 1, 1, 1) <= days:
        year += 1
    if year > 9999:
        raise ValueError(f"{seconds} s is after the year 9999")
    days -= _days_since_1970(year, 1, 1)
    month = 1
    while days >= _days_of(year, month):
        days -= _days_of(year, month)
        month += 1
    return f"{year:04}-{month:02}-{days + 1:02}T{rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02}Z"


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def _days_of(year: int, month: int) -> int:
    return 29 if month == 2 and _is_leap(year) else _DAYS_OF_MONTH[month - 1]


def _days_since_1970(year: int, month: int, day: int) -> int:
    before = year - 1
    leap_days = before // 4 - before // 100 + before // 400 - (1969 // 4 - 1969 // 100 + 1969 // 400)
    days = (year - _FIRST_YEAR) * 365 + leap_days + _DAYS_BEFORE_MONTH[month - 1] + day - 1
    return days + 1 if month > 2 and _is_leap(year) else days
