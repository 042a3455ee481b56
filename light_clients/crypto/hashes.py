"""Hash functions of the chains. `sha256` is hashlib's, keccak safe-pysha3's, RIPEMD-160 pycryptodome's.

OpenSSL 3 may leave RIPEMD-160 and SHA-512/256 out of hashlib, so that their presence would depend on the host.
"""

from hashlib import blake2b as _blake2b
from hashlib import blake2s as _blake2s
from hashlib import sha256 as _sha256
from hashlib import sha512 as _sha512

from Crypto.Hash import RIPEMD160, SHA512
from sha3 import keccak_256 as _keccak_256

HASH_BYTES = 32
"""Length of a hash by SHA-256, Keccak-256 or SM3, and so of the roots, block hashes and commitments made of them."""


def sha256(data: bytes) -> bytes:
    """32 bytes."""
    return _sha256(data).digest()


def keccak256(data: bytes) -> bytes:
    """32 bytes: Ethereum's Keccak, not the SHA3-256 of FIPS 202."""
    digest: bytes = _keccak_256(data).digest()
    return digest


def ripemd160(data: bytes) -> bytes:
    """20 bytes."""
    return RIPEMD160.new(data).digest()


def sha512(data: bytes) -> bytes:
    """64 bytes."""
    return _sha512(data).digest()


def sha512_256(data: bytes) -> bytes:
    """32 bytes: SHA-512/256 with its own initial values, not a cut SHA-512."""
    return SHA512.new(data, truncate="256").digest()


def blake2b_512(data: bytes) -> bytes:
    """64 bytes."""
    return _blake2b(data).digest()


def blake2s_256(data: bytes) -> bytes:
    """32 bytes."""
    return _blake2s(data).digest()
