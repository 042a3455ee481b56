"""did:jwk: the identifier is a JWK (github.com/quartzjer/did-jwk)."""

from types import MappingProxyType
from typing import Final

from hutong.light_clients.interface.errors import MalformedInput
from hutong.relay.services.identity.rules.dids.document import DidDocument, Relationship
from hutong.relay.services.identity.rules.dids.syntax import MAX_DID_CHARS, Did
from hutong.relay.services.identity.rules.dids.verification_method import jwk_method
from hutong.relay.services.identity.rules.jose.base64url import decode_base64url, encode_base64url
from hutong.relay.services.identity.rules.jose.jwk import VerificationKey, read_jwk
from hutong.relay.services.identity.rules.jose.strict_json import read_json, write_json

METHOD: Final = "jwk"
FRAGMENT: Final = "0"
"""Of the one method that such a document has."""
_RELATIONSHIPS: Final = (
    Relationship.AUTHENTICATION,
    Relationship.ASSERTION,
    Relationship.CAPABILITY_INVOCATION,
    Relationship.CAPABILITY_DELEGATION,
)


def did_jwk_of(key: VerificationKey) -> Did:
    """A did:jwk of a public key, of its required members in lexicographic order. Others of the same key exist."""
    return Did(METHOD, encode_base64url(write_json(key.public_jwk())))


def key_of_did_jwk(did: Did) -> VerificationKey:
    """The key of a did:jwk, which may verify signatures.

    Raises:
        MalformedInput: another method, no canonical base64url, no strict JSON, or no public key.
        UnsupportedOperation: a key of another kind.
        PredicateFailed: a key that says that it is for something else.
    """
    if did.method != METHOD:
        raise MalformedInput("did.method", "is another method", got=did.method, expected=METHOD)
    data = decode_base64url(did.identifier, "did.identifier", MAX_DID_CHARS)
    return read_jwk(read_json(data, "did.identifier", MAX_DID_CHARS), "did.identifier")


def document_of_did_jwk(did: Did) -> DidDocument:
    """One method `#0`, for all that signatures are for.

    Raises:
        MalformedInput, UnsupportedOperation, PredicateFailed: see `key_of_did_jwk`.
    """
    method = jwk_method(did, FRAGMENT, key_of_did_jwk(did))
    return DidDocument(
        did,
        methods=(method,),
        relationships=MappingProxyType(dict.fromkeys(_RELATIONSHIPS, (method.id,))),
    )
