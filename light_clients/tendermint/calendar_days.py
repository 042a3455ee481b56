"""Days of the proleptic Gregorian calendar, without `datetime`: that module also reads the clock, which verifiers never do."""

DAYS_IN_400_YEARS = 146_097
_UNIX_EPOCH = 719_162
"""Days from 0001-01-01 to 1970-01-01."""
_MONTH_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def _month_days(year: int, month: int) -> int:
    return 29 if month == 2 and _is_leap(year) else _MONTH_DAYS[month - 1]


def _before_year(year: int) -> int:
    past = year - 1
    return past * 365 + past // 4 - past // 100 + past // 400


def days_since_1970(year: int, month: int, day: int) -> int | None:
    """Days from 1970-01-01 to a date of the years 1 to 9999, negative before it; None where there is no such date.

    Month and day count from 1.
    """
    if not (1 <= year <= 9999 and 1 <= month <= 12 and 1 <= day <= _month_days(year, month)):
        return None
    return _before_year(year) + sum(_month_days(year, earlier) for earlier in range(1, month)) + day - 1 - _UNIX_EPOCH


def date_of(days: int) -> tuple[int, int, int]:
    """(year, month, day); inverse of `days_since_1970`.

    `days` may be negative; a day outside the years 1 to 9999 is not refused.
    """
    left = days + _UNIX_EPOCH
    year = left * 400 // DAYS_IN_400_YEARS + 1
    # The estimate by the mean year is off by at most one either way.
    while _before_year(year) > left:
        year -= 1
    while _before_year(year + 1) <= left:
        year += 1
    left -= _before_year(year)
    month = 1
    while left >= _month_days(year, month):
        left -= _month_days(year, month)
        month += 1
    return year, month, left + 1
