"""Whole or not at all: on a full disk, at a failing call, and where something is there already."""

import ast
import errno
import os
import stat
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hutong.relay.base.durable_files import (
    create_durably,
    durable_file,
    make_folder_durably,
    place_file,
    place_files,
    write_durably,
)

ROOT = Path(__file__).parents[3]
DURABLE = "relay/base/durable_files.py"
IN_PLACE = {
    "relay/attestor/record.py",
    "relay/devnet/log/home.py",
    "relay/hub/skipping/marker.py",
    "relay/hub/engine/wal.py",
    "relay/keys/signing_record.py",
}
"""Appended to or written in place: see the module's docstring."""


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


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@given(
    old=st.dictionaries(st.sampled_from("abcd"), st.binary(max_size=40)),
    new=st.dictionaries(st.sampled_from("abcd"), st.binary(max_size=40)),
    fails_at=st.integers(0, 12),
)
def test_files_that_do_not_fit_change_nothing(old, new, fails_at):
    with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        folder, calls = Path(name), 0
        place_files((folder / one, data) for one, data in old.items())
        assert contents(folder) == old
        write, fsync = os.write, os.fsync

        def failing(call):
            def counted(*arguments):
                nonlocal calls
                calls += 1
                if calls > fails_at:
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                return call(*arguments)

            return counted

        patch.setattr(os, "write", failing(write))
        patch.setattr(os, "fsync", failing(fsync))
        needed = sum(1 + bool(data) for data in new.values())
        if fails_at < needed:
            with pytest.raises(OSError, match="No space left"):
                place_files((folder / one, data) for one, data in new.items())
            assert contents(folder) == old
        else:
            place_files((folder / one, data) for one, data in new.items())
            assert contents(folder) == old | new


@given(new=st.dictionaries(st.sampled_from("abcd"), st.binary(min_size=1), min_size=1), fails_at=st.integers(0, 3))
def test_a_rename_that_fails_leaves_each_file_old_or_new(new, fails_at):
    with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        folder, calls = Path(name), 0
        replace = Path.replace

        def failing(path, to):
            nonlocal calls
            calls += 1
            if calls > fails_at:
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            return replace(path, to)

        place_files((folder / one, b"") for one in new)
        patch.setattr(Path, "replace", failing)
        if fails_at < len(new):
            with pytest.raises(OSError, match="Input/output"):
                place_files((folder / one, data) for one, data in new.items())
        else:
            place_files((folder / one, data) for one, data in new.items())
        found = contents(folder)
        assert found.keys() == new.keys() and all(found[one] in (b"", data) for one, data in new.items())
        assert sum(bool(data) for data in found.values()) == min(fails_at, len(new))


def test_nothing_goes_into_a_file_that_somebody_else_made_there(write, tmp_path, monkeypatch):
    """A content may be a key, and a folder may be everybody's."""
    theirs, opened = tmp_path / "theirs", os.open
    theirs.write_bytes(b"")
    theirs.chmod(0o666)

    def planted(path, flags, *mode):
        if flags & os.O_CREAT and not os.path.lexists(path):
            os.symlink(theirs, path)
        return opened(path, flags, *mode)

    monkeypatch.setattr(os, "open", planted)
    with pytest.raises(FileExistsError):
        write(tmp_path / "file", b"a key")  # who plants it again and again stops the writer, and learns nothing
    assert theirs.read_bytes() == b"" and not (tmp_path / "file").exists()
    once = iter([True])
    monkeypatch.setattr(os, "open", lambda *given: (planted if next(once, False) else opened)(*given))
    write(tmp_path / "file", b"a key")
    assert theirs.read_bytes() == b"" and (tmp_path / "file").read_bytes() == b"a key"
    assert not (tmp_path / "file").is_symlink() and (tmp_path / "file").stat().st_mode & 0o777 == 0o600


def test_what_a_killed_writer_left_goes_with_the_next_large_file(tmp_path):
    (tmp_path / "file.unfinished").write_bytes(b"half")
    written_by_block(tmp_path / "file", b"whole")
    assert contents(tmp_path) == {"file": b"whole"}


def syncs(source: str) -> bool:
    # most modules have neither word, and need not be parsed
    return ("fsync" in source or "fdatasync" in source) and any(
        isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "os"
        and node.attr in ("fsync", "fdatasync")
        for node in ast.walk(ast.parse(source))
    )


def test_files_are_made_durable_in_one_place():
    found = {
        name
        for folder in ("adapters", "light_clients", "relay")
        for path in (ROOT / folder).rglob("*.py")
        if syncs(path.read_text()) and (name := str(path.relative_to(ROOT)))
    }
    assert found == {DURABLE} | IN_PLACE
