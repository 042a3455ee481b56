"""`@context` of a credential, as far as it can be judged without JSON-LD: nothing is fetched, and no graph is made.

The base context is known. Contexts that the document itself holds are read. What other contexts say of a term is taken from
nobody, so a term may be theirs; where there is no other, a term that nobody defines is refused.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from hutong.light_clients.interface.errors import MalformedInput, PredicateFailed
from hutong.light_clients.interface.judge import rule
from hutong.relay.services.identity.rules.drafts import VC_DATA_MODEL
from hutong.relay.services.identity.rules.jose import JsonObject, JsonValue
from hutong.relay.services.identity.rules.uris import is_uri

BASE_CONTEXT: Final = "https://www.w3.org/ns/credentials/v2"
MAX_CONTEXTS: Final = 16
MAX_TERMS: Final = 256
BASE_TYPES: Final = frozenset(
    {
        "BitstringStatusList",
        "BitstringStatusListCredential",
        "BitstringStatusListEntry",
        "DataIntegrityProof",
        "EnvelopedVerifiableCredential",
        "EnvelopedVerifiablePresentation",
        "JsonSchema",
        "JsonSchemaCredential",
        "VerifiableCredential",
        "VerifiablePresentation",
    }
)
"""What the base context defines as types, each protected (VC Data Model 2.0 §B.1)."""
BASE_TERMS: Final = BASE_TYPES | {
    "@protected",
    "description",
    "digestMultibase",
    "digestSRI",
    "id",
    "mediaType",
    "name",
    "type",
}
_DIRECTIVES: Final = frozenset(
    {"@version", "@vocab", "@language", "@base", "@protected", "@propagate", "@direction", "@import"}
)


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What a document's contexts define: its own `terms`, and whether anything else may define one."""

    terms: frozenset[str]
    is_open: bool
    """Another context, or a vocabulary for every term, may define any."""

    def has_type(self, name: str) -> bool:
        """Whether `name` is a URL, or a type that some context may define."""
        return is_uri(name) or name in BASE_TYPES or name in self.terms or self.is_open


@rule(VC_DATA_MODEL + " §4.3")
def context_begins_with_base(document: JsonObject) -> tuple[JsonValue, ...]:
    """`@context` is an ordered set whose first member is the base context; the members.

    Raises:
        MalformedInput: it is missing, or holds anything but URLs and objects, one twice, or too many.
        PredicateFailed: another context comes first.
    """
    value = document.get("@context")
    contexts = value if isinstance(value, list) else [value]
    if not 0 < len(contexts) <= MAX_CONTEXTS:
        raise MalformedInput("@context", f"is not a list of 1 to {MAX_CONTEXTS}", got=value)
    for position, context in enumerate(contexts):
        if not isinstance(context, dict) and not is_uri(context):
            raise MalformedInput(f"@context[{position}]", "is neither a URL nor an object", got=context)
        if context in contexts[:position]:
            raise MalformedInput(f"@context[{position}]", "stands twice", got=context)
    if contexts[0] != BASE_CONTEXT:
        raise PredicateFailed("context_begins_with_base", "another context comes first", contexts[0], BASE_CONTEXT)
    return tuple(contexts)


@rule(VC_DATA_MODEL + " §B.2")
def terms_keep_their_meaning(contexts: Iterable[JsonValue]) -> Vocabulary:
    """No context of the document defines a protected term anew, and what it maps a term to can be a URL.

    Raises:
        MalformedInput: a term that is mapped to something else, or too many terms.
        PredicateFailed: a term of the base context, or one that was protected, is redefined.
    """
    defined: dict[str, JsonValue] = {}
    protected: set[str] = set()
    has_another = has_vocabulary = False
    for context in contexts:
        if not isinstance(context, dict):
            has_another = has_another or context != BASE_CONTEXT
            continue
        if "@vocab" in context:
            has_vocabulary = context["@vocab"] is not None
        for term, meaning in context.items():
            if term in _DIRECTIVES:
                continue
            if term in BASE_TERMS or (term in protected and defined[term] != meaning):
                raise PredicateFailed("terms_keep_their_meaning", "a protected term is redefined", got=term)
            _check_meaning(term, meaning, defined)
            defined[term] = meaning
            if context.get("@protected") is True or (isinstance(meaning, dict) and meaning.get("@protected") is True):
                protected.add(term)
        if len(defined) > MAX_TERMS:
            raise MalformedInput("@context", f"more than {MAX_TERMS} terms", got=len(defined))
    return Vocabulary(
        frozenset(term for term, meaning in defined.items() if meaning is not None), has_another or has_vocabulary
    )


def _check_meaning(term: str, meaning: JsonValue, defined: dict[str, JsonValue]) -> None:
    """An absolute URL, a keyword, a term that is defined, null, or an object whose `@id` is one of these."""
    target = meaning.get("@id", "@type") if isinstance(meaning, dict) else meaning
    is_name = isinstance(target, str) and (target.startswith("@") or target in defined or is_uri(target))
    if target is not None and not is_name:
        raise MalformedInput(f"@context.{term[:64]}", "is mapped to what is not a URL", got=target)
