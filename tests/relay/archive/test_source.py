"""A folder of bundles as a source: names in one order, bounded reads, and errors that name the entry."""

import os
import pickle

import pytest

from hutong.light_clients.interface import MalformedInput
from hutong.relay.archive import ArchiveUnavailable, source
from hutong.relay.archive.source import DirectorySource


def test_folder_lists_its_bundles_alone_in_order(tmp_path):
    for name in ("b.bundle.json", "a.bundle.json", "readme.txt"):
        (tmp_path / name).write_text(name)
    folder = DirectorySource(tmp_path)
    assert list(folder.names()) == ["a.bundle.json", "b.bundle.json"]
    assert folder.read("b.bundle.json") == b"b.bundle.json"
    assert pickle.loads(pickle.dumps(folder)) == folder


def test_names_are_in_the_order_of_their_numbers(tmp_path):
    names = [f"{text}.bundle.json" for text in ("a-2", "a-02", "a-10", "a-10-3", "9", "10", "\u0663")]
    for name in names:
        (tmp_path / name).touch()
    found = list(DirectorySource(tmp_path).names())
    assert found == [f"{text}.bundle.json" for text in ("9", "10", "a-02", "a-2", "a-10-3", "a-10", "\u0663")]


def test_absent_folder_and_absent_entry_are_named(tmp_path):
    with pytest.raises(ArchiveUnavailable, match="nowhere"):
        DirectorySource(tmp_path / "nowhere").names()
    with pytest.raises(ArchiveUnavailable, match="gone"):
        DirectorySource(tmp_path).read("gone.bundle.json")


@pytest.mark.parametrize("name", ["../a.bundle.json", "a.json", "/etc/passwd", "a\0.bundle.json"])
def test_names_lead_nowhere_else(tmp_path, name):
    with pytest.raises(MalformedInput):
        DirectorySource(tmp_path).read(name)


def test_too_long_entries_and_what_is_no_file_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(source, "MAX_BUNDLE_BYTES", 10)
    (tmp_path / "long.bundle.json").write_bytes(bytes(11))
    (tmp_path / "folder.bundle.json").mkdir()
    os.mkfifo(tmp_path / "pipe.bundle.json")
    for name in ("long", "folder", "pipe"):
        with pytest.raises(MalformedInput, match=name):
            DirectorySource(tmp_path).read(f"{name}.bundle.json")
