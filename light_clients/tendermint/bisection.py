"""Which height to try next, where too much of the validator set changed for one step.

A pure schedule: who fetches headers and who judges them is somebody else's matter. It looks for the furthest height that
the trusted one vouches for, by halving, takes that step and tries the whole rest from there. The plain halving of other
light clients goes on from the first height that is believed; but every header that a chain is sent costs gas, a verdict
costs nothing there, and halving for the furthest needs fewer of the former (docs/light-clients/tendermint.md has figures).

The next block is always believed, being bound by hash, so every target is reached. Trust need not shrink evenly with the
distance: a step is taken only where its own verdict said so.
"""

from dataclasses import dataclass, replace

from hutong.light_clients.interface import PredicateFailed

MAX_VERDICTS = 2_048
"""Of one schedule. A step takes at most log2 of the distance, 24 for a year of blocks: room for more than 80 steps."""


@dataclass(frozen=True, slots=True)
class Bisection:
    """A way from a trusted height to `target`, heights of one revision. Each verdict makes the next state.

    `steps` are the heights to be believed one after the other, each vouched for by the one before; `trusted` is the
    last of them, or where the way begins. `reached` is believed from `trusted`, `beyond` is the lowest height that was
    not.
    """

    target: int
    trusted: int
    reached: int
    beyond: int | None = None
    steps: tuple[int, ...] = ()
    verdicts: int = 0
    max_verdicts: int = MAX_VERDICTS

    @classmethod
    def between(cls, trusted: int, target: int, max_verdicts: int = MAX_VERDICTS) -> "Bisection":
        """A schedule that begins at `trusted`, which the caller believes; both heights are of one revision.

        Raises:
            PredicateFailed: `height_increases`: the target is not above the trusted height.
        """
        if target <= trusted:
            raise PredicateFailed("height_increases", "the target is not above the trusted height", target, trusted)
        return cls(target, trusted, trusted, max_verdicts=max_verdicts)

    @property
    def next_height(self) -> int | None:
        """To be judged from `trusted`; None where the steps lead to the target."""
        if self.trusted == self.target:
            return None
        return self.target if self.beyond is None else (self.reached + self.beyond) // 2

    def believed(self) -> "Bisection":
        """Enough of the trusted power signed the next height.

        Raises:
            PredicateFailed: `bisection_is_short`: `max_verdicts` were counted already.
            ValueError: the target is reached, so nothing was asked.
        """
        height = self._height()
        return replace(self._counted(), reached=height)._settled()

    def not_enough_trust(self) -> "Bisection":
        """Too little of the trusted power signed the next height.

        Raises:
            PredicateFailed: it is the very next block, which needs no overlap, so the verdict is wrong; or too many.
            ValueError: the target is reached, so nothing was asked.
        """
        height = self._height()
        if height == self.trusted + 1:
            raise PredicateFailed("bisection_advances", "the next block needs no overlap", got=height)
        return replace(self._counted(), beyond=height)._settled()

    def _height(self) -> int:
        height = self.next_height
        if height is None:
            raise ValueError("the target is reached")
        return height

    def _counted(self) -> "Bisection":
        if self.verdicts >= self.max_verdicts:
            raise PredicateFailed(
                "bisection_is_short",
                f"no way to {self.target} yet, at {self.trusted}",
                self.verdicts,
                self.max_verdicts,
            )
        return replace(self, verdicts=self.verdicts + 1)

    def _settled(self) -> "Bisection":
        """Take the step once nothing further can be believed."""
        if self.reached != self.target and (self.beyond is None or self.beyond - self.reached > 1):
            return self
        return replace(self, trusted=self.reached, beyond=None, steps=(*self.steps, self.reached))
