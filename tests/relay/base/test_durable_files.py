"""Whole or not at all: on a full disk, at a failing call, and where something is there already."""

import errno
import os
import stat

import pytest

from relay.base.durable_files import create_durably, durable_file, make_folder_durably, place_file, write_durably


def written_by_block(path, data):
    with durable_file(path) as file:
        file.write(data)


WRITERS = [write_durably, place_file, create_durably, written_by_block]


@pytest.fixture(params=WRITERS, ids=lambda writer: writer.__name__)
def write(request):
    return request.param


def test_what_is_written_is_there_alone_and_private(write, tmp_path):
    write(tmp_path / "file", b"content")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_bytes() == b"content"
    status = (tmp_path / "file").stat()
    assert stat.S_IMODE(status.st_mode) == 0o600 and status.st_nlink == 1


@pytest.mark.parametrize("call", ["write", "fsync"])
def test_trial_T7_a_failing_disk_leaves_what_was_there(write, tmp_path, monkeypatch, call):
    path = tmp_path / "file"
    if write is not create_durably:
        write(path, b"old")

    def no_space(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    if write is written_by_block and call == "write":
        pytest.skip("a buffered file does not call os.write; the next test fills a disk")
    monkeypatch.setattr(os, call, no_space)
    with pytest.raises(OSError, match="No space left"):
        write(path, b"new")
    assert [(found.name, found.read_bytes()) for found in tmp_path.iterdir()] == (
        [] if write is create_durably else [("file", b"old")]
    )


def test_trial_T7_a_full_disk_leaves_what_was_there(write, full_disk):
    if write is not create_durably:
        write(full_disk.path / "file", b"old")
    full_disk.fill()
    before = sorted(path.name for path in full_disk.path.iterdir())
    with pytest.raises(OSError, match="No space left"):
        write(full_disk.path / "file", bytes(64 * 1024))
    assert sorted(path.name for path in full_disk.path.iterdir()) == before
    full_disk.free()
    write(full_disk.path / "file", b"new")
    assert (full_disk.path / "file").read_bytes() == b"new"


def test_a_new_file_replaces_nothing(tmp_path):
    (tmp_path / "file").write_bytes(b"mine")
    with pytest.raises(FileExistsError):
        create_durably(tmp_path / "file", b"other")
    assert [(found.name, found.read_bytes()) for found in tmp_path.iterdir()] == [("file", b"mine")]


def test_a_new_file_without_hard_links(tmp_path, monkeypatch):
    """FAT, and some networks' file systems."""

    def refuse(self, target):
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr("pathlib.Path.hardlink_to", refuse)
    create_durably(tmp_path / "file", b"mine")
    with pytest.raises(FileExistsError):
        create_durably(tmp_path / "file", b"other")
    assert [(found.name, found.read_bytes()) for found in tmp_path.iterdir()] == [("file", b"mine")]


def test_a_block_that_fails_leaves_nothing(tmp_path):
    with pytest.raises(ValueError, match="no more"), durable_file(tmp_path / "file") as file:
        file.write(b"half")
        raise ValueError("no more")
    assert list(tmp_path.iterdir()) == []


def test_folders_are_made_up_to_the_last(tmp_path):
    make_folder_durably(tmp_path / "a" / "b")
    make_folder_durably(tmp_path / "a" / "b")
    assert stat.S_IMODE((tmp_path / "a" / "b").stat().st_mode) == 0o700
