"""Terms of a text: words by UAX #29 of the pinned table, and pairs of characters where a script has no spaces."""

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from hutong.relay.services.directory.rules.terms.folding import fold
from hutong.relay.services.directory.rules.terms.table import unicode_table

MAX_TERM_CHARS: Final = 64
"""Of a longer word the first ones are the term, in entries and in queries alike."""
_NOT_LAST: Final = ":.'x"

# Over the classes of characters (`table.CLASS_LETTERS`), one letter each. Every part begins with another class than it can end in and takes
# all it can for good (possessive), so that no text is read twice.
_TOKENS: Final = re.compile(
    r"(?P<unspaced>(?:Cx*+)++)|(?:A(?:x*+)(?:[:']x*+(?=A))?+|9(?:x*+)(?:[.']x*+(?=9))?+|_x*+)++"
)
_UNIT: Final = re.compile(r"Cx*+")


def terms_in_order(text: str) -> list[str]:
    """Words, and pairs of characters of scripts without spaces, as they follow one another; one that stands alone is a term as well."""
    return [term for term, is_single in _terms(text) if not is_single]


def all_terms(text: str) -> set[str]:
    """`terms_in_order`, and each character of scripts without spaces: what the index holds."""
    return {term for term, _ in _terms(text)}


def is_single_character(term: str) -> bool:
    """Whether a term is one character of a script without spaces, with its marks: it may be a part of a pair as well."""
    return _UNIT.fullmatch(term.translate(unicode_table().classes)) is not None


def _terms(text: str) -> Iterator[tuple[str, bool]]:
    """Each term, and whether it is a single character of a longer run."""
    folded = fold(text)
    classes = folded.translate(unicode_table().classes)
    for found in _TOKENS.finditer(classes):
        first = found.start()
        if found["unspaced"] is None:
            said = found[0]
            if len(said) > MAX_TERM_CHARS:
                # what is left is a word of its own, so that a term is always the term of itself
                said = said[:MAX_TERM_CHARS].rstrip(_NOT_LAST)
            if "A" in said or "9" in said:
                yield folded[first : first + len(said)], False
            continue
        units = [folded[a:b] for a, b in _units(found[0], first)]
        if len(units) == 1:
            yield units[0], False
            continue
        for one in units:
            yield one, True
        for before, after in pairwise(units):
            yield before + after, False


def _units(classes: str, first: int) -> Iterator[tuple[int, int]]:
    for unit in _UNIT.finditer(classes):
        # marks beyond these say nothing that anybody searches for, and would make terms without a bound
        yield first + unit.start(), first + min(unit.end(), unit.start() + MAX_TERM_CHARS // 2)
