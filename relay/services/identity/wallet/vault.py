"""Encryption of what the wallet keeps: AES-256-GCM under a key that is derived from the wallet's secret."""

import secrets
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from hutong.relay.services.identity.wallet.errors import WalletUnusable

NONCE_BYTES: Final = 12
_PURPOSE: Final = b"hutong wallet store 1"


class Vault:
    """Seals and opens bytes, each for one place: a sealed row that was moved to another place does not open there."""

    __slots__ = ("_cipher",)

    def __init__(self, secret: bytes) -> None:
        """`secret` has 32 bytes, of which nothing is kept."""
        self._cipher = AESGCM(HKDF(SHA256(), 32, None, _PURPOSE).derive(secret))

    def seal(self, plaintext: bytes, place: str) -> bytes:
        """Nonce and ciphertext."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, plaintext, place.encode())

    def open(self, sealed: bytes, place: str) -> bytes:
        """What was sealed for this place.

        Raises:
            WalletUnusable: it was changed, moved, or sealed under another secret.
        """
        try:
            return self._cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], place.encode())
        except (InvalidTag, ValueError):
            raise WalletUnusable(f"the wallet's store was changed, or is another wallet's ({place})") from None

    def __repr__(self) -> str:
        return "Vault()"
