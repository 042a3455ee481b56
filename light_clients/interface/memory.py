"""Consensus states held in memory, for whoever verifies without a store: the relay before paying, the audit, tests."""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping

from hutong.light_clients.interface.height import Height


class MemoryConsensusStates:
    """An immutable `ConsensusStates` over a mapping."""

    __slots__ = ("_heights", "_states")

    def __init__(self, states: Mapping[Height, bytes]) -> None:
        self._states = dict(states)
        self._heights = sorted(self._states)

    def get(self, height: Height) -> bytes | None:
        """See `ConsensusStates.get`; what was given for that height, not decoded."""
        return self._states.get(height)

    def before(self, height: Height) -> tuple[Height, bytes] | None:
        """See `ConsensusStates.before`: by bisection over all heights."""
        index = bisect_left(self._heights, height)
        return None if index == 0 else self._at(index - 1)

    def after(self, height: Height) -> tuple[Height, bytes] | None:
        """See `ConsensusStates.after`: by bisection over all heights."""
        index = bisect_right(self._heights, height)
        return None if index == len(self._heights) else self._at(index)

    def with_state(self, height: Height, state: bytes) -> "MemoryConsensusStates":
        """A copy with `state` stored at `height`, in place of what is there."""
        return MemoryConsensusStates({**self._states, height: state})

    def _at(self, index: int) -> tuple[Height, bytes]:
        height = self._heights[index]
        return height, self._states[height]
