"""Texts that differ in case, width or composition become one: toNFKC_Casefold(NFD(text)) by the pinned table (Unicode 15.0.0, §3.13 D147).

Characters that the table does not have stay as they are, and are no part of a word.
"""

from typing import Final

from hutong.relay.services.directory.rules.terms.table import UnicodeTable, unicode_table

_FIRST_SYLLABLE: Final = 0xAC00
_FIRST_LEAD: Final = 0x1100
_FIRST_VOWEL: Final = 0x1161
_BEFORE_TAIL: Final = 0x11A7
_LEADS, _VOWELS, _TAILS = 19, 21, 28
_SYLLABLES: Final = _LEADS * _VOWELS * _TAILS


def fold(text: str) -> str:
    """The one spelling of `text`; linear, but for runs of combining marks, which are sorted."""
    if text.isascii():
        # of ASCII every version of Unicode says the same
        return text.lower()
    table = unicode_table()
    if table.unstable.isdisjoint(text):
        folded = text.translate(table.fold)
        if table.unstable.isdisjoint(folded):
            return folded
    else:
        folded = _decompose(table, text).translate(table.fold)
    return _compose(table, _decompose(table, folded))


def _decompose(table: UnicodeTable, text: str) -> str:
    """NFD, but that syllables of Hangul stay whole: nothing between their parts ever moves."""
    steps = table.steps
    whole = list(text)
    found: list[str] = []
    while whole:
        one = whole.pop()
        step = steps.get(one)
        if step is None:
            found.append(one)
        else:
            whole.extend(step)
    found.reverse()
    return "".join(_ordered(table, found))


def _ordered(table: UnicodeTable, text: list[str]) -> list[str]:
    combining = table.combining
    ordered: list[str] = []
    marks: list[str] = []
    for one in text:
        if one in combining:
            marks.append(one)
            continue
        if marks:
            ordered += sorted(marks, key=combining.__getitem__)
            marks = []
        ordered.append(one)
    return ordered + sorted(marks, key=combining.__getitem__)


def _compose(table: UnicodeTable, text: str) -> str:
    """NFC of a text in NFD: each mark joins the last starter, if no mark of its class or of a higher one stands between them."""
    found: list[str] = []
    starter, last_class = -1, 0
    for one in text:
        value = table.combining.get(one, 0)
        blocked = starter < 0 or (last_class >= value if starter < len(found) - 1 else False)
        whole = None if blocked else _pair(table, found[starter], one)
        if whole is not None:
            found[starter] = whole
            continue
        if value == 0:
            starter = len(found)
        last_class = value
        found.append(one)
    return "".join(found)


def _pair(table: UnicodeTable, first: str, second: str) -> str | None:
    whole = table.pairs.get(first + second)
    if whole is not None:
        return whole
    lead, vowel = ord(first) - _FIRST_LEAD, ord(second) - _FIRST_VOWEL
    if 0 <= lead < _LEADS and 0 <= vowel < _VOWELS:
        return chr(_FIRST_SYLLABLE + (lead * _VOWELS + vowel) * _TAILS)
    syllable, tail = ord(first) - _FIRST_SYLLABLE, ord(second) - _BEFORE_TAIL
    if 0 <= syllable < _SYLLABLES and syllable % _TAILS == 0 and 0 < tail < _TAILS:
        return chr(ord(first) + tail)
    return None
