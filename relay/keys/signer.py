"""One account as the rest of the house holds it: what it signs becomes a document, which its key's source signs."""

from typing import Any, Self

from eth_utils.address import to_checksum_address

from hutong.light_clients.attestation import AttestationKind, Scope
from hutong.light_clients.crypto.addresses import eth_address
from hutong.relay.keys.documents import (
    AttestationDocument,
    FeedReport,
    SigningDocument,
    TypedData,
    check_cosmos_transaction,
    parse_cosmos_transaction,
    transaction_of_fields,
)
from hutong.relay.keys.source import KeyAlgorithm, KeySource, SourceHealth
from hutong.relay.keys.sources.in_memory import KeyInMemory

_V_OFFSET = 27


class Signer:
    """An account of secp256k1. Every signing method raises what `KeySource.sign` raises, besides its own."""

    __slots__ = ("_address", "_document_chain_id", "_source")

    def __init__(self, source: KeySource, document_chain_id: str | None = None) -> None:
        """With `document_chain_id`, Cosmos documents of any other chain are refused.

        Raises:
            ValueError: the source's key is of another curve.
        """
        address = eth_address(source.public_key) if source.algorithm is KeyAlgorithm.SECP256K1 else None
        if address is None:
            raise ValueError(f"{source.name}: an account needs a key of secp256k1")
        self._source = source
        self._address = to_checksum_address(address)
        self._document_chain_id = document_chain_id

    @classmethod
    def in_memory(cls, private_key: bytes, document_chain_id: str | None = None) -> Self:
        """The account of a key of 32 bytes that this process holds.

        Raises:
            ValueError: it is no key.
        """
        return cls(KeyInMemory(private_key), document_chain_id)

    @property
    def source(self) -> KeySource:
        """Where the key is."""
        return self._source

    @property
    def address(self) -> str:
        """The account's address as EIP-55 text, `0x` and 40 digits."""
        return self._address

    @property
    def public_key(self) -> bytes:
        """33 bytes, compressed."""
        return self._source.public_key

    async def sign_transaction(self, fields: dict[str, Any]) -> bytes:
        """The raw signed transaction, ready to be sent.

        Args:
            fields: as eth-account names them (`nonce`, `chainId`, `gas`, …); amounts in wei.

        Raises:
            ForeignDocument: fields that are missing, unfit or unknown.
        """
        document = transaction_of_fields(fields)
        return document.signed(await self._source.sign(document))

    async def sign_document(self, document: bytes) -> bytes:
        """64 bytes r ‖ s with low s over SHA-256 of a Cosmos SignDoc.

        Raises:
            ForeignDocument: it is no SignDoc, not to be signed by this key alone, or of another chain.
        """
        parsed = parse_cosmos_transaction(document)
        check_cosmos_transaction(parsed, self.public_key, self._document_chain_id)
        return (await self._source.sign(parsed))[:64]

    async def sign_attestation(self, scope: Scope, kind: AttestationKind, data: bytes) -> bytes:
        """65 bytes r ‖ s ‖ v, v 27 or 28, over the attestation digest of `data`.

        Args:
            scope: binds chain, router and destination, so that the signature is good nowhere else.
        """
        return await self._ethereum_form(AttestationDocument(scope, kind, data))

    async def sign_report(self, feed: bytes, time_s: int, value: int) -> bytes:
        """65 bytes r ‖ s ‖ v, v 27 or 28, over one report of a feed.

        Args:
            feed: id of the feed, 32 bytes.
            time_s: of the round, Unix seconds.
            value: in the feed's units.

        Raises:
            MalformedInput: time or value out of bounds.
        """
        return await self._ethereum_form(FeedReport(feed, time_s, value))

    async def sign_typed_data(self, domain_separator: bytes, struct_hash: bytes) -> bytes:
        """65 bytes r ‖ s ‖ v, v 27 or 28, over a struct of EIP-712: never over a transaction, which begins otherwise.

        Args:
            domain_separator, struct_hash: 32 bytes each, as EIP-712 hashes them.

        Raises:
            ForeignDocument: of another length.
        """
        return await self._ethereum_form(TypedData(domain_separator, struct_hash))

    async def health(self) -> SourceHealth:
        """Of its key's source."""
        return await self._source.health()

    async def aclose(self) -> None:
        """As of its key's source, which opens again when it is used again."""
        await self._source.aclose()

    async def _ethereum_form(self, document: SigningDocument) -> bytes:
        signature = await self._source.sign(document)
        return signature[:64] + bytes([_V_OFFSET + signature[64]])

    def __repr__(self) -> str:
        return f"Signer({self.address})"

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise TypeError("a signer is not copied or pickled")
