"""Ed25519 with the acceptance rules of CometBFT (ZIP-215).

Small-order keys and non-canonical points are accepted as CometBFT accepts them, a non-canonical `s` is refused. Libraries
differ at these edges, and a client must accept exactly what its chain accepts: so no other library for CometBFT chains.
"""

from collections.abc import Iterable

from ed25519_zebra import ed_public_from_secret, ed_verify

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
