"""A view asks its version for a key once, within bounds, and writes still come first."""

from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.relay.hub.state.view import MAX_KEPT_READS, MAX_KEPT_VALUE_BYTES, StateView


class Counting:
    """A version that counts what it is asked for."""

    def __init__(self, values):
        self.values = values
        self.asked = []

    def get(self, key):
        self.asked.append(key)
        return self.values.get(key)

    def next(self, key):
        return min(((k, v) for k, v in self.values.items() if k > key), default=None)

    def previous(self, key):
        return max(((k, v) for k, v in self.values.items() if k < key), default=None)


def test_each_key_is_asked_once_there_or_not():
    base = Counting({b"a": b"1"})
    view = StateView(base)
    assert [view.get(b"a"), view.get(b"b"), view.get(b"a"), view.get(b"b")] == [b"1", None, b"1", None]
    assert base.asked == [b"a", b"b"]


def test_large_values_and_more_keys_than_the_bound_are_not_kept():
    base = Counting({b"large": bytes(MAX_KEPT_VALUE_BYTES + 1)})
    view = StateView(base)
    for number in range(MAX_KEPT_READS):
        view.get(number.to_bytes(4, "big"))
    for _ in range(2):
        assert view.get(b"large") == bytes(MAX_KEPT_VALUE_BYTES + 1)
        assert view.get(b"one more") is None
    assert base.asked[MAX_KEPT_READS:] == [b"large", b"one more"] * 2
    assert len(base.asked) == len(set(base.asked[:MAX_KEPT_READS])) + 4


KEYS = st.sampled_from([b"a", b"b", b"c"])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("get"), KEYS),
        st.tuples(st.just("set"), KEYS, st.binary(min_size=1, max_size=2)),
        st.tuples(st.just("delete"), KEYS),
        st.tuples(st.just("snapshot")),
        st.tuples(st.just("revert")),
    ),
    max_size=30,
)


@given(st.dictionaries(KEYS, st.binary(min_size=1, max_size=2)), STEPS)
@settings(max_examples=200, deadline=None)
def test_reads_are_those_of_a_view_that_keeps_nothing(values, steps):
    view, model, snapshots = StateView(Counting(dict(values))), dict(values), []
    for step in steps:
        match step:
            case ("get", key):
                assert view.get(key) == model.get(key)
            case ("set", key, value):
                view.set(key, value)
                model[key] = value
            case ("delete", key):
                view.delete(key)
                model.pop(key, None)
            case ("snapshot",):
                snapshots.append((view.snapshot(), dict(model)))
            case ("revert",) if snapshots:
                identifier, model = snapshots.pop()
                view.revert(identifier)
    changed = {key for key in values.keys() | model.keys() if values.get(key) != model.get(key)}
    assert dict(view.changes()) == {key: model.get(key) for key in changed}
