"""Public keys of organisations as JWK files, those of SM2 as PEM too, and as the identity module takes them."""

from pathlib import Path
from typing import Any

from hutong.light_clients.crypto import gm, secp256k1
from hutong.light_clients.interface import MalformedInput
from hutong.relay.administration.errors import Unusable
from hutong.relay.services.identity.rules.jose import decode_base64url, read_json_object
from hutong.relay.services.identity.rules.organisations.key_form import jwk_members, key_is_on_its_curve, thumbprint
from hutong.relay.services.identity.rules.records.encoding import HASH_BYTES
from hutong.relay.services.identity.rules.records.key_record import KeyAlgorithm, KeyPurpose, PublicKey

MAX_JWK_BYTES = 16 * 1024
_CURVES = {
    ("EC", "P-256"): KeyAlgorithm.ES256,
    ("EC", "secp256k1"): KeyAlgorithm.ES256K,
    ("OKP", "Ed25519"): KeyAlgorithm.EDDSA,
    ("OKP", "X25519"): KeyAlgorithm.X25519,
    ("EC", "SM2"): KeyAlgorithm.SM2,
}
_PEM = b"-----BEGIN "
Window = tuple[int, int, bytes]
"""Valid from and until, Unix seconds, and the thumbprint of the key that alone may follow, or zeros."""


def read_public_key(file: Path) -> PublicKey:
    """The key of a JWK file, or of a PEM file as `hutong keys sm2` writes it.

    Raises:
        Unusable: the file cannot be read, or holds a private key.
        MalformedInput, PredicateFailed: it is not a key of a curve that records have.
    """
    try:
        raw = file.read_bytes()[: MAX_JWK_BYTES + 1]
    except OSError as error:
        raise Unusable(f"{file} cannot be read: {error.strerror}") from None
    if raw.startswith(_PEM):
        return _sm2_key_of_pem(file, raw)
    document = read_json_object(raw, "jwk", MAX_JWK_BYTES)
    if "d" in document:
        raise Unusable(f"{file} holds a private key: give the public one")
    algorithm = _CURVES.get((str(document.get("kty")), str(document.get("crv"))))
    if algorithm is None:
        raise MalformedInput("jwk", "a key of P-256, secp256k1, Ed25519, X25519 or SM2", got=str(document.get("crv")))
    has_y = document.get("kty") == "EC"
    key = PublicKey(algorithm, _coordinate(document, "x"), _coordinate(document, "y") if has_y else bytes(HASH_BYTES))
    key_is_on_its_curve(key)
    return key


def _sm2_key_of_pem(file: Path, raw: bytes) -> PublicKey:
    if b"PRIVATE KEY" in raw:
        raise Unusable(f"{file} holds a private key: give the public one")
    try:
        point = gm.public_key_from_pem(raw)
    except gm.GmMalformed as error:
        raise Unusable(f"{file}: {error}") from None
    return PublicKey(KeyAlgorithm.SM2, point[:HASH_BYTES], point[HASH_BYTES:])


def _coordinate(document: dict[str, Any], name: str) -> bytes:
    text = document.get(name)
    if not isinstance(text, str):
        raise MalformedInput(f"jwk.{name}", "is not text")
    return decode_base64url(text, f"jwk.{name}", HASH_BYTES)


def thumbprint_of_file(file: Path) -> bytes:
    """The RFC 7638 thumbprint of the key of a JWK file.

    Raises:
        As `read_public_key`.
    """
    return thumbprint(read_public_key(file))


def key_of_account(public_key: bytes) -> PublicKey:
    """The key of a hub account, by its compressed secp256k1 key (33 bytes).

    Raises:
        ValueError: it is not one.
    """
    point = secp256k1.decompress(public_key)
    if point is None:
        raise ValueError("a compressed key of secp256k1")
    x, y = (number.to_bytes(HASH_BYTES, "big") for number in point)
    return PublicKey(KeyAlgorithm.ES256K, x, y)


def jwk_of_account(public_key: bytes) -> dict[str, str]:
    """The public JWK of a hub account.

    Raises:
        ValueError: as `key_of_account`.
    """
    return jwk_members(key_of_account(public_key))


def key_struct(key: PublicKey, purposes: tuple[str, ...], window: Window) -> tuple[Any, ...]:
    """As the module takes a key.

    Raises:
        Unusable: a purpose that there is not, or none.
    """
    names = {one.name.lower(): one for one in KeyPurpose if one.name is not None}
    if not purposes or set(purposes) - set(names):
        raise Unusable(f"a key is for some of {', '.join(names)}")
    total = sum(int(names[purpose]) for purpose in set(purposes))
    valid_from_s, valid_until_s, following = window
    return (int(key.algorithm), key.x, key.y, bytes(HASH_BYTES), total, valid_from_s, valid_until_s, following)
