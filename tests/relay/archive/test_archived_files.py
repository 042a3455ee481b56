"""Files that an archive keeps whole beside bundles: version 2, nothing twice, nothing replaced, every damage named."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hutong.light_clients.interface import MalformedInput
from hutong.relay.archive.store import BundleArchive, Directory, FileEntry, verify
from hutong.relay.archive.store.entries import MAX_FILE_BYTES, decode_line, encode_entry
from hutong.relay.archive.store.layout import HEAD_NAME, decode_head, encode_head, object_name
from hutong.relay.archive.store.manifest import digest_of
from tests.relay.archive.bundle_values import bundle_of

FILES = [("000001-0.audit", b"answers"), ("000001.record.json", b"{}\n")]
LINE = encode_entry(FileEntry(1, "000001-0.audit", bytes(32), 7))


@pytest.fixture
def place(tmp_path):
    return tmp_path / "archive"


def opened(place) -> BundleArchive:
    return BundleArchive.create(Directory(place))


def version(place) -> int:
    return decode_head((place / HEAD_NAME).read_bytes()).version


def test_files_come_back_beside_bundles_and_make_version_2(place):
    archive = opened(place)
    archive.append([("one", bundle_of(1))], 1_000)
    assert version(place) == 1, "an archive without files is as before"
    done = archive.append_files(FILES, 1_001)
    assert (done.indices, done.known, done.refused) == ([1, 2], 0, {}) and version(place) == 2
    archive.append([("two", bundle_of(2))], 1_002)
    again = opened(place)
    assert version(place) == 2 and again.head.root == archive.head.root
    assert [again.file(again.files[name][0]) for name, _ in FILES] == [data for _, data in FILES]
    assert len(again.newest) == 2
    found = verify(again)
    assert (found.is_whole, found.files, found.bundles, found.unneeded) == (True, 2, 2, 0)


def test_a_file_is_kept_once_and_none_takes_its_name(place):
    archive = opened(place)
    archive.append_files(FILES, 1_000)
    done = opened(place).append_files(
        [*FILES, (FILES[0][0], b"other"), ("../x", b"1"), ("", b"1"), ("long", bytes(MAX_FILE_BYTES + 1))], 1_001
    )
    assert (done.indices, done.known) == ([], 2)
    assert set(done.refused) == {FILES[0][0], "../x", "", "long"}
    assert opened(place).file(0) == b"answers"


def test_what_is_changed_or_gone_is_named(place):
    archive = opened(place)
    archive.append_files(FILES, 1_000)
    paths = [place / object_name(digest_of(data)) for _, data in FILES]
    paths[0].write_bytes(b"answerz")
    paths[1].unlink()
    damages = [str(one) for one in verify(opened(place)).damages]
    assert [one.partition(": ")[0] for one in damages] == [
        f"entry {number}, file {name}" for number, (name, _) in enumerate(FILES)
    ]
    with pytest.raises(MalformedInput, match="is damaged"):
        opened(place).file(0)


def test_a_head_of_version_1_has_no_files(place):
    archive = opened(place)
    archive.append_files(FILES, 1_000)
    head = decode_head((place / HEAD_NAME).read_bytes())
    (place / HEAD_NAME).write_bytes(encode_head(type(head)(head.size, head.root)))
    again = BundleArchive(Directory(place))
    assert not again.files and len(verify(again).damages) == len(FILES)


def test_files_are_pruned_with_their_objects_and_the_root_holds(place):
    archive = opened(place)
    archive.append_files(FILES[:1], 1_000)
    archive.append_files(FILES[1:], 2_000)
    done = archive.prune(1_500, 3_000)
    assert (done.entries, done.objects) == (1, 1)
    again = opened(place)
    assert set(again.files) == {FILES[1][0]} and verify(again).is_whole and version(place) == 2


@given(st.data())
def test_one_other_byte_of_a_file_line_is_another_value_or_refused(draw):
    at = draw.draw(st.integers(0, len(LINE) - 1))
    changed = LINE[:at] + bytes([draw.draw(st.integers(0, 255))]) + LINE[at + 1 :]
    try:
        value = decode_line(changed)
    except MalformedInput:
        return
    assert changed == LINE or value != decode_line(LINE)
