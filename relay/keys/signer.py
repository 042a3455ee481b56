"""Signing with a key that nothing else can read."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

from hutong.light_clients.attestation import AttestationKind, Scope, attestation_digest, sign_digest
from hutong.light_clients.crypto import secp256k1
from hutong.light_clients.crypto.hashes import sha256
from hutong.relay.keys.documents import read_document


class Signer:
    """One account. The key has no public attribute, no representation, and is not pickled or copied."""

    __slots__ = ("__account", "_document_chain_id")

    def __init__(self, private_key: bytes, document_chain_id: str | None = None) -> None:
        """With `document_chain_id`, documents of any other chain are refused."""
        if len(private_key) != 32:
            raise ValueError("a private key has 32 bytes")
        from eth_account import Account

        self.__account: LocalAccount = Account.from_key(private_key)
        self._document_chain_id = document_chain_id

    @property
    def address(self) -> str:
        """The account's address as EIP-55 text, `0x` and 40 digits."""
        return str(self.__account.address)

    @property
    def public_key(self) -> bytes:
        """33 bytes, compressed."""
        return secp256k1.public_key_of(bytes(self.__account.key))

    def sign_transaction(self, fields: dict[str, Any]) -> bytes:
        """The raw signed transaction, ready to be sent. What eth-account raises for fields that are missing or unfit
        leaves.

        Args:
            fields: as eth-account names them (`nonce`, `chainId`, `gas`, …); amounts in wei.
        """
        return bytes(self.__account.sign_transaction(fields).raw_transaction)

    def sign_document(self, document: bytes) -> bytes:
        """64 bytes r ‖ s with low s over SHA-256 of a Cosmos SignDoc.

        Raises:
            ForeignDocument: it is no SignDoc, not to be signed by this key alone, or of another chain.
        """
        read_document(document, self.public_key, self._document_chain_id)
        return secp256k1.sign(bytes(self.__account.key), sha256(document))

    def sign_attestation(self, scope: Scope, kind: AttestationKind, data: bytes) -> bytes:
        """65 bytes over the attestation digest of `data`. The caller never chooses the signed bytes as a whole.

        Args:
            scope: binds chain, router and destination, so that the signature is good nowhere else.
        """
        return sign_digest(bytes(self.__account.key), attestation_digest(scope, kind, data))

    def __repr__(self) -> str:
        return f"Signer({self.address})"

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise TypeError("a signer is not copied or pickled")
