"""What every place of an archive must do: subclasses give the fixture `backend`, empty."""

from contextlib import nullcontext

import pytest

from hutong.light_clients.interface import MalformedInput
from hutong.relay.archive.store import BundleArchive, NoArchive, WriteConflict, verify
from hutong.relay.archive.store.layout import HEAD_NAME, leaves_name, log_name
from tests.relay.archive.bundle_values import RECEIVED, SETTLED, bundle_of, packet_id


class BackendConformance:
    def test_a_file_is_absent_then_whole(self, backend):
        assert backend.read("log/00000000", 100) is None
        version = backend.write("log/00000000", b"first", None)
        stored = backend.read("log/00000000", 100)
        assert (stored.data, stored.version) == (b"first", version)
        assert backend.read("log/00000000", 3).data == b"firs"

    def test_a_version_is_replaced_by_who_has_read_it(self, backend):
        first = backend.write("head", b"1", None)
        second = backend.write("head", b"2", first)
        assert second != first
        for stale in (None, first):
            with pytest.raises(WriteConflict, match="changed by somebody else"):
                backend.write("head", b"3", stale)
        with pytest.raises(WriteConflict):
            backend.write("never", b"3", first)
        assert backend.read("head", 9).data == b"2"

    def test_files_named_by_content_are_written_again_without_harm(self, backend):
        files = {f"objects/{number:02x}/{number:064x}": b"%d" % number for number in range(20)}
        for _ in range(2):
            backend.keep_all(files)
        assert set(backend.names("objects/")) == set(files)
        assert backend.read(next(iter(files)), 9).data == b"0"

    def test_deleted_files_are_gone_and_may_have_been_before(self, backend):
        backend.keep_all({"objects/a": b"1", "objects/b": b"2", "log/c": b"3"})
        backend.delete_all(["objects/a", "objects/never"])
        assert list(backend.names("objects/")) == ["objects/b"]
        assert sorted(backend.names("")) == ["log/c", "objects/b"]

    def test_an_archive_lives_there(self, backend):
        with pytest.raises(NoArchive, match="is not an archive"):
            BundleArchive(backend)
        archive = BundleArchive.create(backend)
        done = archive.append([(str(number), bundle_of(number)) for number in range(1, 31)], 1_000)
        assert (done.indices, done.known, done.refused) == (list(range(30)), 0, {})
        again = BundleArchive.create(backend)
        assert again.head == archive.head and again.head.size == 30
        assert all(again.bundle(index) == bundle_of(index + 1) for index in range(30))
        assert verify(again).is_whole
        # 30 bundles share two headers of the hub, its validators and one header more: each is kept once
        assert len(list(backend.names("objects/"))) == 30 * 4 + 4

    def test_two_writers_do_not_overwrite_each_other(self, backend):
        first, second = BundleArchive.create(backend), BundleArchive.create(backend)
        first.append([("1", bundle_of(1))], 1_000)
        second.append([("2", bundle_of(2))], 1_001)
        first.append([("3", bundle_of(3))], 1_002)
        archive = BundleArchive(backend)
        assert [archive.bundle(index) for index in range(3)] == [bundle_of(number) for number in (1, 2, 3)]
        assert verify(archive).is_whole

    def test_a_write_between_reading_and_writing_is_met(self, backend):
        archive, other = BundleArchive.create(backend), BundleArchive.create(backend)
        other.append([("9", bundle_of(9))], 1_000)
        archive._reload = lambda: None  # as if the other had written just after it was asked
        with pytest.raises(WriteConflict):
            archive.append([("1", bundle_of(1))], 1_001)
        del archive._reload
        archive.append([("1", bundle_of(1))], 1_002)
        assert sorted(archive.newest) == [packet_id(1), packet_id(9)]
        assert verify(BundleArchive(backend)).is_whole

    def test_a_second_writer_at_any_moment_harms_nothing(self, backend):
        """Another writer appends before each of the writes of one: one of the two is stopped, and the log is whole."""

        class Disturbed:
            def __init__(self, at: int) -> None:
                self.left = at

            def __getattr__(self, name):
                return getattr(backend, name)

            def alone(self):
                return nullcontext()  # a folder would hold the other back

            def write(self, name, data, expected):
                self.left -= 1
                if self.left == 0:
                    BundleArchive(backend).append([("other", bundle_of(100 + self.at))], 2_000)
                return backend.write(name, data, expected)

        for at in range(1, 6):
            disturbed = Disturbed(at)
            disturbed.at = at
            archive = BundleArchive.create(backend)
            archive._backend = disturbed
            try:
                archive.append([("mine", bundle_of(at))], 2_000)
            except WriteConflict:
                assert at <= 4
            archive = BundleArchive(backend)
            assert verify(archive).is_whole
            archive.append([("mine", bundle_of(at))], 2_001)
            assert verify(BundleArchive(backend)).is_whole and packet_id(at) in archive.newest

    def test_pruned_and_superseded_entries(self, backend):
        archive = BundleArchive.create(backend)
        archive.append([("1", bundle_of(1, RECEIVED)), ("2", bundle_of(2))], 1_000)
        archive.append([("1", bundle_of(1, SETTLED))], 2_000)
        done = archive.prune(1_500, 3_000)
        assert (done.entries, done.kept_because) == (2, None) and done.objects > 0
        findings = verify(BundleArchive(backend))
        assert (findings.is_whole, findings.bundles, findings.pruned, findings.prunings) == (True, 1, 2, 1)
        assert archive.bundle(2) == bundle_of(1)
        with pytest.raises(MalformedInput, match="pruned"):
            archive.bundle(0)
        assert {HEAD_NAME, log_name(0), leaves_name(0)} <= set(backend.names(""))
