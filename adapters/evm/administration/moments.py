"""Unix times for people: as UTC, and how far they are."""

from datetime import UTC, datetime

LAST_DATE_S = 253_402_300_799
"""The end of the year 9999: what is scheduled for later has no date."""
_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


def moment_text(at_s: int, now_s: int) -> str:
    """A Unix time as UTC, and how far it is."""
    distance = duration_text(abs(at_s - now_s))
    return f"{date_text(at_s)} ({f'in {distance}' if at_s > now_s else f'{distance} ago'})"


def duration_text(duration_s: int) -> str:
    """In the two largest units of which there is one: `1 d 23 h`, `59 min 1 s`, `0 s`."""
    parts: list[str] = []
    left = duration_s
    for size, unit in _UNITS:
        if left >= size or (parts and left):
            parts.append(f"{left // size} {unit}")
            left %= size
    return " ".join(part for part in parts[:2] if not part.startswith("0 ")) or "0 s"


def date_text(at_s: int) -> str:
    """As `2026-11-29T06:00:00Z`; a time after LAST_DATE_S as its number."""
    if at_s > LAST_DATE_S:
        return f"Unix time {at_s}"
    return datetime.fromtimestamp(at_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
