"""Go's readers of signed notes as outside judge: what we accept they accept, and what they make we follow."""

import json
from base64 import b64decode
from pathlib import Path
from random import Random

import pytest

from hutong.light_clients.interface import (
    Height,
    MemoryConsensusStates,
    Updated,
    VerificationError,
)
from hutong.light_clients.tlog import COSIGNATURE_V1, ED25519, TlogClient, encode_vkey
from tests.light_clients.tlog import test_tlog_recorded_peer as recorded
from tests.light_clients.tlog.simulated_log import LOG, ORIGIN, STRANGER, WITNESSES, SimulatedLog
from tests.nodes.tlog.peer import asked

pytestmark = pytest.mark.nodes

MUTATIONS = 3_000
SIZE = 9


@pytest.fixture(scope="module")
def log() -> SimulatedLog:
    made = SimulatedLog()
    made.advance(SIZE - 1)
    return made


def opened(notes: list[bytes]) -> list[dict]:
    return asked(
        "open",
        log=encode_vkey(LOG.key, ED25519),
        witnesses=[encode_vkey(witness.key, COSIGNATURE_V1) for witness in WITNESSES],
        notes=notes,
    )


def test_notes_of_our_tests_are_read_by_go(log):
    at = log.time_s(SIZE)
    full = [(witness, at) for witness in WITNESSES]
    for cosigners in (full, full[:2], [(STRANGER, at), *full], []):
        (said,) = opened([log.note(SIZE, cosigners)])
        known = [witness.name for witness, _ in cosigners if witness in WITNESSES]
        assert (said["signers"], said["size"]) == ([ORIGIN, *known], SIZE)
        assert b64decode(said["root"]) == log.root()


def test_whatever_note_we_accept_go_accepts_too(log):
    """Drawn damage: ours may refuse more, never less."""
    drawn = Random(20261129)
    honest = log.note(SIZE, [(witness, log.time_s(SIZE)) for witness in WITNESSES])
    notes = [honest]
    for _ in range(MUTATIONS):
        changed = bytearray(honest)
        for _ in range(drawn.choice((1, 1, 1, 2, 3))):
            at = drawn.randrange(len(changed))
            kind = drawn.randrange(4)
            if kind == 0:
                changed[at] ^= 1 << drawn.randrange(8)
            elif kind == 1:
                del changed[at : at + drawn.randrange(1, 5)]
            elif kind == 2:
                changed[at:at] = drawn.choice((b"\n", b" ", b"=", b"A", b"\xe2\x80\x94 ", b"\n\n", bytes([at % 256])))
            else:
                lines = bytes(changed).split(b"\n")
                lines.insert(drawn.randrange(len(lines)), drawn.choice(lines))
                changed = bytearray(b"\n".join(lines))
        notes.append(bytes(changed))
    client, states = log.client_state(3), MemoryConsensusStates({Height(0, 3): log.consensus_state(3)})
    accepted = stricter = 0
    for note, said in zip(notes, opened(notes), strict=True):
        theirs = not said.get("error") and ORIGIN in said["signers"] and len(said["signers"]) > 2
        try:
            ours = TlogClient().verify_header(client, states, log.header(SIZE, 3, note), log.time_ns(SIZE))
        except VerificationError:
            stricter += theirs
            continue
        assert isinstance(ours, Updated) and theirs, note
        assert (said["size"], b64decode(said["root"])) == (SIZE, log.root())
        accepted += 1
    assert accepted > 1
    print(f"{len(notes)} notes, {accepted} accepted by both, {stricter} by Go alone")


def test_new_log_of_go_is_followed(monkeypatch, tmp_path):
    """As the recorded one, with keys, times and proofs of today."""
    from tests.nodes.tlog import record_peer

    monkeypatch.setattr(record_peer, "RECORD", tmp_path / "made.json")
    record_peer.main()
    made = json.loads(Path(tmp_path / "made.json").read_bytes())
    assert made.keys() == recorded.RECORD.keys()
    assert made["entries"] == recorded.RECORD["entries"]
    assert [(item["size"], item["root"]) for item in made["checkpoints"]] == [
        (item["size"], item["root"]) for item in recorded.RECORD["checkpoints"]
    ]
    assert made["consistency"] == recorded.RECORD["consistency"]
    assert made["inclusion"] == recorded.RECORD["inclusion"]
