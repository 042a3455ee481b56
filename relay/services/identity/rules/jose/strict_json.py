"""JSON of credentials, of which every parser reads the same value.

Two verifiers that read one signed text differently accept two different statements. So what RFC 8259 leaves to a parser is
refused: repeated names at any depth, numbers that a double cannot hold exactly or at all, minus zero, half a surrogate
pair, a byte order mark. Names are compared by code point, so an NFC and an NFD spelling are two claims.
"""

import json
import math
import re
from collections.abc import Callable
from typing import Any, Final, NoReturn, TypeAlias, cast

from hutong.light_clients.interface.errors import MalformedInput
from hutong.light_clients.interface.json_text import MAX_JSON_DEPTH, deeper_than

JsonValue: TypeAlias = "bool | int | float | str | list[JsonValue] | dict[str, JsonValue] | None"
JsonObject: TypeAlias = dict[str, "JsonValue"]

MAX_SAFE_INTEGER: Final = 2**53 - 1
"""Beyond it two integers are one double (RFC 7493 §2.2), and most other verifiers read doubles."""
MAX_NUMBER_CHARS: Final = 64
"""Of one number: the longest that a double writes has 24."""

_SAFE_DIGITS: Final = 16
"""A text of fewer characters is an integer below 10^15."""
_SURROGATE_ESCAPE = re.compile(rb"\\u[dD]")
_DIGITS_BEFORE_EXPONENT = re.compile(r"[1-9]")
_BACKSLASH: Final = ord("\\")


class _Refused(ValueError):
    """JSON to the library and not to us; the sentence is ours."""


def _refuse_constant(text: str) -> NoReturn:
    raise _Refused(f"{text} is no number")


def _integer(text: str) -> int:
    if len(text) < _SAFE_DIGITS and text != "-0":
        return int(text)
    if len(text) > MAX_NUMBER_CHARS:
        raise _Refused(f"a number has more than {MAX_NUMBER_CHARS} characters")
    value = int(text)
    if text == "-0":
        raise _Refused("minus zero")
    if not -MAX_SAFE_INTEGER <= value <= MAX_SAFE_INTEGER:
        raise _Refused("an integer is beyond 2^53 - 1")
    return value


def _fraction(text: str) -> float:
    if len(text) > MAX_NUMBER_CHARS:
        raise _Refused(f"a number has more than {MAX_NUMBER_CHARS} characters")
    value = float(text)
    if not math.isfinite(value):
        raise _Refused("a number is too large for a double")
    if value == 0:
        if _DIGITS_BEFORE_EXPONENT.search(text.lower().partition("e")[0]) is not None:
            raise _Refused("a number is too small for a double")
        if text[0] == "-":
            raise _Refused("minus zero")
    return value


def _repeated(pairs: list[tuple[str, Any]]) -> str:
    """The first name that stands a second time; by hash, since looking back over a list would cost the square of its names."""
    seen: set[str] = set()
    for name, _ in pairs:
        if name in seen:
            return name
        seen.add(name)
    raise ValueError("no name stands twice")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise _Refused(f"an object repeats the name {_repeated(pairs)[:MAX_NUMBER_CHARS]!r}")
    return value


_DECODER = json.JSONDecoder(
    parse_constant=_refuse_constant, parse_int=_integer, parse_float=_fraction, object_pairs_hook=_object
)
_SCAN: Callable[[str, int], tuple[Any, int]] = cast(Any, _DECODER).scan_once
"""The decoder without its search for space before and after the value."""


_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _brackets_in(data: bytes) -> int:
    """How many open; fewer than levels is the usual case, and counting costs a thirtieth of looking where they stand.

    What is left without them, since `bytes.replace` looks at many bytes at once and `bytes.count` at each.
    """
    return 2 * len(data) - len(data.replace(b"{", b"")) - len(data.replace(b"[", b""))


def read_json(data: bytes, field: str, max_bytes: int) -> JsonValue:
    """The one value that `data` spells in UTF-8; `field` names it in errors. Time and memory are linear in `data`.

    Raises:
        MalformedInput: more than `max_bytes` bytes, nested deeper than `MAX_JSON_DEPTH`, not UTF-8, not JSON, or JSON
            that parsers read differently (see the module).
    """
    if len(data) > max_bytes:
        raise MalformedInput(field, f"more than {max_bytes} bytes", got=len(data))
    if len(data) > MAX_JSON_DEPTH and _brackets_in(data) > MAX_JSON_DEPTH and deeper_than(data, MAX_JSON_DEPTH):
        raise MalformedInput(field, f"nested deeper than {MAX_JSON_DEPTH}")
    try:
        text = data.decode()
        value: JsonValue
        try:
            value, end = _SCAN(text, 0)
        except StopIteration:
            end = -1
        if end != len(text):  # space around it, which few tokens have, or not JSON
            value = _DECODER.decode(text)
        # A single byte is found in a sixth of the time that two take, and most tokens have no escape at all.
        if _BACKSLASH in data and _SURROGATE_ESCAPE.search(data) is not None:
            # Half a pair is text that can be neither written nor hashed; other parsers put other characters there.
            json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise MalformedInput(field, "is not JSON: half a surrogate pair") from error
    except _Refused as error:
        raise MalformedInput(field, f"is not JSON: {error}") from error
    except (ValueError, RecursionError) as error:
        raise MalformedInput(field, "is not JSON") from error
    return value


def read_json_object(data: bytes, field: str, max_bytes: int) -> JsonObject:
    """As `read_json`, of an object.

    Raises:
        MalformedInput: as `read_json`; also for any value but an object.
    """
    value = read_json(data, field, max_bytes)
    if not isinstance(value, dict):
        raise MalformedInput(field, "is not a JSON object", got=value)
    return value


def write_json(value: JsonValue) -> bytes:
    """Compact UTF-8 JSON with members in the order that they have; not a canonical form.

    Raises:
        ValueError: a number that is not finite, or half a surrogate pair: a bug of the caller.
    """
    return _ENCODER.encode(value).encode()
