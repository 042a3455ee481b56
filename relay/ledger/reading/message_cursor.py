"""Where a list goes on: opaque to whoever holds it, checked when it comes back."""

import base64
import binascii
import re
from dataclasses import dataclass
from enum import StrEnum

from hutong.relay.ledger.store.bounds import MAX_INT64
from hutong.relay.ledger.values.errors import InvalidCursor

MAX_CURSOR_CHARS = 300
_PATTERN = re.compile(r"([pc])1:(-?[0-9]{1,19}):([!-~]{0,160})", re.ASCII)


class CursorKind(StrEnum):
    PAGE = "p"
    """Newest first; `value` is `ordered_at_ns`."""
    CHANGES = "c"
    """Oldest change first; `value` is `change`."""


@dataclass(frozen=True, slots=True)
class Position:
    """The last item that was given; the next page begins after it."""

    value: int
    packet_id: str


def encode_cursor(kind: CursorKind, position: Position) -> str:
    """Where a list goes on, as at most `MAX_CURSOR_CHARS` of base64url. It is opaque to clients and checked when it comes back."""
    text = f"{kind.value}1:{position.value}:{position.packet_id}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode_cursor(kind: CursorKind, cursor: str) -> Position:
    """Inverse of `encode_cursor`.

    Raises:
        InvalidCursor: not one of these, or of another list.
    """
    if len(cursor) > MAX_CURSOR_CHARS or not cursor.isascii():
        raise InvalidCursor("the cursor is not from this list: begin without a cursor")
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode("ascii")
    except (binascii.Error, UnicodeDecodeError):
        raise InvalidCursor("the cursor is not from this list: begin without a cursor") from None
    match = _PATTERN.fullmatch(text)
    if match is None or match[1] != kind.value or not -MAX_INT64 <= (value := int(match[2])) <= MAX_INT64:
        raise InvalidCursor("the cursor is not from this list: begin without a cursor")
    position = Position(value, match[3])
    if encode_cursor(kind, position) != cursor:
        raise InvalidCursor("the cursor is not from this list: begin without a cursor")
    return position
