"""The development log: what it serves is followed by the client, and its home survives what a crash leaves."""

import json
import os
import shutil
from pathlib import Path

import httpx
import pytest
import trio

from hutong.light_clients.interface import Height, MemoryConsensusStates, Updated
from hutong.light_clients.proofs.merkle import ConsistencyProof, verify_consistency
from hutong.light_clients.tlog import (
    TlogClient,
    decode_checkpoint,
    decode_consensus_state,
    entry_path,
    entry_proof,
    first_states,
    update_message,
)
from hutong.light_clients.tlog.tiles import Tile, bundle_path, decode_bundle
from hutong.relay.devnet.log import LogSettings, open_log, running_log
from hutong.relay.devnet.log.home import FIRST_ENTRY, LogFull
from hutong.relay.devnet.log.tree import LogTree
from hutong.relay.devnet.settings import DevnetError
from tests.light_clients.tlog.simulated_log import naive_path, naive_proof, naive_root

ENTRY = {"content-type": "application/octet-stream"}
DAY_S, DRIFT_S = 86_400, 30
START_S = 1_800_000_000


class Clock:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.now_s = START_S

    def __call__(self) -> float:
        return self.now_s


def test_tree_gives_the_proofs_of_the_naive_tree():
    entries = [b"%d" % number for number in range(600)]
    tree = LogTree(entries)
    assert tree.root() == naive_root(entries)
    for first in (1, 2, 255, 256, 257, 512, 599, 600):
        assert list(tree.consistency(first)) == naive_proof(first, entries)
        assert tree.root_at(first) == naive_root(entries[:first])
        assert list(tree.inclusion(first - 1)) == naive_path(first - 1, entries)
    assert tree.tile(Tile(1, 0, 2)) == naive_root(entries[:256]) + naive_root(entries[256:512])
    assert [tree.tile(tile) for tile in (Tile(1, 0, 3), Tile(2, 0, 1), Tile(0, 3, 1))] == [None, None, None]


def test_a_client_follows_the_log_and_believes_its_entries(tmp_path):
    clock = Clock()
    with open_log(tmp_path / "log", LogSettings(), clock) as log:
        client, state = first_states(log.trust, decode_checkpoint(log.checkpoint), DAY_S, DRIFT_S)
        trusted = decode_consensus_state(state)
        assert (trusted.size, trusted.timestamp_s) == (1, START_S)
        clock.now_s += 5
        assert log.append([b"one", b"two"]) == 1
        header = update_message(trusted, decode_checkpoint(log.checkpoint), log.tree.consistency(1))
        verdict = TlogClient().verify_header(
            client, MemoryConsensusStates({Height(0, 1): state}), header, clock.now_s * 10**9
        )
        assert isinstance(verdict, Updated)
        assert decode_consensus_state(verdict.consensus_state).timestamp_s == START_S + 5
        for index, entry in enumerate((FIRST_ENTRY, b"one", b"two")):
            proof = entry_proof(index, log.tree.inclusion(index))
            TlogClient().verify_membership(
                verdict.client_state, verdict.consensus_state, proof, entry_path(index), entry
            )


def test_log_goes_on_after_a_restart_and_keeps_what_was_answered(tmp_path):
    home = tmp_path / "log"
    with open_log(home, LogSettings()) as log:
        log.append([b"one"])
        before, keys = decode_checkpoint(log.checkpoint), log.trust
    with open_log(home, LogSettings()) as log:
        assert log.trust == keys
        assert log.tree.entries == [FIRST_ENTRY, b"one"]
        log.append([b"two"])
        after = decode_checkpoint(log.checkpoint)
        verify_consistency(ConsistencyProof(2, 3, log.tree.consistency(2)), before.root, after.root)
        with pytest.raises(DevnetError, match="another development log"), open_log(home, LogSettings()):
            pass
    with pytest.raises(DevnetError, match="holds another log"), open_log(home, LogSettings(witnesses=5)):
        pass


def crashed_homes(tmp_path: Path, monkeypatch) -> list[Path]:
    """A copy of the home before each rename and each write to `entries` of one append."""
    home, copies = tmp_path / "log", []

    def copied() -> None:
        copy = tmp_path / f"crash-{len(copies)}"
        shutil.copytree(home, copy)
        copies.append(copy)

    with open_log(home, LogSettings()) as log:
        log.append([b"one"])
        replace, fsync = Path.replace, os.fsync

        def renamed(path: Path, target: Path) -> Path:
            copied()
            return replace(path, target)

        def synced(descriptor: int) -> None:
            copied()
            fsync(descriptor)

        monkeypatch.setattr(Path, "replace", renamed)
        monkeypatch.setattr(os, "fsync", synced)
        log.append([b"two", b"three"])
        copied()
        monkeypatch.undo()
    return copies


def test_a_crash_at_any_write_leaves_a_log_that_goes_on(tmp_path, monkeypatch):
    copies = crashed_homes(tmp_path, monkeypatch)
    assert len(copies) > 10
    sizes = set()
    for copy in copies:
        signed = decode_checkpoint((copy / "checkpoint").read_bytes())
        with open_log(copy, LogSettings()) as log:
            sizes.add(log.tree.size)
            assert log.tree.entries in ([FIRST_ENTRY, b"one"], [FIRST_ENTRY, b"one", b"two", b"three"])
            log.append([b"after"])
            now = decode_checkpoint(log.checkpoint)
            assert len(now.note.signatures) == 4
            proof = ConsistencyProof(signed.size, now.size, log.tree.consistency(signed.size))
            verify_consistency(proof, signed.root, now.root)
    assert sizes == {2, 4}


def test_torn_entry_that_was_never_signed_is_dropped(tmp_path):
    home = tmp_path / "log"
    with open_log(home, LogSettings()) as log:
        log.append([b"one"])
    with (home / "entries").open("ab") as file:
        file.write(b"\x00\xffhalf")
    with open_log(home, LogSettings()) as log:
        assert log.tree.entries == [FIRST_ENTRY, b"one"]
        assert log.append([b"two"]) == 2


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        ("cut", "ends after 2 of 3 entries"),
        ("changed", "does not hold the entries that the log has signed"),
        ("older", "has fewer entries than"),
    ],
)
def test_log_that_lost_signed_entries_does_not_start(tmp_path, damage, sentence):
    """It would sign a second tree."""
    home, old = tmp_path / "log", tmp_path / "old"
    with open_log(home, LogSettings()) as log:
        log.append([b"one"])
        shutil.copytree(home, old)
        log.append([b"two"])
    data = (home / "entries").read_bytes()
    if damage == "cut":
        (home / "entries").write_bytes(data[:-1])
    elif damage == "changed":
        (home / "entries").write_bytes(data.replace(b"one", b"oNe"))
    else:
        for name in ("entries", "head", "checkpoint"):
            shutil.copyfile(old / name, home / name)
    with pytest.raises(DevnetError, match=sentence), open_log(home, LogSettings()):
        pass


def test_witness_refuses_another_tree(tmp_path):
    homes = [tmp_path / name for name in ("a", "b")]
    with open_log(homes[0], LogSettings()) as log:
        log.append([b"one"])
    shutil.copytree(homes[0], homes[1])
    for home, entry in zip(homes, (b"mine", b"yours"), strict=True):
        with open_log(home, LogSettings()) as log:
            log.append([entry])
    shutil.copyfile(homes[0] / "witness-01.seen", homes[1] / "witness-01.seen")
    with pytest.raises(DevnetError, match="first_root_matches|second_root_matches"), open_log(homes[1], LogSettings()):
        pass
    (homes[1] / "witness-01.seen").write_text("{")
    with pytest.raises(DevnetError, match="is damaged"), open_log(homes[1], LogSettings()):
        pass


def test_full_log_and_unfit_entries_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("hutong.relay.devnet.log.home.MAX_LOG_BYTES", 40)
    with open_log(tmp_path / "log", LogSettings()) as log:
        with pytest.raises(LogFull):
            log.append([bytes(24)])
        for entry in (b"", bytes(65_536)):
            with pytest.raises(ValueError, match="an entry has"):
                log.append([entry])
        log.append([bytes(23)])


async def test_log_serves_tiles_and_takes_entries():
    async with running_log(heartbeat_s=0.2) as node, httpx.AsyncClient(base_url=node.url) as http:
        answers = {}

        async def append(number: int) -> None:
            answer = await http.post("/append", content=b"entry %d" % number, headers=ENTRY)
            answers[answer.json()["index"]] = b"entry %d" % number

        async with trio.open_nursery() as nursery:
            for number in range(20):
                nursery.start_soon(append, number)
        shown = decode_checkpoint((await http.get("/checkpoint")).content)
        assert (shown.size, sorted(answers)) == (21, list(range(1, 21)))
        entries = decode_bundle((await http.get(f"/{bundle_path(0, 21)}")).content, 21)
        assert entries == (FIRST_ENTRY, *(answers[index] for index in range(1, 21)))
        assert shown.root == naive_root(entries)
        published = await http.post("/publish", json={"key": "6b", "value": "01" * 32})
        assert published.json() == {"index": 21}
        before = (await http.get("/checkpoint")).content
        with trio.fail_after(60):
            while (cosigned := (await http.get("/checkpoint")).content) == before:  # noqa: ASYNC110
                await trio.sleep(0.05)
        again = decode_checkpoint(cosigned)
        later = decode_checkpoint((await http.get("/checkpoint")).content)
        assert again.size == later.size == 22
        assert json.loads((await http.get("/trusted.json")).content)["origin"] == again.origin


async def test_attack_G1_log_requests_of_other_forms_are_refused():
    async with running_log() as node, httpx.AsyncClient(base_url=node.url) as http:
        for path in ("/tile/0/000", "/tile/0/000.p/256", "/tile/0/000.p/2", "/tile/8/000.p/1", "/tile/0/0.p/1", "/x"):
            assert (await http.get(path)).status_code == 404
        assert (await http.get("/tile/0/000.p/1")).status_code == 200
        for content, headers, status in (
            (b"x", {"content-type": "text/plain"}, 415),
            (b"x", {}, 415),
            (b"", ENTRY, 400),
            (bytes(65_536), ENTRY, 413),
        ):
            assert (await http.post("/append", content=content, headers=headers)).status_code == status
        for document in ({}, {"key": "", "value": "01" * 32}, {"key": "6b", "value": "01"}, [], {"key": 1, "value": 2}):
            assert (await http.post("/publish", json=document)).status_code == 400
        assert (await http.put("/append", content=b"x", headers=ENTRY)).status_code == 405
        assert node.log.tree.size == 1
        assert (await http.post("/append", content=bytes(65_535), headers=ENTRY)).json() == {"index": 1}
