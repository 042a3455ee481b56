"""A public key as bytes: whether it is a point of its curve, its RFC 7638 thumbprint, and its account on the hub."""

import json
from base64 import urlsafe_b64encode
from typing import Final

from hutong.light_clients.crypto import ed25519, eth_address, gm, secp256k1, sha256
from hutong.light_clients.interface import PredicateFailed, rule
from hutong.relay.services.identity.rules.records.key_record import NO_ACCOUNT, KeyAlgorithm, PublicKey

_P256_PRIME: Final = 2**256 - 2**224 + 2**192 + 2**96 - 1
_P256_B: Final = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
_CURVES: Final = {
    KeyAlgorithm.ES256: "P-256",
    KeyAlgorithm.ES256K: "secp256k1",
    KeyAlgorithm.EDDSA: "Ed25519",
    KeyAlgorithm.X25519: "X25519",
    KeyAlgorithm.SM2: "SM2",
}
"""As `crv` of a JWK has them. SM2 is not registered; the name is that of draft-dang-webauthn-sm2-00."""


def _is_p256_point(x: bytes, y: bytes) -> bool:
    """NIST SP 800-186, 3.2.1.3: y² = x³ - 3x + b. A check of numbers, and no secret is near it."""
    a, b = int.from_bytes(x, "big"), int.from_bytes(y, "big")
    if a >= _P256_PRIME or b >= _P256_PRIME:
        return False
    return (b * b - (a * a * a - 3 * a + _P256_B)) % _P256_PRIME == 0


@rule("docs/spec/identity-records.md; RFC 7518, 6.2; RFC 8037, 2; GB/T 32918.5")
def key_is_on_its_curve(key: PublicKey) -> None:
    """The key is a point that its algorithm can use.

    Raises:
        PredicateFailed: it is not on the curve, or of small order.
    """
    match key.algorithm:
        case KeyAlgorithm.ES256:
            is_usable = _is_p256_point(key.x, key.y)
        case KeyAlgorithm.ES256K:
            is_usable = secp256k1.compress(b"\x04" + key.x + key.y) is not None
        case KeyAlgorithm.EDDSA:
            is_usable = ed25519.is_strict_point(key.x)
        case KeyAlgorithm.X25519:
            is_usable = key.x not in _X25519_SMALL_ORDER
        case KeyAlgorithm.SM2:
            is_usable = gm.is_public_key(key.x + key.y)
    if not is_usable:
        raise PredicateFailed("key_is_on_its_curve", f"no key of {_CURVES[key.algorithm]}", got=key.x + key.y)


_X25519_SMALL_ORDER: Final = frozenset(
    number.to_bytes(32, "little")
    for number in (
        0,
        1,
        0x00B8495F16056286FDB1329CEB8D09DA6AC49FF1FAE35616AEB8413B7C7AEBE0,
        0x57119FD0DD4E22D8868E1C58C45C44045BEF839C55B1D0B1248C50A3BC959C5F,
        2**255 - 20,
        2**255 - 19,
        2**255 - 18,
    )
)
"""RFC 7748, 6.1 asks to refuse what leads to the all-zero secret: these seven, as cr.yp.to/ecdh.html lists them, canonical or not."""


def _base64url(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def jwk_members(key: PublicKey) -> dict[str, str]:
    """The required members of the JWK, in the order in which RFC 7638 hashes them."""
    curve = _CURVES[key.algorithm]
    if key.algorithm in (KeyAlgorithm.EDDSA, KeyAlgorithm.X25519):
        return {"crv": curve, "kty": "OKP", "x": _base64url(key.x)}
    return {"crv": curve, "kty": "EC", "x": _base64url(key.x), "y": _base64url(key.y)}


def thumbprint(key: PublicKey) -> bytes:
    """The RFC 7638 thumbprint with SHA-256, 32 bytes."""
    return sha256(json.dumps(jwk_members(key), separators=(",", ":")).encode())


def account_of(key: PublicKey) -> bytes:
    """The hub account of a secp256k1 key, 20 bytes; zero of a key of another curve.

    Raises:
        PredicateFailed: `key_is_on_its_curve`.
    """
    if key.algorithm is not KeyAlgorithm.ES256K:
        return NO_ACCOUNT
    key_is_on_its_curve(key)
    compressed = secp256k1.compress(b"\x04" + key.x + key.y)
    account = None if compressed is None else eth_address(compressed)
    if account is None:
        raise RuntimeError("a point of the curve has an account")
    return account
