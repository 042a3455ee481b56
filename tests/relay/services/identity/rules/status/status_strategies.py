"""Lists of statuses for property tests."""

from hypothesis import strategies as st

from hutong.relay.services.identity.rules.status import WIDTHS, Statuses, TreeShape

widths = st.sampled_from(WIDTHS)


@st.composite
def lists(draw, chunks=st.integers(0, 3).map(lambda depth: 1 << depth)):
    """A shape that the hub takes, and bytes of that size, mostly zero as real ones are."""
    bits, count = draw(widths), draw(chunks)
    octets = bytearray(32 * count)
    for at, byte in draw(st.dictionaries(st.integers(0, len(octets) - 1), st.integers(0, 255), max_size=12)).items():
        octets[at] = byte
    return TreeShape(bits, 256 * count // bits), bytes(octets)


@st.composite
def small_statuses(draw):
    return Statuses(draw(widths), draw(st.binary(min_size=1, max_size=80)))
