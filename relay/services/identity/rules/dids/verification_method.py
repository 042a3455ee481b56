"""Verification methods of DID documents (DID Core §5.2): keys with an id and who controls them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from hutong.light_clients.interface.document import Document, Members
from hutong.light_clients.interface.errors import PredicateFailed, UnsupportedOperation
from hutong.relay.services.identity.rules.dids.multikey import MAX_MULTIKEY_CHARS, parse_multikey, write_multikey
from hutong.relay.services.identity.rules.dids.syntax import (
    MAX_DID_CHARS,
    MAX_DID_URL_CHARS,
    Did,
    parse_did,
    parse_reference,
)
from hutong.relay.services.identity.rules.jose.jwk import VerificationKey, read_jwk
from hutong.relay.services.identity.rules.jose.strict_json import JsonObject, JsonValue

MAX_METHODS: Final = 64
MAX_KIND_CHARS: Final = 128
MAX_MULTIBASE_CHARS: Final = 16_384
MULTIKEY: Final = "Multikey"
JSON_WEB_KEY: Final = "JsonWebKey"
MULTIBASE_MEMBER: Final = "publicKeyMultibase"
JWK_MEMBER: Final = "publicKeyJwk"
_MEMBER_OF_KIND: Final = {
    MULTIKEY: MULTIBASE_MEMBER,
    "Ed25519VerificationKey2020": MULTIBASE_MEMBER,
    JSON_WEB_KEY: JWK_MEMBER,
    "JsonWebKey2020": JWK_MEMBER,
    "EcdsaSecp256k1VerificationKey2019": JWK_MEMBER,
}
"""Where a type that is supported has its key. Other types and places are read, and have none here."""
_PRIVATE_PREFIXES: Final = ("privateKey", "secretKey")


@dataclass(frozen=True, slots=True)
class VerificationMethod:
    """`id` is absolute. `controller` is None where the document leaves it out, `key` where the kind is not supported.

    `value` is the method as the document has it.
    """

    id: str
    kind: str
    controller: Did | None
    key: VerificationKey | None
    value: JsonObject = field(compare=False)


def multikey_method(did: Did, fragment: str, key: VerificationKey) -> VerificationMethod:
    """A method of `did` that holds `key` as a multikey."""
    return _written(did, fragment, MULTIKEY, key, MULTIBASE_MEMBER, write_multikey(key))


def jwk_method(did: Did, fragment: str, key: VerificationKey) -> VerificationMethod:
    """A method of `did` that holds `key` as a JWK of its required members alone."""
    return _written(did, fragment, JSON_WEB_KEY, key, JWK_MEMBER, key.public_jwk())


def _written(
    did: Did, fragment: str, kind: str, key: VerificationKey, member: str, material: JsonValue
) -> VerificationMethod:
    method_id = f"{did}#{fragment}"
    value: JsonObject = {"id": method_id, "type": kind, "controller": str(did), member: material}
    return VerificationMethod(method_id, kind, did, key, value)


def read_verification_method(document: Document, base: Did) -> VerificationMethod:
    """A method as a document has it; `base` completes a relative id.

    Raises:
        MalformedInput: no id or type, one of another form, private material, two public keys, or a key that is not one.
    """
    fields = document.members()
    named = fields["id"]
    method_id = parse_reference(named.text(MAX_DID_URL_CHARS), base, named.path)
    if method_id.fragment is None and method_id.query is None and not method_id.path:
        raise named.refused("is a DID and names no method", got=named.value)
    kind = fields["type"].text(MAX_KIND_CHARS, least=1)
    controller = fields.optional("controller")
    for name in document.value:
        if name.startswith(_PRIVATE_PREFIXES):
            raise document.refused("holds a private key")
    return VerificationMethod(
        str(method_id),
        kind,
        None if controller is None else parse_did(controller.text(MAX_DID_CHARS), controller.path),
        _key(fields, kind),
        document.value,
    )


def _key(fields: Members, kind: str) -> VerificationKey | None:
    jwk, multibase = fields.optional(JWK_MEMBER), fields.optional(MULTIBASE_MEMBER)
    if jwk is not None and multibase is not None:
        raise fields.refused("holds two public keys")
    member = _MEMBER_OF_KIND.get(kind)
    if jwk is not None:
        found = _supported(lambda: read_jwk(jwk.value, jwk.path))
        return found if member == JWK_MEMBER else None
    if multibase is not None and member == MULTIBASE_MEMBER:
        text = multibase.text(MAX_MULTIBASE_CHARS)
        # No key of a curve that is supported is so long: RSA and post-quantum ones are.
        return None if len(text) > MAX_MULTIKEY_CHARS else _supported(lambda: parse_multikey(text, multibase.path))
    return None


def _supported(read: Callable[[], VerificationKey]) -> VerificationKey | None:
    """The key, or None for one of another algorithm or that is not for verifying; what is malformed is refused."""
    try:
        return read()
    except (UnsupportedOperation, PredicateFailed):
        return None
