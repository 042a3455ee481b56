"""The block in which state first shows something is found by few reads, wherever it is and whatever the node has pruned."""

from math import log2

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from hutong.adapters.cosmos.reading.history import first_height
from hutong.adapters.interface import HeightUnavailable


class State:
    """Shows something from `appears` on; keeps no state below `kept`."""

    def __init__(self, appears: int, kept: int) -> None:
        self.appears, self.kept, self.asked = appears, kept, []

    async def shows(self, height: int) -> bool:
        self.asked.append(height)
        if height < self.kept:
            raise HeightUnavailable("simd", height, "pruned")
        return height >= self.appears


@given(st.data())
def test_the_first_height_is_found_in_few_reads(data):
    highest = data.draw(st.integers(1, 10**7))
    lowest = data.draw(st.integers(1, highest))
    appears = data.draw(st.integers(1, highest))
    kept = data.draw(st.integers(1, highest))
    state = State(appears, kept)
    found, is_first = trio.run(first_height, state.shows, lowest, highest)
    assert found == max(appears, kept, lowest)
    # it is only known to be the first where the state before was read and does not show it, or there is none before
    assert is_first == ((found == appears > max(kept, lowest)) or found == 1)
    assert all(lowest <= height < highest for height in state.asked)
    assert len(state.asked) <= 2 * log2(highest - found + 1) + 3


async def test_recent_heights_are_found_first():
    state = State(999_998, 1)
    assert await first_height(state.shows, 1, 1_000_000) == (999_998, True)
    assert len(state.asked) <= 4


async def test_errors_of_endpoints_are_not_taken_for_an_answer():
    async def shows(height: int) -> bool:
        raise OSError

    with pytest.raises(OSError):
        await first_height(shows, 1, 10)
