"""Building, checking and encoding blocks: every header hash as CometBFT 0.38 computes it (state/{state,validation}.go)."""

from collections.abc import Sequence
from dataclasses import dataclass

from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.protobuf import cometbft_pb2
from hutong.light_clients.protobuf.canonical import parse_canonical
from hutong.light_clients.tendermint.codec import commit_from_message, encode_commit, encode_header, header_from_message
from hutong.light_clients.tendermint.hashing import (
    commit_hash,
    consensus_params_hash,
    data_hash,
    evidence_hash,
    header_hash,
    part_set_header,
    results_hash,
    validator_set_hash,
)
from hutong.light_clients.tendermint.types import BLOCK_PROTOCOL, BlockId, Commit, Header, ValidatorSet
from hutong.light_clients.tendermint.wire import bytes_field, message_field
from hutong.relay.hub.consensus.evidence import decode_block_evidence, hashed_bytes
from hutong.relay.hub.consensus.types import EMPTY_COMMIT, NIL, Block
from hutong.relay.hub.consensus.votes import median_time_ns

MAX_BLOCK_BYTES = 4 * 1024 * 1024
"""`block.max_bytes` of the consensus params; parts are 64 KiB."""
LEAST_STEP_NS = 1_000_000
"""Between the times of two blocks."""


@dataclass(frozen=True, slots=True)
class ConsensusParams:
    """The part of CometBFT's consensus params that a header commits to, and the key types that validators may have."""

    block_max_bytes: int = MAX_BLOCK_BYTES
    block_max_gas: int = 2**24
    pub_key_types: tuple[str, ...] = ("secp256k1",)
    evidence_max_age_blocks: int = 1_814_400
    evidence_max_age_ns: int = 21 * 24 * 3600 * 10**9
    evidence_max_bytes: int = 65_536


@dataclass(frozen=True, slots=True)
class ChainTip:
    """What the next block builds on. Before the first block: height 0, zero block id, genesis time, genesis app hash."""

    chain_id: str
    height: int
    block_id: BlockId
    time_ns: int
    app_hash: bytes
    results_hash: bytes
    last_validators: ValidatorSet | None
    validators: ValidatorSet
    next_validators: ValidatorSet
    params: ConsensusParams
    app_version: int


@dataclass(frozen=True, slots=True)
class RevisionStart:
    """What a genesis says of the first block of its revision, which is the one after `base_height`."""

    chain_id: str
    genesis_time_ns: int
    params: ConsensusParams
    app_version: int
    """Rules version of the first block."""
    base_height: int = 0


def genesis_tip(
    start: RevisionStart, app_hash: bytes, validators: ValidatorSet, next_validators: ValidatorSet
) -> ChainTip:
    """What the first block of a revision builds on.

    Results of no block hash to the Merkle root of nothing, as CometBFT sets after InitChain. `app_hash` is that of the
    state that the revision begins with; sets are of the next height and of the one after it.
    """
    return ChainTip(
        start.chain_id,
        start.base_height,
        NIL,
        start.genesis_time_ns,
        app_hash,
        results_hash(()),
        None,
        validators,
        next_validators,
        start.params,
        start.app_version,
    )


def block_time_ns(tip: ChainTip, last_commit: Commit) -> int:
    """Genesis time for the first block, then the median of the last commit: it never depends on the proposer's clock.

    A commit with votes for no block by slow clocks may have a median that is not after the last block. CometBFT's chain
    would then stop for good; ours goes on a millisecond later.

    Raises:
        MalformedInput: nobody signed the commit.
        ValueError: it has not one entry for each of the last validators.
    """
    if tip.last_validators is None:
        return tip.time_ns
    return max(median_time_ns(last_commit, tip.last_validators), tip.time_ns + LEAST_STEP_NS)


def make_block(
    tip: ChainTip,
    last_commit: Commit,
    transactions: Sequence[bytes],
    proposer_address: bytes,
    evidence: Sequence[bytes] = (),
) -> Block:
    """The block after `tip`, by the validator with this 20-byte address; whether it is one is not checked.

    `last_commit` must be of the tip, `transactions` are raw, `evidence` is encoded.

    Raises:
        MalformedInput: the evidence does not decode or is too long, or nobody signed the commit.
    """
    duplicates = decode_block_evidence(evidence, tip.params.evidence_max_bytes)
    header = Header(
        version_block=BLOCK_PROTOCOL,
        version_app=tip.app_version,
        chain_id=tip.chain_id,
        height=tip.height + 1,
        time_ns=block_time_ns(tip, last_commit),
        last_block_id=tip.block_id,
        last_commit_hash=commit_hash(last_commit),
        data_hash=data_hash(transactions),
        validators_hash=validator_set_hash(tip.validators),
        next_validators_hash=validator_set_hash(tip.next_validators),
        consensus_hash=consensus_params_hash(tip.params.block_max_bytes, tip.params.block_max_gas),
        app_hash=tip.app_hash,
        last_results_hash=tip.results_hash,
        evidence_hash=evidence_hash([hashed_bytes(item) for item in duplicates]),
        proposer_address=proposer_address,
    )
    return Block(header, tuple(transactions), tuple(evidence), last_commit)


def check_block(tip: ChainTip, block: Block) -> None:
    """Refuse a block that does not follow from `tip`.

    Every field but transactions, evidence, proposer and last commit is determined. Signatures of the last commit, and
    whether the evidence proves anything, are the ledger's to verify.

    Raises:
        MalformedInput: names the first field that differs.
    """
    if not any(validator.address == block.header.proposer_address for validator in tip.validators.validators):
        raise MalformedInput("block.header.proposer_address", "is not a validator", got=block.header.proposer_address)
    if tip.last_validators is None:
        if block.last_commit != EMPTY_COMMIT:
            raise MalformedInput("block.last_commit", "the first block has none")
    elif (block.last_commit.height, block.last_commit.block_id) != (tip.height, tip.block_id):
        raise MalformedInput("block.last_commit", "is not for the last block", got=block.last_commit.height)
    elif len(block.last_commit.signatures) != len(tip.last_validators.validators):
        raise MalformedInput("block.last_commit.signatures", "one entry per validator")
    expected = make_block(tip, block.last_commit, block.transactions, block.header.proposer_address, block.evidence)
    for name in Header.__slots__:
        got, wanted = getattr(block.header, name), getattr(expected.header, name)
        if got != wanted:
            raise MalformedInput(
                f"block.header.{name}", "does not follow from the last block", got=got, expected=wanted
            )


def encode_block(block: Block) -> bytes:
    """Protobuf `Block` as gogoproto writes it: data and evidence are present also when empty."""
    transactions = b"".join(message_field(1, transaction) for transaction in block.transactions)
    evidence = b"".join(bytes_field(1, item) for item in block.evidence)
    return (
        message_field(1, encode_header(block.header))
        + message_field(2, transactions)
        + message_field(3, evidence)
        + message_field(4, encode_commit(block.last_commit))
    )


def decode_block(data: bytes) -> Block:
    """Inverse of `encode_block`. Its fields are within their own bounds; whether they belong together is not checked.

    Raises:
        MalformedInput: the bytes are not canonical, or more than MAX_BLOCK_BYTES.
    """
    message = parse_canonical(cometbft_pb2.Block, data, "block", MAX_BLOCK_BYTES)
    block = Block(
        header_from_message(message.header, "block.header"),
        tuple(message.data.txs),
        tuple(message.evidence.evidence),
        commit_from_message(message.last_commit, "block.last_commit"),
    )
    # Empty parts are written too: one block must not have two encodings, of which the signed id names only one.
    if encode_block(block) != data:
        raise MalformedInput("block", "an empty part is missing")
    return block


def block_id_of(block: Block) -> BlockId:
    """Header hash with the part-set header of the encoded block, which is encoded for it."""
    return BlockId(header_hash(block.header), part_set_header(encode_block(block)))
