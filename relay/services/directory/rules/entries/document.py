"""The document of a data set as a publisher gives it: read without any network, brought into one spelling, and hashed.

It is a Dataset of the Dataspace Protocol in its plain JSON reading, which the protocol guarantees. A context is a pinned text and is never
fetched; anything that could change what a member means is refused.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, cast

from hutong.light_clients.crypto import sha256
from hutong.light_clients.interface import MalformedInput, PredicateFailed, rule
from hutong.light_clients.interface.json_text import deeper_than
from hutong.relay.services.directory.rules.policy.policy import Policy, PolicyType
from hutong.relay.services.directory.rules.policy.reading import policy_of
from hutong.relay.services.directory.rules.policy.refining import permissions_are_of_the_profile
from hutong.relay.services.directory.rules.policy.values import read_name
from hutong.relay.services.directory.rules.policy.vocabulary import PROFILE
from hutong.relay.services.identity.rules.jcs import canonical_json
from hutong.relay.services.identity.rules.jose.strict_json import JsonObject, JsonValue, read_json_object

SPEC: Final = "docs/spec/directory-documents.md"
MAX_DOCUMENT_BYTES: Final = 256 * 1024
MAX_DOCUMENT_DEPTH: Final = 32
MAX_LIST: Final = 4_096
MAX_OFFERS: Final = 16
MAX_DISTRIBUTIONS: Final = 64
MAX_THEMES: Final = 16
DOCUMENT_DOMAIN: Final = b"hutong/dir/doc/1"
POLICIES_DOMAIN: Final = b"hutong/dir/policies/1"
CONTEXTS: Final = ("https://w3id.org/dspace/2025/1/context.jsonld",)
"""Of DSP 2025-1. Pinned by its exact text: what it says is in the code, and nothing is fetched."""
SCHEMES: Final = ("https://", "http://")
_SETS: Final = ("hasPolicy", "distribution", "keyword", "theme")
_NOT_HERE: Final = frozenset({"@graph", "@vocab", "@base", "@import", "@reverse", "@included", "@nest"})


@dataclass(frozen=True, slots=True)
class DatasetDocument:
    """A data set. `hash` is over its canonical JSON, `policy_hash` over the hashes of all its offers."""

    id: str
    offers: tuple[Policy, ...]
    themes: tuple[str, ...]
    formats: tuple[str, ...]
    canonical: bytes
    hash: bytes
    policy_hash: bytes


def read_document(data: bytes) -> DatasetDocument:
    """A document from its JSON.

    Raises:
        MalformedInput: not strict JSON within the bounds of this module; another context than CONTEXTS, or one below the top; a
            member that changes what others mean; not a Dataset with offers and distributions; an address that is not of SCHEMES;
            an offer that is not one of the profile.
    """
    if deeper_than(data[:MAX_DOCUMENT_BYTES], MAX_DOCUMENT_DEPTH):
        raise MalformedInput("document", f"nested deeper than {MAX_DOCUMENT_DEPTH}")
    fields = read_json_object(data, "document", MAX_DOCUMENT_BYTES)
    _check_context(fields.get("@context"))
    _check_below(fields, "document", is_top=True)
    if fields.get("@type") != "Dataset":
        raise MalformedInput("document.@type", "is another type", got=fields.get("@type"), expected="Dataset")
    name = read_name(fields.get("@id"), "document.@id")
    document: JsonObject = {member: value for member, value in fields.items() if member != "@context"}
    for member in _SETS:
        if member in document:
            document[member] = _as_list(document[member])
    offers = tuple(
        _offer(one, name, f"document.hasPolicy[{i}]") for i, one in enumerate(_some(document, "hasPolicy", MAX_OFFERS))
    )
    formats = [
        _format(one, f"document.distribution[{i}]")
        for i, one in enumerate(_some(document, "distribution", MAX_DISTRIBUTIONS))
    ]
    themes = [read_name(one, "document.theme") for one in cast("list[JsonValue]", document.get("theme", []))]
    if len(themes) > MAX_THEMES:
        raise MalformedInput("document.theme", f"more than {MAX_THEMES}", got=len(themes))
    document["hasPolicy"] = [cast(JsonValue, _parsed(one)) for one in offers]
    for member in _SETS:
        if member in document:
            document[member] = sorted(cast("list[JsonValue]", document[member]), key=canonical_json)
    canonical = canonical_json(document)
    hashes = sorted(offer.hash for offer in offers)
    return DatasetDocument(
        id=name,
        offers=offers,
        themes=tuple(sorted(set(themes))),
        formats=tuple(sorted(set(formats))),
        canonical=canonical,
        hash=sha256(DOCUMENT_DOMAIN + canonical),
        policy_hash=sha256(POLICIES_DOMAIN + b"".join(hashes)),
    )


@rule(SPEC)
def offers_can_be_enforced(document: DatasetDocument) -> None:
    """No permission of an offer has a word that is not of the profile: nobody could ever use it.

    Raises:
        PredicateFailed: one has.
    """
    for offer in document.offers:
        try:
            permissions_are_of_the_profile(offer)
        except PredicateFailed as error:
            raise PredicateFailed("offers_can_be_enforced", f"offer {offer.id}: {error.reason}", error.got) from None


def _check_context(context: JsonValue) -> None:
    stated = context if isinstance(context, list) else [context]
    if stated not in [[one] for one in CONTEXTS]:
        raise MalformedInput("document.@context", "is not the pinned one", got=context, expected=list(CONTEXTS))


def _check_below(value: JsonValue, path: str, *, is_top: bool = False) -> None:
    """Bounds of lists, and nothing that changes the meaning of members, at any depth."""
    if isinstance(value, list):
        if len(value) > MAX_LIST:
            raise MalformedInput(path, f"more than {MAX_LIST} elements", got=len(value))
        for one in value:
            _check_below(one, path)
    elif isinstance(value, dict):
        for name, member in value.items():
            if name in _NOT_HERE or (name == "@context" and not is_top):
                raise MalformedInput(f"{path}.{name}", "changes what others mean")
            if name != "@context":
                _check_below(member, f"{path}.{name[:64]}")


def _as_list(value: JsonValue) -> list[JsonValue]:
    return value if isinstance(value, list) else [value]


def _some(document: JsonObject, member: str, most: int) -> list[JsonValue]:
    found = cast("list[JsonValue]", document.get(member, []))
    if not 1 <= len(found) <= most:
        raise MalformedInput(f"document.{member}", f"has 1 to {most} elements", got=len(found))
    return found


def _offer(value: JsonValue, dataset: str, path: str) -> Policy:
    """An offer of a data set. Its target is the data set, which the protocol leaves out; without a profile it is of this one."""
    if not isinstance(value, dict) or "@id" not in value:
        raise MalformedInput(path, "is not an offer with an @id", got=value)
    offer = policy_of({"profile": PROFILE, "target": dataset, **value})
    if offer.type is not PolicyType.OFFER or offer.target != dataset:
        raise MalformedInput(path, "is not an offer of this data set", got=offer.target, expected=dataset)
    return offer


def _parsed(offer: Policy) -> JsonObject:
    return read_json_object(offer.canonical, "offer", len(offer.canonical))


def _format(value: JsonValue, path: str) -> str:
    if not isinstance(value, dict):
        raise MalformedInput(path, "is not a distribution", got=value)
    form = value.get("format")
    if isinstance(form, dict) and set(form) == {"@id"}:
        form = form["@id"]
    for address in _addresses(value):
        if not isinstance(address, str) or not address.lower().startswith(SCHEMES):
            raise MalformedInput(f"{path}.accessService.endpointURL", "is not an address of the web", got=address)
    return read_name(form, f"{path}.format")


def _addresses(distribution: JsonObject) -> Iterator[JsonValue]:
    for service in _as_list(distribution.get("accessService")):
        if isinstance(service, dict) and "endpointURL" in service:
            yield service["endpointURL"]
    for name in ("accessURL", "downloadURL"):
        if name in distribution:
            yield from _as_list(distribution[name])
