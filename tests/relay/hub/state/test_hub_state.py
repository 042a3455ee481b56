"""The state tree against a plain dict, and every proof through the verifier that clients use."""

from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.light_clients.interface import VerificationError
from hutong.light_clients.proofs.ics23 import SMT_SPEC, verify_chained
from hutong.relay.evm.store.database import MemoryStore
from hutong.relay.hub.state import (
    EMPTY_ROOT,
    GENESIS_KEY,
    SparseMerkleTree,
    StateView,
    VersionedState,
    prove_nonexistence,
)
from hutong.relay.hub.state.keys import RESERVED_PREFIXES
from hutong.relay.hub.state.tree import encode_node
from hutong.relay.hub.state.versions import escaped

KEYS = st.one_of(
    st.binary(min_size=1, max_size=6),
    st.sampled_from([b"a", b"a\x00", b"a\x00\x00", b"a\x00\xff", b"a\x01", b"\x00", b"\xff", b"\xff\xff"]),
)
VALUES = st.binary(min_size=1, max_size=8)
CHANGES = st.dictionaries(KEYS, st.one_of(st.none(), VALUES), max_size=12)


def naive_root(content: dict[bytes, bytes]) -> bytes:
    """The tree's definition, by recursion over all keys."""
    leaves = {sha256(key).digest(): sha256(value).digest() for key, value in content.items()}

    def subtree(prefix: str) -> bytes:
        below = [key for key in leaves if f"{int.from_bytes(key, 'big'):0256b}".startswith(prefix)]
        if not below:
            return bytes(32)
        if len(below) == 1:
            return sha256(b"\x00" + below[0] + leaves[below[0]]).digest()
        return sha256(b"\x01" + subtree(prefix + "0") + subtree(prefix + "1")).digest()

    return subtree("")


class Versions:
    """A store with a model beside it: the content of every version."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.state = VersionedState(self.store)
        self.content = [{GENESIS_KEY: b"\x01"}]
        self.roots = [self._commit({GENESIS_KEY: b"\x01"})]

    def _commit(self, changes):
        latest = self.state.latest_version()
        with self.store.batch() as batch:
            return self.state.commit(batch, 0 if latest is None else latest + 1, changes)

    def apply(self, changes):
        content = dict(self.content[-1])
        for key, value in changes.items():
            if value is None:
                content.pop(key, None)
            else:
                content[key] = value
        self.content.append(content)
        self.roots.append(self._commit(changes))


def verify(root: bytes, proof: bytes, key: bytes, value: bytes | None) -> None:
    verify_chained((SMT_SPEC,), proof, root, (key,), value)


@settings(max_examples=60, deadline=None)
@given(st.lists(CHANGES, min_size=1, max_size=5), KEYS)
def test_every_version_equals_the_model_and_proves_presence_and_absence(batches, probe):
    versions = Versions()
    for changes in batches:
        versions.apply(changes)
    for version, content in enumerate(versions.content):
        root = versions.state.root(version)
        assert root == versions.roots[version] == naive_root(content)
        view = versions.state.view_at(version)
        for key in {probe, *content}:
            expected = content.get(key)
            value, proof = versions.state.get_with_proof(version, key)
            assert value == view.get(key) == expected
            verify(root, proof, key, expected)
            wrong = b"another value" if expected is not None else b"some value"
            with pytest.raises(VerificationError):
                verify(root, proof, key, wrong)


@pytest.mark.long
@settings(max_examples=60, deadline=None)
@given(st.lists(CHANGES, min_size=1, max_size=4), KEYS)
def test_neighbours_are_those_of_the_model_at_every_version(batches, probe):
    versions = Versions()
    for changes in batches:
        versions.apply(changes)
    for version, content in enumerate(versions.content):
        view = versions.state.view_at(version)
        above = min((key for key in content if key > probe), default=None)
        below = max((key for key in content if key < probe), default=None)
        assert view.next(probe) == (None if above is None else (above, content[above]))
        assert view.previous(probe) == (None if below is None else (below, content[below]))


OPERATIONS = st.lists(
    st.one_of(
        st.tuples(st.just("set"), KEYS, VALUES),
        st.tuples(st.just("delete"), KEYS),
        st.tuples(st.just("snapshot")),
        st.tuples(st.just("revert"), st.integers(0, 5)),
        st.tuples(st.just("commit"), st.integers(0, 5)),
    ),
    max_size=40,
)


@settings(max_examples=80, deadline=None)
@given(CHANGES, OPERATIONS, KEYS)
def test_reverted_writes_leave_nothing_in_a_view(base, operations, probe):
    versions = Versions()
    versions.apply(base)
    view = versions.state.view_at(1)
    model = dict(versions.content[1])
    open_snapshots: list[tuple[int, dict]] = []
    for operation in operations:
        match operation:
            case ("set", key, value):
                view.set(key, value)
                model[key] = value
            case ("delete", key):
                view.delete(key)
                model.pop(key, None)
            case ("snapshot",):
                open_snapshots.append((view.snapshot(), dict(model)))
            case ("revert", depth) if depth < len(open_snapshots):
                identifier, model = open_snapshots[-1 - depth]
                view.revert(identifier)
                model = dict(model)
                del open_snapshots[-1 - depth :]
            case ("commit", depth) if depth < len(open_snapshots):
                view.commit(open_snapshots[-1 - depth][0])
                del open_snapshots[-1 - depth :]
    changes = view.changes()
    after = {key: value for key, value in {**versions.content[1], **changes}.items() if value is not None}
    assert after == model
    assert all(changes[key] != versions.content[1].get(key) for key in changes)
    above = min((key for key in model if key > probe), default=None)
    assert view.next(probe) == (None if above is None else (above, model[above]))
    versions.apply(changes)
    assert versions.roots[-1] == naive_root(model)


def test_no_change_leaves_the_root_and_writes_no_node():
    versions = Versions()
    versions.apply({b"k": b"v"})
    before = versions.roots[-1]
    root, nodes = versions.state.tree.update(before, {})
    assert (root, nodes) == (before, {})


def test_a_deleted_key_returns_the_root_that_was_before_it():
    versions = Versions()
    versions.apply({b"a": b"1"})
    versions.apply({b"b": b"2"})
    versions.apply({b"b": None})
    assert versions.roots[3] == versions.roots[1] != versions.roots[2]


def test_a_lone_leaf_rises_and_the_empty_tree_is_zero():
    versions = Versions()
    leaf = sha256(b"\x00" + sha256(GENESIS_KEY).digest() + sha256(b"\x01").digest()).digest()
    assert versions.roots[0] == leaf
    assert versions.state.tree.update(leaf, {GENESIS_KEY: None})[0] == EMPTY_ROOT
    with pytest.raises(ValueError, match="empty tree"):
        prove_nonexistence(versions.state.tree, EMPTY_ROOT, b"k")


def test_attack_B27_hub_absence_at_an_older_root_does_not_serve_a_newer_one():
    versions = Versions()
    versions.apply({b"a": b"1"})
    versions.apply({b"packet": b"2"})
    _, stale = versions.state.get_with_proof(1, b"packet")
    verify(versions.roots[1], stale, b"packet", None)
    with pytest.raises(VerificationError):
        verify(versions.roots[2], stale, b"packet", None)


def test_keys_and_values_out_of_bounds_are_refused():
    tree = SparseMerkleTree(MemoryStore())
    for changes in ({b"": b"v"}, {b"k" * 201: b"v"}, {b"k": b""}, {b"k": b"v" * (512 * 1024 + 1)}):
        with pytest.raises(ValueError, match="a state (key|value) has"):
            tree.update(EMPTY_ROOT, changes)
    with pytest.raises(ValueError, match="never empty"):
        StateView(VersionedState(MemoryStore()).view_at(0)).set(b"k", b"")


@given(st.lists(KEYS, min_size=2, max_size=2))
def test_escaping_keeps_the_order_of_keys(pair):
    first, second = pair
    assert (first < second) == (escaped(first) < escaped(second))
    if first != second:
        assert not escaped(second).startswith(escaped(first))


def test_areas_are_distinct():
    areas = [prefix.split(b"/")[0] for prefix in RESERVED_PREFIXES]
    used = [b"hub", b"evm", b"clients", b"router", b"forward", b"admin"]
    assert len(set(areas + used)) == len(areas + used)


def test_vectors_of_the_spec():
    """docs/spec/hub-state.md."""
    versions = Versions()
    versions.apply({b"client-0\x01" + bytes(7) + b"\x01": bytes(32), b"evm/stateRoot": b"\x02" * 32})
    assert [root.hex() for root in versions.roots] == [
        "d56e561c49106c3bdc80d7e7c96cd751337c2e433742845d8edc89e5e1cd334d",
        "9791076d410b205e0b25fb5e4b84cc334d9344886e44c3b0e9a61e9605314cc0",
    ]
    node = versions.state.tree.node(versions.roots[0])
    assert encode_node(node).hex() == "00000b" + GENESIS_KEY.hex() + "01"
    proof = versions.state.get_with_proof(1, b"evm/stateRoot")[1]
    assert sha256(proof).hexdigest() == "5d61115d3aaa2a8265013578e7db03794dde9818dba34f33cbd2c985843d428d"
