"""What a validator remembers of the height that it takes part in, and of the one before."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from hutong.light_clients.tendermint.types import BlockId, Commit, SignedMessageType, ValidatorSet
from hutong.relay.hub.consensus.types import Block, Proposal, Step
from hutong.relay.hub.consensus.votes import Tally

PREVOTE = SignedMessageType.PREVOTE
PRECOMMIT = SignedMessageType.PRECOMMIT


@dataclass(frozen=True, slots=True)
class Candidate:
    """A block that was proposed, and whether the application accepts it."""

    block: Block
    accepted: bool


@dataclass(frozen=True, slots=True)
class Decision:
    """The height before: its late precommits enter the next block's commit, and its double votes are still evidence."""

    height: int
    round: int
    block_id: BlockId
    validators: ValidatorSet
    tallies: Mapping[tuple[int, SignedMessageType], Tally]

    def commit(self) -> Commit:
        """The commit of the decided block with all precommits that have come by now, late ones too."""
        return self.tallies[self.round, PRECOMMIT].commit(self.validators, self.block_id)


@dataclass(frozen=True, slots=True)
class RoundState:
    """Everything that one validator remembers of one height. `own_address` None only listens."""

    chain_id: str
    own_address: bytes | None
    height: int
    validators: ValidatorSet
    last_block_time_ns: int
    round: int = 0
    step: Step = Step.NEW_HEIGHT
    locked_round: int = -1
    locked: BlockId | None = None
    valid_round: int = -1
    valid: BlockId | None = None
    proposals: Mapping[int, Proposal] = field(default_factory=dict)
    candidates: Mapping[BlockId, Candidate] = field(default_factory=dict)
    tallies: Mapping[tuple[int, SignedMessageType], Tally] = field(default_factory=dict)
    scheduled: frozenset[tuple[int, Step]] = frozenset()
    wanted: frozenset[BlockId] = frozenset()
    decided: BlockId | None = None
    previous: Decision | None = None

    def tally(self, round_: int, message_type: SignedMessageType) -> Tally:
        """Votes of one round and type at this height; empty where none came."""
        return self.tallies.get((round_, message_type), _NO_VOTES)


_NO_VOTES = Tally()
