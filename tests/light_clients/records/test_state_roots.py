"""What leads from a believed block to its state root, for each client that proves one, and what does not."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.light_clients.attestation import (
    AttestationKind,
    Misbehaviour,
    decode_misbehaviour,
    decode_state_root,
    encode_attestation,
    encode_misbehaviour,
    encode_state_root,
)
from hutong.light_clients.bft_evm import BftEvmClient, Consensus, SealRules
from hutong.light_clients.evm_header import encode_header
from hutong.light_clients.interface import (
    VERIFY,
    ClientExpired,
    ClientFrozen,
    Height,
    MalformedInput,
    MemoryConsensusStates,
    PredicateFailed,
    StateProver,
    UnknownHeight,
    VerificationError,
)
from hutong.light_clients.records import AccountField, FieldPlace, judge_evm_places
from hutong.light_clients.table import LIGHT_CLIENTS
from tests.light_clients.attestation.attested_chain import AttestedChain, attestor_keys
from tests.light_clients.bft_evm.simulated_chain import CONTRACT, ROUTER, SimulatedChain, encode_header_message
from tests.light_clients.clique.simulated_clique_chain import SimulatedCliqueChain
from tests.light_clients.records.observed_state import (
    CHAINS,
    PLACES,
    SLOT,
    WORD,
    attestation,
    attested_root,
    bft_evm,
    clique,
    ethereum,
    nodes_for,
)


def root_of(case, **changed):
    case = replace(case, **changed)
    return case.client.judge_state_root(VERIFY, case.client_state, case.states, case.height, case.shown, case.now_ns)


def refusal(case, **changed):
    with pytest.raises(PredicateFailed) as refused:
        root_of(case, **changed)
    return refused.value.predicate


@pytest.fixture(params=CHAINS.values(), ids=CHAINS)
def shown(request):
    return request.param()


def test_the_root_of_a_believed_block_is_proven_with_its_trust(shown):
    found = root_of(shown)
    assert found.state_root == shown.root
    assert (found.threshold, found.attestors) == shown.attested


def test_slots_and_fields_are_read_under_the_root(shown):
    places = (*PLACES, FieldPlace(ROUTER, AccountField.NONCE), FieldPlace(bytes([9]) * 20, AccountField.BALANCE))
    values = judge_evm_places(VERIFY, root_of(shown).state_root, nodes_for(shown.state, places), places)
    assert values[0] == shown.state.storage[SLOT] == WORD
    assert values[1:] == (None, (1).to_bytes(32, "big"), None)


def test_a_height_without_a_state_has_no_root(shown):
    with pytest.raises(UnknownHeight):
        root_of(shown, height=Height(0, shown.height.revision_height + 1))
    with pytest.raises(UnknownHeight):
        root_of(shown, states=MemoryConsensusStates({}))


def test_attack_J9_what_is_shown_of_one_height_is_not_of_another(shown):
    if not shown.shown:
        pytest.skip("nothing is shown: the stored state of the height says it")
    earlier = shown.states.before(shown.height)
    assert earlier is not None
    assert refusal(shown, height=earlier[0]) in (
        "shown_header_is_believed",
        "shown_header_is_stored",
        "shown_root_is_attested",
    )


@settings(max_examples=60, deadline=None)
@given(name=st.sampled_from(sorted(CHAINS)), data=st.data())
def test_bytes_that_were_changed_are_refused_or_the_same_root(name, data):
    shown = CHAINS[name]()
    changed = bytearray(shown.shown or b"\x01")
    index = data.draw(st.integers(0, len(changed) - 1))
    changed[index] ^= data.draw(st.integers(1, 255))
    try:
        found = root_of(shown, shown=bytes(changed))
    except VerificationError:
        return
    assert found.state_root == shown.root


@settings(max_examples=60, deadline=None)
@given(name=st.sampled_from(sorted(CHAINS)), noise=st.binary(min_size=1, max_size=400))
def test_any_bytes_are_a_typed_refusal(name, noise):
    with pytest.raises(VerificationError):
        root_of(CHAINS[name](), shown=noise)


def test_only_four_clients_prove_state_roots():
    provers = {name for name, client in LIGHT_CLIENTS.items() if isinstance(client, StateProver)}
    assert provers == set(CHAINS)


# bft-evm


def test_attack_J9_bft_evm_header_without_a_quorum_shows_no_root():
    chain = SimulatedChain()
    chain.advance(3)
    few = chain.propose(3, signers=chain.keys[:2])
    forged = encode_header_message(chain.update(3, 1, few))
    assert refusal(bft_evm(), shown=forged) == "quorum_of_own_validators"


def test_bft_evm_header_that_contradicts_the_stored_state_shows_no_root():
    chain = SimulatedChain()
    chain.advance(3)
    twin = chain.propose(3, time_s=chain.headers[3][0].timestamp_s + 1)
    contradicting = encode_header_message(chain.update(3, 1, twin))
    assert refusal(bft_evm(), shown=contradicting) == "shown_header_is_believed"


@pytest.mark.parametrize(
    "rules",
    [SealRules(Consensus.IBFT2), SealRules(Consensus.ISTANBUL), SealRules(validator_contract=CONTRACT)],
    ids=["ibft2", "istanbul", "contract"],
)
def test_every_consensus_of_bft_evm_shows_its_roots(rules):
    chain = SimulatedChain(rules=rules)
    chain.advance(3)
    states = MemoryConsensusStates({Height(0, at): chain.consensus_state(at) for at in (1, 3)})
    found = BftEvmClient().judge_state_root(
        VERIFY, chain.client_state(3), states, Height(0, 3), chain.header(3, 1), chain.now_ns
    )
    assert found.state_root == chain.states[3].account_trie.root_hash


def test_bft_evm_header_from_an_expired_state_shows_no_root():
    shown = bft_evm()
    with pytest.raises(ClientExpired):
        root_of(shown, now_ns=shown.now_ns + 1_000 * 10**9)


def test_frozen_clients_show_no_root():
    for shown, chain in (
        (bft_evm(), SimulatedChain),
        (clique(), SimulatedCliqueChain),
        (attestation(), AttestedChain),
    ):
        sample = chain()
        height = shown.height.revision_height
        for _ in range(height):
            (sample.main if hasattr(sample, "main") else sample).advance()
        with pytest.raises(ClientFrozen):
            root_of(shown, client_state=sample.client_state(height, is_frozen=True))


# clique


def test_attack_J9_clique_header_of_a_sibling_shows_no_root():
    chain = SimulatedCliqueChain()
    chain.main.advance(3)
    sibling = chain.main.fork(2)
    sibling.advance(1, sibling.allowed()[1])
    assert refusal(clique(), shown=encode_header(sibling.at(3).block.execution)) == "shown_header_is_stored"


# ethereum


def test_ethereum_takes_nothing_beside_its_state():
    assert refusal(ethereum(), shown=b"\0") == "nothing_shown"


# attestation


def test_attack_J9_a_state_attestation_is_not_one_of_a_root():
    """Both data have 64 bytes: the kind is in the digest alone."""
    chain = AttestedChain()
    chain.advance(2)
    assert refusal(attestation(), shown=chain.update(3)) == "signed_by_attestors"


def test_attack_J9_too_few_and_foreign_attestors_show_no_root():
    chain = AttestedChain()
    chain.advance(2)
    root = attestation().root
    assert refusal(attestation(), shown=attested_root(chain, 3, root, keys=chain.keys[:1])) == "quorum_of_attestors"
    foreign = attested_root(chain, 3, root, keys=[chain.keys[0], *attestor_keys(1, 7)])
    assert refusal(attestation(), shown=foreign) == "signed_by_attestors"
    scope = replace(chain.scope, destination_client_id="attestation-1")
    elsewhere = attested_root(chain, 3, root, scope=scope)
    assert refusal(attestation(), shown=elsewhere) == "signed_by_attestors"


def test_an_attestation_of_another_kind_is_not_of_a_root():
    chain = AttestedChain()
    chain.advance(2)
    data = (3).to_bytes(32, "big") + attestation().root
    for kind in (AttestationKind.PACKETS, AttestationKind.ROTATION):
        assert refusal(attestation(), shown=encode_attestation(chain.attest(kind, data))) == "signed_by_attestors"


def test_no_evidence_is_made_of_state_roots():
    """Released rules refuse a fourth kind of evidence, and every hub judges by one client."""
    chain = AttestedChain()
    signed = chain.attest(AttestationKind.STATE_ROOT, (3).to_bytes(32, "big") + attestation().root)
    with pytest.raises(MalformedInput, match="misbehaviour.kind"):
        decode_misbehaviour(encode_misbehaviour(Misbehaviour(AttestationKind.STATE_ROOT, signed, signed)))


@given(data=st.binary(min_size=60, max_size=68) | st.binary(min_size=56, max_size=56).map(lambda tail: bytes(8) + tail))
def test_data_of_a_state_root_have_one_form(data):
    try:
        attested = decode_state_root(data)
    except MalformedInput:
        return
    assert encode_state_root(attested) == data
