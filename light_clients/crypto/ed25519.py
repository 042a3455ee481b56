"""Ed25519 with the acceptance rules of CometBFT (ZIP-215), and with those on which all libraries agree (`verify_strict`).

Small-order keys and non-canonical points are accepted as CometBFT accepts them, a non-canonical `s` is refused. Libraries
differ at these edges, and a client must accept exactly what its chain accepts: so no other library for CometBFT chains.
"""

from collections.abc import Iterable
from functools import lru_cache

from Crypto.Signature import eddsa
from ed25519_zebra import ed_public_from_secret, ed_sign, ed_verify

PUBLIC_KEY_BYTES = 32
SIGNATURE_BYTES = 64


def public_key_of(secret: bytes) -> bytes:
    """32 bytes, of a secret of 32 bytes (the seed of RFC 8032).

    Raises:
        ValueError: a secret of another length.
    """
    return bytes(ed_public_from_secret(secret))


def verify(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether `signature` (64 bytes) is by `public_key` (32 bytes) over `message`. Wrong lengths are False, too."""
    if len(public_key) != PUBLIC_KEY_BYTES or len(signature) != SIGNATURE_BYTES:
        return False
    valid: bool = ed_verify(signature, message, public_key)
    return valid


def verify_batch(signatures: Iterable[tuple[bytes, bytes, bytes]]) -> list[bool]:
    """Verdicts of `(public_key, message, signature)`, in order; no wheel verifies in batch, so one by one."""
    return [verify(*item) for item in signatures]


_ORDER = 2**252 + 27742317777372353535851937790883648493
"""Of the prime-order group (RFC 8032, section 5.1: L)."""


def is_strict_point(encoded: bytes) -> bool:
    """Whether 32 bytes are the one encoding of a point of the prime-order group, other than its neutral element.

    Small-order and mixed-order points, and encodings above the field's prime, are not.
    """
    if len(encoded) != PUBLIC_KEY_BYTES:
        return False
    try:
        point = eddsa.import_public_key(encoded).pointQ
    except ValueError:
        return False
    return not point.is_point_at_infinity() and (point * _ORDER).is_point_at_infinity()


is_strict_key = lru_cache(maxsize=1_024)(is_strict_point)
"""The same of public keys, which come again, where the R of a signature does not."""


def verify_strict(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """`verify`, where all libraries agree: key and R are strict points (`is_strict_point`).

    For such points the equations with and without cofactor are the same, so that what is accepted here is accepted by
    Go's crypto/ed25519, OpenSSL and libsodium alike (Chalkias, Garillot, Nikolaenko: Taming the many EdDSAs, 2020).
    For signatures over logs, whose readers use any library.
    """
    return (
        verify(public_key, message, signature)
        and is_strict_key(public_key)
        and is_strict_point(signature[:PUBLIC_KEY_BYTES])
    )


def sign(secret: bytes, message: bytes) -> bytes:
    """64 bytes, by a secret of 32 bytes (the seed of RFC 8032); deterministic.

    Raises:
        ValueError: a secret of another length.
    """
    return bytes(ed_sign(secret, message))
