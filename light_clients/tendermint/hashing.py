"""What CometBFT hashes and signs. The hub signs with these functions and every client verifies with them.

Sources: cometbft types/{block,validator,validator_set,part_set,vote,proposal,canonical,results,params,evidence}.go.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache

from hutong.light_clients.crypto import sha256
from hutong.light_clients.interface import PredicateFailed
from hutong.light_clients.proofs.merkle import root as merkle_root
from hutong.light_clients.tendermint.types import (
    REMEMBERED_KEYS,
    BlockId,
    Commit,
    CommitSig,
    Header,
    KeyType,
    PartSetHeader,
    SignedMessageType,
    Validator,
    ValidatorSet,
)
from hutong.light_clients.tendermint.wire import (
    bytes_field,
    message_field,
    sfixed64_field,
    timestamp,
    varint,
    varint_field,
)

REMEMBERED_SETS = 8
"""Roots of validator sets that are kept: those of a few chains, or of one that changes. One of 10 000 weighs about 1 MB."""
BLOCK_PART_BYTES = 65_536
"""cometbft types/params.go BlockPartSizeBytes."""


_KEY_FIELD = {KeyType.ED25519: 1, KeyType.SECP256K1: 2}


def encode_part_set_header(part_set_header: PartSetHeader) -> bytes:
    """PartSetHeader, and the same bytes for CanonicalPartSetHeader; empty where total and hash are."""
    return varint_field(1, part_set_header.total) + bytes_field(2, part_set_header.hash)


def encode_block_id(block_id: BlockId) -> bytes:
    """BlockID and CanonicalBlockID have the same bytes; the part-set header is always written."""
    return bytes_field(1, block_id.hash) + message_field(2, encode_part_set_header(block_id.part_set_header))


@lru_cache(REMEMBERED_KEYS)
def _simple_validator(key_type: KeyType, key: bytes, voting_power: int) -> bytes:
    return message_field(1, bytes_field(_KEY_FIELD[key_type], key)) + varint_field(2, voting_power)


def encode_simple_validator(validator: Validator) -> bytes:
    """SimpleValidator: what a validator-set hash commits to; neither address nor priority."""
    key = validator.public_key
    return _simple_validator(key.key_type, key.data, validator.voting_power)


def encode_commit_sig(commit_sig: CommitSig) -> bytes:
    """CommitSig, a leaf of `commit_hash`; the timestamp is always written, also the zero one of an absent entry."""
    return (
        varint_field(1, commit_sig.block_id_flag)
        + bytes_field(2, commit_sig.validator_address)
        + message_field(3, timestamp(commit_sig.timestamp_ns))
        + bytes_field(4, commit_sig.signature)
    )


def header_hash(header: Header) -> bytes:
    """Merkle root of the 14 encoded fields; scalars are wrapped as {value = 1} and empty where zero.

    Raises:
        PredicateFailed: `validators_hash` is empty, where CometBFT has no hash (Header.Hash returns nil).
    """
    if not header.validators_hash:
        raise PredicateFailed("header_hash_defined", "a header without validators_hash has no hash")
    return merkle_root(
        (
            varint_field(1, header.version_block) + varint_field(2, header.version_app),
            bytes_field(1, header.chain_id.encode()),
            varint_field(1, header.height),
            timestamp(header.time_ns),
            encode_block_id(header.last_block_id),
            bytes_field(1, header.last_commit_hash),
            bytes_field(1, header.data_hash),
            bytes_field(1, header.validators_hash),
            bytes_field(1, header.next_validators_hash),
            bytes_field(1, header.consensus_hash),
            bytes_field(1, header.app_hash),
            bytes_field(1, header.last_results_hash),
            bytes_field(1, header.evidence_hash),
            bytes_field(1, header.proposer_address),
        )
    )


def validator_set_hash(validator_set: ValidatorSet) -> bytes:
    """Merkle root of the SimpleValidators in the order given: whether that is the canonical order is not judged."""
    return _validators_root(tuple(map(encode_simple_validator, validator_set.validators)))


@lru_cache(REMEMBERED_SETS)
def _validators_root(leaves: tuple[bytes, ...]) -> bytes:
    """Sets outlive many headers, and what changes with each of those, the priorities, is not hashed."""
    return merkle_root(leaves)


def commit_hash(commit: Commit) -> bytes:
    """`last_commit_hash` of the next header: Merkle root of the entries (an empty commit: root of nothing)."""
    return merkle_root([encode_commit_sig(commit_sig) for commit_sig in commit.signatures])


def data_hash(transactions: Sequence[bytes]) -> bytes:
    """Merkle root whose leaves are the transactions' SHA-256 hashes."""
    return merkle_root([sha256(transaction) for transaction in transactions])


def evidence_hash(evidence: Sequence[bytes]) -> bytes:
    """Merkle root of the encoded evidence (DuplicateVoteEvidence or LightClientAttackEvidence messages)."""
    return merkle_root(evidence)


def results_hash(results: Sequence[tuple[int, bytes, int, int]]) -> bytes:
    """`last_results_hash`: Merkle root of the deterministic parts (code, data, gas wanted, gas used) of each result.

    Events, logs and codespaces are not hashed (cometbft types/results.go).
    """
    return merkle_root(
        [
            varint_field(1, code) + bytes_field(2, data) + varint_field(5, gas_wanted) + varint_field(6, gas_used)
            for code, data, gas_wanted, gas_used in results
        ]
    )


def consensus_params_hash(block_max_bytes: int, block_max_gas: int) -> bytes:
    """`consensus_hash`: SHA-256 of HashedParams; every other consensus parameter is left out of it."""
    return sha256(varint_field(1, block_max_bytes) + varint_field(2, block_max_gas))


def part_set_header(block: bytes) -> PartSetHeader:
    """Of an encoded block: number of 64 KiB parts and the Merkle root over them."""
    parts = [block[start : start + BLOCK_PART_BYTES] for start in range(0, len(block), BLOCK_PART_BYTES)]
    return PartSetHeader(len(parts), merkle_root(parts))


def _delimited(encoded: bytes) -> bytes:
    return varint(len(encoded)) + encoded


def _canonical_block_id(number: int, block_id: BlockId | None) -> bytes:
    if block_id is None or block_id.is_zero:
        return b""
    return message_field(number, encode_block_id(block_id))


def vote_signer(
    chain_id: str, message_type: SignedMessageType, height: int, round_: int, block_id: BlockId | None
) -> Callable[[int], bytes]:
    """Sign bytes as a function of the timestamp alone, which is all that differs between votes of one commit.

    Times are nanoseconds since 1970. `block_id` None or zero is a vote for nil.
    """
    prefix = (
        varint_field(1, message_type)
        + sfixed64_field(2, height)
        + sfixed64_field(3, round_)
        + _canonical_block_id(4, block_id)
    )
    suffix = bytes_field(6, chain_id.encode())
    heads: dict[int, bytes] = {}

    def head_before(size: int) -> bytes:
        """Everything before a timestamp of `size` bytes: only its length enters the lengths there."""
        head = prefix + message_field(5, bytes(size))[: -size or None]
        return varint(len(head) + size + len(suffix)) + head

    def sign_bytes(timestamp_ns: int) -> bytes:
        encoded = timestamp(timestamp_ns)
        head = heads.get(len(encoded))
        if head is None:
            head = heads[len(encoded)] = head_before(len(encoded))
        return head + encoded + suffix

    return sign_bytes


def vote_sign_bytes(
    chain_id: str,
    message_type: SignedMessageType,
    height: int,
    round_: int,
    block_id: BlockId | None,
    timestamp_ns: int,
) -> bytes:
    """Length-delimited CanonicalVote; `block_id` None or zero is a vote for nil. Address and index are not signed.

    Height and round are sfixed64 and left out where they are zero. `timestamp_ns` is nanoseconds since 1970.
    """
    return vote_signer(chain_id, message_type, height, round_, block_id)(timestamp_ns)


def commit_signer(chain_id: str, commit: Commit) -> Callable[[int], bytes]:
    """Sign bytes of the entries of `commit` that voted for its block, by timestamp."""
    return vote_signer(chain_id, SignedMessageType.PRECOMMIT, commit.height, commit.round, commit.block_id)


def proposal_sign_bytes(
    chain_id: str, height: int, round_: int, pol_round: int, block_id: BlockId, timestamp_ns: int
) -> bytes:
    """Length-delimited CanonicalProposal; `pol_round` is -1 where there was no earlier lock.

    `timestamp_ns` is nanoseconds since 1970.
    """
    return _delimited(
        varint_field(1, SignedMessageType.PROPOSAL)
        + sfixed64_field(2, height)
        + sfixed64_field(3, round_)
        + varint_field(4, pol_round)
        + _canonical_block_id(5, block_id)
        + message_field(6, timestamp(timestamp_ns))
        + bytes_field(7, chain_id.encode())
    )


def sign_digest(key_type: KeyType, sign_bytes: bytes) -> bytes:
    """What the key itself signs: the message for ed25519, its SHA-256 for secp256k1 (cometbft crypto/secp256k1)."""
    return sign_bytes if key_type is KeyType.ED25519 else sha256(sign_bytes)
