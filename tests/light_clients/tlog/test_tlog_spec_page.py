"""The vectors of docs/spec/tlog-client.md are what the code makes.

python -m tests.light_clients.tlog.test_tlog_spec_page       write them into the page
"""

import json
import re
from pathlib import Path

from hutong.light_clients.interface import Height, MemoryConsensusStates, Misbehaved, Updated
from hutong.light_clients.tlog import COSIGNATURE_V1, ED25519, TlogClient, encode_vkey, entry_path
from tests.light_clients.tlog.simulated_log import LOG, PUBLISHER, WITNESSES, SimulatedLog

PAGE = Path(__file__).resolve().parents[3] / "docs" / "spec" / "tlog-client.md"
BLOCK = re.compile(r"```json\n(.*?)\n```", re.DOTALL)
KEY = b"client-0\x01" + (1).to_bytes(8, "big")
VALUE = bytes(range(1, 33))
TRUSTED, SIZE = 3, 8
CLIENT = TlogClient()


def vectors() -> dict:
    log = SimulatedLog()
    log.advance(SIZE - 2)
    log.publish(KEY, VALUE)
    now_ns = log.time_ns(SIZE)
    client = log.client_state(TRUSTED)
    states = MemoryConsensusStates({Height(0, TRUSTED): log.consensus_state(TRUSTED)})
    header = log.header(SIZE, TRUSTED)
    verdict = CLIENT.verify_header(client, states, header, now_ns)
    assert isinstance(verdict, Updated)
    stored = states.with_state(verdict.height, verdict.consensus_state)
    evidence = log.evidence(TRUSTED, SimulatedLog([b"another", *log.entries[1:]]), SIZE, stored=True)
    frozen = CLIENT.check_misbehaviour(verdict.client_state, stored, evidence, now_ns)
    assert isinstance(frozen, Misbehaved)
    return {
        "log_key": encode_vkey(LOG.key, ED25519),
        "witnesses": [encode_vkey(witness.key, COSIGNATURE_V1) for witness in WITNESSES],
        "publisher_key": PUBLISHER.key.public_key.hex(),
        "trusted_height": f"0-{TRUSTED}",
        "client_state": client.hex(),
        "trusted_consensus_state": log.consensus_state(TRUSTED).hex(),
        "now_ns": str(now_ns),
        "checkpoint": log.note(SIZE).decode(),
        "header_message": header.hex(),
        "new_client_state": verdict.client_state.hex(),
        "new_consensus_state": verdict.consensus_state.hex(),
        "entry_index": 4,
        "entry": log.entries[4].hex(),
        "entry_proof": log.proof(4, SIZE).hex(),
        "message_path": KEY.hex(),
        "message_value": VALUE.hex(),
        "message_entry": log.entries[SIZE - 1].hex(),
        "message_proof": log.message_proof(SIZE - 1, SIZE).hex(),
        "misbehaviour": evidence.hex(),
        "frozen_client_state": frozen.client_state.hex(),
    }


def test_page_holds_the_vectors_that_the_code_makes():
    (block,) = BLOCK.findall(PAGE.read_text(encoding="utf-8"))
    assert json.loads(block) == vectors()


def test_vectors_verify_from_their_bytes_alone():
    """As somebody else's client would read them."""
    (block,) = BLOCK.findall(PAGE.read_text(encoding="utf-8"))
    shown = json.loads(block)

    def raw(name: str) -> bytes:
        return bytes.fromhex(shown[name])

    now_ns = int(shown["now_ns"])
    states = MemoryConsensusStates({Height.parse(shown["trusted_height"]): raw("trusted_consensus_state")})
    verdict = CLIENT.verify_header(raw("client_state"), states, raw("header_message"), now_ns)
    assert (verdict.client_state, verdict.consensus_state) == (raw("new_client_state"), raw("new_consensus_state"))
    assert shown["checkpoint"].encode() in raw("header_message")
    under = verdict.client_state, verdict.consensus_state
    CLIENT.verify_membership(*under, raw("entry_proof"), entry_path(shown["entry_index"]), raw("entry"))
    CLIENT.verify_membership(*under, raw("message_proof"), (raw("message_path"),), raw("message_value"))
    stored = states.with_state(verdict.height, verdict.consensus_state)
    frozen = CLIENT.check_misbehaviour(verdict.client_state, stored, raw("misbehaviour"), now_ns)
    assert frozen.client_state == raw("frozen_client_state")


if __name__ == "__main__":
    made = json.dumps(vectors(), indent=1, ensure_ascii=False)
    text = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(BLOCK.sub(lambda _: f"```json\n{made}\n```", text), encoding="utf-8")
