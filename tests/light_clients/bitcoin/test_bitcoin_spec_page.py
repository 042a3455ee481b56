"""The vectors of docs/spec/bitcoin-client.md and bitcoin-messages.md are what the code makes.

python -m tests.light_clients.bitcoin.test_bitcoin_spec_page       write them into the pages
"""

import json
import re
from pathlib import Path

from hutong.light_clients.bitcoin import (
    BitcoinClient,
    decode_message,
    decode_transaction,
    encode_message,
    message_for,
)
from hutong.light_clients.interface import Height, MemoryConsensusStates, Updated
from tests.light_clients.bitcoin.bitcoin_chain import PUBLISHER, SimulatedChain, trusting

ROOT = Path(__file__).resolve().parents[3]

SPEC = ROOT / "docs" / "spec"
BLOCK = re.compile(r"```json\n(.*?)\n```", re.DOTALL)
KEY = b"client-0\x01" + (1).to_bytes(8, "big")
VALUE = bytes(range(1, 33))


def client_vectors() -> dict:
    chain = SimulatedChain()
    chain.publish((KEY, VALUE))
    chain.advance(4)
    client, states = trusting(chain, 12)
    message = chain.header(14, 12)
    verdict = BitcoinClient().verify_header(client, states, message, chain.now_ns)
    assert isinstance(verdict, Updated)
    proof = chain.membership_proof(KEY, 14)
    encoded = chain.proof(KEY, 14)
    BitcoinClient().verify_membership(client, verdict.consensus_state, encoded, (KEY,), VALUE)
    fork = chain.update(14, 12, chain.run(12, 13) + chain.fork(14, 4))
    evidence = chain.misbehaviour(chain.update(14, 12), fork)
    stored = states.with_state(Height(0, 14), verdict.consensus_state)
    frozen = BitcoinClient().check_misbehaviour(verdict.client_state, stored, evidence, chain.now_ns)
    return {
        "publisher_script": PUBLISHER.hex(),
        "trusted_height": "0-12",
        "client_state": client.hex(),
        "trusted_consensus_state": chain.consensus_state(12).hex(),
        "now_ns": str(chain.now_ns),
        "header_message": message.hex(),
        "new_client_state": verdict.client_state.hex(),
        "new_consensus_state": verdict.consensus_state.hex(),
        "median_time_past_s": chain.state(14).median_time_past_s,
        "path": KEY.hex(),
        "value": VALUE.hex(),
        "transaction": proof.transaction.serialized.hex(),
        "txid": proof.transaction.txid[::-1].hex(),
        "membership_proof": encoded.hex(),
        "misbehaviour": evidence.hex(),
        "frozen_client_state": frozen.client_state.hex(),
    }


def message_vectors() -> dict:
    message = message_for(KEY, VALUE)
    return {
        "key": KEY.hex(),
        "key_hash": message.key_hash.hex(),
        "value": VALUE.hex(),
        "script": encode_message(message).hex(),
    }


PAGES = {"bitcoin-client.md": client_vectors, "bitcoin-messages.md": message_vectors}


def test_pages_hold_the_vectors_that_the_code_makes():
    for name, made in PAGES.items():
        (block,) = BLOCK.findall((SPEC / name).read_text(encoding="utf-8"))
        assert json.loads(block) == made(), name


def test_vectors_verify_from_their_bytes_alone():
    """As somebody else's client would read them."""
    (block,) = BLOCK.findall((SPEC / "bitcoin-client.md").read_text(encoding="utf-8"))
    vectors = json.loads(block)
    raw = {
        name: bytes.fromhex(value)
        for name, value in vectors.items()
        if name not in ("trusted_height", "now_ns", "median_time_past_s")
    }
    states = MemoryConsensusStates({Height.parse(vectors["trusted_height"]): raw["trusted_consensus_state"]})
    verdict = BitcoinClient().verify_header(raw["client_state"], states, raw["header_message"], int(vectors["now_ns"]))
    assert (verdict.client_state, verdict.consensus_state) == (raw["new_client_state"], raw["new_consensus_state"])
    BitcoinClient().verify_membership(
        verdict.client_state, verdict.consensus_state, raw["membership_proof"], (raw["path"],), raw["value"]
    )
    outputs = decode_transaction(raw["transaction"]).outputs
    assert decode_message(outputs[1].script) == message_for(raw["path"], raw["value"])


if __name__ == "__main__":
    for page_name, vectors_of in PAGES.items():
        page = SPEC / page_name
        text = page.read_text(encoding="utf-8")
        made_json = json.dumps(vectors_of(), indent=1)
        page.write_text(BLOCK.sub(lambda _, made=made_json: f"```json\n{made}\n```", text), encoding="utf-8")
