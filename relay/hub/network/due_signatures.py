"""What a validator whose signer is away has not signed: it is silent, and makes good what is still of use when it can."""

from collections.abc import Sequence

import trio

from hutong.relay.hub.consensus.round_state import RoundState
from hutong.relay.hub.consensus.types import SignProposal, SignVote, Step

MOST = 8
"""A round has three; older ones are of no use."""


class DueSignatures:
    """`lost` is set while somebody should look for the signer; `reason` says why it is away, or nothing."""

    def __init__(self) -> None:
        self.reason = ""
        self.lost = trio.Event()
        self._waiting: list[SignVote | SignProposal] = []
        self._ask = False

    def put(self, effect: SignVote | SignProposal, reason: str) -> None:
        """Keep what could not be signed, and set `lost`. Only the newest MOST are kept."""
        self._waiting = [*self._waiting, effect][-MOST:]
        self.reason = reason
        self.lost.set()

    def ask_again(self) -> None:
        """The signer is there: `lost` is a new event, and the next `again` hands out what waits."""
        self.lost = trio.Event()
        self.reason = ""
        self._ask = True

    def again(self, state: RoundState) -> Sequence[SignVote | SignProposal]:
        """What is to be signed now, in its order: empty but for the first call after `ask_again`.

        Of what waited, only that of the round that the validator is in; the rest is forgotten.
        """
        if not self._ask:
            return ()
        self._ask = False
        waiting, self._waiting = self._waiting, []
        return [effect for effect in waiting if _is_of_use(state, effect)]


def _is_of_use(state: RoundState, effect: SignVote | SignProposal) -> bool:
    if state.step is Step.COMMIT:
        return False
    if isinstance(effect, SignProposal):
        proposal = effect.proposal
        at = (proposal.height, proposal.round)
        return at == (state.height, state.round) and state.step is Step.PROPOSE and state.round not in state.proposals
    vote = effect.vote
    given = state.tally(vote.round, vote.message_type).votes
    return (vote.height, vote.round) == (state.height, state.round) and vote.validator_index not in given
