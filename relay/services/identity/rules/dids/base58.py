"""base58btc, the alphabet of multibase `z`: one text for each value, both ways."""

from typing import Final

from hutong.light_clients.interface.errors import MalformedInput

_ALPHABET: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_DIGITS: Final = {char: digit for digit, char in enumerate(_ALPHABET)}
MAX_BASE58_BYTES: Final = 128
"""Of one value: the work grows with the square of it. A signature has 64."""


def encode_base58(data: bytes) -> str:
    """The one spelling of at most `MAX_BASE58_BYTES` bytes; each leading zero byte is a `1`.

    Raises:
        ValueError: more bytes: a bug of the caller.
    """
    if len(data) > MAX_BASE58_BYTES:
        raise ValueError(f"base58 of {len(data)} bytes")
    number = int.from_bytes(data, "big")
    digits: list[str] = []
    while number:
        number, digit = divmod(number, 58)
        digits.append(_ALPHABET[digit])
    zeros = len(data) - len(data.lstrip(b"\0"))
    return _ALPHABET[0] * zeros + "".join(reversed(digits))


def decode_base58(text: str, field: str) -> bytes:
    """The bytes that `text` spells, at most `MAX_BASE58_BYTES`; `field` names it in errors.

    Raises:
        MalformedInput: too long, or a character that is not of the alphabet (`0`, `O`, `I` and `l` are not).
    """
    if len(text) > MAX_BASE58_BYTES * 138 // 100 + 1:
        raise MalformedInput(field, f"base58 of more than {MAX_BASE58_BYTES} bytes", got=len(text))
    number = 0
    for char in text:
        digit = _DIGITS.get(char)
        if digit is None:
            raise MalformedInput(field, "is not base58", got=text)
        number = number * 58 + digit
    zeros = len(text) - len(text.lstrip(_ALPHABET[0]))
    data = bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8, "big")
    if len(data) > MAX_BASE58_BYTES:
        raise MalformedInput(field, f"base58 of more than {MAX_BASE58_BYTES} bytes", got=len(data))
    return data


def decode_multibase(text: str, field: str) -> bytes:
    """The bytes of a multibase text in base58btc, the one base that DIDs and their proofs use here.

    Raises:
        MalformedInput: another base than `z`, or as `decode_base58`.
    """
    if not text.startswith("z"):
        raise MalformedInput(field, "is not multibase base58btc", got=text, expected="z…")
    return decode_base58(text[1:], field)
