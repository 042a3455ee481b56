"""Evidence of double votes as CometBFT 0.38 writes, hashes and judges it (types/evidence.go, evidence/verify.go)."""

from collections.abc import Sequence
from dataclasses import dataclass

from hutong.light_clients.interface import MalformedInput, PredicateFailed
from hutong.light_clients.protobuf import cometbft_pb2
from hutong.light_clients.protobuf.canonical import parse_canonical
from hutong.light_clients.tendermint.codec import block_id_from_message, decode_time, encode_block_id_into, encode_time
from hutong.light_clients.tendermint.hashing import encode_part_set_header
from hutong.light_clients.tendermint.types import BlockId, SignedMessageType, ValidatorSet
from hutong.relay.hub.consensus.types import Equivocation, Vote
from hutong.relay.hub.consensus.votes import vote_is_signed

MAX_EVIDENCE_BYTES = 1_024
"""Two votes of at most 222 bytes each and three numbers."""
_ADDRESS_BYTES = 20
_SIGNATURE_BYTES = 64


@dataclass(frozen=True, slots=True)
class DuplicateVote:
    """`first` is the vote for the lesser block id. Power and time are those of the votes' height, and not signed by anyone."""

    first: Vote
    second: Vote
    total_voting_power: int
    validator_power: int
    time_ns: int

    @property
    def key(self) -> tuple[int, bytes]:
        """What one record is kept of: a height and a validator's address."""
        return self.first.height, self.first.validator_address


@dataclass(frozen=True, slots=True)
class AccountableUntil:
    """What the newest block says of how old evidence may be; it is too old only where both bounds are passed."""

    height: int
    time_ns: int
    max_age_blocks: int
    max_age_ns: int

    def is_over(self, height: int, time_ns: int) -> bool:
        """Whether votes at `height`, whose block has this time in nanoseconds, are too old to be evidence."""
        return self.height - height > self.max_age_blocks and self.time_ns - time_ns > self.max_age_ns


def block_id_key(block_id: BlockId) -> bytes:
    """The bytes by which CometBFT orders the two votes (BlockID.Key)."""
    return block_id.hash + encode_part_set_header(block_id.part_set_header)


def duplicate_vote(equivocation: Equivocation, validators: ValidatorSet, time_ns: int) -> DuplicateVote:
    """The evidence of two votes; `validators` and `time_ns` are of the block at their height.

    Signatures are not verified.

    Raises:
        IndexError: the votes name no member of the set.
    """
    first, second = sorted((equivocation.first, equivocation.second), key=lambda vote: block_id_key(vote.block_id))
    power = validators.validators[first.validator_index].voting_power
    return DuplicateVote(first, second, validators.total_voting_power, power, time_ns)


def _encode_vote(vote: Vote, into: cometbft_pb2.Vote) -> None:
    into.type, into.height, into.round = int(vote.message_type), vote.height, vote.round
    into.block_id.SetInParent()
    encode_block_id_into(vote.block_id, into.block_id)
    encode_time(vote.timestamp_ns, into.timestamp)
    into.validator_address, into.validator_index = vote.validator_address, vote.validator_index
    into.signature = vote.signature


def _message(evidence: DuplicateVote) -> cometbft_pb2.DuplicateVoteEvidence:
    message = cometbft_pb2.DuplicateVoteEvidence(
        total_voting_power=evidence.total_voting_power, validator_power=evidence.validator_power
    )
    _encode_vote(evidence.first, message.vote_a)
    _encode_vote(evidence.second, message.vote_b)
    encode_time(evidence.time_ns, message.timestamp)
    return message


def encode_evidence(evidence: DuplicateVote) -> bytes:
    """As it stands in a block: the `Evidence` message."""
    message = cometbft_pb2.Evidence(duplicate_vote_evidence=_message(evidence))
    encoded: bytes = message.SerializeToString(deterministic=True)
    return encoded


def hashed_bytes(evidence: DuplicateVote) -> bytes:
    """The leaf below `evidence_hash`: the DuplicateVoteEvidence alone."""
    encoded: bytes = _message(evidence).SerializeToString(deterministic=True)
    return encoded


def _decode_vote(message: cometbft_pb2.Vote, field: str) -> Vote:
    for name in ("block_id", "timestamp"):
        if not message.HasField(name):
            raise MalformedInput(f"{field}.{name}", "is missing")
    if message.type not in (SignedMessageType.PREVOTE, SignedMessageType.PRECOMMIT):
        raise MalformedInput(f"{field}.type", "is not a vote", got=message.type)
    if message.height < 1 or message.round < 0 or message.validator_index < 0:
        raise MalformedInput(field, "height, round or index below its least", got=message.height)
    for name, got, expected in (
        ("validator_address", len(message.validator_address), _ADDRESS_BYTES),
        ("signature", len(message.signature), _SIGNATURE_BYTES),
    ):
        if got != expected:
            raise MalformedInput(f"{field}.{name}", "has another length", got=got, expected=expected)
    return Vote(
        SignedMessageType(message.type),
        message.height,
        message.round,
        block_id_from_message(message.block_id, f"{field}.block_id"),
        decode_time(message.timestamp, f"{field}.timestamp"),
        message.validator_index,
        message.validator_address,
        message.signature,
    )


def decode_evidence(data: bytes, field: str = "evidence") -> DuplicateVote:
    """Inverse of `encode_evidence`, within bounds; whether it proves anything is `verify_evidence`'s question.

    Raises:
        MalformedInput: not canonical, above MAX_EVIDENCE_BYTES, or other evidence than a duplicate vote; names `field`.
    """
    message = parse_canonical(cometbft_pb2.Evidence, data, field, MAX_EVIDENCE_BYTES)
    if not message.HasField("duplicate_vote_evidence"):
        raise MalformedInput(field, "is not a duplicate vote, and no other evidence is supported")
    inner = message.duplicate_vote_evidence
    for name in ("vote_a", "vote_b", "timestamp"):
        if not inner.HasField(name):
            raise MalformedInput(f"{field}.{name}", "is missing")
    return DuplicateVote(
        _decode_vote(inner.vote_a, f"{field}.vote_a"),
        _decode_vote(inner.vote_b, f"{field}.vote_b"),
        inner.total_voting_power,
        inner.validator_power,
        decode_time(inner.timestamp, f"{field}.timestamp"),
    )


def decode_block_evidence(items: Sequence[bytes], max_bytes: int) -> tuple[DuplicateVote, ...]:
    """All evidence of a block, decoded; what it proves is not looked at.

    Raises:
        MalformedInput: an item does not decode, all are more than `max_bytes`, or one validator's height stands twice.
    """
    size = sum(map(len, items))
    if size > max_bytes:
        raise MalformedInput("block.evidence", "has too many bytes", got=size, expected=f"<= {max_bytes}")
    decoded = tuple(decode_evidence(item, f"block.evidence[{index}]") for index, item in enumerate(items))
    keys = [evidence.key for evidence in decoded]
    for index, key in enumerate(keys):
        if key in keys[:index]:
            raise MalformedInput(f"block.evidence[{index}]", "repeats a validator and height", got=key[0])
    return decoded


def verify_evidence(
    chain_id: str,
    evidence: DuplicateVote,
    validators: ValidatorSet | None,
    time_ns: int | None,
    accountable: AccountableUntil,
) -> None:
    """Two votes of one validator that contradict each other, new enough to count (evidence/verify.go).

    `validators` and `time_ns` are of the block at the votes' height; None where there is no such block.

    Raises:
        PredicateFailed: the first rule that is broken, in this order: `evidence_height`, `same_height_round_type`,
            `same_validator`, `different_blocks`, `evidence_time`, `accountable_period`, `validator_of_that_height`,
            `evidence_power`, `votes_signed`.
    """
    first, second = evidence.first, evidence.second
    if validators is None or time_ns is None or first.height > accountable.height:
        raise PredicateFailed("evidence_height", "no block of that height", first.height, f"<= {accountable.height}")
    if (first.height, first.round, first.message_type) != (second.height, second.round, second.message_type):
        raise PredicateFailed(
            "same_height_round_type",
            "the votes do not contradict each other",
            (second.height, second.round, second.message_type.name),
            (first.height, first.round, first.message_type.name),
        )
    if (first.validator_address, first.validator_index) != (second.validator_address, second.validator_index):
        raise PredicateFailed("same_validator", "two validators", second.validator_address, first.validator_address)
    if block_id_key(first.block_id) >= block_id_key(second.block_id):
        raise PredicateFailed("different_blocks", "not two blocks in ascending order", second.block_id.hash)
    if evidence.time_ns != time_ns:
        raise PredicateFailed("evidence_time", "is not the block's of that height", evidence.time_ns, time_ns)
    if accountable.is_over(first.height, time_ns):
        raise PredicateFailed(
            "accountable_period",
            "is over",
            accountable.height - first.height,
            f"<= {accountable.max_age_blocks} blocks",
        )
    members = validators.validators
    if first.validator_index >= len(members) or members[first.validator_index].address != first.validator_address:
        raise PredicateFailed("validator_of_that_height", "is absent", first.validator_address)
    stated = (evidence.validator_power, evidence.total_voting_power)
    actual = (members[first.validator_index].voting_power, validators.total_voting_power)
    if stated != actual:
        raise PredicateFailed("evidence_power", "is another", stated, actual)
    for name, vote in (("first", first), ("second", second)):
        if not vote_is_signed(chain_id, validators, vote):
            raise PredicateFailed("votes_signed", f"the {name} is not signed by it", vote.signature)
