"""Hash functions of the chains. `sha256` is hashlib's, keccak safe-pysha3's, RIPEMD-160 pycryptodome's.

OpenSSL 3 may leave RIPEMD-160 out of hashlib, so that its presence would depend on the host.
"""

from hashlib import sha256 as _sha256

from Crypto.Hash import RIPEMD160
from sha3 import keccak_256 as _keccak_256


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
