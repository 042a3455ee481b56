"""Frozen encodings of docs/spec/hub-client.md."""

from eth_abi.abi import decode

from hutong.adapters.evm.hub_client import (
    EXISTENCE_TUPLE,
    HEADER_UPDATE_TUPLE,
    MISBEHAVIOUR_TUPLE,
    NON_EXISTENCE_TUPLE,
    encode_membership_proof,
    encode_misbehaviour,
    encode_non_membership_proof,
    encode_update,
)
from hutong.light_clients.crypto import keccak256
from tests.contracts.evm import artifact, type_of
from tests.light_clients.tendermint.simulated_chain import SimulatedChain, signers


def chain():
    chain = SimulatedChain(chain_id="hutong-1", members=dict.fromkeys(signers(1), 10))
    chain.put(b"client-0\x01" + (1).to_bytes(8, "big"), b"\x07" * 32)
    chain.advance(3)
    return chain


def test_update_message():
    message = encode_update(chain().update(2, 1))
    assert message[:32] == (32).to_bytes(32, "big")
    assert len(message) == 1408
    assert keccak256(message).hex() == UPDATE_HASH


def test_misbehaviour_message():
    simulated = chain()
    one = simulated.update(3, 1)
    two = simulated.update(3, 1, simulated.fork(3, app_hash=b"\xee" * 32))
    message = encode_misbehaviour(simulated.misbehaviour(one, two))
    assert len(message) == 2848
    assert keccak256(message).hex() == MISBEHAVIOUR_HASH


def test_proofs():
    simulated = chain()
    key = b"client-0\x01" + (1).to_bytes(8, "big")
    exists = encode_membership_proof(simulated.prove(key, 3)[0])
    lacks = encode_non_membership_proof(simulated.prove(b"client-0\x02" + (1).to_bytes(8, "big"), 3)[0])
    assert (keccak256(exists).hex(), keccak256(lacks).hex()) == (EXISTENCE_HASH, NON_EXISTENCE_HASH)
    ((got, value, _, siblings),) = decode([EXISTENCE_TUPLE], exists)
    assert (got, value, len(siblings)) == (key, b"\x07" * 32, 1)


def test_tuples_are_the_contracts_structs():
    """The encoder's tuples, compared with the structs as the compiler saw them (through the constructor and errors)."""
    constructor = next(entry for entry in artifact("HubClient").abi if entry["type"] == "constructor")
    assert [type_of(parameter) for parameter in constructor["inputs"]] == [
        "(string,uint64,uint64,uint64,uint64,uint64,(uint64,uint64),bool)",
        "(uint64,bytes32,bytes32)",
    ]
    assert MISBEHAVIOUR_TUPLE == f"({HEADER_UPDATE_TUPLE},{HEADER_UPDATE_TUPLE})"
    assert NON_EXISTENCE_TUPLE.count(EXISTENCE_TUPLE) == 2


UPDATE_HASH = "ad07850cdbce61600f6664b20c1b4fcfc35d713a50e538d9c85cd40f1076cded"
MISBEHAVIOUR_HASH = "78f4e5e55cb7895e47afd3bb00fbbb40c7b87b5ecd5cb027136ba0dc6a533657"
EXISTENCE_HASH = "90692029cf5cf7144eb8c81109aae3b91e6dd036fbabf1ef37ae65272e9ef88f"
NON_EXISTENCE_HASH = "af94067781f36be451ac4bba3febdde3e9e3e2eeda15e5f2b64df964ec116742"
