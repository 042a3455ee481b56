"""Signing with a key that nothing else can read."""

from typing import Any

from eth_account import Account
from eth_account.signers.local import LocalAccount

from light_clients.attestation import AttestationKind, Scope, attestation_digest, sign_digest


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

    def sign_attestation(self, scope: Scope, kind: AttestationKind, data: bytes) -> bytes:
        """65 bytes over the attestation digest: never over bytes that a caller chose whole."""
        return sign_digest(bytes(self.__account.key), attestation_digest(scope, kind, data))

    def __repr__(self) -> str:
        return f"Signer({self.address})"

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise TypeError("a signer is not copied or pickled")
