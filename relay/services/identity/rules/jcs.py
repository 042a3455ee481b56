"""Canonical JSON: one text for each value, so that a hash is of the value and not of a spelling (RFC 8785)."""

import json

from hutong.light_clients.interface.errors import MalformedInput
from hutong.relay.services.identity.rules.jose.strict_json import JsonValue


def canonical_json(value: JsonValue) -> bytes:
    """UTF-8 without spaces, members in order of their names as UTF-16, numbers as ECMAScript writes them.

    The value is one that `read_json` gives: finite, integers within 2^53, at most 64 deep.

    Raises:
        MalformedInput: a number that is not finite or, as an integer, no double, or half a surrogate pair.
    """
    try:
        return "".join(_written(value)).encode()
    except UnicodeEncodeError as error:
        raise MalformedInput("json", "half a surrogate pair") from error


def _written(value: JsonValue) -> list[str]:
    if isinstance(value, dict):
        parts = ["{"]
        for name in sorted(value, key=_utf16):
            parts += [_text(name), ":", *_written(value[name]), ","]
        return _closed(parts, "}")
    if isinstance(value, list):
        parts = ["["]
        for item in value:
            parts += [*_written(item), ","]
        return _closed(parts, "]")
    if isinstance(value, str):
        return [_text(value)]
    if value is None:
        return ["null"]
    if isinstance(value, bool):
        return ["true" if value else "false"]
    return [_number(value)]


def _closed(parts: list[str], bracket: str) -> list[str]:
    if len(parts) > 1:
        parts.pop()
    return [*parts, bracket]


def _utf16(name: str) -> bytes:
    return name.encode("utf-16-be")


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _number(value: float) -> str:
    """As ECMAScript's Number::toString writes it: `1e+21` from 21 digits before the point on, `1e-7` below 0.000001."""
    try:
        number = float(value)
    except OverflowError:
        number = float("inf")
    if number != value or number in (float("inf"), float("-inf")):
        raise MalformedInput("json", "is no number that a double holds", got=value)
    if number == 0:
        return "0"
    sign = "-" if number < 0 else ""
    digits, exponent = _shortest(abs(number))
    if 0 < exponent <= 21:
        whole = digits[:exponent].ljust(exponent, "0")
        fraction = digits[exponent:]
        return f"{sign}{whole}.{fraction}" if fraction else f"{sign}{whole}"
    if -6 < exponent <= 0:
        return f"{sign}0.{'0' * -exponent}{digits}"
    fraction = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{sign}{digits[0]}{fraction}e{exponent - 1:+d}"


def _shortest(number: float) -> tuple[str, int]:
    """The shortest digits that read back as `number`, without zeros at either end, and where the point stands in them."""
    mantissa, _, power = repr(number).partition("e")
    whole, _, fraction = mantissa.partition(".")
    fraction = fraction.rstrip("0")
    digits = (whole + fraction).lstrip("0")
    point = len(whole) + int(power or "0") - (len(whole + fraction) - len(digits))
    return digits.rstrip("0"), point
