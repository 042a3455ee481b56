"""A key in this process's memory: what a keystore becomes once it was opened."""

from typing import Any

from hutong.light_clients.crypto import secp256k1
from hutong.relay.keys.documents import SigningDocument
from hutong.relay.keys.source import KeyAlgorithm, SourceHealth


class KeyInMemory:
    """A key of secp256k1. It has no public attribute, no representation, and is not pickled or copied."""

    __slots__ = ("__private_key", "_name", "_public_key")

    def __init__(self, private_key: bytes, name: str = "a key in memory") -> None:
        """Raises ValueError for anything but 32 bytes that are a key."""
        self._public_key = secp256k1.public_key_of(private_key)
        self.__private_key = bytes(private_key)
        self._name = name

    @property
    def name(self) -> str:
        """See `KeySource`."""
        return self._name

    @property
    def algorithm(self) -> KeyAlgorithm:
        """See `KeySource`."""
        return KeyAlgorithm.SECP256K1

    @property
    def public_key(self) -> bytes:
        """See `KeySource`."""
        return self._public_key

    async def sign(self, document: SigningDocument) -> bytes:
        """See `KeySource`. The nonce follows RFC 6979, so that equal documents have equal signatures."""
        return secp256k1.sign_recoverable(self.__private_key, document.digest)

    async def health(self) -> SourceHealth:
        """See `KeySource`."""
        return SourceHealth(ready=True, detail="the key is in this process")

    async def aclose(self) -> None:
        """Nothing is open."""

    def __repr__(self) -> str:
        return f"KeyInMemory({self._name})"

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise TypeError("a key is not copied or pickled")
