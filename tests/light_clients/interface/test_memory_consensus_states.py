from hypothesis import given
from hypothesis import strategies as st

from hutong.light_clients.interface import Height, MemoryConsensusStates

UINT64 = st.integers(0, 2**64 - 1)
HEIGHTS = st.builds(Height, UINT64, UINT64)


@given(st.dictionaries(HEIGHTS, st.binary(max_size=3), max_size=6), HEIGHTS)
def test_neighbours_are_strictly_below_and_above(states, height):
    stored = MemoryConsensusStates(states)
    below, over = [h for h in states if h < height], [h for h in states if h > height]
    assert stored.get(height) == states.get(height)
    assert stored.before(height) == ((max(below), states[max(below)]) if below else None)
    assert stored.after(height) == ((min(over), states[min(over)]) if over else None)


def test_a_new_state_makes_a_copy():
    one = MemoryConsensusStates({})
    two = one.with_state(Height(0, 1), b"x")
    assert (one.get(Height(0, 1)), two.get(Height(0, 1))) == (None, b"x")
