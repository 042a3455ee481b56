"""What simulated validators send each other."""

from dataclasses import dataclass
from typing import TypeAlias

from hutong.light_clients.tendermint.types import BlockId, BlockIdFlag, Commit, SignedMessageType, ValidatorSet
from hutong.relay.hub.consensus.types import NIL, Block, Proposal, Vote


@dataclass(frozen=True, slots=True)
class Offer:
    """A proposal with its block."""

    proposal: Proposal
    block: Block
    block_id: BlockId


@dataclass(frozen=True, slots=True)
class Status:
    """Where a validator stands and what it has, so that others send what it lacks.

    Votes are known by their block too: who heard a liar's other vote first still lacks the one that others count.
    """

    height: int
    proposals: frozenset[int]
    votes: frozenset[tuple[int, SignedMessageType, int, BlockId]]
    wanted: frozenset[BlockId]


@dataclass(frozen=True, slots=True)
class DecidedBlock:
    """For a node that is behind: the block with the precommits that decided it."""

    block: Block
    block_id: BlockId
    commit: Commit


@dataclass(frozen=True, slots=True)
class Content:
    block: Block
    block_id: BlockId


Message: TypeAlias = Offer | Vote | Status | DecidedBlock | Content


def votes_of(commit: Commit, validators: ValidatorSet) -> list[Vote]:
    """The precommits that a commit was made of."""
    return [
        Vote(
            SignedMessageType.PRECOMMIT,
            commit.height,
            commit.round,
            commit.block_id if entry.block_id_flag is BlockIdFlag.COMMIT else NIL,
            entry.timestamp_ns,
            index,
            entry.validator_address,
            entry.signature,
        )
        for index, entry in enumerate(commit.signatures)
        if entry.block_id_flag is not BlockIdFlag.ABSENT and index < len(validators.validators)
    ]
