"""Secp256k1 signatures over 32-byte digests (libsecp256k1 by coincurve).

One rule for malleability everywhere: a signature with s above half the order is refused, so that no signature has a twin.
The verifying functions are total: bad input gives False or None. The signing ones raise ValueError for a bad secret.
"""

from collections.abc import Iterable

from coincurve import PrivateKey, PublicKey
from coincurve._libsecp256k1 import ffi, lib
from coincurve.context import GLOBAL_CONTEXT

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
HALF_ORDER = ORDER // 2
DIGEST_BYTES = 32
PRIVATE_KEY_BYTES = 32
COMPRESSED_KEY_BYTES = 33
UNCOMPRESSED_KEY_BYTES = 65
SIGNATURE_BYTES = 64
RECOVERABLE_SIGNATURE_BYTES = 65


def _scalars_in_range(signature: bytes, *, low_s: bool) -> bool:
    r = int.from_bytes(signature[:32], "big")
    s = int.from_bytes(signature[32:64], "big")
    return 0 < r < ORDER and 0 < s <= (HALF_ORDER if low_s else ORDER - 1)


def _parse_key(public_key: bytes) -> PublicKey | None:
    size = len(public_key)
    compressed = size == COMPRESSED_KEY_BYTES and public_key[0] in (2, 3)
    uncompressed = size == UNCOMPRESSED_KEY_BYTES and public_key[0] == 4
    if not compressed and not uncompressed:
        return None
    try:
        return PublicKey(bytes(public_key))
    except ValueError:
        return None


def verify_low_s(public_key: bytes, digest: bytes, signature: bytes) -> bool:
    """`signature` is r ‖ s (64 bytes, big-endian, s at most half the order); the key is compressed (33 bytes).

    False for any other input, wrong lengths included.
    """
    if (len(public_key), len(digest), len(signature)) != (COMPRESSED_KEY_BYTES, DIGEST_BYTES, SIGNATURE_BYTES):
        return False
    key = _parse_key(public_key)
    if key is None or not _scalars_in_range(signature, low_s=True):
        return False
    parsed = ffi.new("secp256k1_ecdsa_signature *")
    if not lib.secp256k1_ecdsa_signature_parse_compact(key.context.ctx, parsed, bytes(signature)):
        return False
    return bool(lib.secp256k1_ecdsa_verify(key.context.ctx, parsed, bytes(digest), key.public_key))


def verify_low_s_batch(signatures: Iterable[tuple[bytes, bytes, bytes]]) -> list[bool]:
    """Verdicts of `(public_key, digest, signature)`, in order; ECDSA has no batch verification."""
    return [verify_low_s(*item) for item in signatures]


def recover_public_key(digest: bytes, signature: bytes, *, allow_high_s: bool = False) -> bytes | None:
    """The 65-byte key `04 ‖ x ‖ y` that made `signature` = r ‖ s ‖ v over `digest`, with v exactly 0 or 1.

    None where a length is wrong, a scalar is out of range, v is another number, s is high, or no point exists.
    `allow_high_s` is for headers of chains whose nodes accept both forms; the caller then counts distinct signers,
    never signatures. Formats whose v is 27 or 28 subtract 27 in their codec, so that each has one form.
    """
    if len(digest) != DIGEST_BYTES or len(signature) != RECOVERABLE_SIGNATURE_BYTES or signature[64] > 1:
        return None
    if not _scalars_in_range(signature, low_s=not allow_high_s):
        return None
    try:
        key = PublicKey.from_signature_and_message(bytes(signature), bytes(digest), hasher=None)
    except ValueError:
        return None
    return key.format(compressed=False)


def recover_public_key_batch(signatures: Iterable[tuple[bytes, bytes]]) -> list[bytes | None]:
    """Keys of `(digest, signature)`, in order, None in the place of each that recovers to nobody."""
    return [recover_public_key(*item) for item in signatures]


def signature_of_der(der: bytes) -> bytes | None:
    """64 bytes r ‖ s of a signature in strict DER (SEC 1, C.5); s may be high. None for any other bytes.

    What the library reads is encoded again and compared, for it also takes numbers out of range, as zero.
    """
    parsed = ffi.new("secp256k1_ecdsa_signature *")
    context = GLOBAL_CONTEXT.ctx
    if not der or not lib.secp256k1_ecdsa_signature_parse_der(context, parsed, bytes(der), len(der)):
        return None
    compact = ffi.new("unsigned char[64]")
    lib.secp256k1_ecdsa_signature_serialize_compact(context, compact, parsed)
    again, size = ffi.new("unsigned char[80]"), ffi.new("size_t *", 80)
    if not lib.secp256k1_ecdsa_signature_serialize_der(context, again, size, parsed):
        return None
    return bytes(ffi.buffer(compact, 64)) if bytes(ffi.buffer(again, size[0])) == bytes(der) else None


def decompress(public_key: bytes) -> tuple[int, int] | None:
    """Affine (x, y) of a 33-byte compressed key; None where it is not one or no point has this x."""
    key = _parse_key(public_key) if len(public_key) == COMPRESSED_KEY_BYTES else None
    if key is None:
        return None
    x, y = key.point()
    return x, y


def compress(uncompressed: bytes) -> bytes | None:
    """The 33-byte form of a 65-byte `04 ‖ x ‖ y`; None where it is not that or not on the curve."""
    key = _parse_key(uncompressed) if len(uncompressed) == UNCOMPRESSED_KEY_BYTES else None
    return None if key is None else key.format(compressed=True)


def public_key_of(private_key: bytes) -> bytes:
    """The 33-byte compressed key of a 32-byte secret.

    Raises:
        ValueError: another length, or not a scalar in range.
    """
    return _private(private_key).public_key.format(compressed=True)


def sign_recoverable(private_key: bytes, digest: bytes) -> bytes:
    """65 bytes r ‖ s ‖ v, low s, v 0 or 1, nonce by RFC 6979 (so the same input gives the same bytes).

    Raises:
        ValueError: a digest or secret that is not 32 bytes, or a secret out of range.
    """
    if len(digest) != DIGEST_BYTES:
        raise ValueError("a digest has 32 bytes")
    if len(private_key) != PRIVATE_KEY_BYTES:
        raise ValueError("a private key has 32 bytes")
    # Not by `PrivateKey`: it makes the public key too, twice, and the two take as long as the signature.
    context, made = GLOBAL_CONTEXT.ctx, ffi.new("secp256k1_ecdsa_recoverable_signature *")
    if not lib.secp256k1_ecdsa_sign_recoverable(context, made, bytes(digest), bytes(private_key), ffi.NULL, ffi.NULL):
        raise ValueError("a private key is a number from 1 to the order of the curve, this excluded")
    compact, recovery = ffi.new("unsigned char[64]"), ffi.new("int *")
    lib.secp256k1_ecdsa_recoverable_signature_serialize_compact(context, compact, recovery, made)
    return bytes(ffi.buffer(compact)) + bytes([recovery[0]])


def sign(private_key: bytes, digest: bytes) -> bytes:
    """64 bytes r ‖ s with low s over a digest of 32 bytes. The nonce follows RFC 6979, as in `sign_recoverable`.

    Raises:
        ValueError: a digest or secret that is not 32 bytes, or a secret out of range.
    """
    return sign_recoverable(private_key, digest)[:SIGNATURE_BYTES]


def _private(private_key: bytes) -> PrivateKey:
    # The secret itself must never reach an error message.
    if len(private_key) != PRIVATE_KEY_BYTES:
        raise ValueError("a private key has 32 bytes")
    return PrivateKey(bytes(private_key))
