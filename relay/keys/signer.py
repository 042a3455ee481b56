"""Signing with a key that nothing else can read."""

from typing import Any

from eth_account import Account
from eth_account.signers.local import LocalAccount


class Signer:
    """One account. The key has no public attribute, no representation, and is not pickled or copied."""

    __slots__ = ("__account",)

    def __init__(self, private_key: bytes) -> None:
        if len(private_key) != 32:
            raise ValueError("a private key has 32 bytes")
        self.__account: LocalAccount = Account.from_key(private_key)

    @property
    def address(self) -> str:
        """EIP-55 text."""
        return str(self.__account.address)

    def sign_transaction(self, fields: dict[str, Any]) -> bytes:
        """The raw signed transaction of these fields (`nonce`, `chainId`, `gas`, …), ready to be sent."""
        return bytes(self.__account.sign_transaction(fields).raw_transaction)

    def __repr__(self) -> str:
        return f"Signer({self.address})"

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise TypeError("a signer is not copied or pickled")
