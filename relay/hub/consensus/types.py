"""What consensus exchanges: blocks, proposals, votes; the events that drive it and the effects that it asks for."""

from dataclasses import dataclass
from enum import IntEnum
from typing import TypeAlias

from hutong.light_clients.tendermint.types import BlockId, Commit, Header, SignedMessageType, ValidatorSet

NIL = BlockId()


@dataclass(frozen=True, slots=True)
class Block:
    """A block as it is proposed. `last_commit` of the first block is `EMPTY_COMMIT`."""

    header: Header
    transactions: tuple[bytes, ...]
    evidence: tuple[bytes, ...]
    last_commit: Commit


EMPTY_COMMIT = Commit(0, 0, NIL, ())


@dataclass(frozen=True, slots=True)
class Proposal:
    """A proposer's signed offer of a block; `pol_round` is -1 or the round in which it was seen locked."""

    height: int
    round: int
    pol_round: int
    block_id: BlockId
    timestamp_ns: int
    signature: bytes = b""


@dataclass(frozen=True, slots=True)
class Vote:
    """A prevote or precommit; `block_id` NIL is a vote for no block."""

    message_type: SignedMessageType
    height: int
    round: int
    block_id: BlockId
    timestamp_ns: int
    validator_index: int
    validator_address: bytes
    signature: bytes = b""


class Step(IntEnum):
    """Where a validator stands within a round, in order."""

    NEW_HEIGHT = 0
    PROPOSE = 1
    PREVOTE = 2
    PRECOMMIT = 3
    COMMIT = 4


@dataclass(frozen=True, slots=True)
class TimeoutElapsed:
    """A timer that was asked for has run out. For NEW_HEIGHT: the block interval is over, propose."""

    height: int
    round: int
    step: Step
    now_ns: int


@dataclass(frozen=True, slots=True)
class BlockPrepared:
    """The application's answer to `PrepareBlock`."""

    height: int
    round: int
    block: Block
    block_id: BlockId
    now_ns: int


@dataclass(frozen=True, slots=True)
class ProposalReceived:
    """A proposal with its block. `accepted` is the application's verdict, taken before the event is made."""

    proposal: Proposal
    block: Block
    block_id: BlockId
    accepted: bool
    now_ns: int


@dataclass(frozen=True, slots=True)
class BlockReceived:
    """A block's content that came apart from its proposal, in answer to `BlockWanted` or with a commit of peers."""

    block: Block
    block_id: BlockId
    accepted: bool
    now_ns: int


@dataclass(frozen=True, slots=True)
class VoteReceived:
    """A vote, own ones included once they are signed."""

    vote: Vote
    now_ns: int


@dataclass(frozen=True, slots=True)
class HeightStarted:
    """The decided block was applied: continue at the next height with its validators."""

    height: int
    validators: ValidatorSet
    last_block_time_ns: int
    now_ns: int
    round: int = 0


Event: TypeAlias = TimeoutElapsed | BlockPrepared | ProposalReceived | BlockReceived | VoteReceived | HeightStarted


@dataclass(frozen=True, slots=True)
class ScheduleTimeout:
    """Deliver `TimeoutElapsed` when this step has lasted long enough; the driver knows how long."""

    height: int
    round: int
    step: Step


@dataclass(frozen=True, slots=True)
class PrepareBlock:
    """Build a block for this round and answer with `BlockPrepared`.

    `last_commit` is the last height's with the precommits that came after its decision; None where the stored one is all.
    """

    height: int
    round: int
    last_commit: Commit | None = None


@dataclass(frozen=True, slots=True)
class BlockWanted:
    """More than two thirds voted for a block whose content is unknown here: ask peers, and deliver `BlockReceived`."""

    height: int
    round: int
    block_id: BlockId


@dataclass(frozen=True, slots=True)
class SignProposal:
    """Sign (after the last-signed record is on disk), broadcast with the block, and deliver as `ProposalReceived`."""

    proposal: Proposal
    block: Block


@dataclass(frozen=True, slots=True)
class SignVote:
    """Sign (after the last-signed record is on disk), broadcast, and deliver as `VoteReceived`."""

    vote: Vote


@dataclass(frozen=True, slots=True)
class Decided:
    """More than two thirds precommitted this block: apply it with its commit, then deliver `HeightStarted`."""

    block: Block
    block_id: BlockId
    commit: Commit


@dataclass(frozen=True, slots=True)
class Equivocation:
    """One validator signed two different votes for one height, round and type."""

    first: Vote
    second: Vote


Effect: TypeAlias = ScheduleTimeout | PrepareBlock | BlockWanted | SignProposal | SignVote | Decided | Equivocation
