"""Dates of credentials: `dateTimeStamp` of XML Schema 1.1, which has a time zone, as one number to compare by."""

import re
from typing import Final

from hutong.light_clients.interface.errors import MalformedInput
from hutong.relay.services.identity.rules.jose import JsonValue

_STAMP: Final = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,9}))?(?:Z|([+-])([0-9]{2}):([0-9]{2}))"
)
_DAYS_OF_MONTH: Final = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_DAYS_OF_400_YEARS: Final = 146_097
_DAYS_TO_1970_FROM_MARCH_0: Final = 719_468
_NS_PER_S: Final = 1_000_000_000


def date_time_ns(value: JsonValue, field: str) -> int:
    """Nanoseconds since 1970 of `2026-01-31T23:59:59.5-06:00`, negative before; years have four digits.

    Raises:
        MalformedInput: another form, no time zone, a day, time or zone that there is not, or more than nine digits of a second.
    """
    match = _STAMP.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise MalformedInput(field, "is not a date and time with its zone", got=value, expected="YYYY-MM-DDThh:mm:ssZ")
    year, month, day, hour, minute, second = (int(match[group]) for group in range(1, 7))
    zone_hour, zone_minute = int(match[9] or 0), int(match[10] or 0)
    zone_minutes = zone_hour * 60 + zone_minute
    if not (year and 1 <= month <= 12 and 1 <= day <= _days_of(year, month)):
        raise MalformedInput(field, "is no day", got=value)
    if hour > 23 or minute > 59 or second > 59 or zone_minute > 59 or zone_minutes > 14 * 60:
        raise MalformedInput(field, "is no time of a day, or no zone", got=value)
    minutes = (_days_since_1970(year, month, day) * 24 + hour) * 60 + minute
    minutes -= -zone_minutes if match[8] == "-" else zone_minutes
    return (minutes * 60 + second) * _NS_PER_S + int((match[7] or "").ljust(9, "0"))


def _days_of(year: int, month: int) -> int:
    is_leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return 29 if month == 2 and is_leap else _DAYS_OF_MONTH[month - 1]


def _days_since_1970(year: int, month: int, day: int) -> int:
    """Counted in years that begin in March, so that the leap day is the last one."""
    year -= month <= 2
    day_of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    era, year_of_era = divmod(year, 400)
    day_of_era = year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + day_of_year
    return era * _DAYS_OF_400_YEARS + day_of_era - _DAYS_TO_1970_FROM_MARCH_0
