"""The vectors of docs/spec/bft-evm-client.md are what the code makes.

python -m tests.light_clients.bft_evm.test_spec_page       write them into the page
"""

import json
import re
from pathlib import Path

from hutong.light_clients.bft_evm import (
    BftEvmClient,
    block_hash,
    commit_seal_hash,
    encode_header_message,
)
from hutong.light_clients.evm_header import encode_header
from hutong.light_clients.interface import Height, MemoryConsensusStates, Updated
from tests.light_clients.bft_evm.simulated_chain import (
    ROUTER,
    SimulatedChain,
    State,
    address_of,
    slot_of,
)

ROOT = Path(__file__).resolve().parents[3]

PAGE = ROOT / "docs" / "spec" / "bft-evm-client.md"
BLOCK = re.compile(r"```json\n(.*?)\n```", re.DOTALL)
KEY = b"client-0\x01" + (1).to_bytes(8, "big")
VALUE = bytes(range(1, 33))


def vectors() -> dict:
    chain = SimulatedChain()
    chain.commit(KEY, VALUE)
    signers = sorted(chain.keys, key=address_of)[:3]
    chain.advance(signers=signers)
    execution, extra = chain.headers[2]
    update = chain.update(2, 1)
    fork = chain.update(2, 1, chain.propose(2, State({}), signers=signers), State({}))
    client, trusted = chain.client_state(1), chain.consensus_state(1)
    states = MemoryConsensusStates({Height(0, 1): trusted})
    verdict = BftEvmClient().verify_header(client, states, encode_header_message(update), chain.now_ns)
    assert isinstance(verdict, Updated)
    BftEvmClient().verify_membership(client, verdict.consensus_state, chain.proof(2, KEY), (KEY,), VALUE)
    misbehaviour = chain.misbehaviour(update, fork)
    frozen = BftEvmClient().check_misbehaviour(client, states, misbehaviour, chain.now_ns)
    return {
        "router": ROUTER.hex(),
        "validators": [address.hex() for address in extra.validators],
        "trusted_height": "0-1",
        "client_state": client.hex(),
        "trusted_consensus_state": trusted.hex(),
        "now_ns": str(chain.now_ns),
        "header_rlp": encode_header(execution).hex(),
        "extra_data": execution.extra_data.hex(),
        "commit_seal_hash": commit_seal_hash(execution, extra).hex(),
        "block_hash": block_hash(execution, extra).hex(),
        "header_message": encode_header_message(update).hex(),
        "new_client_state": verdict.client_state.hex(),
        "new_consensus_state": verdict.consensus_state.hex(),
        "path": KEY.hex(),
        "slot": slot_of(KEY).hex(),
        "value": VALUE.hex(),
        "storage_proof": chain.proof(2, KEY).hex(),
        "misbehaviour": misbehaviour.hex(),
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
