"""Listing keys of a bucket as ListObjectsV2 does: by prefix, rolled up at a delimiter, page by page."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hutong.relay.services.storage.catalogue.rows import ObjectRow

Scan = Callable[[bytes, bytes | None, int], Sequence[ObjectRow]]
"""(first key, key before which it ends or None, most) → rows in the order of keys."""
_AT_ONCE = 256


@dataclass(frozen=True, slots=True)
class Asked:
    """What to list. `after`: the last key or prefix of the page before."""

    prefix: bytes
    delimiter: bytes
    after: bytes
    most: int


@dataclass(frozen=True, slots=True)
class Page:
    """Rows and common prefixes, each in order; `last` is where the next page goes on, None at the end."""

    rows: tuple[ObjectRow, ...]
    prefixes: tuple[bytes, ...]
    last: bytes | None


def after_prefix(prefix: bytes) -> bytes | None:
    """The first key that no longer begins with `prefix`; None where there is none, for the empty prefix or all FF."""
    cut = prefix.rstrip(b"\xff")
    return cut[:-1] + bytes([cut[-1] + 1]) if cut else None


def list_page(scan: Scan, asked: Asked) -> Page:
    """One page. A common prefix is skipped over in one step, however many keys it has."""
    end = after_prefix(asked.prefix)
    rows: list[ObjectRow] = []
    prefixes: list[bytes] = []
    at = _begin(asked)
    last = asked.after
    step = _AT_ONCE
    while at is not None and (end is None or at < end):
        found = scan(at, end, min(step, asked.most - len(rows) - len(prefixes) + 1))
        if not found:
            break
        at = None
        for row in found:
            if len(rows) + len(prefixes) == asked.most:
                return Page(tuple(rows), tuple(prefixes), last)
            common = _common(row.key, asked)
            if common is not None:
                prefixes.append(common)
                last, at = common, after_prefix(common)
                step = 1  # what follows a common prefix is often another one: rows that are skipped are not read
                break
            rows.append(row)
            last, at = row.key, row.key + b"\0"
        else:
            step = min(_AT_ONCE, 4 * step)
    return Page(tuple(rows), tuple(prefixes), None)


def _begin(asked: Asked) -> bytes | None:
    if asked.after < asked.prefix or not asked.after:
        return asked.prefix
    if _common(asked.after, asked) == asked.after:
        return after_prefix(asked.after)
    return asked.after + b"\0"


def _common(key: bytes, asked: Asked) -> bytes | None:
    """What a key is rolled up to; None where it is listed itself."""
    if not asked.delimiter or not key.startswith(asked.prefix):
        return None
    found = key.find(asked.delimiter, len(asked.prefix))
    return None if found < 0 else key[: found + len(asked.delimiter)]
