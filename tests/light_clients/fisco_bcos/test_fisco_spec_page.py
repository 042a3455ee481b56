"""The vectors of docs/spec/fisco-bcos-client.md are what the code makes.

python -m tests.light_clients.fisco_bcos.test_fisco_spec_page       write them into the page
"""

import json
import re
from pathlib import Path

from hutong.light_clients.fisco_bcos import FiscoBcosClient, Generation, encode_header_message
from hutong.light_clients.ibc.commitment import commitment_key, packet_commitment
from hutong.light_clients.interface import Height, MemoryConsensusStates, Updated
from tests.light_clients.fisco_bcos.fisco_chain import SimulatedChain, packet, receipt, sent

ROOT = Path(__file__).resolve().parents[3]

PAGE = ROOT / "docs" / "spec" / "fisco-bcos-client.md"
BLOCK = re.compile(r"```json\n(.*?)\n```", re.DOTALL)
CLIENT = FiscoBcosClient()


def vectors_of(generation: Generation, weights: list[int] | None = None) -> dict:
    chain = SimulatedChain(generation, weights=weights)
    own = receipt([sent(packet(1))])
    chain.include(own)
    chain.advance(signers=[0, 1, 2])
    client, trusted = chain.client_state(1), chain.consensus_state(1)
    states = MemoryConsensusStates({Height(0, 1): trusted})
    header = chain.header(2, 1)
    verdict = CLIENT.verify_header(client, states, header, chain.now_ns)
    assert isinstance(verdict, Updated)
    vectors = {
        "client_state": client.hex(),
        "trusted_consensus_state": trusted.hex(),
        "now_ns": str(chain.now_ns),
        "block_header": chain.update(2, 1).encoded.hex(),
        "block_hash": chain.block_hash(chain.blocks[2].header).hex(),
        "header_message": header.hex(),
        "new_client_state": verdict.client_state.hex(),
        "new_consensus_state": verdict.consensus_state.hex(),
    }
    if generation is Generation.V2:
        path, value, proof = commitment_key(packet(1)), packet_commitment(packet(1)), chain.proof_of(2, own)
        CLIENT.verify_membership(client, verdict.consensus_state, proof, (path,), value)
        vectors |= {"path": path.hex(), "value": value.hex(), "event_proof": proof.hex()}
        fork = chain.propose(2, receipts=(receipt([]),), signers=[0, 1, 2]).message(1)
        misbehaviour = chain.misbehaviour(chain.update(2, 1), fork)
        frozen = CLIENT.check_misbehaviour(client, states, misbehaviour, chain.now_ns)
        vectors |= {"misbehaviour": misbehaviour.hex(), "frozen_client_state": frozen.client_state.hex()}
    else:
        assert encode_header_message(chain.update(2, 1)) == header
    return vectors


def vectors() -> dict:
    return {"generation_2": vectors_of(Generation.V2), "generation_3": vectors_of(Generation.V3, [1, 2, 3, 1])}


def test_page_holds_the_vectors_that_the_code_makes():
    (block,) = BLOCK.findall(PAGE.read_text(encoding="utf-8"))
    assert json.loads(block) == vectors()


if __name__ == "__main__":
    text = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(
        BLOCK.sub(lambda _: "```json\n" + json.dumps(vectors(), indent=1) + "\n```", text), encoding="utf-8"
    )
