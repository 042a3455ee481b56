"""Times as the API tells and takes them."""

import re
from datetime import UTC, datetime

from hutong.relay.web.problems import ApiProblem, Code

MAX_TIME_NS = 253_402_300_799 * 10**9
"""The end of the year 9999: later times (a packet may name any) are shown as it."""

_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


def instant(time_ns: int) -> datetime:
    """In UTC, to the millisecond, rounded down. Times before 1970 are shown as 1970, those after 9999 as its end."""
    return datetime.fromtimestamp(min(max(0, time_ns), MAX_TIME_NS) // 1_000_000 / 1_000, UTC)


def optional_instant(time_ns: int | None) -> datetime | None:
    """`instant`, or None for None."""
    return None if time_ns is None else instant(time_ns)


def parse_instant(text: str, field: str) -> int:
    """Nanoseconds of Unix time of an RFC 3339 text, to the microsecond; 0 for times before 1970.

    Args:
        field: the request's, named in the problem.

    Raises:
        ApiProblem: the text is not a time.
    """
    if len(text) <= 40 and _RFC_3339.fullmatch(text):
        try:
            at = datetime.fromisoformat(text.upper())
            return max(0, int(at.timestamp() * 1_000_000) * 1_000)
        except (ValueError, OverflowError):
            pass
    raise ApiProblem(
        Code.INVALID_REQUEST,
        f"{field} is not a time: write RFC 3339, such as 2026-11-26T03:50:50Z",
        field=field,
        status=422,
    )
