"""URIs as credentials write them: checked for their characters, compared by code points, never fetched and never normalised."""

import re
from typing import Final

from hutong.light_clients.interface.errors import MalformedInput
from hutong.relay.services.identity.rules.jose import JsonValue

MAX_URI_CHARS: Final = 2048
_URI: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[!#-;=?-\[\]_a-z~%]+")
"""A scheme and what RFC 3986 lets stand in a URI: no space, no control character, nothing beyond ASCII."""


def is_uri(value: JsonValue) -> bool:
    """Whether `value` is the text of a URI with its scheme, of at most `MAX_URI_CHARS` characters."""
    return isinstance(value, str) and len(value) <= MAX_URI_CHARS and _URI.fullmatch(value) is not None


def checked_uri(value: JsonValue, field: str) -> str:
    """`value` as the text of a URI.

    Raises:
        MalformedInput: see `is_uri`.
    """
    if not isinstance(value, str) or not is_uri(value):
        raise MalformedInput(field, f"is not a URI of at most {MAX_URI_CHARS} characters", got=value)
    return value
