"""Engines on this machine do what every engine must, and outlive a loss of power where they say so."""

import errno
import os
import threading

import pytest
from pydantic import ValidationError

from hutong.relay.services.storage.engines import durability
from hutong.relay.services.storage.engines.directory import DirectoryEngine
from hutong.relay.services.storage.engines.durability import (
    SETTLE_S,
    DeclaredDurable,
    Journaled,
    SyncedByDisk,
    sync_file_system,
)
from hutong.relay.services.storage.engines.engine import EngineFull, EngineUnavailable, NotThere
from hutong.relay.services.storage.engines.opening import EngineConfig, open_engine
from tests.relay.services.storage.engines.dropping import DroppingEngine
from tests.relay.services.storage.engines.engine_conformance import NAME, EngineConformance

NOW = 2_000_000_000.0


class TestDirectory(EngineConformance):
    @pytest.fixture
    def engine(self, tmp_path):
        return DirectoryEngine(tmp_path / "shards")


class TestDropping(EngineConformance):
    """The tests' own engine is one, so that what is shown with it is of engines."""

    @pytest.fixture
    def engine(self):
        return DroppingEngine()


class TestJournaled(EngineConformance):
    @pytest.fixture
    def engine(self, tmp_path):
        return Journaled(DroppingEngine(), tmp_path / "journal")


class TestSyncedByDisk(EngineConformance):
    @pytest.fixture
    def engine(self, tmp_path):
        return SyncedByDisk(DirectoryEngine(tmp_path / "shards"), tmp_path)


def survives(engine, dropping: DroppingEngine) -> bool:
    engine.create(NAME, b"what was receipted")
    dropping.lose_power()
    durability.settled(engine, NOW)
    try:
        return engine.read_back(NAME) == b"what was receipted"
    except NotThere:
        return False


def test_what_was_answered_outlives_a_loss_of_power(tmp_path):
    """And with an engine that is believed it does not: the twin."""
    dropping = DroppingEngine()
    assert survives(Journaled(dropping, tmp_path / "journal"), dropping)
    dropping = DroppingEngine()
    assert survives(SyncedByDisk(dropping, tmp_path, lambda _: dropping.sync()), dropping)
    dropping = DroppingEngine()
    assert not survives(DeclaredDurable(dropping), dropping)


def test_the_journal_lets_go_after_a_while(tmp_path):
    dropping = DroppingEngine()
    engine = Journaled(dropping, tmp_path / "journal")
    engine.create(NAME, b"x")
    written_s = (tmp_path / "journal" / NAME).stat().st_mtime
    assert engine.settle(written_s + SETTLE_S - 1) == 0 and (tmp_path / "journal" / NAME).exists()
    dropping.sync()
    assert engine.settle(written_s + SETTLE_S) == 0 and not (tmp_path / "journal" / NAME).exists()
    dropping.lose_power()
    assert engine.read_back(NAME) == b"x"


def test_what_the_engine_lost_is_as_young_as_its_new_copy(tmp_path):
    dropping = DroppingEngine()
    engine = Journaled(dropping, tmp_path / "journal")
    engine.create(NAME, b"x")
    dropping.lose_power()
    late_s = (tmp_path / "journal" / NAME).stat().st_mtime + 2 * SETTLE_S
    assert engine.settle(late_s) == 1
    dropping.lose_power()
    assert engine.settle(late_s + 1) == 1
    assert engine.settle(late_s + 2) == 0 and engine.read_back(NAME) == b"x"


def test_the_journal_brings_back_nothing_that_was_deleted(tmp_path):
    dropping = DroppingEngine()
    engine = Journaled(dropping, tmp_path / "journal")
    engine.create(NAME, b"x")
    engine.delete(NAME)
    assert engine.settle(NOW) == 0 and list(engine.names("")) == []


def test_writers_that_wait_share_a_sync(tmp_path):
    """Eight write while the first sync runs: one more serves them all, and none returns before it began."""
    dropping, syncs, may_end = DroppingEngine(), [], threading.Event()
    is_first_begun, written = threading.Event(), threading.Semaphore(0)

    def sync(_path):
        syncs.append(set(dropping.objects))
        is_first_begun.set()
        if len(syncs) == 1:
            assert may_end.wait(30)

    class Counting(DroppingEngine):
        def create(self, name, octets):
            tag = dropping.create(name, octets)
            written.release()
            return tag

    engine = SyncedByDisk(Counting(), tmp_path, sync)
    threads = [threading.Thread(target=engine.create, args=(f"a/{number}", b"x")) for number in range(9)]
    threads[0].start()
    assert is_first_begun.wait(30)
    for thread in threads[1:]:
        thread.start()
    for _ in threads:
        assert written.acquire(timeout=30)
    may_end.set()
    for thread in threads:
        thread.join(30)
    assert syncs[0] == {"a/0"} and len(syncs[-1]) == 9 and len(syncs) <= 9


def test_a_disk_that_fails_at_its_sync_gives_no_receipt(tmp_path):
    def sync(_path):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with pytest.raises(EngineUnavailable, match="cannot be synced"):
        SyncedByDisk(DroppingEngine(), tmp_path, sync).create(NAME, b"x")
    sync_file_system(tmp_path)
    with pytest.raises(FileNotFoundError):
        sync_file_system(tmp_path / "none")


def test_a_full_folder_says_so(tmp_path, monkeypatch):
    def full(*_arguments):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    engine = DirectoryEngine(tmp_path)
    monkeypatch.setattr("hutong.relay.services.storage.engines.directory.create_durably", full)
    with pytest.raises(EngineFull, match="No space"):
        engine.create(NAME, b"x")
    assert engine.free_bytes() > 0 and DirectoryEngine(tmp_path / "later" / "made").free_bytes() > 0


def test_a_folder_that_cannot_be_used_is_unavailable(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(EngineUnavailable, match="cannot be written"):
        DirectoryEngine(tmp_path / "file").create(NAME, b"x")


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"folder": "/shards"}, DirectoryEngine),
        ({"bucket": "s3://shards/a", "durable_by": "journal"}, Journaled),
        ({"bucket": "s3://shards", "durable_by": "disk", "disk": "/"}, SyncedByDisk),
        ({"bucket": "s3://shards", "durable_by": "answer"}, DeclaredDurable),
    ],
)
def test_engines_of_a_configuration_are_durable(fields, kind, tmp_path, monkeypatch):
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    engine = open_engine(EngineConfig.model_validate(fields), tmp_path)
    assert isinstance(engine, kind) and engine.is_durable
    assert engine.location == fields.get("folder", fields.get("bucket"))


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"bucket": "s3://shards"}, "needs durable_by"),
        ({"folder": "/shards", "durable_by": "answer"}, "is for buckets"),
        ({"bucket": "s3://shards", "durable_by": "disk"}, "needs disk"),
        ({"bucket": "s3://shards", "durable_by": "journal", "disk": "/"}, "needs disk"),
        ({"durable_by": "journal"}, "a folder or a bucket"),
        ({"folder": "/shards", "bucket": "s3://shards", "durable_by": "journal"}, "one of the two"),
    ],
)
def test_a_bucket_says_by_what_it_is_durable(fields, reason):
    with pytest.raises(ValidationError, match=reason):
        EngineConfig.model_validate(fields)
