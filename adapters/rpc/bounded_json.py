"""JSON from strangers: bounded in size and depth, without duplicate keys or non-finite numbers."""

import json
import re
from typing import Any, NoReturn

from adapters.interface import BadAnswer

MAX_JSON_DEPTH = 64
"""The deepest honest answers (a CometBFT block with evidence) stay under 20."""

# Possessive, and an unclosed string matches to the end: a retry at every quote would be quadratic.
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*+"?', re.DOTALL)
_NOT_BRACKETS = bytes(byte for byte in range(256) if byte not in b"[]{}")


def _depth(data: bytes) -> int:
    depth = deepest = 0
    for byte in _STRING.sub(b"", data).translate(None, _NOT_BRACKETS):
        if byte in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        else:
            depth -= 1
    return deepest


def _refuse_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is not JSON")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("an object repeats a key")
    return value


def parse_json(data: bytes, method: str, max_bytes: int) -> Any:
    """Parse one JSON value.

    Raises:
        BadAnswer: too long, too deep, not UTF-8, not JSON, a repeated key, or a number beyond Python's digit limit.
    """
    if len(data) > max_bytes:
        raise BadAnswer(method, "body", f"more than {max_bytes} bytes", got=len(data))
    if _depth(data) > MAX_JSON_DEPTH:
        raise BadAnswer(method, "body", f"nested deeper than {MAX_JSON_DEPTH}")
    try:
        return json.loads(data.decode(), parse_constant=_refuse_constant, object_pairs_hook=_object)
    except (ValueError, RecursionError) as error:
        raise BadAnswer(method, "body", f"is not JSON: {error}") from error
