"""H lines: whatever bytes reach HubClient, it refuses them or they are what an honest encoder writes."""

import pytest
from eth_abi.abi import decode
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.adapters.evm.hub_client import (
    MISBEHAVIOUR_TUPLE,
    encode_membership_proof,
    encode_misbehaviour,
    encode_update,
)
from tests.contracts.clients.hub_twin import HubTwin
from tests.contracts.evm import Reverted
from tests.light_clients.tendermint.simulated_chain import SimulatedChain

KEY = b"client-0\x01" + (1).to_bytes(8, "big")


def make_twin():
    chain = SimulatedChain(chain_id="hutong-1")
    chain.put(KEY, b"\x07" * 32)
    chain.advance(4)
    twin = HubTwin(chain)
    twin.update(chain.update(3, 1))
    return twin


TWIN = make_twin()
UPDATE = encode_update(TWIN.chain.update(5, 1))
EVIDENCE = encode_misbehaviour(
    TWIN.chain.misbehaviour(TWIN.chain.update(4, 1), TWIN.chain.update(4, 1, TWIN.chain.fork(4, app_hash=b"\xee" * 32)))
)
STORED_HEIGHTS = {(1, 1), (1, 3)}
CHAIN_ID = b"hutong-1".ljust(32, b"\0")
"""The one word with padding, which Solidity's decoder does not read (docs/spec/hub-client.md)."""
PROOF = encode_membership_proof(TWIN.chain.prove(KEY, 3)[0])


def accepted(function, *arguments):
    try:
        TWIN.contract.transact(function, *arguments, gas=3_000_000, keep=False)
    except Reverted:
        return False
    return True


def meaning(evidence):
    """What evidence says, whichever stored heights its headers trust: they have one validator set here."""
    ((first, second),) = decode([MISBEHAVIOUR_TUPLE], evidence, strict=False)
    assert {first[0], second[0]} <= STORED_HEIGHTS
    return first[1:], second[1:]


@given(st.binary(max_size=600))
@settings(max_examples=60, deadline=None)
def test_attack_H_contract_random_bytes_are_refused(data):
    assert not accepted("updateClient", data)
    assert not accepted("misbehaviour", data)
    assert not accepted("verifyMembership", (data, (1, 3), (KEY,), b"\x07" * 32))
    assert not accepted("verifyNonMembership", (data, (1, 3), (KEY,)))


@pytest.mark.long
@given(st.integers(0, len(UPDATE) // 32 - 1), st.binary(min_size=32, max_size=32))
@settings(max_examples=80, deadline=None)
def test_attack_H_contract_any_word_of_an_update_replaced(place, word):
    """Lengths and offsets as well as values: no word of an update is unread, but for padding."""
    mutated = UPDATE[: place * 32] + word + UPDATE[place * 32 + 32 :]
    if mutated != UPDATE and accepted("updateClient", mutated):
        pytest.fail(f"word {place} is read by nobody")
    assert accepted("updateClient", UPDATE)


@given(st.integers(0, len(EVIDENCE) // 32 - 1), st.integers(0, 255))
@settings(max_examples=60, deadline=None)
@pytest.mark.long
def test_attack_H_contract_any_bit_of_evidence_flipped(place, bit):
    word = int.from_bytes(EVIDENCE[place * 32 : place * 32 + 32], "big") ^ (1 << bit)
    mutated = EVIDENCE[: place * 32] + word.to_bytes(32, "big") + EVIDENCE[place * 32 + 32 :]
    taken = accepted("misbehaviour", mutated)
    if EVIDENCE[place * 32 : place * 32 + 32] == CHAIN_ID and bit < 192:
        assert taken
    else:
        assert not taken or meaning(mutated) == meaning(EVIDENCE)
    assert accepted("misbehaviour", EVIDENCE)


def test_evidence_may_trust_another_stored_height_or_point_its_empty_list_at_other_zeros():
    """What `meaning` takes for the same: nothing of evidence is hashed or stored."""
    trusted_height, empty_list = 66, 8
    for place, bit, is_accepted in ((trusted_height, 1, True), (trusted_height, 2, False), (empty_list, 1, True)):
        mutated = bytearray(EVIDENCE)
        mutated[place * 32 + 31] ^= 1 << bit
        assert accepted("misbehaviour", bytes(mutated)) == is_accepted
        assert not is_accepted or meaning(bytes(mutated)) == meaning(EVIDENCE)


@given(st.integers(0, len(PROOF) - 1))
@settings(max_examples=60, deadline=None)
def test_attack_H_contract_proofs_cut_anywhere(length):
    assert not accepted("verifyMembership", (PROOF[:length], (1, 3), (KEY,), b"\x07" * 32))
    assert accepted("verifyMembership", (PROOF, (1, 3), (KEY,), b"\x07" * 32))


@pytest.mark.long
def test_attack_H_contract_huge_lengths_fail_fast():
    """A length of 2^255 or 2^64 in place of any word costs little and reverts."""
    for value in (2**255, 2**64 - 1, 2**32):
        for place in range(len(UPDATE) // 32):
            mutated = UPDATE[: place * 32] + value.to_bytes(32, "big") + UPDATE[place * 32 + 32 :]
            assert not accepted("updateClient", mutated), (place, value)


def test_attack_C19_contract_client_upgrades_are_not_offered():
    names = {entry["name"] for entry in TWIN.contract.compiled.abi if entry["type"] == "function"}
    assert not any("upgrade" in name.lower() for name in names)
    assert not TWIN.contract_accepts(b"upgrade/1/upgradedClient", b"x", PROOF, (1, 3))
