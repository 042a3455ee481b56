"""The vectors of docs/spec/ethereum-client.md are what the code makes.

python -m tests.light_clients.ethereum.test_ethereum_spec_page       write them into the page
"""

import json
import re
from hashlib import sha256
from pathlib import Path

from hutong.light_clients.ethereum import EthereumClient, encode_header_message
from hutong.light_clients.interface import Height, MemoryConsensusStates, Updated
from tests.light_clients.bft_evm.simulated_chain import ROUTER, State, slot_of
from tests.light_clients.ethereum.simulated_beacon import FIRST_SLOT, SimulatedBeacon

ROOT = Path(__file__).resolve().parents[3]

PAGE = ROOT / "docs" / "spec" / "ethereum-client.md"
BLOCK = re.compile(r"```json\n(.*?)\n```", re.DOTALL)
KEY = b"client-0\x01" + (1).to_bytes(8, "big")
VALUE = bytes(range(1, 33))


def vectors() -> dict:
    chain = SimulatedBeacon()
    chain.commit(KEY, VALUE)
    slot = chain.advance()
    header = chain.header(slot, members=range(22))
    fork = chain.header(chain.propose(slot, State({}), label="fork"), members=range(22))
    client, trusted = chain.client_state(FIRST_SLOT), chain.consensus_state(FIRST_SLOT)
    states = MemoryConsensusStates({Height(0, FIRST_SLOT): trusted})
    message = encode_header_message(header)
    verdict = EthereumClient().verify_header(client, states, message, chain.now_ns)
    assert isinstance(verdict, Updated)
    EthereumClient().verify_membership(client, verdict.consensus_state, chain.proof(slot, KEY), (KEY,), VALUE)
    misbehaviour = chain.misbehaviour(header, fork)
    frozen = EthereumClient().check_misbehaviour(client, states, misbehaviour, chain.now_ns)
    return {
        "router": ROUTER.hex(),
        "height": str(verdict.height),
        "client_state": client.hex(),
        "trusted_consensus_state": trusted.hex(),
        "now_ns": str(chain.now_ns),
        "header_message": message.hex(),
        "new_client_state": verdict.client_state.hex(),
        "new_consensus_state": verdict.consensus_state.hex(),
        "path": KEY.hex(),
        "slot": slot_of(KEY).hex(),
        "value": VALUE.hex(),
        "storage_proof": chain.proof(slot, KEY).hex(),
        "misbehaviour_sha256": sha256(misbehaviour).hexdigest(),
        "frozen_client_state": frozen.client_state.hex(),
    }


def test_page_holds_the_vectors_that_the_code_makes():
    (block,) = BLOCK.findall(PAGE.read_text(encoding="utf-8"))
    assert json.loads(block) == vectors()


if __name__ == "__main__":
    text = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(
        BLOCK.sub(lambda _: "```json\n" + json.dumps(vectors(), indent=1) + "\n```", text), encoding="utf-8"
    )
