"""What of an entry can be searched: the texts of its title, description and keywords, and its facets."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from hutong.relay.services.directory.rules.terms.words import all_terms, terms_in_order
from hutong.relay.services.identity.rules.jose.strict_json import JsonObject, JsonValue

TEXT_MEMBERS: Final = ("title", "description", "keyword")
PREFIXES: Final = ("", "dct:", "dcterms:", "dcat:")
FACETS: Final = ("id", "theme", "format", "publisher", "origin")
MAX_FACET_VALUES: Final = 64
MAX_FACET_BYTES: Final = 512


@dataclass(frozen=True)
class EntryText:
    """`texts` in the order of TEXT_MEMBERS; `facets` by name, values as they stand, each once and ascending."""

    texts: tuple[str, ...]
    facets: Mapping[str, tuple[str, ...]]

    @cached_property
    def terms(self) -> frozenset[str]:
        """Every term of the texts."""
        return frozenset().union(*map(all_terms, self.texts))

    @cached_property
    def sequences(self) -> tuple[list[str], ...]:
        """Of each text the terms as they follow one another."""
        return tuple(map(terms_in_order, self.texts))


def entry_text(document: JsonObject, facets: Mapping[str, tuple[str, ...]] | None = None) -> EntryText:
    """What can be searched of a document, which need not be a valid one: members of another form have no text.

    Args:
        facets: what the record says of the entry and its document does not, such as `publisher` and `origin`; it stands above the document.
    """
    texts = tuple(
        text for member in TEXT_MEMBERS for prefix in PREFIXES for text in _texts(document.get(prefix + member))
    )
    said = {
        "id": _names(document.get("@id")) or _names(document.get("identifier")),
        "theme": _names(document.get("theme")),
        "format": _formats(document.get("distribution")),
        "publisher": _names(document.get("publisher")),
    }
    return EntryText(texts, {name: values for name, values in (said | dict(facets or {})).items() if values})


def _texts(value: JsonValue) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for one in value:
            # a list within a list is no text of any vocabulary
            yield from () if isinstance(one, list) else _texts(one)
    elif isinstance(value, dict) and isinstance(value.get("@value"), str):
        yield str(value["@value"])


def _names(value: JsonValue) -> tuple[str, ...]:
    values = value if isinstance(value, list) else [value]
    names = (one.get("@id") if isinstance(one, dict) else one for one in values)
    found = {
        name for name in names if isinstance(name, str) and 0 < len(name.encode(errors="replace")) <= MAX_FACET_BYTES
    }
    return tuple(sorted(found)[:MAX_FACET_VALUES])


def _formats(value: JsonValue) -> tuple[str, ...]:
    values = value if isinstance(value, list) else [value]
    return _names([one.get("format") for one in values if isinstance(one, dict)])
