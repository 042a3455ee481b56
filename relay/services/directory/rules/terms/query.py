"""The grammar of searches, which is ours: no engine's query language is ever reached, so nothing in a query can be an operator of one.

traffic 交通流量          all of these words
"traffic flow"           these terms, one after the other, in one text
traf*                    a term that begins so, at least three letters
theme:urn:theme:traffic  a facet: id, theme, format, publisher, origin
"""

from dataclasses import dataclass
from typing import Final

from hutong.light_clients.interface import MalformedInput
from hutong.relay.services.directory.rules.terms.entry_texts import FACETS, EntryText
from hutong.relay.services.directory.rules.terms.folding import fold
from hutong.relay.services.directory.rules.terms.words import all_terms, terms_in_order

MAX_QUERY_BYTES: Final = 512
MAX_QUERY_TERMS: Final = 16
MIN_PREFIX_CHARS: Final = 3


@dataclass(frozen=True, slots=True)
class Query:
    """Everything in it must hold. Each tuple has no value twice; a phrase has two terms or more."""

    terms: tuple[str, ...] = ()
    phrases: tuple[tuple[str, ...], ...] = ()
    prefixes: tuple[str, ...] = ()
    facets: tuple[tuple[str, str], ...] = ()

    @property
    def indexed_terms(self) -> tuple[str, ...]:
        """What the authenticated index can prove of it: terms, and those within phrases, ascending."""
        return tuple(sorted({*self.terms, *(term for phrase in self.phrases for term in phrase)}, key=str.encode))

    @property
    def is_terms_alone(self) -> bool:
        """Whether the index alone says what matches."""
        return not (self.phrases or self.prefixes or self.facets)


def parse_query(text: str) -> Query:
    """A query as a person writes it.

    Raises:
        MalformedInput: no text, empty, beyond the bounds, a quotation mark without its second, a facet without a value, or a star that is not at
            the end of one word of at least MIN_PREFIX_CHARS.
    """
    try:
        raw = text.encode()
    except UnicodeEncodeError:
        # bytes of an argument that are no UTF-8; no entry has such a name, and engines cannot write it
        raise MalformedInput("query", "is no text") from None
    if len(raw) > MAX_QUERY_BYTES:
        raise MalformedInput("query", f"is longer than {MAX_QUERY_BYTES} bytes")
    parts = text.split('"')
    if len(parts) % 2 == 0:
        raise MalformedInput("query", "a quotation mark has no second one")
    terms: dict[str, None] = {}
    prefixes: dict[str, None] = {}
    facets: dict[tuple[str, str], None] = {}
    phrases: dict[tuple[str, ...], None] = {}
    for word in (word for part in parts[0::2] for word in part.split()):
        name, colon, value = word.partition(":")
        if colon and name in FACETS:
            facets[name, _facet_value(name, value)] = None
        elif "*" in word:
            prefixes[_prefix(word)] = None
        else:
            terms.update(dict.fromkeys(terms_in_order(word)))
    for quoted in parts[1::2]:
        found = tuple(terms_in_order(quoted))
        if len(found) > 1:
            phrases[found] = None
        terms.update(dict.fromkeys(found if len(found) == 1 else ()))
    count = len(terms) + len(prefixes) + len(facets) + sum(map(len, phrases))
    if not 0 < count <= MAX_QUERY_TERMS:
        raise MalformedInput("query", f"has 1 to {MAX_QUERY_TERMS} terms", got=count)
    return Query(tuple(terms), tuple(phrases), tuple(prefixes), tuple(facets))


def _facet_value(name: str, value: str) -> str:
    if not value:
        raise MalformedInput("query", f"{name}: has no value")
    return value


def _prefix(word: str) -> str:
    stem = fold(word[:-1])
    if not word.endswith("*") or "*" in stem or terms_in_order(stem) != [stem] or all_terms(stem) != {stem}:
        raise MalformedInput("query", "a star stands at the end of one word", got=word)
    if len(stem) < MIN_PREFIX_CHARS:
        raise MalformedInput("query", f"a word before a star has at least {MIN_PREFIX_CHARS} letters", got=word)
    return stem


def matches(query: Query, entry: EntryText) -> bool:
    """Whether everything in the query holds of the entry: what every engine has to find, and nothing else."""
    return (
        entry.terms.issuperset(query.terms)
        and all(any(term.startswith(prefix) for term in entry.terms) for prefix in query.prefixes)
        and all(value in entry.facets.get(name, ()) for name, value in query.facets)
        and all(any(_follows(phrase, terms) for terms in entry.sequences) for phrase in query.phrases)
    )


def _follows(phrase: tuple[str, ...], terms: list[str]) -> bool:
    length = len(phrase)
    return any(tuple(terms[at : at + length]) == phrase for at in range(len(terms) - length + 1))
