"""SM2 signatures (GB/T 32918.2) by GmSSL. What the standard demands of keys, scalars and encodings is judged here."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from hutong.light_clients.crypto.gm.curve import PUBLIC_KEY_BYTES, is_private_key, is_public_key
from hutong.light_clients.crypto.gm.libraries import gmssl
from hutong.light_clients.crypto.gm.quiet import quiet
from hutong.light_clients.crypto.gm.refusals import GmMalformed, GmNotAuthentic
from hutong.light_clients.crypto.gm.signature import scalars, signature_from_der, signature_to_der

DIGEST_BYTES = 32
DEFAULT_IDENTIFIER = b"1234567812345678"
"""GM/T 0009: of a signer who has no other."""
IDENTIFIER_BYTES = range(1, 8192)
"""Its length in bits is hashed as two bytes (GB/T 32918.2, 5.5)."""


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A private key, 32 bytes, and its point x ‖ y, 64 bytes. Whether they belong together is found at the first signature.

    Raises:
        GmMalformed: the private key is not 1 to n - 2, or the public key is no point.
    """

    private_key: bytes = field(repr=False)
    public_key: bytes

    def __post_init__(self) -> None:
        if not is_private_key(self.private_key):
            raise GmMalformed("sm2_key.private_key", "is not 32 bytes that say 1 to n - 2")
        if not is_public_key(self.public_key):
            raise GmMalformed("sm2_key.public_key", f"is not {PUBLIC_KEY_BYTES} bytes that are a point of sm2p256v1")


def new_key_pair() -> KeyPair:
    """Drawn by the engine from the system's randomness.

    Raises:
        GmNotInstalled: the extra is not there.
    """
    library = gmssl()
    with quiet():
        public_key, private_key = library.sm2_key_generate()
    return KeyPair(private_key, public_key)


def sign(key: KeyPair, message: bytes, identifier: bytes = DEFAULT_IDENTIFIER) -> bytes:
    """r ‖ s (64 bytes) over SM3(Z ‖ message), another one each time; verified before it is returned.

    Args:
        message: any length.
        identifier: 1 to 8 191 bytes, the signer's, which whoever verifies must know.

    Raises:
        GmMalformed: the identifier is out of its bounds.
        GmNotAuthentic: `sm2_signature`: the engine's own does not verify: the halves of the key are not of one key, or
            the machine computes wrongly.
        GmNotInstalled: the extra is not there.
    """
    library = gmssl()
    if len(identifier) not in IDENTIFIER_BYTES:
        raise GmMalformed("sm2.identifier", "must be 1 to 8191 bytes")
    with quiet():
        made = library.sm2_sign(key.private_key, key.public_key, bytes(message), bytes(identifier))
    signature = signature_from_der(made)
    if not verify(key.public_key, message, signature, identifier):
        raise GmNotAuthentic("sm2_signature", "of our own does not verify: private and public key are not of one key")
    return signature


def verify(public_key: bytes, message: bytes, signature: bytes, identifier: bytes = DEFAULT_IDENTIFIER) -> bool:
    """`signature` is r ‖ s (64 bytes) over `message` by the signer of `identifier`.

    False for any other input, wrong lengths and identifiers of no or more than 8 191 bytes included. SM2 signatures
    have no twin: r ‖ n - s is no signature.

    Raises:
        GmNotInstalled: the extra is not there.
    """
    library = gmssl()
    if len(identifier) not in IDENTIFIER_BYTES:
        return False
    return _judged(library, library.sm2_verify, public_key, message, signature, bytes(identifier))


def verify_digest(public_key: bytes, digest: bytes, signature: bytes) -> bool:
    """As `verify`, over a final digest e of 32 bytes: neither key nor identifier is hashed into it.

    Raises:
        GmNotInstalled: the extra is not there.
    """
    library = gmssl()
    if len(digest) != DIGEST_BYTES:
        return False
    return _judged(library, library.sm2_verify_sm3_digest, public_key, digest, signature)


def _judged(
    library: Any, function: Callable[..., object], public_key: bytes, message: bytes, signature: bytes, *more: bytes
) -> bool:
    # The engine also refuses these, with a line each; scalars of a signature it takes in forms that are not canonical.
    if scalars(signature) is None or not is_public_key(public_key):
        return False
    encoded = signature_to_der(signature)
    try:
        with quiet():
            return function(bytes(public_key), bytes(message), encoded, *more) is True
    except library.GmsslInnerError:
        return False
