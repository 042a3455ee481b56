"""A client that begins with a bootstrap follows the chain from there."""

from dataclasses import replace

import pytest

from hutong.light_clients.ethereum import (
    Fork,
    Parameters,
    encode_client_state,
    encode_consensus_state,
    states_from_bootstrap,
    supermajority,
)
from hutong.light_clients.interface import Height, MemoryConsensusStates, PredicateFailed, VerificationError
from tests.light_clients.bft_evm.simulated_chain import ROUTER, proof_nodes
from tests.light_clients.ethereum.simulated_beacon import CHAIN_ID, FIRST_SLOT, SimulatedBeacon, network_of, tries_of
from tests.light_clients.ethereum.verifying import CLIENT, Verifier, chain_of


def parameters_of(chain: SimulatedBeacon) -> Parameters:
    return Parameters(CHAIN_ID, chain.network, ROUTER, supermajority(chain.size), 1_000, 15)


def begun(chain: SimulatedBeacon, **changed):
    block = chain.blocks[FIRST_SLOT]
    nodes = proof_nodes(tries_of(block.execution_state)[0], ROUTER)
    given = {
        "parameters": parameters_of(chain),
        "bootstrap": chain.bootstrap(FIRST_SLOT),
        "trusted_block_root": block.root,
        "account_proof": nodes,
    }
    return states_from_bootstrap(**given | changed)


def test_client_begins_without_the_next_committee_and_learns_it():
    chain = chain_of()
    client, state = begun(chain)
    assert client == chain.client(FIRST_SLOT, committees=chain.trusted(FIRST_SLOT, next_known=False))
    assert encode_consensus_state(state) == chain.consensus_state(FIRST_SLOT)
    CLIENT.create(encode_client_state(client), encode_consensus_state(state), chain.now_ns)
    verifier = Verifier(chain)
    verifier.state = encode_client_state(client)
    verifier.states = MemoryConsensusStates({Height(0, FIRST_SLOT): encode_consensus_state(state)})
    verifier.update(chain.header(FIRST_SLOT + 1, with_committee=True))
    assert verifier.client.committees == chain.trusted(FIRST_SLOT + 1)


def test_nothing_begins_with_another_block_or_account():
    chain = chain_of()
    other = chain.blocks[FIRST_SLOT + 1]
    stranger = replace(parameters_of(chain), router_address=b"\x42" * 20)
    for changed in (
        {"trusted_block_root": other.root},
        {"bootstrap": chain.bootstrap(FIRST_SLOT + 1)},
        {"account_proof": ()},
        {"parameters": stranger},
    ):
        with pytest.raises(VerificationError):
            begun(chain, **changed)


def test_nothing_begins_before_capella():
    chain = chain_of(network=network_of(Fork.BELLATRIX))
    with pytest.raises(PredicateFailed) as caught:
        begun(chain)
    assert "before Capella" in caught.value.reason
