"""What an auditor remembers is bounded by number and by bytes, and never changes what is remembered."""

from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.relay.audit.memory import MAX_REMEMBERED, Remembered


def test_the_oldest_goes_where_there_is_no_room_for_the_bytes():
    kept: Remembered[str, str] = Remembered(max_bytes=10)
    for name in "abc":
        kept.keep(name, name.upper(), 4)
    assert [kept.get(name) for name in "abc"] == [None, "B", "C"]
    kept.keep("d", "D", 10)
    assert [kept.get(name) for name in "bcd"] == [None, None, "D"]


def test_what_is_larger_than_the_room_drives_nothing_out():
    kept: Remembered[str, str] = Remembered(max_bytes=10)
    kept.keep("a", "A", 10)
    kept.keep("b", "B", 11)
    assert (kept.get("a"), kept.get("b")) == ("A", None)


def test_the_number_is_bounded_too():
    kept: Remembered[int, int] = Remembered()
    for number in range(MAX_REMEMBERED + 1):
        kept.keep(number, number, 1)
    assert (len(kept), kept.get(0), kept.get(1)) == (MAX_REMEMBERED, None, 1)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 12))))
def test_any_history_fits_and_the_newest_that_fits_is_known(history):
    kept: Remembered[int, int] = Remembered(max_bytes=10)
    sizes: dict[int, int] = {}
    for number, (key, size_bytes) in enumerate(history):
        kept.keep(key, number, size_bytes)
        if size_bytes <= 10:
            sizes[key] = size_bytes
            assert kept.get(key) == number
        assert sum(size for known, size in sizes.items() if kept.get(known) is not None) <= 10
