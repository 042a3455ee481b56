"""Evidence of a batch in one file: all of it or none, the later write holds, and what versions before wrote is read."""

import os
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hutong.light_clients.ibc.packet import Acknowledgement
from hutong.light_clients.interface import MalformedInput
from hutong.relay.archive import Archive, ArchiveUnavailable, encode_evidence
from hutong.relay.archive import archive as archive_module
from hutong.relay.archive.batch_file import (
    A_FOLDER,
    KNOWN_FOLDERS,
    MAX_SEQUENCES_CHARS,
    WriteCounter,
    name_batches,
    parse_batch_name,
)
from tests.relay.archive.test_archive import EVIDENCE
from tests.relay.relay_values import packet

DONE = Acknowledgement((b"x",))


def of(sequence: int, **changes):
    return replace(EVIDENCE, packet=packet(sequence), **changes)


def acknowledged(sequence: int):
    return of(sequence, kind="acknowledge", acknowledgement=DONE)


def files(directory: Path) -> list[str]:
    return sorted(str(path.relative_to(directory)) for path in directory.rglob("*") if path.is_file())


async def test_a_batch_is_one_file_and_one_fsync_of_it(tmp_path, monkeypatch):
    """Where its folders are there, as all but the first of a thousand sequences finds them."""
    for chain in ("alpha", "hub"):
        (tmp_path / chain / "client-0" / "000000").mkdir(parents=True)
    synced = []
    fsync = os.fsync
    monkeypatch.setattr(os, "fsync", lambda descriptor: (synced.append(descriptor), fsync(descriptor)))
    archive = Archive(tmp_path)
    batch = [of(sequence) for sequence in (40, 5, 6, 7, 43)]
    await archive.write([*batch, acknowledged(6)])
    assert files(tmp_path) == [
        "alpha/client-0/000000/0000000000.5-7+40+43.receive.jsonl",
        "hub/client-0/000000/0000000000.6.acknowledge.jsonl",
    ]
    assert len(synced) == 4, "two files and their two folders"
    for one in batch:
        assert await archive.read("alpha", "client-0", one.packet.sequence, "receive") == one
    assert await archive.read("hub", "client-0", 6, "acknowledge") == acknowledged(6)
    assert await archive.read("alpha", "client-0", 8, "receive") is None
    assert await archive.read("alpha", "client-0", 6, "timeout") is None
    assert await archive.packet_ids() == [
        *(("alpha", "client-0", sequence) for sequence in (5, 6, 7, 40, 43)),
        ("hub", "client-0", 6),
    ]


async def test_of_one_step_written_twice_the_later_holds_also_after_a_restart(tmp_path):
    await Archive(tmp_path).write([of(1), of(2), of(3)])
    again = [of(sequence, proof=b"again") for sequence in (2, 3)]
    await Archive(tmp_path).write(again)
    archive = Archive(tmp_path)
    last = of(3, proof=b"last")
    await archive.write([of(3, proof=b"not this", transaction_hash=b"\7" * 32), last])
    assert [await archive.read("alpha", "client-0", sequence, "receive") for sequence in (1, 2, 3)] == [
        of(1),
        again[0],
        last,
    ]
    assert len(await archive.sent_packets("alpha", "client-0")) == 3


async def test_files_of_one_step_that_older_versions_wrote_are_read_and_newer_batches_hold_over_them(tmp_path):
    folder = tmp_path / "alpha" / "client-0" / "000000"
    folder.mkdir(parents=True)
    for sequence in (1, 2):
        (folder / f"{sequence}.receive.json").write_bytes(encode_evidence(of(sequence)))
    archive = Archive(tmp_path)
    assert await archive.read("alpha", "client-0", 1, "receive") == of(1)
    assert await archive.file_of("alpha", "client-0", 1, "receive") == folder / "1.receive.json"
    newer = of(2, proof=b"newer")
    await archive.write([newer, of(3)])
    assert await archive.read("alpha", "client-0", 2, "receive") == newer
    assert await archive.packet_ids() == [("alpha", "client-0", sequence) for sequence in (1, 2, 3)]
    assert sorted(await archive.sent_packets("alpha", "client-0", 2)) == [2, 3]
    assert sorted(await archive.sent_packets("alpha", "client-0")) == [1, 2, 3]


@pytest.mark.parametrize("call", ["fsync", "replace"])
async def test_attack_G3_a_batch_that_the_disk_refuses_leaves_what_was_and_is_not_called_kept(
    tmp_path, monkeypatch, call
):
    archive = Archive(tmp_path)
    await archive.write([of(1), of(2)])
    before = files(tmp_path)

    def refuse(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(*((os, "fsync") if call == "fsync" else (Path, "replace")), refuse)
        with pytest.raises(ArchiveUnavailable, match="cannot be written: No space left on device"):
            await archive.write([of(2, proof=b"other"), of(3), acknowledged(1)])
    assert files(tmp_path) == before
    assert await archive.read("alpha", "client-0", 2, "receive") == of(2)
    assert await archive.read("alpha", "client-0", 3, "receive") is None
    await archive.write([of(2, proof=b"other")])
    assert await archive.read("alpha", "client-0", 2, "receive") == of(2, proof=b"other")


async def test_attack_G3_a_crash_before_the_rename_leaves_what_was(tmp_path, monkeypatch):
    archive = Archive(tmp_path)
    await archive.write([of(1)])

    class Killed(BaseException):
        pass

    def die(*_):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", die)
        patch.setattr(Path, "unlink", die)  # a killed process cleans nothing up
        with pytest.raises(Killed):
            await archive.write([of(1, proof=b"other"), of(2)])
    restarted = Archive(tmp_path)
    assert len(files(tmp_path)) == 2, "what the crash left behind is there, and read as nothing"
    assert await restarted.read("alpha", "client-0", 1, "receive") == of(1)
    assert await restarted.packet_ids() == [("alpha", "client-0", 1)]
    assert sorted(await restarted.sent_packets("alpha", "client-0")) == [1]


async def test_what_is_written_is_durable_before_it_has_its_name(tmp_path, monkeypatch):
    done = []
    fsync, replace_ = os.fsync, Path.replace

    def noted_fsync(descriptor):
        done.append("folder" if Path(f"/proc/self/fd/{descriptor}").resolve().is_dir() else "file")
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", noted_fsync)
    monkeypatch.setattr(Path, "replace", lambda path, to: (done.append("rename"), replace_(path, to))[1])
    await Archive(tmp_path).write([of(1), of(2)])
    assert done == ["folder", "folder", "folder", "file", "rename", "folder"], (
        "new folders first, from the outermost on"
    )
    done.clear()
    await Archive(tmp_path).write([of(3)])
    assert done == ["file", "rename", "folder"]


async def test_damage_in_a_batch_costs_the_step_that_it_is_in(tmp_path):
    archive = Archive(tmp_path)
    await archive.write([of(1), of(2), of(3)])
    file = await archive.file_of("alpha", "client-0", 2, "receive")
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(lines[0] + lines[1].replace(b"hutong-evidence", b"Hutong-evidence") + lines[2])
    assert await archive.read("alpha", "client-0", 1, "receive") == of(1)
    assert await archive.read("alpha", "client-0", 3, "receive") == of(3)
    with pytest.raises(MalformedInput) as caught:
        await archive.read("alpha", "client-0", 2, "receive")
    assert (caught.value.field, caught.value.expected) == ("evidence.format", "hutong-evidence")
    assert sorted(await archive.sent_packets("alpha", "client-0")) == [1, 3]
    file.write_bytes(lines[0])
    with pytest.raises(MalformedInput) as caught:
        await archive.read("alpha", "client-0", 3, "receive")
    assert (caught.value.field, caught.value.expected) == ("evidence.packet_id", "alpha/client-0/3")


async def test_a_document_of_another_kind_is_not_taken_for_the_step(tmp_path):
    archive = Archive(tmp_path)
    await archive.write([of(1)])
    file = await archive.file_of("alpha", "client-0", 1, "receive")
    file.write_bytes(encode_evidence(of(1, kind="timeout", value=None, source_chain="hub", destination_chain="alpha")))
    with pytest.raises(MalformedInput) as caught:
        await archive.read("alpha", "client-0", 1, "receive")
    assert (caught.value.got, caught.value.expected) == ("timeout of alpha/client-0/1", "receive of alpha/client-0/1")


async def test_names_that_would_be_too_long_become_several_files(tmp_path):
    archive = Archive(tmp_path)
    sparse = [of(sequence) for sequence in range(1, 400, 3)]
    await archive.write(sparse)
    names = files(tmp_path)
    assert len(names) > 1 and all(len(os.path.basename(name)) < 240 for name in names)
    assert len(await archive.packet_ids()) == len(sparse)
    assert await archive.read("alpha", "client-0", 397, "receive") == sparse[-1]


async def test_a_file_stays_within_the_bound_of_one_document(tmp_path, monkeypatch):
    size = len(encode_evidence(of(1)))
    monkeypatch.setattr(archive_module, "MAX_EVIDENCE_BYTES", 2 * size)
    archive = Archive(tmp_path)
    await archive.write([of(sequence) for sequence in (1, 2, 3, 4, 5)])
    assert [os.path.basename(name) for name in files(tmp_path)] == [
        "0000000000.1-2.receive.jsonl",
        "0000000001.3-4.receive.jsonl",
        "0000000002.5.receive.jsonl",
    ]
    assert await archive.read("alpha", "client-0", 5, "receive") == of(5)


@pytest.mark.parametrize(
    "name",
    [
        "1.1.receive.jsonl",
        "0000000000..receive.jsonl",
        "0000000000.0.receive.jsonl",
        "0000000000.01.receive.jsonl",
        "0000000000.2-1.receive.jsonl",
        "0000000000.1-1.receive.jsonl",
        "0000000000.2+1.receive.jsonl",
        "0000000000.1+2.receive.jsonl",
        "0000000000.1+1001.receive.jsonl",
        "0000000000.1-18446744073709551615.receive.jsonl",
        f"0000000000.{2**64}.receive.jsonl",
        "0000000000.1.other.jsonl",
        ".0000000000.1.receive.jsonl.7.tmp",
    ],
)
async def test_attack_G15_what_is_named_as_no_batch_is_passed_over(tmp_path, name):
    archive = Archive(tmp_path)
    await archive.write([of(500)])
    folder = archive.folder_of("alpha", "client-0", 1, "receive")
    (folder / name).write_bytes(encode_evidence(of(1)))
    assert parse_batch_name(name) is None
    assert await archive.packet_ids() == [("alpha", "client-0", 500)]
    assert await archive.read("alpha", "client-0", 1, "receive") is None


@given(
    st.integers(0, 10**10 - 1),
    st.integers(0, 2**64 // A_FOLDER - 1),
    st.sets(st.integers(1, A_FOLDER - 1), min_size=1),
    st.sampled_from(["receive", "acknowledge", "timeout"]),
)
def test_names_say_which_packets_are_in_the_files(write, thousand, within, kind):
    sequences = sorted(thousand * A_FOLDER + each for each in within)
    names = name_batches(write, sequences, kind)
    assert [sequence for name in names for sequence in name.sequences] == sequences
    for name in names:
        assert parse_batch_name(str(name)) == name and len(str(name).split(".")[1]) <= MAX_SEQUENCES_CHARS


@given(st.text(max_size=300) | st.from_regex(r"[0-9]{10}\.[0-9+-]{1,40}\.receive\.jsonl", fullmatch=True))
def test_attack_H_any_name_is_spelled_the_one_way_or_is_none(name):
    parsed = parse_batch_name(name)
    assert parsed is None or (str(parsed) == name and sum(1 for _ in parsed.sequences) <= A_FOLDER)


def test_the_count_of_writes_goes_on_in_a_folder_that_was_forgotten(tmp_path):
    counter = WriteCounter()
    folder = tmp_path / "first"
    folder.mkdir()
    (folder / str(name_batches(counter.take(folder), [1], "receive")[0])).touch()
    for number in range(KNOWN_FOLDERS):
        (tmp_path / str(number)).mkdir()
        assert counter.take(tmp_path / str(number)) == 0
    assert counter.take(folder) == 1
