"""The one strict reader of JSON documents that hutong writes: each value by its type and bounds, each field once.

`json_text` says what JSON is; this says what a document is. A reader takes the fields of an object inside a `with`, and the
end of it refuses what was not taken, so that no reader forgets to:

    with Document.parse(data, "bundle", MAX_BUNDLE_BYTES).members() as fields:
        fields["version"].exactly(1)
        legs = [leg_of(leg) for leg in fields["legs"].items(MAX_LEGS)]

What other programs write (nodes' RPC, beacon APIs, memos of other chains) has readers of its own: unknown fields are
passed over there, and numbers come in several forms.
"""

import re
from base64 import b64decode
from collections.abc import Callable
from enum import Enum
from functools import cache
from types import TracebackType
from typing import Any, Self, TypeVar

from hutong.light_clients.interface.errors import MalformedInput
from hutong.light_clients.interface.json_text import parse_json

Refusal = Callable[[str, str, Any, Any], Exception]
"""From path, reason, what was got and what was expected, as `MalformedInput` takes them."""
Member = TypeVar("Member", bound=Enum)

MAX_SHOWN_NAME_CHARS = 64
MAX_DECIMAL_DIGITS = 100
"""Of sums of numbers below 2^256, each of which has 78 at most."""
_DECIMAL = re.compile(r"0|[1-9][0-9]{0,99}")


class HexForm(Enum):
    """How bytes are written; one document uses one form."""

    PLAIN = "lower-case hex"
    PREFIXED = "0x and lower-case hex"
    ANY_CASE = "0x and hex"
    """Where people write addresses with a checksum."""


_HEX = {
    HexForm.PLAIN: re.compile(r"(?:[0-9a-f]{2})*+"),
    HexForm.PREFIXED: re.compile(r"0x(?:[0-9a-f]{2})*+"),
    HexForm.ANY_CASE: re.compile(r"0x(?:[0-9a-fA-F]{2})*+"),
}


class Document:
    """A JSON value and where it stands. Paths are put together for an error alone: most values are in order."""

    __slots__ = ("_above", "_refusal", "_step", "value")

    def __init__(
        self, value: Any, path: str | int, refusal: Refusal = MalformedInput, above: "Document | None" = None
    ) -> None:
        """`path` may be empty: fields then go by their names.

        `refusal` makes the errors, where they are not MalformedInput. With `above`, `path` is the last step from there:
        a name, or a number in a list.
        """
        self.value = value
        self._step = path
        self._refusal = refusal
        self._above = above

    @classmethod
    def parse(cls, data: bytes, path: str, max_bytes: int) -> "Document":
        """The outermost document of `data`, UTF-8 JSON of at most `max_bytes`; `path` names it in errors.

        Raises:
            MalformedInput: see `parse_json`.
        """
        return cls(parse_json(data, path, max_bytes), path)

    @property
    def path(self) -> str:
        """Dotted, from the outermost document on: `bundle.chains[2].kind`."""
        steps: list[str] = []
        place: Document | None = self
        while place is not None:
            step = place._step
            if isinstance(step, int):
                steps.append(f"[{step}]")
            elif place._above is None or not (place._above._above or place._above._step):
                steps.append(step)
            else:
                steps.append(f".{step}")
            place = place._above
        return "".join(reversed(steps))

    def refused(self, reason: str, got: Any = None, expected: Any = None) -> Exception:
        """The error about this value, to be raised by whoever knows more than types and bounds."""
        return self._refusal(self.path, reason, got, expected)

    def concealed(self) -> "Document":
        """The same value, which no error shows: it may be a key.

        Its errors keep path, reason and what was expected. Parts taken from it conceal theirs as well.
        """
        refusal = self._refusal
        return Document(
            self.value, self._step, lambda path, reason, _, expected: refusal(path, reason, None, expected), self._above
        )

    def members(self) -> "Members":
        """An object's fields, to be taken within a `with`: see `Members`.

        Raises:
            MalformedInput, or the document's own refusal: the value is not an object.
        """
        return Members(self)

    def of_format(self, what: str, name: str, version: int | None = None) -> "Members":
        """The fields of an object that says its format, and its version where it has one apart, without these.

        `what` is for the error: "is not `what`". With `version` None a field `version` is left for the reader.

        Raises:
            MalformedInput, or the document's own refusal: no object, another format, or another version.
        """
        if not isinstance(self.value, dict) or self.value.get("format") != name:
            raise self._at(None, "format").refused(f"is not {what}", expected=name)
        fields = Members(self)
        fields.pass_over("format")
        if version is not None:
            fields["version"].exactly(version)
        return fields

    def entries(self, most: int) -> "list[tuple[Document, Document]]":
        """Names and values of an object whose names are values too, such as addresses. A name's path is the object's.

        Raises:
            MalformedInput, or the document's own refusal: no object, or more than `most` names.
        """
        if not isinstance(self.value, dict) or len(self.value) > most:
            raise self.refused(f"is not an object of at most {most}", self.value)
        return [
            (Document(name, self.path, self._refusal), self._at(value, name[:MAX_SHOWN_NAME_CHARS]))
            for name, value in self.value.items()
        ]

    def items(self, most: int, least: int = 0) -> "list[Document]":
        """The values of a list of `least` to `most` elements; the last step of each one's path is its index.

        Raises:
            MalformedInput, or the document's own refusal: no list, or of another length.
        """
        value = self.value
        if not isinstance(value, list) or not least <= len(value) <= most:
            raise self.refused(f"is not a list of {_span(least, most)}", value)
        refusal = self._refusal
        return [Document(item, index, refusal, self) for index, item in enumerate(value)]

    def text(self, most: int, least: int = 0) -> str:
        """Any characters, `least` to `most` of them: code points, not bytes.

        Raises:
            MalformedInput, or the document's own refusal: no text, or of another length.
        """
        value = self.value
        if not isinstance(value, str) or not least <= len(value) <= most:
            raise self.refused(f"is not a text of {_span(least, most)} characters", value)
        return value

    def ascii(self, most: int, least: int = 0) -> str:
        """A text of `least` to `most` ASCII characters; control characters are not refused.

        Raises:
            MalformedInput, or the document's own refusal: no text, of another length, or not ASCII.
        """
        value = self.value
        if not isinstance(value, str) or not least <= len(value) <= most or not value.isascii():
            raise self.refused(f"is not an ASCII text of {_span(least, most)} characters", value)
        return value

    def matching(self, pattern: re.Pattern[str], what: str) -> str:
        """A text that is all of a pattern, which bounds it; `what` as in "is not a chain id".

        Raises:
            MalformedInput, or the document's own refusal: no text, or the pattern does not match the whole of it.
        """
        value = self.value
        if not isinstance(value, str) or pattern.fullmatch(value) is None:
            raise self.refused(f"is not {what}", value)
        return value

    def integer(self, least: int, most: int) -> int:
        """A JSON number without fraction or exponent, both bounds included; true and false are no numbers here.

        Raises:
            MalformedInput, or the document's own refusal: no integer, or out of bounds.
        """
        value = self.value
        if type(value) is not int or not least <= value <= most:
            raise self.refused(f"is not an integer from {least} to {most}", value)
        return value

    def decimal(self, least: int = 0, most: int | None = None) -> int:
        """A decimal number as text, for what a JSON number may lose; no sign, no leading zeros, both bounds included.

        With `most` None it has at most `MAX_DECIMAL_DIGITS` digits.

        Raises:
            MalformedInput, or the document's own refusal: no such text, or out of bounds.
        """
        value = self.value
        if not isinstance(value, str) or _DECIMAL.fullmatch(value) is None or int(value) < least:
            number = None
        else:
            number = int(value)
        if number is None or (most is not None and number > most):
            bounds = f"of at most {MAX_DECIMAL_DIGITS} digits" if most is None else f"from {least} to {most}"
            raise self.refused(f"is not a decimal number {bounds} as text", value)
        return number

    def flag(self) -> bool:
        """The JSON values true and false alone; 0, 1 and null are not taken for them.

        Raises:
            MalformedInput, or the document's own refusal: another value.
        """
        value = self.value
        if not isinstance(value, bool):
            raise self.refused("is not true or false", value)
        return value

    def choice(self, kind: type[Member]) -> Member:
        """The member of an enumeration whose value this is; the error lists all values.

        Raises:
            MalformedInput, or the document's own refusal: no member has it.
        """
        value = self.value
        try:
            return kind(value)
        except ValueError:
            raise self.refused("unknown", value, [member.value for member in kind]) from None

    def exactly(self, expected: str | int, reason: str = "unknown") -> None:
        """For formats and versions; 1 is neither true nor 1.0.

        Raises:
            MalformedInput, or the document's own refusal: another type or value, with `reason`.
        """
        value = self.value
        if type(value) is not type(expected) or value != expected:
            raise self.refused(reason, value, expected)

    def hex(self, size: int, form: HexForm = HexForm.PLAIN) -> bytes:
        """Exactly `size` bytes, in the one form that `form` names, with `0x` where that form has it.

        Raises:
            MalformedInput, or the document's own refusal: no text, another length, or not hex of that form.
        """
        value = self.value
        if (
            not isinstance(value, str)
            or len(value) != 2 * size + (0 if form is HexForm.PLAIN else 2)
            or _HEX[form].fullmatch(value) is None
        ):
            raise self.refused(f"is not {size} bytes as {form.value}", value)
        return bytes.fromhex(value if form is HexForm.PLAIN else value[2:])

    def hex_of_at_most(self, most: int, form: HexForm = HexForm.PLAIN) -> bytes:
        """At most `most` bytes, none included, in the one form that `form` names.

        Raises:
            MalformedInput, or the document's own refusal: no text, too long, or not hex of that form.
        """
        value = self.value
        if not isinstance(value, str) or len(value) > 2 * most + 2 or _HEX[form].fullmatch(value) is None:
            raise self.refused(f"is not {form.value} of at most {most} bytes", value)
        found = bytes.fromhex(value if form is HexForm.PLAIN else value[2:])
        if len(found) > most:
            raise self.refused(f"is not {form.value} of at most {most} bytes", value)
        return found

    def base64(self, most: int) -> bytes:
        """At most `most` bytes in base64, with padding.

        Several texts may say the same bytes: anyone who hashes the document compares encodings.

        Raises:
            MalformedInput, or the document's own refusal: no text, too long, or not base64. The text is not shown.
        """
        value = self.value
        if isinstance(value, str) and len(value) <= most * 4 // 3 + 4:
            try:
                found = b64decode(value, validate=True)
            except ValueError:
                found = None
            if found is not None and len(found) <= most:
                return found
        raise self.refused(f"is not base64 text of at most {most} bytes")

    def nullable(self) -> "Document | None":
        """None where null stands; a missing field is refused before, by `Members`."""
        return None if self.value is None else self

    def _at(self, value: Any, step: str | int) -> "Document":
        return Document(value, step, self._refusal, self)


class Members:
    """Fields of an object, each taken once. Leaving the `with` without an error refuses fields that were not taken."""

    __slots__ = ("_document", "_left")

    def __init__(self, document: Document) -> None:
        if not isinstance(document.value, dict):
            raise document.refused("is not an object", document.value)
        self._document = document
        self._left = dict(document.value)

    def __contains__(self, name: str) -> bool:
        """Whether the field is there and was not taken."""
        return name in self._left

    def __getitem__(self, name: str) -> Document:
        """A field that must be there."""
        try:
            value = self._left.pop(name)
        except KeyError:
            raise self._document._at(None, name).refused("is missing") from None
        return Document(value, name, self._document._refusal, self._document)

    def optional(self, name: str) -> Document | None:
        """A field that may be absent; null is a value, so that `optional("x")` of `{"x": null}` is a document."""
        return self[name] if name in self._left else None

    def pass_over(self, *names: str) -> None:
        """Take fields unread: they are there for people, or follow from others. Names that are absent are no error."""
        for name in names:
            self._left.pop(name, None)

    def end(self, reason: str = "is not a known field") -> None:
        """Refuse what was not taken, where a reader has more to say about it than the end of the `with`.

        Raises:
            MalformedInput, or the document's own refusal: the first field left, in order of names, with `reason`.
        """
        if self._left:
            raise self._document._at(None, min(self._left)[:MAX_SHOWN_NAME_CHARS]).refused(reason)

    def refused(self, reason: str, got: Any = None, expected: Any = None) -> Exception:
        """The error about the object as a whole, to be raised by the caller."""
        return self._document.refused(reason, got, expected)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.end()


@cache
def _span(least: int, most: int) -> str:
    if least == most:
        return str(most)
    return f"at most {most}" if least == 0 else f"{least} to {most}"
