"""Attack checklist C36, C37 and C16 against the ethereum client: stale updates, forks, and evidence of them."""

from dataclasses import replace

import pytest

from hutong.light_clients.ethereum import (
    MAINNET_PRESET,
    decode_client_state,
)
from hutong.light_clients.interface import Misbehaved, NoOp, PredicateFailed
from tests.light_clients.bft_evm.simulated_chain import State
from tests.light_clients.ethereum.simulated_beacon import (
    FIRST_SLOT,
    SimulatedBeacon,
    network_of,
)
from tests.light_clients.ethereum.verifying import CLIENT, Verifier, chain_of, with_update

G1_OUTSIDE_SUBGROUP = bytes.fromhex("8123456789abcdef" + "0123456789abcdef" * 5)
G2_OUTSIDE_SUBGROUP = bytes.fromhex("8123456789abcdef" + "0123456789abcdef" * 11)
G1_INFINITY = bytes([0xC0]) + bytes(47)
G2_INFINITY = bytes([0xC0]) + bytes(95)
PERIOD_SLOTS = 64


@pytest.fixture(scope="module")
def large() -> SimulatedBeacon:
    """A chain with committees of 512, as mainnet's."""
    return chain_of(1, network=network_of(preset=MAINNET_PRESET))


def test_attack_C36_stale_update_does_not_rewind():
    chain = chain_of(blocks=5)
    verifier = Verifier(chain)
    verifier.update(chain.header(FIRST_SLOT + 4))
    stale = verifier.update(chain.header(FIRST_SLOT + 2))
    client = decode_client_state(stale.client_state)
    assert client.latest_height.revision_height == FIRST_SLOT + 4
    assert client.committees == chain.trusted(FIRST_SLOT + 4)


def test_attack_C36_stale_update_does_not_take_the_next_committee_back():
    chain = chain_of(first_slot=3 * PERIOD_SLOTS - 4, blocks=8)
    verifier = Verifier(chain)
    verifier.update(chain.header(3 * PERIOD_SLOTS + 2, with_committee=True))
    known = verifier.client.committees
    older = chain.header(3 * PERIOD_SLOTS - 2, attested_slot=3 * PERIOD_SLOTS + 1, signature_slot=3 * PERIOD_SLOTS + 2)
    assert decode_client_state(verifier.accepted(older).client_state).committees == known


def test_attack_C37_another_finalized_block_of_a_stored_slot_freezes():
    chain = chain_of()
    verifier = Verifier(chain)
    verifier.update(chain.header(FIRST_SLOT + 1))
    assert isinstance(verifier.judge(chain.header(FIRST_SLOT + 1)), NoOp)
    fork = chain.propose(FIRST_SLOT + 1, State({b"\x07" * 32: b"\x99" * 32}), label="fork")
    verdict = verifier.judge(chain.header(fork))
    assert isinstance(verdict, Misbehaved)
    assert decode_client_state(verdict.client_state).is_frozen


def test_attack_C37_evidence_of_two_finalized_blocks_of_a_slot_freezes():
    chain = chain_of()
    verifier = Verifier(chain)
    own = chain.header(FIRST_SLOT + 1)
    fork = chain.header(chain.propose(FIRST_SLOT + 1, State({}), label="fork"))
    verdict = CLIENT.check_misbehaviour(verifier.state, verifier.states, chain.misbehaviour(own, fork), chain.now_ns)
    assert decode_client_state(verdict.client_state).is_frozen
    without_accounts = chain.misbehaviour(replace(own, account_proof=()), replace(fork, account_proof=()))
    assert CLIENT.check_misbehaviour(verifier.state, verifier.states, without_accounts, chain.now_ns) == verdict


def test_attack_C16_two_attested_heads_of_a_slot_are_no_misbehaviour():
    """One proposer can make two blocks, and the committee may honestly sign both heads, one after the other."""
    chain = chain_of()
    verifier = Verifier(chain)
    first = chain.header(FIRST_SLOT + 1, attested_slot=FIRST_SLOT + 3)
    second = chain.header(FIRST_SLOT + 2, attested_slot=FIRST_SLOT + 3)
    assert first.update.attested_header != second.update.attested_header
    with pytest.raises(PredicateFailed) as caught:
        CLIENT.check_misbehaviour(verifier.state, verifier.states, chain.misbehaviour(first, second), chain.now_ns)
    assert caught.value.predicate == "headers_conflict"


@pytest.mark.parametrize("damage", ["signature", "few", "stranger", "finality", "reversed"])
def test_attack_C16_evidence_with_one_invalid_header_does_not_freeze(damage):
    chain = chain_of()
    verifier = Verifier(chain)
    own = chain.header(FIRST_SLOT + 1)
    block = chain.propose(FIRST_SLOT + 1, State({}), label="fork")
    fork = chain.header(block)
    if damage == "signature":
        bad = with_update(fork, sync_aggregate=own.update.sync_aggregate)
    elif damage == "few":
        bad = chain.header(block, members=range(21))
    elif damage == "stranger":
        bad = replace(fork, sync_committee=chain.committee(9))
    elif damage == "finality":
        bad = with_update(fork, finalized_header=chain.propose(FIRST_SLOT + 1, label="unproven").header)
    else:
        bad = chain.header(FIRST_SLOT + 2)
    for evidence in (chain.misbehaviour(own, bad), chain.misbehaviour(bad, own)):
        with pytest.raises(PredicateFailed):
            CLIENT.check_misbehaviour(verifier.state, verifier.states, evidence, chain.now_ns)
    CLIENT.check_misbehaviour(verifier.state, verifier.states, chain.misbehaviour(own, fork), chain.now_ns)


def test_attack_C9_evidence_is_judged_whatever_its_date():
    chain = chain_of()
    verifier = Verifier(chain)
    own = chain.header(FIRST_SLOT + 1, attested_slot=FIRST_SLOT + 20)
    fork = chain.header(chain.propose(FIRST_SLOT + 1, State({}), label="fork"), attested_slot=FIRST_SLOT + 20)
    verifier.refused("header_not_from_future", own)
    CLIENT.check_misbehaviour(verifier.state, verifier.states, chain.misbehaviour(own, fork), chain.now_ns)


def test_attack_C16_evidence_of_a_committee_that_is_no_longer_believed_does_not_freeze():
    """So recovery from a corrupt committee holds once the substitute has passed its period, and not before."""
    chain = chain_of(first_slot=3 * PERIOD_SLOTS - 8, blocks=12)
    first = chain.first_slot
    own = chain.header(first + 1)
    evidence = chain.misbehaviour(own, chain.header(chain.propose(first + 1, State({}), label="fork")))
    for recovered_at in (first, first + 3):
        same = Verifier(chain, recovered_at)
        assert CLIENT.check_misbehaviour(same.state, same.states, evidence, chain.now_ns)
    later = Verifier(chain, 3 * PERIOD_SLOTS)
    with pytest.raises(PredicateFailed) as caught:
        CLIENT.check_misbehaviour(later.state, later.states, evidence, chain.now_ns)
    assert caught.value.predicate == "signature_period_known"
