"""did:key: the identifier is the key (w3c-ccg did-method-key)."""

from types import MappingProxyType

from hutong.light_clients.interface.errors import MalformedInput
from hutong.relay.services.identity.rules.dids.document import DidDocument, Relationship
from hutong.relay.services.identity.rules.dids.multikey import parse_multikey, write_multikey
from hutong.relay.services.identity.rules.dids.syntax import Did
from hutong.relay.services.identity.rules.dids.verification_method import multikey_method
from hutong.relay.services.identity.rules.jose.jwk import VerificationKey

METHOD = "key"
_RELATIONSHIPS = (
    Relationship.AUTHENTICATION,
    Relationship.ASSERTION,
    Relationship.CAPABILITY_INVOCATION,
    Relationship.CAPABILITY_DELEGATION,
)


def did_key_of(key: VerificationKey) -> Did:
    """The did:key of a public key."""
    return Did(METHOD, write_multikey(key))


def key_of_did_key(did: Did) -> VerificationKey:
    """The key of a did:key of P-256, P-384, P-521, secp256k1 or Ed25519.

    Raises:
        MalformedInput: another method, or no key in its one spelling.
        UnsupportedOperation: a key of another algorithm.
    """
    if did.method != METHOD:
        raise MalformedInput("did.method", "is another method", got=did.method, expected=METHOD)
    return parse_multikey(did.identifier, "did.identifier")


def document_of_did_key(did: Did) -> DidDocument:
    """One method, whose fragment is the identifier, for all that signatures are for.

    No key to encrypt to is derived from a signing key: who wants one states one.

    Raises:
        MalformedInput, UnsupportedOperation: see `key_of_did_key`.
    """
    method = multikey_method(did, did.identifier, key_of_did_key(did))
    return DidDocument(
        did,
        methods=(method,),
        relationships=MappingProxyType(dict.fromkeys(_RELATIONSHIPS, (method.id,))),
    )
