"""What a column takes: longer texts are cut, larger numbers are the largest."""

from typing import overload

MAX_INT64 = 2**63 - 1
MAX_UINT256 = 2**256 - 1
MAX_REASON_CHARS = 500
MAX_ADDRESS_CHARS = 128
MAX_DENOM_CHARS = 1024


@overload
def bounded_text(text: str, limit: int) -> str: ...
@overload
def bounded_text(text: None, limit: int) -> None: ...
@overload
def bounded_text(text: str | None, limit: int) -> str | None: ...
def bounded_text(text: str | None, limit: int) -> str | None:
    """Text that any database takes: at most `limit` characters; NUL and lone surrogates are replaced, nothing is
    raised.
    """
    if text is None:
        return None
    return text[:limit].replace("\x00", "�").encode(errors="replace").decode()


@overload
def bounded_int(number: int) -> int: ...
@overload
def bounded_int(number: None) -> None: ...
@overload
def bounded_int(number: int | None) -> int | None: ...
def bounded_int(number: int | None) -> int | None:
    """A number that any database takes: at most the largest int64. Larger ones become that; negative ones stay."""
    return None if number is None else min(number, MAX_INT64)
