"""One document of each kind, for a given key."""

from hutong.adapters.cosmos.transactions.fees import Coin
from hutong.adapters.cosmos.transactions.messages import SdkMessage
from hutong.adapters.cosmos.transactions.transactions import encode_auth_info, encode_body, encode_sign_document
from hutong.light_clients.attestation import AttestationKind, Scope
from hutong.light_clients.tendermint.skip_certificate import SkipStatement
from hutong.light_clients.tendermint.types import BlockId, PartSetHeader, SignedMessageType
from hutong.relay.keys.documents import (
    AttestationDocument,
    ConsensusProposal,
    ConsensusSkip,
    ConsensusVote,
    ConsensusVoteExtension,
    CosmosTransaction,
    DocumentKind,
    EvmTransaction,
    FeedReport,
    JwsInput,
    SigningDocument,
    TypedData,
    parse_cosmos_transaction,
    parse_jws_input,
)

TO = b"\x22" * 20
SCOPE = Scope("31337", b"\xa1" * 20, "hutong-1", bytes(18) + b"\x10\x00", "attestation-0")
BLOCK = BlockId(b"\x33" * 32, PartSetHeader(1, b"\x44" * 32))


def transaction(nonce: int = 7, **changes: object) -> EvmTransaction:
    """An EIP-1559 call on chain 31337."""
    fields = {
        "chain_id": 31337,
        "nonce": nonce,
        "gas": 21_000,
        "to": TO,
        "value_wei": 5,
        "data": b"\xaa\xbb\xcc\xdd\x01",
        "max_fee_per_gas_wei": 100,
        "max_priority_fee_per_gas_wei": 3,
    }
    return EvmTransaction(**(fields | changes))


def legacy(nonce: int = 7, **changes: object) -> EvmTransaction:
    """The same with a gas price, signed by EIP-155."""
    fees = {"gas_price_wei": 100, "max_fee_per_gas_wei": None, "max_priority_fee_per_gas_wei": None}
    return transaction(nonce, **(fees | changes))


def cosmos_transaction(public_key: bytes, chain_id: str = "simd-1", sequence: int = 3) -> CosmosTransaction:
    """One message, with a fee of 2,000 stake."""
    auth_info = encode_auth_info(public_key, sequence, 80_000, Coin(2_000, "stake"))
    body = encode_body([SdkMessage("/cosmos.bank.v1beta1.MsgSend", b"\x0a\x01a")])
    return parse_cosmos_transaction(encode_sign_document(body, auth_info, chain_id, 7))


def token(head: bytes = b"eyJhbGciOiJFUzI1NksiLCJ0eXAiOiJ2YytzZC1qd3QifQ") -> JwsInput:
    """Of a credential, ES256K."""
    return parse_jws_input(head + b".e30")


ES256_TOKEN = token(b"eyJhbGciOiJFUzI1NiIsInR5cCI6InZjK3NkLWp3dCJ9")


def documents(public_key: bytes) -> dict[DocumentKind, SigningDocument]:
    """All kinds that a key of secp256k1 may sign."""
    every: tuple[SigningDocument, ...] = (
        transaction(),
        cosmos_transaction(public_key),
        AttestationDocument(SCOPE, AttestationKind.STATE, b"state"),
        FeedReport(b"\x11" * 32, 1_700_000_000, -5),
        TypedData(b"\x01" * 32, b"\x02" * 32),
        ConsensusVote("hutong-1", SignedMessageType.PRECOMMIT, 9, 0, BLOCK, 1_700_000_000_000_000_000),
        ConsensusProposal("hutong-1", 9, 0, -1, BLOCK, 1_700_000_000_000_000_000),
        ConsensusSkip(SkipStatement("hutong-1", 9, b"\x55" * 32, b"\x66" * 32)),
        ConsensusVoteExtension("hutong-1", 9, 0, b""),
        token(),
    )
    return {document.kind: document for document in every}
