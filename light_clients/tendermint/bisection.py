"""Which height to try next, where too much of the validator set changed for one step (tendermint-rs light-client scheduler).

A pure schedule: who fetches headers and who judges them is somebody else's matter. Each verdict moves it: what is believed
becomes the trusted height, and after `NotEnoughTrust` the middle of the way is tried. The next block is always believed,
being bound by hash, so every goal is reached; how many steps that takes depends on how often the set changes.
"""

from dataclasses import dataclass, replace

from light_clients.interface import PredicateFailed

MAX_STEPS = 512
"""Verdicts of one schedule. A halving is tried again after each header that is believed, so a way of n headers over d
heights needs at most about n log2(d) verdicts: 512 are far beyond what any chain's changes call for."""


@dataclass(frozen=True, slots=True)
class Bisection:
    """A way from `trusted` to `goals[0]`, heights of one revision; the nearest goal stands last and is tried next."""

    trusted: int
    goals: tuple[int, ...]
    steps: int = 0
    max_steps: int = MAX_STEPS

    @classmethod
    def to(cls, target: int, trusted: int, max_steps: int = MAX_STEPS) -> "Bisection":
        """Skip the whole way first. Raises PredicateFailed if the target is not above the trusted height."""
        if target <= trusted:
            raise PredicateFailed("height_increases", "the target is not above the trusted height", target, trusted)
        return cls(trusted, (target,), 0, max_steps)

    @property
    def next_height(self) -> int | None:
        """To be judged from `trusted`; None at the target."""
        return self.goals[-1] if self.goals else None

    def believed(self) -> "Bisection":
        """The next height was accepted: go on from there."""
        if not self.goals:
            raise ValueError("the target is reached")
        return replace(self._counted(), trusted=self.goals[-1], goals=self.goals[:-1])

    def not_enough_trust(self) -> "Bisection":
        """Too little of the trusted power signed the next height: try the middle before it.

        Raises:
            PredicateFailed: it is the very next block, which needs no overlap, so the verdict is wrong; or too many steps.
        """
        if not self.goals:
            raise ValueError("the target is reached")
        middle = (self.trusted + self.goals[-1]) // 2
        if middle <= self.trusted:
            raise PredicateFailed(
                "bisection_advances", "nothing lies between", got=self.goals[-1], expected=f"> {self.trusted + 1}"
            )
        return replace(self._counted(), goals=(*self.goals, middle))

    def _counted(self) -> "Bisection":
        if self.steps >= self.max_steps:
            raise PredicateFailed(
                "bisection_is_short", f"no way to {self.goals[0]} yet, at {self.trusted}", self.steps, self.max_steps
            )
        return replace(self, steps=self.steps + 1)
