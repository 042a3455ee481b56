"""The one parser of JSON from outside: bounded in size and depth, without repeated keys or non-finite numbers.

Python's parser recurses in C as deep as the process's recursion limit lets it, and libraries raise that limit until a
file of brackets ends the process by a signal. So depth is counted before anything is parsed.
"""

import json
import re
from typing import Any, NoReturn

from hutong.light_clients.interface.errors import MalformedInput

MAX_JSON_DEPTH = 64
"""The deepest honest documents (a CometBFT block with evidence) stay under 20."""
MAX_INTEGER_CHARS = 640
"""Below every limit that a process's environment can set for Python (PYTHONINTMAXSTRDIGITS): all hubs refuse alike."""

# Possessive, and an unclosed string matches to the end: a retry at every quote would be quadratic.
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
_PLAIN_STRING = re.compile(rb'"[^"]*+"?')
_SURROGATE_ESCAPE = re.compile(rb"\\u[dD]")
_NOT_BRACKETS = bytes(byte for byte in range(256) if byte not in b"[]{}")
_NOT_BRACKETS_OR_QUOTES = bytes(byte for byte in _NOT_BRACKETS if byte not in b'"')


def deeper_than(data: bytes, limit: int) -> bool:
    """Whether brackets outside strings nest deeper than `limit`; stops at the first that does."""
    depth = 0
    if b"\\" in data:
        brackets = _STRING.sub(b"", data).translate(None, _NOT_BRACKETS)
    else:  # nothing is escaped: what strings hold can go first, and hex texts are most of what comes
        brackets = _PLAIN_STRING.sub(b"", data.translate(None, _NOT_BRACKETS_OR_QUOTES))
    for byte in brackets:
        if byte in b"[{":
            depth += 1
            if depth > limit:
                return True
        else:
            depth -= 1
    return False


class _Refused(ValueError):
    """JSON to the library and not to us; the sentence is ours."""


def _refuse_constant(text: str) -> NoReturn:
    raise _Refused(f"{text} is no number")


def _integer(text: str) -> int:
    if len(text) > MAX_INTEGER_CHARS:
        raise _Refused(f"an integer has more than {MAX_INTEGER_CHARS} characters")
    return int(text)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise _Refused("an object repeats a key")
    return value


def parse_json(data: bytes, field: str, max_bytes: int) -> Any:
    """One JSON value in UTF-8.

    Raises:
        MalformedInput: too long, too deep, not UTF-8, not JSON, a repeated key, half a surrogate pair, or an integer
            of too many digits.
    """
    if len(data) > max_bytes:
        raise MalformedInput(field, f"more than {max_bytes} bytes", got=len(data))
    if deeper_than(data, MAX_JSON_DEPTH):
        raise MalformedInput(field, f"nested deeper than {MAX_JSON_DEPTH}")
    try:
        value = json.loads(
            data.decode(), parse_constant=_refuse_constant, parse_int=_integer, object_pairs_hook=_object
        )
        if _SURROGATE_ESCAPE.search(data) is not None:
            # Half a pair is text that can be neither written nor hashed; other parsers put other characters there.
            json.dumps(value, ensure_ascii=False).encode()
    except _Refused as error:
        raise MalformedInput(field, f"is not JSON: {error}") from error
    except (ValueError, RecursionError) as error:
        # The library's words change between versions of Python, and the hub stores and hashes why it refused.
        raise MalformedInput(field, "is not JSON") from error
    return value
