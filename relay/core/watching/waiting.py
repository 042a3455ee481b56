"""Packets that were received and whose app had not answered when the clearer last looked at them.

What brings such a packet on is its answer, an event that a watcher reads. So the clearer looks at them by turns. It looks at
once where a watcher heard an answer, and at all of a chain where it may have missed some.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from hutong.relay.config import PathEnd
from hutong.relay.core.topology.paths import Paths

LOOKS_A_PASS = 100
"""At packets that wait, though nothing was heard of them: an endpoint may keep an answer to itself."""
MOST_PASSES = 30
"""After so many each was looked at, however many wait: 15 minutes at an interval of 30 s."""
MAX_HEARD = 100_000
"""Answers of one path end between two passes; what is more counts as missed."""


@dataclass(slots=True)
class _AtEnd:
    """`since` are the packets that wait, longest unseen first, and whether the timeout scheduler watched them then, which
    ends with their settlement. `heard` are those whose answers were heard since the pass began, so that a look that was
    under way at that moment does not put them back; `missed`, that others may have been."""

    since: dict[int, bool] = field(default_factory=dict)
    heard: set[int] = field(default_factory=set)
    missed: bool = False


class WaitingForApps:
    """By the path end that sent them. Watchers tell of answers, the clearer of what it saw: nothing here waits or fails."""

    def __init__(self, paths: Paths) -> None:
        self._paths = paths
        self._ends = {end: _AtEnd() for end in paths.opposite}

    def answered(self, end: PathEnd, sequence: int) -> None:
        """An event says so: true or not, the packet is looked at in the next pass."""
        at = self._ends[end]
        at.since.pop(sequence, None)
        if len(at.heard) < MAX_HEARD:
            at.heard.add(sequence)
        else:
            self.forget(end)

    def missed(self, chain: str) -> None:
        """Blocks of `chain` were passed over: any of the answers may stand in them."""
        for end, opposite in self._paths.opposite.items():
            if opposite.chain == chain:
                self.forget(end)

    def forget(self, end: PathEnd) -> None:
        """All that were sent over `end` are looked at in the next pass."""
        at = self._ends[end]
        at.since.clear()
        at.missed = True

    def begin(self, end: PathEnd) -> None:
        """A pass: what is heard from now on may come while a packet is looked at."""
        at = self._ends[end]
        at.heard.clear()
        at.missed = False

    def rests(self, end: PathEnd, sequence: int, *, watched: bool) -> None:
        """It was looked at in this pass, and waits."""
        at = self._ends[end]
        at.since.pop(sequence, None)
        if not at.missed and sequence not in at.heard:
            at.since[sequence] = watched

    def goes_on(self, end: PathEnd, sequence: int) -> bool:
        """It was looked at in this pass, and does not wait. Returns whether nothing had told of it."""
        at = self._ends[end]
        return at.since.pop(sequence, None) is not None

    def postpone(self, end: PathEnd, sequence: int) -> None:
        """It could not be looked at: others come before it."""
        since = self._ends[end].since
        if sequence in since:
            since[sequence] = since.pop(sequence)

    def of(self, end: PathEnd, sequences: Iterable[int], watched: Callable[[int], bool]) -> list[int]:
        """Of `sequences` those that wait, as far as is known, longest unseen first."""
        asked = set(sequences)
        return [one for one, was in self._ends[end].since.items() if one in asked and (watched(one) or not was)]


def turn_of(waiting: int) -> int:
    """How many of them are looked at before the others are left to a later pass."""
    return max(LOOKS_A_PASS, -(-waiting // MOST_PASSES))
