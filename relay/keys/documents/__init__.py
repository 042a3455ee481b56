"""The documents that keys sign. Each is a value that a policy can judge; none is 32 bytes that somebody else hashed."""

from hutong.relay.keys.documents.consensus import (
    ConsensusProposal,
    ConsensusSkip,
    ConsensusVote,
    ConsensusVoteExtension,
    parse_consensus,
)
from hutong.relay.keys.documents.cosmos import CosmosTransaction, check_cosmos_transaction, parse_cosmos_transaction
from hutong.relay.keys.documents.document import DocumentKind, Hashing, SigningDocument
from hutong.relay.keys.documents.evm_transaction import EvmTransaction, parse_transaction, transaction_of_fields
from hutong.relay.keys.documents.jws import JwsInput, parse_jws_input
from hutong.relay.keys.documents.typed_data import AttestationDocument, FeedReport, TypedData, parse_typed_data

__all__ = [
    "AttestationDocument",
    "ConsensusProposal",
    "ConsensusSkip",
    "ConsensusVote",
    "ConsensusVoteExtension",
    "CosmosTransaction",
    "DocumentKind",
    "EvmTransaction",
    "FeedReport",
    "Hashing",
    "JwsInput",
    "SigningDocument",
    "TypedData",
    "check_cosmos_transaction",
    "parse_consensus",
    "parse_cosmos_transaction",
    "parse_jws_input",
    "parse_transaction",
    "parse_typed_data",
    "transaction_of_fields",
]
