"""Typed reads of JSON answers. Every function names the field that is wrong."""

import re
from collections.abc import Iterator
from typing import Any

from hutong.adapters.interface import BadAnswer

MAX_LIST_ENTRIES = 100_000

QUANTITY = re.compile(r"0x(0|[1-9a-fA-F][0-9a-fA-F]*)")
_DECIMAL = re.compile(r"0|[1-9][0-9]*")
MAX_QUANTITY_DIGITS = 64


class Fields:
    """A JSON value under its dotted path in the answer to `method`."""

    __slots__ = ("method", "path", "value")

    def __init__(self, method: str, value: Any, path: str = "result") -> None:
        self.method = method
        self.value = value
        self.path = path

    def bad(self, reason: str) -> BadAnswer:
        """The error for this field, to be raised by the caller; an object or list is named by its type alone."""
        got = self.value
        if isinstance(got, dict | list):
            got = type(got).__name__
        return BadAnswer(self.method, self.path, reason, got=got)

    def at(self, key: str) -> "Fields":
        """The member `key` of an object, which may be null.

        Raises:
            BadAnswer: this is not an object, or has no such member.
        """
        if not isinstance(self.value, dict):
            raise self.bad("is not an object")
        if key not in self.value:
            raise BadAnswer(self.method, f"{self.path}.{key}", "is missing")
        return Fields(self.method, self.value[key], f"{self.path}.{key}")

    def get(self, key: str) -> "Fields | None":
        """The member `key`, or None where it is missing or null.

        Raises:
            BadAnswer: this is not an object.
        """
        if not isinstance(self.value, dict):
            raise self.bad("is not an object")
        value = self.value.get(key)
        return None if value is None else Fields(self.method, value, f"{self.path}.{key}")

    def items(self, max_entries: int = MAX_LIST_ENTRIES) -> Iterator["Fields"]:
        """The members of a list of at most `max_entries`, one after the other.

        Raises:
            BadAnswer: not a list, or a longer one; raised when the first member is asked for.
        """
        if not isinstance(self.value, list):
            raise self.bad("is not a list")
        if len(self.value) > max_entries:
            raise self.bad(f"has more than {max_entries} entries")
        for index, value in enumerate(self.value):
            yield Fields(self.method, value, f"{self.path}[{index}]")

    def text(self, max_chars: int = 4096) -> str:
        """A string of at most `max_chars` characters.

        Raises:
            BadAnswer: not a string, or a longer one.
        """
        if not isinstance(self.value, str):
            raise self.bad("is not a string")
        if len(self.value) > max_chars:
            raise BadAnswer(self.method, self.path, f"more than {max_chars} characters", got=len(self.value))
        return self.value

    def flag(self) -> bool:
        """True or false, and nothing that only counts as such.

        Raises:
            BadAnswer: any other value.
        """
        if not isinstance(self.value, bool):
            raise self.bad("is not true or false")
        return self.value

    def quantity(self) -> int:
        """A `0x…` quantity of the execution API without leading zeros, of at most 256 bits.

        Raises:
            BadAnswer: any other value.
        """
        text = self.text(2 + MAX_QUANTITY_DIGITS)
        if QUANTITY.fullmatch(text) is None:
            raise self.bad("is not a 0x quantity")
        return int(text, 16)

    def decimal(self, max_value: int = 2**64 - 1) -> int:
        """A decimal string (CometBFT writes 64-bit numbers so) or a JSON integer, from 0 to `max_value`.

        Raises:
            BadAnswer: any other value, such as one with leading zeros or a sign.
        """
        value = self.value
        if isinstance(value, str) and len(value) <= 20 and _DECIMAL.fullmatch(value):
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= max_value:
            raise self.bad("is not an unsigned decimal number")
        return value

    def data(self, size: int | None = None, max_bytes: int = 1 << 20) -> bytes:
        """The bytes of `0x…` text: exactly `size` of them, or at most `max_bytes` if `size` is None.

        Raises:
            BadAnswer: not such text, or another number of bytes.
        """
        text = self.text(2 + 2 * max_bytes if size is None else 2 + 2 * size)
        try:
            raw = bytes.fromhex(text[2:])
        except ValueError:
            raise self.bad("is not 0x data") from None
        if text[:2] != "0x" or len(text) != 2 + 2 * len(raw):  # white space is passed over by fromhex
            raise self.bad("is not 0x data")
        if size is not None and len(raw) != size:
            raise self.bad(f"is not {size} bytes")
        return raw
