"""BLS12-381 signatures as Ethereum's consensus makes them: keys in G1, signatures in G2, proof of possession (blst by pyblst).

Libraries differ at the edges: every decoder takes the point at infinity, some take points outside the prime-order subgroup.
So infinity is refused here by its bytes, on-curve and subgroup by the decoder of the pinned library (the tests hold it to
points outside of it), and what enters a pairing is checked once more by its order. No other library for these chains.
The verifying functions are total: bad input gives False or None. The signing ones raise ValueError for a bad secret.
"""

from collections.abc import Iterable, Sequence
from typing import Final, TypeAlias

from pyblst import BlstP1Element, BlstP2Element, final_verify, miller_loop

PUBLIC_KEY_BYTES = 48
SIGNATURE_BYTES = 96
SECRET_BYTES = 32
ORDER: Final = 0x73EDA753299D7D483339D80809A1D80553BDA402FFFE5BFEFFFFFFFF00000001
DST: Final = b"BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_"
"""Ciphersuite of the consensus specifications (phase0, "BLS signatures")."""

PublicKey: TypeAlias = BlstP1Element
"""A point of G1 that passed `decode_public_key`, or a sum of such."""

_COMPRESSED = 0x80
_INFINITY = 0x40
_G1 = BlstP1Element().uncompress(
    bytes.fromhex("97f1d3a73197d7942695638c4fa9ac0fc3688c4f9774b905a14e3a3f171bac586c55e83ff97a1aeffb3af00adb22c6bb")
)


def decode_public_key(data: bytes) -> PublicKey | None:
    """KeyValidate of the BLS draft: 48 canonical bytes of a point of the subgroup that is not infinity; else None."""
    if len(data) != PUBLIC_KEY_BYTES or data[0] & (_COMPRESSED | _INFINITY) != _COMPRESSED:
        return None
    try:
        return BlstP1Element().uncompress(data)
    except ValueError:
        return None


def decode_public_keys(data: bytes) -> list[PublicKey | None]:
    """Keys one after the other, 48 bytes each, in order; None in the place of each that fails KeyValidate."""
    return [
        decode_public_key(data[start : start + PUBLIC_KEY_BYTES]) for start in range(0, len(data), PUBLIC_KEY_BYTES)
    ]


def encode_public_key(key: PublicKey) -> bytes:
    """Its one encoding, 48 bytes."""
    return bytes(key.compress())


def add_keys(keys: Sequence[PublicKey]) -> PublicKey:
    """The sum; infinity for none. Whether each passed `decode_public_key` is the caller's to know."""
    total = BlstP1Element()
    for key in keys:
        total = total + key
    return total


def subtract_keys(total: PublicKey, keys: Sequence[PublicKey]) -> PublicKey:
    """`total` without `keys`: cheaper than a new sum where these are the fewer."""
    return total + -add_keys(keys) if keys else total


def in_subgroup(point: BlstP1Element | BlstP2Element) -> bool:
    """By definition: the order times the point is infinity, hence minus one times it is its negative.

    For points that a library's decoder has put on the curve; infinity is in the subgroup.
    """
    # The library takes scalars modulo the order, so the order itself cannot be asked for.
    negative = point.scalar_mul(ORDER - 1)
    return bool(negative == -point)


def verify_under_sum(key: PublicKey, message: bytes, signature: bytes) -> bool:
    """CoreVerify of FastAggregateVerify: `key` is the sum of all signers' keys, each of which passed KeyValidate.

    False where the sum or the signature is infinity, or the signature is not a canonical point of the subgroup.
    """
    if len(signature) != SIGNATURE_BYTES or signature[0] & (_COMPRESSED | _INFINITY) != _COMPRESSED:
        return False
    if key == BlstP1Element() or not in_subgroup(key):
        return False
    try:
        point = BlstP2Element().uncompress(signature)
    except ValueError:
        return False
    if not in_subgroup(point):
        return False
    hashed = BlstP2Element().hash_to_group(message, DST)
    return bool(final_verify(miller_loop(key, hashed), miller_loop(_G1, point)))


def fast_aggregate_verify(public_keys: Iterable[bytes], message: bytes, signature: bytes) -> bool:
    """All of `public_keys` (at least one) signed `message`; False where one of them fails KeyValidate."""
    keys = [decode_public_key(key) for key in public_keys]
    valid = [key for key in keys if key is not None]
    return bool(keys) and len(valid) == len(keys) and verify_under_sum(add_keys(valid), message, signature)


def public_key_of(secret: bytes) -> bytes:
    """48 bytes, of a secret scalar of 32 big-endian bytes.

    Raises:
        ValueError: the secret is zero, not below the order, or of another length.
    """
    return encode_public_key(_G1.scalar_mul(_scalar(secret)))


def sign(secret: bytes, message: bytes) -> bytes:
    """A signature of 96 bytes, compressed, by a secret of 32 big-endian bytes.

    Raises:
        ValueError: the secret is zero, not below the order, or of another length.
    """
    return bytes(BlstP2Element().hash_to_group(message, DST).scalar_mul(_scalar(secret)).compress())


def sign_aggregate(secrets: Iterable[bytes], message: bytes) -> bytes:
    """The sum of all their signatures, made at once by the sum of the secrets; for simulators that hold every key.

    Raises:
        ValueError: a secret is zero, not below the order, or of another length, or their sum is zero.
    """
    total = sum(map(_scalar, secrets)) % ORDER
    return sign(total.to_bytes(SECRET_BYTES, "big"), message)


def _scalar(secret: bytes) -> int:
    # The secret itself must never reach an error message.
    scalar = int.from_bytes(secret, "big")
    if len(secret) != SECRET_BYTES or not 0 < scalar < ORDER:
        raise ValueError("a BLS secret has 32 bytes, is not zero and is below the group's order")
    return scalar
