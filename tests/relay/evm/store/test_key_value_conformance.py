"""What every key-value store must do, against a dictionary."""

import subprocess
import sys
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import lmdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hutong.relay.evm.store.database import MAX_KEY_BYTES, MemoryStore, Table, WritableTable, WriteBatch
from hutong.relay.evm.store.lmdb_store import LmdbStore

KEYS = st.binary(min_size=1, max_size=3) | st.sampled_from([b"\xff" * n for n in (1, 2, 3)])
WRITES = st.lists(st.tuples(KEYS, st.none() | st.binary(max_size=4)), max_size=12)


@pytest.fixture(params=["memory", "lmdb"])
def store(request, tmp_path):
    made = MemoryStore() if request.param == "memory" else LmdbStore(tmp_path / "db", sync=False, map_bytes=1 << 24)
    with closing(made):
        yield made


def assert_equals_model(reader, model):
    ordered = sorted(model.items())
    assert list(reader.items()) == ordered
    probes = [b"", b"\x00", b"\x7f", b"\xff\xff\xff\xff", *model]
    for probe in probes:
        assert reader.next(probe) == next(((k, v) for k, v in ordered if k > probe), None)
        assert reader.previous(probe) == next(((k, v) for k, v in reversed(ordered) if k < probe), None)
        assert list(reader.items(probe)) == [(k, v) for k, v in ordered if k >= probe]
        assert list(reader.items(b"", probe)) == [(k, v) for k, v in ordered if k < probe]
        if probe:
            assert reader.get(probe) == model.get(probe)


def run_batches(store, batches):
    model = {}
    for writes, fails in batches:
        before = dict(model)
        try:
            with store.batch() as batch:
                for key, value in writes:
                    if value is None:
                        batch.delete(key)
                        model.pop(key, None)
                    else:
                        batch.put(key, value)
                        model[key] = value
                assert_equals_model(batch, model)
                assert_equals_model(store, before)
                if fails:
                    raise ZeroDivisionError
        except ZeroDivisionError:
            model = before
        assert_equals_model(store, model)


MANY = {b"%03d" % number: b"" for number in range(300)}


@given(st.lists(st.tuples(WRITES, st.sampled_from([1, 7, 200])), max_size=3))
@settings(max_examples=30, deadline=None)
def test_a_batch_that_is_read_between_its_writes_follows_the_model(steps):
    """Many new keys at once and few beside many are put in order in two ways."""
    with closing(MemoryStore()) as store, store.batch() as batch:
        model = {}
        for number, (writes, share) in enumerate(steps):
            added = dict(list(MANY.items())[number::share])
            for key, value in [*added.items(), *writes]:
                if value is None:
                    batch.delete(key)
                    model.pop(key, None)
                else:
                    batch.put(key, value)
                    model[key] = value
            ordered = sorted(model.items())
            assert list(batch.items()) == ordered
            for key, _ in writes:
                assert batch.next(key) == next(((k, v) for k, v in ordered if k > key), None)
                assert batch.previous(key) == next(((k, v) for k, v in reversed(ordered) if k < key), None)
            assert [key for key, value in batch.pending() if value is not None] == [key for key, _ in ordered]


BATCHES = st.lists(st.tuples(WRITES, st.booleans()), max_size=4)


@given(BATCHES)
@settings(max_examples=60, deadline=None)
def test_memory_store_follows_the_model(batches):
    with closing(MemoryStore()) as store:
        run_batches(store, batches)


@given(BATCHES)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_lmdb_store_follows_the_model(batches):
    with TemporaryDirectory() as folder, closing(LmdbStore(Path(folder), sync=False, map_bytes=1 << 22)) as store:
        run_batches(store, batches)


def test_keys_out_of_bounds_are_refused(store):
    with store.batch() as batch:
        batch.put(b"k" * MAX_KEY_BYTES, b"v")
        for key in (b"", b"k" * (MAX_KEY_BYTES + 1)):
            with pytest.raises(ValueError):
                batch.put(key, b"v")
            with pytest.raises(ValueError):
                batch.delete(key)
    assert store.get(b"k" * MAX_KEY_BYTES) == b"v"


def test_tables_do_not_see_each_other(store):
    with store.batch() as batch:
        for prefix in (b"a", b"b", b"c"):
            table = WritableTable(batch, prefix)
            table.put(b"1", prefix + b"1")
            table.put(b"2", prefix + b"2")
        WritableTable(batch, b"b").delete(b"1")
    table = Table(store, b"b")
    assert list(table.items()) == [(b"2", b"b2")]
    assert table.next(b"") == (b"2", b"b2")
    assert table.next(b"2") is None
    assert table.previous(b"2") is None
    assert table.previous(b"3") == (b"2", b"b2")
    assert table.last() == (b"2", b"b2")
    assert list(Table(store, b"c").items(b"1", b"2")) == [(b"1", b"c1")]
    assert Table(store, b"d").last() is None


def test_overlay_that_is_thrown_away_leaves_the_store(store):
    with store.batch() as batch:
        batch.put(b"kept", b"1")
    overlay = WriteBatch(store)
    overlay.put(b"kept", b"2")
    overlay.put(b"new", b"3")
    assert overlay.get(b"kept") == b"2"
    assert list(store.items()) == [(b"kept", b"1")]


def test_lmdb_reopens_with_the_last_whole_batch(tmp_path):
    with closing(LmdbStore(tmp_path, map_bytes=1 << 24)) as store:
        with store.batch() as batch:
            batch.put(b"k", b"1")
        with pytest.raises(ZeroDivisionError), store.batch() as batch:
            batch.put(b"k", b"2")
            raise ZeroDivisionError
    with closing(LmdbStore(tmp_path, map_bytes=1 << 24)) as store:
        assert store.get(b"k") == b"1"


@pytest.mark.parametrize("killed", [True, False])
def test_pages_of_a_reader_that_was_killed_are_used_again_and_those_of_a_living_one_are_not(tmp_path, killed):
    """As a backup that was killed beside a node: else the file grows with every batch until the node ends."""
    store = LmdbStore(tmp_path, map_bytes=1 << 26, sync=False)

    def fill(times: int) -> int:
        for number in range(times):
            with store.batch() as batch:
                for place in range(8):
                    batch.put(b"%d" % place, bytes([number % 256]) * 3_000)
        return (tmp_path / "data.mdb").stat().st_size

    fill(50)
    code = (
        "import sys; from pathlib import Path; from hutong.relay.evm.store.lmdb_store import LmdbStore\n"
        "rows = LmdbStore(Path(sys.argv[1]), map_bytes=1 << 26, read_only=True).items()\n"
        "first = next(rows); print(flush=True); sys.stdin.read()\n"
        "print({value[0] for _, value in (first, *rows)})"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as reader:
        reader.stdout.readline()
        if killed:
            reader.kill()
            reader.wait()
        before = fill(10)
        after = fill(200)
        if not killed:
            assert reader.communicate("")[0].strip() == "{49}"
    store.close()
    assert (after < 1.5 * before) == killed


def test_a_read_only_lmdb_store_sees_what_is_committed_and_writes_nothing(tmp_path):
    with pytest.raises(lmdb.Error):
        LmdbStore(tmp_path / "none", read_only=True)
    assert not (tmp_path / "none").exists()
    store = LmdbStore(tmp_path / "data", sync=False)
    with store.batch() as batch:
        batch.put(b"key", b"value")
    store.close()
    reader = LmdbStore(tmp_path / "data", read_only=True)
    assert list(reader.items()) == [(b"key", b"value")]
    with pytest.raises(lmdb.ReadonlyError), reader.batch() as batch:
        batch.put(b"key", b"other")
    reader.close()
