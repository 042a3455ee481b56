"""What the index says is committed is there; one change that fails undoes no other; trees of many sizes."""

import sqlite3
import threading

import pytest

from hutong.light_clients.proofs.merkle import prove, root
from hutong.light_clients.proofs.merkle.tree import leaf_hash
from hutong.relay.services.storage.operator.grouped_writes import GroupedWrites
from hutong.relay.services.storage.operator.levels import TreeLevels

SCHEMA = "CREATE TABLE rows (number INTEGER PRIMARY KEY)"


def rows(path):
    with sqlite3.connect(path) as other:
        return [number for (number,) in other.execute("SELECT number FROM rows ORDER BY number")]


def test_a_change_that_fails_undoes_no_other(tmp_path):
    database = GroupedWrites(tmp_path / "index", SCHEMA, 3)
    begun, may_end, errors = threading.Event(), threading.Event(), []

    def first(use):
        use.execute("INSERT INTO rows VALUES (0)")
        begun.set()
        assert may_end.wait(30)

    def insert(number):
        try:
            database.write(
                lambda use: [use.execute("INSERT INTO rows VALUES (?)", (one,)) for one in (number, number % 4)]
            )
        except sqlite3.IntegrityError as error:
            errors.append((number, error))

    threads = [threading.Thread(target=database.write, args=(first,))]
    threads[0].start()
    assert begun.wait(30)
    threads += [threading.Thread(target=insert, args=(number,)) for number in (4, 5, 6)]
    for thread in threads[1:]:
        thread.start()
    may_end.set()
    for thread in threads:
        thread.join(30)
    # 4 brought 0 again, so that nothing of it is there; 5 brought 1, and 6 brought 2.
    assert [number for number, _ in errors] == [4] and rows(tmp_path / "index") == [0, 1, 2, 5, 6]
    assert database.read(lambda use: use.execute("SELECT count(*) FROM rows").fetchone()) == (5,)
    database.close()


def test_another_version_or_file_is_not_opened(tmp_path):
    GroupedWrites(tmp_path / "index", SCHEMA, 3).close()
    GroupedWrites(tmp_path / "index", SCHEMA, 3).close()
    with pytest.raises(ValueError, match="has version 3 of its tables"):
        GroupedWrites(tmp_path / "index", SCHEMA, 4)
    (tmp_path / "other").write_bytes(b"no database of any kind, but a text of some length" * 20)
    with pytest.raises(sqlite3.DatabaseError):
        GroupedWrites(tmp_path / "other", SCHEMA, 3)


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8, 13, 100])
def test_paths_are_those_of_rfc_6962(size):
    leaves = [bytes([number]) for number in range(size)]
    levels = TreeLevels(list(map(leaf_hash, leaves)))
    assert levels.root == root(leaves)
    for index in range(size):
        assert levels.path(index) == prove(leaves, index).aunts
    for outside in (-1, size):
        with pytest.raises(IndexError):
            levels.path(outside)
    with pytest.raises(ValueError, match="at least one leaf"):
        TreeLevels([])
