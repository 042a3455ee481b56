"""Why a key could not be used. No message ever holds a key or password."""

from pathlib import Path


class KeyUnavailable(Exception):
    """The keystore or its password is missing, unsafe or wrong."""

    def __init__(self, keystore: Path, reason: str) -> None:
        self.keystore = keystore
        self.reason = reason
        super().__init__(keystore, reason)

    def __str__(self) -> str:
        return f"key {self.keystore}: {self.reason}"
