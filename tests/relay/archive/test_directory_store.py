"""A folder does what every place of an archive must do."""

import os

import pytest

from hutong.relay.archive import ArchiveUnavailable
from hutong.relay.archive.store import BundleArchive, Directory, open_backend, open_source, verify
from tests.relay.archive.backend_conformance import BackendConformance
from tests.relay.archive.bundle_values import bundle_of, object_holding


@pytest.fixture
def backend(tmp_path):
    return Directory(tmp_path / "archive")


class TestDirectory(BackendConformance):
    pass


def test_what_a_killed_writer_left_is_no_file(backend, tmp_path):
    BundleArchive.create(backend).append([("1", bundle_of(1))], 1)
    (tmp_path / "archive" / "log" / ".00000000.77.tmp").write_bytes(b"half")
    assert sorted(name for name in backend.names("log/")) == ["log/00000000"]
    assert verify(BundleArchive(backend)).is_whole


def test_files_are_the_owners_alone(backend, tmp_path):
    BundleArchive.create(backend).append([("1", bundle_of(1))], 1)
    for folder, _, files in os.walk(tmp_path / "archive"):
        assert os.stat(folder).st_mode & 0o077 == 0
        assert all(os.stat(os.path.join(folder, name)).st_mode & 0o077 == 0 for name in files)


def test_a_damaged_object_is_mended_by_whoever_writes_it_again(backend, tmp_path):
    archive = BundleArchive.create(backend)
    archive.append([("1", bundle_of(1))], 1)
    object_holding(tmp_path / "archive", b"hub header 7").write_bytes(b"damaged")
    assert not verify(BundleArchive(backend)).is_whole
    BundleArchive(backend).append([("2", bundle_of(2))], 2)
    assert verify(BundleArchive(backend)).is_whole


def test_a_place_that_cannot_be_used_is_one_sentence(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ArchiveUnavailable, match="cannot be"):
        BundleArchive.create(Directory(tmp_path / "file"))
    for text in ("ftp://x/y", "s3://UPPER/x", "s3://", "s3://bucket/" + "x" * 600):
        with pytest.raises(ArchiveUnavailable):
            open_backend(text)
    with pytest.raises(ArchiveUnavailable, match="neither a folder of bundles nor an archive"):
        open_source(str(tmp_path / "nothing"))
