"""What every document that a key signs has in common: a digest, the bytes that it is the hash of, and what to call it."""

from enum import StrEnum
from typing import Protocol


class Hashing(StrEnum):
    """How the digest follows from the preimage: some signers hash themselves, and only in one way."""

    KECCAK256 = "keccak256"
    SHA256 = "sha256"


class DocumentKind(StrEnum):
    """What policies, records and refusals call it."""

    EVM_TRANSACTION = "evm-transaction"
    COSMOS_TRANSACTION = "cosmos-transaction"
    ATTESTATION = "attestation"
    FEED_REPORT = "feed-report"
    TYPED_DATA = "typed-data"
    CONSENSUS_VOTE = "consensus-vote"
    CONSENSUS_PROPOSAL = "consensus-proposal"
    CONSENSUS_SKIP = "consensus-skip"
    CONSENSUS_VOTE_EXTENSION = "consensus-vote-extension"
    JWS = "jws"


class SigningDocument(Protocol):
    """A frozen value that was parsed, not bytes: whoever signs it can say what it is. There is no document of 32 bytes."""

    @property
    def kind(self) -> DocumentKind: ...

    @property
    def hashing(self) -> Hashing: ...

    @property
    def preimage(self) -> bytes:
        """What is hashed. It fixes every field, so that a signer elsewhere can parse the document from it."""

    @property
    def digest(self) -> bytes:
        """The 32 bytes that ECDSA signs: `hashing` of `preimage`."""

    @property
    def summary(self) -> str:
        """One line for records and refusals, such as `evm-transaction on 1 nonce 7 to 0x…`. Holds nothing secret."""
