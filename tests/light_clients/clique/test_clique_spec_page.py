"""The vectors of docs/spec/clique-client.md are what the code makes.

python -m tests.light_clients.clique.test_clique_spec_page       write them into the page
"""

import json
import re
from pathlib import Path

from hutong.light_clients.clique import CliqueClient, encode_header_message, recover_signer
from hutong.light_clients.evm_header import encode_header
from hutong.light_clients.interface import Updated
from tests.light_clients.clique.simulated_clique_chain import (
    ROUTER,
    SimulatedCliqueChain,
    slot_of,
    trusting,
)

ROOT = Path(__file__).resolve().parents[3]

PAGE = ROOT / "docs" / "spec" / "clique-client.md"
BLOCK = re.compile(r"```json\n(.*?)\n```", re.DOTALL)
KEY = b"client-0\x01" + (1).to_bytes(8, "big")
VALUE = bytes(range(1, 33))


def vectors() -> dict:
    """A checkpoint (block 6), an open vote after it, and a block that is believed under two others."""
    chain = SimulatedCliqueChain(epoch=6)
    chain.main.advance(3)
    chain.main.commit(KEY, VALUE)
    chain.main.advance(2)
    chain.main.vote(chain.know(9), add=True)
    client, states = trusting(chain, 4)
    update = chain.update(7, 4)
    now_ns = chain.time_ns(7)
    verdict = CliqueClient().verify_header(client, states, encode_header_message(update), now_ns)
    assert isinstance(verdict, Updated)
    CliqueClient().verify_membership(client, verdict.consensus_state, chain.proof(7, KEY), (KEY,), VALUE)
    fork = chain.main.fork(6)
    fork.advance(3, gas_used=1)
    misbehaviour = chain.misbehaviour(update, chain.update(7, 4, fork, 9))
    frozen = CliqueClient().check_misbehaviour(client, states, misbehaviour, now_ns)
    return {
        "router": ROUTER.hex(),
        "trusted_height": "0-4",
        "client_state": client.hex(),
        "trusted_consensus_state": chain.consensus_state(4).hex(),
        "now_ns": str(now_ns),
        "headers": [
            {
                "number": block.execution.number,
                "header_rlp": encode_header(block.execution).hex(),
                "block_hash": block.hash.hex(),
                "seal_hash": block.seal_hash.hex(),
                "signer": recover_signer(block).hex(),
            }
            for block in update.blocks
        ],
        "header_message": encode_header_message(update).hex(),
        "new_client_state": verdict.client_state.hex(),
        "new_consensus_state": verdict.consensus_state.hex(),
        "path": KEY.hex(),
        "slot": slot_of(KEY).hex(),
        "value": VALUE.hex(),
        "storage_proof": chain.proof(7, KEY).hex(),
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
