"""How long each step of a round lasts."""

from dataclasses import dataclass

from hutong.relay.hub.application.genesis import HubParams
from hutong.relay.hub.consensus.types import Step


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds. Rounds grow longer, so that in the end everyone meets in one."""

    propose_s: float = 3.0
    vote_s: float = 1.0
    growth_s: float = 0.5
    factor: float = 1.0
    most_s: float = 30.0

    @classmethod
    def without_peers(cls) -> "Timeouts":
        """For a validator that decides alone: long enough not to spin.

        No message of others can come, so an absent proposer need not be waited for.
        """
        return cls(0.05, 0.05, 0.05)

    @classmethod
    def among_peers(cls, params: HubParams) -> "Timeouts":
        """Short where `block_interval_ms` is: 0.8 to 3 s for a proposal, 0.4 to 1 s for votes.

        Each round is half as long again as the one before, which makes good within a few rounds what is too short.
        """
        interval_s = params.block_interval_ms / 1000
        return cls(min(3.0, max(0.8, 3 * interval_s)), min(1.0, max(0.4, interval_s)), 0.0, 1.5)

    def of(self, timer: Step, round_: int) -> float:
        """Seconds that `timer` runs in round `round_` (from 0), at most `most_s`.

        Every timer but that of proposals has `vote_s`.
        """
        base = self.propose_s if timer is Step.PROPOSE else self.vote_s
        return min(self.most_s, base * self.factor ** min(round_, 100) + self.growth_s * round_)
