"""A log that golang.org/x/mod and transparency-dev/formats made (tests/nodes/tlog/record_peer.py), followed by the client."""

import json
from base64 import b64decode
from pathlib import Path

from hutong.light_clients.interface import Height, MemoryConsensusStates, Misbehaved, Updated
from hutong.light_clients.proofs.merkle import ConsistencyProof, MerkleProof, leaf_hash, verify, verify_consistency
from hutong.light_clients.tlog import (
    COSIGNATURE_V1,
    ED25519,
    ClientState,
    ConsensusState,
    Growth,
    Header,
    TlogClient,
    decode_checkpoint,
    decode_consensus_state,
    decode_vkey,
    encode_client_state,
    encode_consensus_state,
    encode_header_message,
)
from hutong.light_clients.tlog.checkpoints import decode_cosignature
from tests.light_clients.tlog.simulated_log import naive_root

RECORD = json.loads(Path(__file__).with_name("recorded_peer.json").read_bytes())
ENTRIES = [b64decode(entry) for entry in RECORD["entries"]]
CHECKPOINTS = {item["size"]: decode_checkpoint(b64decode(item["note"])) for item in RECORD["checkpoints"]}
CONSISTENCY = {(item["first"], item["size"]): tuple(map(b64decode, item["nodes"])) for item in RECORD["consistency"]}
WITNESSES = tuple(decode_vkey(vkey, COSIGNATURE_V1) for vkey in RECORD["witnesses"])


def test_checkpoints_and_proofs_are_those_of_the_naive_tree():
    assert CHECKPOINTS and CONSISTENCY
    for size, checkpoint in CHECKPOINTS.items():
        assert (checkpoint.origin, checkpoint.size) == (RECORD["origin"], size)
        assert checkpoint.root == naive_root(ENTRIES[:size])
    for (first, size), nodes in CONSISTENCY.items():
        proof = ConsistencyProof(first, size, nodes)
        verify_consistency(proof, CHECKPOINTS[first].root, CHECKPOINTS[size].root)
    for item in RECORD["inclusion"]:
        entry = ENTRIES[item["first"]]
        path = tuple(map(b64decode, item["nodes"]))
        verify(MerkleProof(item["size"], item["first"], leaf_hash(entry), path), CHECKPOINTS[item["size"]].root, entry)


def time_of(size: int) -> int:
    return min(
        decode_cosignature(line, "cosignature")[0]
        for line in CHECKPOINTS[size].note.signatures
        if line.name in {witness.name for witness in WITNESSES}
    )


def started(size: int, quorum: int) -> tuple[bytes, MemoryConsensusStates]:
    client = ClientState(
        origin=RECORD["origin"],
        log_key=decode_vkey(RECORD["log"], ED25519),
        witnesses=WITNESSES,
        quorum=quorum,
        publisher_key=b"",
        trusting_period_s=3_600,
        max_clock_drift_s=10,
        latest_height=Height(0, size),
    )
    state = ConsensusState(size, CHECKPOINTS[size].root, time_of(size))
    return encode_client_state(client), MemoryConsensusStates({Height(0, size): encode_consensus_state(state)})


def header(first: int, size: int, first_root: bytes | None = None) -> bytes:
    growth = Growth(CHECKPOINTS[first].root if first_root is None else first_root, CONSISTENCY[first, size])
    return encode_header_message(Header(Height(0, first), CHECKPOINTS[size], growth))


def test_client_follows_another_s_log_step_by_step_and_at_once():
    judge = TlogClient()
    for quorum in (2, 3):
        for sizes in (range(1, len(ENTRIES) + 1), (1, len(ENTRIES)), (4, 5, 8, 16)):
            client, states = started(sizes[0], quorum)
            for first, size in zip(sizes, sizes[1:], strict=False):
                verdict = judge.verify_header(client, states, header(first, size), time_of(size) * 10**9)
                assert isinstance(verdict, Updated)
                state = decode_consensus_state(verdict.consensus_state)
                assert (state.root, state.timestamp_s) == (CHECKPOINTS[size].root, time_of(size))
                client, states = verdict.client_state, states.with_state(verdict.height, verdict.consensus_state)


def test_another_stored_tree_than_another_s_log_has_freezes():
    client, _ = started(5, 2)
    other = ConsensusState(5, bytes(32), time_of(5))
    states = MemoryConsensusStates({Height(0, 5): encode_consensus_state(other)})
    assert isinstance(TlogClient().verify_header(client, states, header(5, 9), time_of(9) * 10**9), Misbehaved)
