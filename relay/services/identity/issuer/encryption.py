"""Requests and responses of the credential end point that are encrypted (OpenID4VCI 1.0 §10)."""

from typing import Final

from hutong.light_clients.interface import VERIFY, MalformedInput, UnsupportedOperation, VerificationError
from hutong.relay.services.identity.daemon.oauth_error import OAuthError
from hutong.relay.services.identity.daemon.requests import MAX_BODY_BYTES
from hutong.relay.services.identity.encrypting import encrypt_to
from hutong.relay.services.identity.rules.jose import Algorithm, JsonObject, read_json_object, read_jwk, write_json
from hutong.relay.services.identity.rules.jose.jwe import KEY_AGREEMENT, DecryptionKey, Encryption, judge_jwe
from hutong.relay.services.identity.rules.jose.jwk import read_key_id
from hutong.relay.services.identity.rules.openid4vp.client_metadata import EncryptionKey

COMPRESSION: Final = "DEF"
"""A response may be compressed where a wallet names it, and need not be: none is here, and the metadata says of none."""


def decrypted(body: bytes, key: DecryptionKey) -> JsonObject:
    """The request inside a JWE.

    Raises:
        OAuthError: it does not decrypt under this issuer's key, or is no JSON object.
    """
    try:
        plain = judge_jwe(VERIFY, body.decode("ascii", "replace"), "request", key, MAX_BODY_BYTES)
    except VerificationError as error:
        raise OAuthError("invalid_encryption_parameters", str(error)) from None
    try:
        return read_json_object(plain, "body", MAX_BODY_BYTES)
    except MalformedInput as error:
        raise OAuthError("invalid_credential_request", str(error)) from None


def recipient_of(encryption: JsonObject) -> tuple[EncryptionKey, Encryption]:
    """To whom a response is encrypted, and how.

    Raises:
        OAuthError: no public key on P-256 with a name and `alg`, or an `enc` that is not offered, or another
            compression than the one there is.
    """
    code = "invalid_encryption_parameters"
    jwk, enc = encryption.get("jwk"), encryption.get("enc")
    if encryption.get("zip", COMPRESSION) != COMPRESSION:
        raise OAuthError(code, f"zip is {COMPRESSION}, where it is said at all")
    if not isinstance(jwk, dict) or jwk.get("alg") != KEY_AGREEMENT or jwk.get("use", "enc") != "enc":
        raise OAuthError(code, f"jwk is a key for encryption with alg {KEY_AGREEMENT}")
    if not isinstance(enc, str) or enc not in tuple(Encryption):
        raise OAuthError(code, f"enc is {' or '.join(Encryption)}")
    try:
        plain = {name: value for name, value in jwk.items() if name not in ("use", "alg", "key_ops")}
        key, kid = read_jwk(plain, "jwk"), read_key_id(jwk, "jwk")
    except (MalformedInput, UnsupportedOperation) as error:
        raise OAuthError(code, str(error)) from None
    if key.algorithm is not Algorithm.ES256:
        raise OAuthError(code, "jwk is not a key on P-256")
    return EncryptionKey(kid or "", key), Encryption(enc)


def encrypted(answer: JsonObject, encryption: JsonObject) -> str:
    """The response as a JWE.

    Raises:
        OAuthError: as `recipient_of`.
    """
    recipient, enc = recipient_of(encryption)
    return encrypt_to(recipient, write_json(answer), enc)
