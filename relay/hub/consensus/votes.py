"""Tallies of votes by round and type."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from hutong.light_clients.crypto import secp256k1
from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.tendermint.hashing import sign_digest, vote_sign_bytes
from hutong.light_clients.tendermint.types import (
    ABSENT_SIGNATURE,
    BlockId,
    BlockIdFlag,
    Commit,
    CommitSig,
    KeyType,
    ValidatorSet,
)
from hutong.relay.hub.consensus.types import NIL, Vote


def vote_bytes(chain_id: str, vote: Vote) -> bytes:
    """What the validator signs, before it is hashed: the canonical vote (cometbft types/canonical.go)."""
    return vote_sign_bytes(chain_id, vote.message_type, vote.height, vote.round, vote.block_id, vote.timestamp_ns)


def vote_is_signed(chain_id: str, validators: ValidatorSet, vote: Vote) -> bool:
    """Whether the vote names a validator by index and address, and carries that validator's signature."""
    if not 0 <= vote.validator_index < len(validators.validators):
        return False
    validator = validators.validators[vote.validator_index]
    if validator.address != vote.validator_address or validator.public_key.key_type is not KeyType.SECP256K1:
        return False
    digest = sign_digest(KeyType.SECP256K1, vote_bytes(chain_id, vote))
    return secp256k1.verify_low_s(validator.public_key.data, digest, vote.signature)


def above_two_thirds(power: int, total: int) -> bool:
    """Strictly more than two thirds, in integers."""
    return power > total * 2 // 3


def above_one_third(power: int, total: int) -> bool:
    """Strictly more than a third: at least one of them is honest."""
    return power > total // 3


@dataclass(frozen=True, slots=True)
class Tally:
    """Votes of one round and type by validator index.

    `conflicts` are further votes of equivocators. Each counts for its own block, as the algorithm counts messages: else
    those to whom a liar spoke first of another block could never complete the majority that the others saw.
    """

    votes: Mapping[int, Vote] = field(default_factory=dict)
    conflicts: Mapping[int, tuple[Vote, ...]] = field(default_factory=dict)

    def with_vote(self, vote: Vote) -> "Tally":
        """The tally with the first vote of its validator, which is not verified here."""
        return replace(self, votes={**self.votes, vote.validator_index: vote})

    def with_conflict(self, vote: Vote) -> "Tally":
        """The tally with a further vote of an equivocator, which is not verified here."""
        index = vote.validator_index
        return replace(self, conflicts={**self.conflicts, index: (*self.conflicts.get(index, ()), vote)})

    def without(self, index: int) -> "Tally":
        """The tally without any vote of this validator."""
        return Tally(
            {key: vote for key, vote in self.votes.items() if key != index},
            {key: votes for key, votes in self.conflicts.items() if key != index},
        )

    def vote_for(self, index: int, block_id: BlockId) -> Vote | None:
        """This validator's vote for this block, if it gave one."""
        first = self.votes.get(index)
        if first is not None and first.block_id == block_id:
            return first
        return next((vote for vote in self.conflicts.get(index, ()) if vote.block_id == block_id), None)

    def holds(self, vote: Vote) -> bool:
        """Whether this very vote is here, time and signature included, so that it was verified."""
        return self.votes.get(vote.validator_index) == vote or vote in self.conflicts.get(vote.validator_index, ())

    def power(self, validators: ValidatorSet, block_id: BlockId | None = None) -> int:
        """Power that voted for `block_id`, or with None that voted at all; each validator once."""
        return sum(
            validators.validators[index].voting_power
            for index in self.votes
            if block_id is None or self.vote_for(index, block_id) is not None
        )

    def majority(self, validators: ValidatorSet) -> BlockId | None:
        """What more than two thirds of the set's power voted for (NIL is an answer), None for nothing."""
        total = validators.total_voting_power
        if not above_two_thirds(self.power(validators), total):
            return None
        named = {vote.block_id: None for _, vote in sorted(self.votes.items())}
        named |= {vote.block_id: None for _, votes in sorted(self.conflicts.items()) for vote in votes}
        for block_id in named:
            if above_two_thirds(self.power(validators, block_id), total):
                return block_id
        return None

    def commit(self, validators: ValidatorSet, block_id: BlockId) -> Commit:
        """One entry a validator in set order; precommits for another block count as absent.

        As cometbft's MakeExtendedCommit. Whether they are enough is not checked; without any the commit is of height 0.
        """
        entries = []
        height = round_ = 0
        for index in range(len(validators.validators)):
            vote = self.vote_for(index, block_id) or self.vote_for(index, NIL)
            if vote is None:
                entries.append(ABSENT_SIGNATURE)
                continue
            height, round_ = vote.height, vote.round
            flag = BlockIdFlag.COMMIT if vote.block_id == block_id else BlockIdFlag.NIL
            entries.append(CommitSig(flag, vote.validator_address, vote.timestamp_ns, vote.signature))
        return Commit(height, round_, block_id, tuple(entries))


def median_time_ns(commit: Commit, validators: ValidatorSet) -> int:
    """BFT time in nanoseconds: the power-weighted median of the commit's timestamps.

    Source: cometbft types/block.go, libs/time WeightedMedian.

    Raises:
        MalformedInput: nobody signed it.
        ValueError: it has not one entry a validator.
    """
    weighted = sorted(
        (entry.timestamp_ns, validator.voting_power)
        for entry, validator in zip(commit.signatures, validators.validators, strict=True)
        if entry.block_id_flag is not BlockIdFlag.ABSENT
    )
    half = sum(power for _, power in weighted) // 2
    for timestamp_ns, power in weighted:
        if half <= power:
            return timestamp_ns
        half -= power
    raise MalformedInput("commit.signatures", "a commit without any has no time")
