"""The two cryptographic suites behind one interface: hash of bytes, signature of a sealer over a block hash.

ECDSA signatures are r ‖ s ‖ v (65 bytes) and must recover to the sealer's key. GM ones are r ‖ s (64 bytes, as generation
3 writes them), or followed by the signer's key (128 bytes, as generation 2 does), which must then be the sealer's.
"""

from hutong.light_clients.crypto import gm, keccak256, secp256k1
from hutong.light_clients.fisco_bcos.types import CryptoSuite
from hutong.light_clients.interface import UnsupportedOperation

ECDSA_SIGNATURE_BYTES = secp256k1.RECOVERABLE_SIGNATURE_BYTES
GM_SIGNATURE_BYTES = gm.SIGNATURE_BYTES + gm.PUBLIC_KEY_BYTES
MAX_SIGNATURE_BYTES = max(ECDSA_SIGNATURE_BYTES, GM_SIGNATURE_BYTES)


def check_installed(suite: CryptoSuite) -> None:
    """Nothing, where this machine can judge the suite; asked when a client state is decoded.

    Raises:
        UnsupportedOperation: the suite is GM and the extra `gm` is not installed.
    """
    if suite is CryptoSuite.GM and not gm.is_installed():
        raise UnsupportedOperation(gm.NOT_INSTALLED)


def digest(suite: CryptoSuite, data: bytes) -> bytes:
    """32 bytes: Keccak-256, or SM3 on GM chains.

    Raises:
        UnsupportedOperation: the suite is not installed.
    """
    if suite is CryptoSuite.ECDSA:
        return keccak256(data)
    try:
        return gm.sm3(data)
    except gm.GmNotInstalled as error:
        raise UnsupportedOperation(gm.NOT_INSTALLED) from error


def is_signed_by(suite: CryptoSuite, public_key: bytes, block_hash: bytes, signature: bytes) -> bool:
    """Whether the sealer of the 64-byte key signed; a signature of any other form or length is False.

    Raises:
        UnsupportedOperation: the suite is not installed.
    """
    if suite is CryptoSuite.ECDSA:
        recovered = secp256k1.recover_public_key(block_hash, signature)
        return recovered is not None and recovered[1:] == public_key
    if signature[gm.SIGNATURE_BYTES :] not in (b"", public_key):
        return False
    try:
        return gm.verify(public_key, block_hash, signature[: gm.SIGNATURE_BYTES])
    except gm.GmNotInstalled as error:
        raise UnsupportedOperation(gm.NOT_INSTALLED) from error
