"""Keeping secrets out of everything that is written: logs, metrics, errors."""

import re
from collections.abc import Mapping
from typing import Any

REDACTED = "[redacted]"
MAX_TEXT_CHARS = 4096
MAX_DEPTH = 6

_SECRET_NAMES = re.compile(
    r"(password|passphrase|secret|mnemonic|seed_phrase|private_?key|priv_?key|api_?key|authorization|credential)",
    re.IGNORECASE,
)
_URL_USER = re.compile(r"(?<=://)[^\s/@:]*:[^\s/@]+@")
"""A match starts only after `://`, so that a long text costs one pass."""
_URL_QUERY_SECRET = re.compile(r"(?P<name>[?&](?:api_?key|key|token|secret|password)=)[^\s&#]+", re.IGNORECASE)


def redact(value: Any, depth: int = 0) -> Any:
    """A copy of `value` that may be written: secrets by field name and URL credentials removed, texts bounded.

    A 32-byte hex value is not a secret by its look alone (hashes are everywhere in a log); private keys never reach a
    log because `relay.keys` has no attribute or representation that holds one.

    Args:
        depth: how deep `value` lies in what is logged; below MAX_DEPTH everything becomes `…`.
    """
    if depth > MAX_DEPTH:
        return "…"
    if isinstance(value, Mapping):
        return {
            key: REDACTED if isinstance(key, str) and _SECRET_NAMES.search(key) else redact(inner, depth + 1)
            for key, inner in value.items()
        }
    if isinstance(value, list | tuple):
        return [redact(inner, depth + 1) for inner in value]
    if isinstance(value, bytes | bytearray):
        value = "0x" + bytes(value[: MAX_TEXT_CHARS // 2]).hex()
    if isinstance(value, str):
        text = _URL_USER.sub(f"{REDACTED}@", value)
        text = _URL_QUERY_SECRET.sub(rf"\g<name>{REDACTED}", text)
        return text if len(text) <= MAX_TEXT_CHARS else text[:MAX_TEXT_CHARS] + "…"
    if isinstance(value, bool | int | float) or value is None:
        return value
    return redact(str(value), depth + 1)
