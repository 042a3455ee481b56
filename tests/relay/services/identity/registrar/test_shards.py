"""A registrar's files beside a tree that works out every node anew: what calls do, what a restart finds, what is not theirs."""

from random import Random

import pytest

from hutong.light_clients.interface import MalformedInput
from hutong.relay.services.identity.registrar import shards as shards_module
from hutong.relay.services.identity.registrar.shard_file import ShardFile
from hutong.relay.services.identity.registrar.shards import (
    MARK_FILE,
    Executed,
    NotOfTheseShards,
    ShardsInUse,
    open_shards,
)
from hutong.relay.services.identity.rules.persons import calls
from hutong.relay.services.identity.rules.persons.changing import (
    changed,
    encode_change,
    encode_changes,
    encode_control,
)
from hutong.relay.services.identity.rules.persons.person import encode_opening
from hutong.relay.services.identity.rules.persons.registering import Registration, encode_registrations
from hutong.relay.services.identity.rules.records.shard_record import MAX_LEAVES
from tests.relay.services.identity.rules.persons.people import DID, change, control, person, tree_of

AT_S = 1_700_000_000
WRITER = (DID, bytes(32))


def registering(people, tree, writer=WRITER):
    """The registrar's files judge no signature: the hub has."""
    entries = encode_registrations([Registration(one.control, one.salt, bytes(64)) for one in people])
    return Executed(calls.REGISTER_PERSONS.encode(writer, 0, tree.edge(), entries), AT_S)


class History:
    """Calls as a hub has executed them, and everybody after them."""

    def __init__(self) -> None:
        self.people, self.calls = [], []

    def register(self, count: int) -> None:
        more = [person(f"{len(self.people) + number}") for number in range(count)]
        self.calls.append(registering(more, tree_of(self.people)))
        self.people += more

    def change(self, *indices: int, own: bool = False) -> None:
        entries = []
        for index in indices:
            before = self.people[index]
            entry = change(index, before, control(f"{index} of {len(self.calls)}"), f"{index}")
            self.people[index] = changed(before, entry.following, AT_S if own else None)
            entries.append(entry)
        if own:
            data = calls.CHANGE_PERSON.encode(DID, 0, [], encode_change(entries[0]))
        else:
            data = calls.CHANGE_PERSONS.encode(WRITER, 0, [], encode_changes(entries))
        self.calls.append(Executed(data, AT_S))

    def recover(self, index: int, by_registrar: bool) -> None:
        before, to = self.people[index], control(f"recovered {index}")
        opening, following, place = encode_opening(before), encode_control(to), (DID, 0, index)
        if by_registrar:
            data = calls.START_RECOVERY_AS_REGISTRAR.encode(WRITER, 0, index, opening, [], following, b"")
        else:
            data = calls.START_RECOVERY.encode(place, opening, [], following, b"", 1, [])
        done = calls.COMPLETE_RECOVERY.encode(place, opening, [])
        self.calls += [Executed(data, AT_S), Executed(done, AT_S + 1)]
        self.people[index] = changed(before, to)

    @property
    def tree(self):
        return tree_of(self.people)


def some_history() -> History:
    history, random = History(), Random(5)
    for count in (3, 1, 6, 1):
        history.register(count)
        history.change(*sorted(random.sample(range(len(history.people)), 2)))
    history.change(4, own=True)
    history.recover(2, by_registrar=False)
    history.register(5)
    history.recover(7, by_registrar=True)
    return history


def holds(shards, history) -> None:
    (file,) = shards.files
    tree = history.tree
    assert (file.root, file.edge()) == (tree.root(), tree.edge())
    assert list(file.people()) == history.people
    assert all(file.path(index) == tree.path(index) for index in range(file.count))
    assert file.siblings([1, 4, 5]) == tree.siblings([1, 4, 5])


def test_shards_are_what_calls_made_of_them_also_after_a_crash(tmp_path):
    """Whoever ends without keeping what was applied applies it again, and everything is as if it had not."""
    history = some_history()
    with open_shards(tmp_path, DID) as shards:
        for number, executed in enumerate(history.calls[:6]):
            assert shards.apply(executed), number
        shards.keep(6)
        for executed in history.calls[6:]:
            assert shards.apply(executed)
        holds(shards, history)
    with open_shards(tmp_path, DID) as shards:
        assert shards.height == 6
        for executed in history.calls[6:]:
            assert shards.apply(executed)
        holds(shards, history)
        shards.keep(20)
    with open_shards(tmp_path, DID) as shards:
        assert shards.height == 20 and not shards.waiting
        holds(shards, history)


def test_a_recovery_that_waits_is_kept(tmp_path):
    history = History()
    history.register(2)
    history.recover(1, by_registrar=False)
    with open_shards(tmp_path, DID) as shards:
        for executed in history.calls[:2]:
            shards.apply(executed)
        shards.keep(2)
    with open_shards(tmp_path, DID) as shards:
        assert shards.waiting == {(0, 1): control("recovered 1")}
        assert shards.apply(history.calls[2])
        assert shards.shard(0).root == history.tree.root()
        cleared = calls.CLEAR_RECOVERY.encode((DID, 0, 1))
        assert not shards.apply(Executed(cleared, AT_S))


def test_calls_about_others_change_nothing_and_gaps_are_told(tmp_path):
    history = some_history()
    with open_shards(tmp_path, DID) as shards:
        assert shards.apply(history.calls[0])
        root = shards.files[0].root
        other = registering([person("other")], tree_of([]), (b"\x12" * 32, bytes(32)))
        assert not shards.apply(other)
        assert not shards.apply(Executed(b"\x01\x02\x03\x04" + bytes(64), AT_S))
        assert not shards.apply(Executed(b"", AT_S))
        for gap in (
            history.calls[4],
            history.calls[-1],
            Executed(calls.CHANGE_PERSON.encode(DID, 1, [], bytes(264)), AT_S),
        ):
            with pytest.raises((NotOfTheseShards, MalformedInput)):
                shards.apply(gap)
        assert shards.files[0].root == root
        with pytest.raises(IndexError):
            shards.files[0].person(3)
        with pytest.raises(NotOfTheseShards):
            shards.shard(1)


def test_a_folder_is_one_registrars_and_one_process(tmp_path):
    with open_shards(tmp_path, DID) as shards:
        shards.keep(1)
        with pytest.raises(ShardsInUse), open_shards(tmp_path, DID):
            pass
    with pytest.raises(NotOfTheseShards), open_shards(tmp_path, b"\x12" * 32):
        pass
    (tmp_path / MARK_FILE).write_bytes(b"[]")
    with pytest.raises(MalformedInput), open_shards(tmp_path, DID):
        pass


def test_the_next_shard_begins_after_a_full_one(tmp_path, monkeypatch):
    monkeypatch.setattr(shards_module, "MAX_LEAVES", 3)
    with open_shards(tmp_path, DID) as shards:
        number, file = shards.last()
        assert (number, file.count, len(shards.files)) == (0, 0, 1)
        file.append(b"".join(encode_opening(person(f"{number}")) for number in range(3)))
        number, file = shards.last()
        assert (number, file.count, len(shards.files)) == (1, 0, 2)


def test_files_are_sparse_and_filled_to_the_last_leaf(tmp_path):
    file = ShardFile(tmp_path, 0, MAX_LEAVES - 1)
    file.append(encode_opening(person("last")))
    assert file.count == MAX_LEAVES and file.edge() == [file.root]
    assert file.person(MAX_LEAVES - 1) == person("last")
    file.close()
    assert sum(path.stat().st_blocks * 512 for path in tmp_path.iterdir()) < 1_000_000
