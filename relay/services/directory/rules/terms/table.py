"""The one table of Unicode by which texts become terms: version 15.0.0, in a file beside this module, and never the interpreter's own.

`str.casefold`, `unicodedata` and `\\w` follow the interpreter's version of Unicode, and a library's follow the library's: two keepers with
different ones would publish different digests of one log. So what the format needs is generated once from the Unicode Character Database
(`python -m tests.relay.services.directory.rules.terms.unicode_table`), and its hash is checked where it is read.
"""

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

from hutong.light_clients.crypto import sha256

UNICODE: Final = "15.0.0"
TABLE_HASH: Final = bytes.fromhex("e07be19982c0f1639949d3e8365e2a6d1369ef4660bdfa2a53db3d8508b98eac")
"""SHA-256 of the file."""
SPEC: Final = "docs/spec/directory-terms.md"

CLASS_LETTERS: Final = {"letter": "A", "digit": "9", "extend": "x", "join": "_", "ideograph": "C"}
MID_LETTER: Final = ":"
MID_DIGIT: Final = "."
MID_BOTH: Final = "'"
OTHER: Final = " "


class _Points(dict[int, int | str]):
    """A mapping for `str.translate` that remembers the code points it was not given."""

    def __init__(self, default: int | str | None = None) -> None:
        super().__init__()
        self._default = default

    def __missing__(self, point: int) -> int | str:
        # kept, because `str.translate` is three times slower where it meets a KeyError
        found = self[point] = point if self._default is None else self._default
        return found


@dataclass(frozen=True, slots=True)
class UnicodeTable:
    """For `str.translate`: `fold` is NFKC_Casefold, `classes` the class of each character as one letter.

    `steps` are one-step canonical decompositions, `pairs` compositions, `combining` the combining classes that are not 0. A text with none of
    `unstable` is in NFC and in NFD, syllables of Hangul aside.
    """

    fold: _Points
    classes: _Points
    unstable: frozenset[str]
    steps: dict[str, str]
    pairs: dict[str, str]
    combining: dict[str, int]


def _points(runs: list[list[int]]) -> set[int]:
    return {point for first, last in runs for point in range(first, last + 1)}


def _classes(said: dict[str, Any]) -> _Points:
    classes = _Points(OTHER)
    for name, letter in CLASS_LETTERS.items():
        classes.update(dict.fromkeys(_points(said[name]), letter))
    between_letters, between_digits = _points(said["mid_letter"]), _points(said["mid_digit"])
    classes.update(dict.fromkeys(between_letters, MID_LETTER))
    classes.update(dict.fromkeys(between_digits, MID_DIGIT))
    classes.update(dict.fromkeys(between_letters & between_digits, MID_BOTH))
    return classes


@cache
def unicode_table() -> UnicodeTable:
    """The table, read once.

    Raises:
        RuntimeError: the file is not the one of this version of the format.
    """
    data = (files(__package__) / f"unicode-{UNICODE}.json").read_bytes()
    if sha256(data) != TABLE_HASH:
        raise RuntimeError("the table of Unicode beside this module was changed; install hutong again")
    said = json.loads(data)
    fold = _Points()
    for first, last, mapped in said["fold"]:
        for point in range(first, last + 1):
            fold[point] = mapped if isinstance(mapped, str) else point + mapped
    never = _points(said["never"])
    steps: dict[str, str] = said["steps"]
    return UnicodeTable(
        fold=fold,
        classes=_classes(said["classes"]),
        unstable=frozenset(map(chr, _points(said["composing"]))) | steps.keys(),
        steps=steps,
        pairs={pair: whole for whole, pair in steps.items() if ord(whole) not in never},
        combining={chr(point): int(value) for value, runs in said["combining"].items() for point in _points(runs)},
    )
