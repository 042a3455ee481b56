"""Why a key could not be used. No message ever holds a key or password.

Failures of signing itself are of the adapters' taxonomy, for a transaction that waits for its signature waits as for a silent
endpoint: `SignerUnavailable`, `SigningRefused`, `SignerFaulty`, `DocumentUnsupported` (hutong.adapters.interface.errors).
"""

from pathlib import Path


class KeyUnavailable(Exception):
    """What the configuration says of a key cannot be used: a keystore or its password is missing, unsafe or wrong, a
    certificate is unusable, a kind is not supported. The operator's turn, before anything is signed.
    """

    def __init__(self, keystore: Path | str, reason: str) -> None:
        self.keystore = keystore
        self.reason = reason
        super().__init__(keystore, reason)

    def __str__(self) -> str:
        return f"key {self.keystore}: {self.reason}"


class ForeignDocument(ValueError):
    """Bytes or fields that are no document which this key signs; the reason repeats nothing of them but a chain id."""
