"""Addresses derived from public keys. A transmitted address is never believed: it is derived again."""

from hutong.light_clients.crypto import secp256k1
from hutong.light_clients.crypto.hashes import keccak256, ripemd160, sha256

ADDRESS_BYTES = 20


def ed25519_address(public_key: bytes) -> bytes:
    """CometBFT: the first 20 bytes of SHA-256 of the 32-byte key. Its length is the codec's to check."""
    return sha256(public_key)[:ADDRESS_BYTES]


def secp256k1_address(public_key: bytes) -> bytes:
    """CometBFT: RIPEMD-160 of SHA-256 of the 33-byte compressed key. Its length is the codec's to check."""
    return ripemd160(sha256(public_key))


def eth_address(public_key: bytes) -> bytes | None:
    """The last 20 bytes of Keccak-256 of x ‖ y, of a compressed (33) or uncompressed (65 bytes) key.

    None where it is neither, or not on the curve.
    """
    compressed = secp256k1.compress(public_key) if len(public_key) == secp256k1.UNCOMPRESSED_KEY_BYTES else public_key
    point = None if compressed is None else secp256k1.decompress(compressed)
    if point is None:
        return None
    return keccak256(b"".join(coordinate.to_bytes(32, "big") for coordinate in point))[-ADDRESS_BYTES:]


def recover_eth_address(digest: bytes, signature: bytes, *, allow_high_s: bool = False) -> bytes | None:
    """Address of the signer of `digest`; forms and refusals are those of `secp256k1.recover_public_key`.

    20 bytes, or None. It is the address of some key for nearly every input: the caller compares it with those it knows.
    """
    key = secp256k1.recover_public_key(digest, signature, allow_high_s=allow_high_s)
    return None if key is None else keccak256(key[1:])[-ADDRESS_BYTES:]
