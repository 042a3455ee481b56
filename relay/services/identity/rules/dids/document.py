"""DID documents as values (DID Core §5): read strictly from others' JSON, and written from our own values.

What the data model does not name is kept as it stands and means nothing here: the model is open. What it names is of its
rule or refused, so that a document never has two readings.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import Final

from hutong.light_clients.interface import rule
from hutong.light_clients.interface.document import Document
from hutong.light_clients.interface.errors import MalformedInput, PredicateFailed
from hutong.relay.services.identity.rules.dids.syntax import (
    MAX_DID_CHARS,
    MAX_DID_URL_CHARS,
    RELATIVE_STARTS,
    Did,
    parse_did,
    parse_reference,
)
from hutong.relay.services.identity.rules.dids.verification_method import (
    MAX_METHODS,
    VerificationMethod,
    read_verification_method,
)
from hutong.relay.services.identity.rules.drafts import DID_CORE
from hutong.relay.services.identity.rules.jose.jwk import VerificationKey
from hutong.relay.services.identity.rules.jose.strict_json import JsonObject, JsonValue

CONTEXT_V1: Final = "https://www.w3.org/ns/did/v1"
CONTEXT_V1_1: Final = "https://www.w3.org/ns/did/v1.1"
MAX_CONTEXTS: Final = 16
MAX_CONTROLLERS: Final = 32
MAX_ALIASES: Final = 64
MAX_SERVICES: Final = 64
MAX_SERVICE_TYPES: Final = 16
MAX_URI_CHARS: Final = 2_048


class Relationship(Enum):
    """What a verification method is for, by its member of the document."""

    AUTHENTICATION = "authentication"
    ASSERTION = "assertionMethod"
    KEY_AGREEMENT = "keyAgreement"
    CAPABILITY_INVOCATION = "capabilityInvocation"
    CAPABILITY_DELEGATION = "capabilityDelegation"


@dataclass(frozen=True, slots=True)
class Service:
    """`id` is absolute; `endpoint` is a URI, an object, or a list of both, as it stands."""

    id: str
    types: tuple[str, ...]
    endpoint: JsonValue
    value: JsonObject


@dataclass(frozen=True, slots=True)
class DidDocument:
    """`relationships` holds ids of `methods`, ids of other documents' methods, and methods that are for nothing else."""

    did: Did
    controllers: tuple[Did, ...] = ()
    also_known_as: tuple[str, ...] = ()
    methods: tuple[VerificationMethod, ...] = ()
    relationships: Mapping[Relationship, tuple[str | VerificationMethod, ...]] = field(
        default_factory=lambda: MappingProxyType({})
    )
    services: tuple[Service, ...] = ()

    def method(self, method_id: str) -> VerificationMethod | None:
        """The verification method with this absolute id, wherever it stands in the document."""
        embedded = (
            item for items in self.relationships.values() for item in items if isinstance(item, VerificationMethod)
        )
        return next((method for method in (*self.methods, *embedded) if method.id == method_id), None)

    def key_for(self, relationship: Relationship, method_id: str) -> VerificationKey:
        """The key with this absolute id, where the document gives it for `relationship`.

        Raises:
            PredicateFailed: it is not for that, of another controller, or of a kind that verifies nothing here.
        """
        method = method_is_given_for(self, relationship, method_id)
        method_is_of_the_did(self.did, method)
        if method.key is None:
            raise PredicateFailed("key_for", "the verification method has no key that is supported", got=method.kind)
        return method.key


@rule(f"{DID_CORE} §5.3")
def method_is_given_for(document: DidDocument, relationship: Relationship, method_id: str) -> VerificationMethod:
    """The document names the method, under the relationship: a key to log in with signs no credential."""
    for item in document.relationships.get(relationship, ()):
        if isinstance(item, VerificationMethod):
            if item.id == method_id:
                return item
        elif item == method_id:
            found = next((method for method in document.methods if method.id == method_id), None)
            if found is not None:
                return found
    raise PredicateFailed("method_is_given_for", f"is not given for {relationship.value}", got=method_id)


@rule(f"{DID_CORE} §5.2: controller")
def method_is_of_the_did(did: Did, method: VerificationMethod) -> None:
    """The DID controls the method itself: what another controls is the other's word."""
    if method.controller != did:
        raise PredicateFailed(
            "method_is_of_the_did", "another controller", got=str(method.controller), expected=str(did)
        )


def read_document(value: JsonValue, expected: Did | None = None, path: str = "did_document") -> DidDocument:
    """A DID document of others; with `expected` its id is that DID.

    A verification method may lack its controller, which some makers of logs leave out: it is read, and verifies nothing.

    Raises:
        MalformedInput: a member that DID Core names and that is not of its rule, out of bounds, an id twice, or private
            key material.
        PredicateFailed: the document is of another DID.
    """
    fields = Document(value, path).members()
    did = parse_did(fields["id"].text(MAX_DID_CHARS), f"{path}.id")
    if expected is not None and did != expected:
        raise PredicateFailed("read_document", "is of another DID", got=str(did), expected=str(expected))
    _check_context(fields.optional("@context"))
    methods = tuple(
        read_verification_method(item, did) for item in _items(fields.optional("verificationMethod"), MAX_METHODS)
    )
    relationships = {
        relationship: tuple(_related(item, did) for item in _items(fields.optional(relationship.value), MAX_METHODS))
        for relationship in Relationship
        if relationship.value in fields
    }
    found = DidDocument(
        did,
        tuple(_did(item) for item in _one_or_more(fields.optional("controller"), MAX_CONTROLLERS)),
        tuple(item.text(MAX_URI_CHARS, least=1) for item in _items(fields.optional("alsoKnownAs"), MAX_ALIASES)),
        methods,
        MappingProxyType(relationships),
        tuple(_service(item, did) for item in _items(fields.optional("service"), MAX_SERVICES)),
    )
    _check_ids(found, path)
    return found


def _items(document: Document | None, most: int) -> list[Document]:
    return [] if document is None else document.items(most)


def _one_or_more(document: Document | None, most: int) -> list[Document]:
    if document is None:
        return []
    return document.items(most) if isinstance(document.value, list) else [document]


def _did(document: Document) -> Did:
    return parse_did(document.text(MAX_DID_CHARS), document.path)


def _check_context(document: Document | None) -> None:
    """The first context is that of DID Core 1.0 or 1.1: another could give every name another meaning."""
    if document is None:
        return
    items = _one_or_more(document, MAX_CONTEXTS)
    if not items or items[0].value not in (CONTEXT_V1, CONTEXT_V1_1):
        raise document.refused("does not begin with the context of DID Core", expected=CONTEXT_V1_1)
    for item in items[1:]:
        if not isinstance(item.value, dict):
            item.text(MAX_URI_CHARS, least=1)


def _related(document: Document, base: Did) -> str | VerificationMethod:
    if isinstance(document.value, str):
        return str(parse_reference(document.text(MAX_DID_URL_CHARS), base, document.path))
    return read_verification_method(document, base)


def _service(document: Document, base: Did) -> Service:
    fields = document.members()
    named = fields["id"].text(MAX_URI_CHARS, least=1)
    types = tuple(item.text(MAX_URI_CHARS, least=1) for item in _one_or_more(fields["type"], MAX_SERVICE_TYPES))
    if not types:
        raise document.refused("has no type")
    return Service(
        f"{base}{named}" if named.startswith(RELATIVE_STARTS) else named,
        types,
        _endpoint(fields["serviceEndpoint"]),
        document.value,
    )


def _endpoint(document: Document) -> JsonValue:
    for item in _one_or_more(document, MAX_SERVICES):
        if not isinstance(item.value, dict):
            item.text(MAX_URI_CHARS, least=1)
    if not document.value:
        raise document.refused("is empty")
    return document.value  # type: ignore[no-any-return]  # what JSON can be


def _check_ids(document: DidDocument, path: str) -> None:
    """Methods and services have an id each: else which key an id means depends on who reads."""
    embedded = [
        item.id for items in document.relationships.values() for item in items if isinstance(item, VerificationMethod)
    ]
    ids = [*(method.id for method in document.methods), *embedded, *(service.id for service in document.services)]
    if len(set(ids)) != len(ids):
        raise MalformedInput(path, "gives one id to two things", got=next(name for name in ids if ids.count(name) > 1))
