"""Attack checklist lines about states, time, recovery and proofs against the ethereum client."""

from dataclasses import replace

import pytest

from hutong.light_clients.ethereum import (
    Fork,
    ForkActivation,
    Preset,
    TrustedCommittees,
    decode_client_state,
    decode_consensus_state,
    encode_client_state,
    encode_consensus_state,
)
from hutong.light_clients.ethereum.predicates import finality_proven
from hutong.light_clients.ethereum.types import ConsensusState
from hutong.light_clients.interface import (
    ClientExpired,
    ClientFrozen,
    MalformedInput,
    Misbehaved,
    PredicateFailed,
    UnsupportedOperation,
    VerificationError,
)
from hutong.light_clients.proofs.mpt import EMPTY_CODE_HASH
from hutong.light_clients.protobuf import ethereum_pb2
from tests.light_clients.bft_evm.simulated_chain import ROUTER, State, proof_nodes
from tests.light_clients.ethereum.simulated_beacon import FIRST_SLOT, SimulatedBeacon, hashed, network_of
from tests.light_clients.ethereum.verifying import CLIENT, KEY, VALUE, Verifier, chain_of


def test_attack_C10_trusting_period_runs_from_the_latest_state_at_its_edge():
    chain = chain_of(blocks=4)
    verifier = Verifier(chain, FIRST_SLOT, FIRST_SLOT + 2)
    header = chain.header(FIRST_SLOT + 3)
    edge_ns = chain.time_ns(FIRST_SLOT + 2) + 1_000 * 10**9
    verifier.accepted(header, now_ns=edge_ns - 1)
    error = verifier.error(ClientExpired, header, now_ns=edge_ns)
    assert (error.expired_at_ns, error.now_ns) == (edge_ns, edge_ns)


def test_attack_C15_time_that_goes_back_between_slots_freezes():
    chain = chain_of(blocks=3)
    verifier = Verifier(chain)
    verifier.update(chain.header(FIRST_SLOT + 2))
    late = chain.propose(FIRST_SLOT + 1, time_s=chain.network.slot_time_s(FIRST_SLOT + 2) + 1)
    assert isinstance(verifier.judge(chain.header(late)), Misbehaved)
    same = chain.propose(FIRST_SLOT + 1, time_s=chain.network.slot_time_s(FIRST_SLOT + 2))
    verifier.accepted(chain.header(same))


def test_attack_C15_time_before_that_of_a_lower_slot_freezes():
    chain = chain_of(blocks=3)
    verifier = Verifier(chain)
    early = chain.propose(FIRST_SLOT + 1, time_s=chain.network.slot_time_s(FIRST_SLOT) - 1)
    assert isinstance(verifier.judge(chain.header(early)), Misbehaved)
    verifier.accepted(chain.header(chain.propose(FIRST_SLOT + 1, time_s=chain.network.slot_time_s(FIRST_SLOT))))


def test_attack_C17_frozen_client_does_nothing():
    chain = chain_of()
    verifier = Verifier(chain, is_frozen=True)
    verifier.error(ClientFrozen, chain.header(FIRST_SLOT + 1))
    evidence = chain.misbehaviour(
        chain.header(FIRST_SLOT + 1), chain.header(chain.propose(FIRST_SLOT + 1, State({}), label="fork"))
    )
    with pytest.raises(ClientFrozen):
        CLIENT.check_misbehaviour(verifier.state, verifier.states, evidence, chain.now_ns)


UNFIT = {
    "chain id": {"chain_id": 1},
    "router": {"router_address": ROUTER[::-1]},
    "threshold": {"min_participants": 32},
    "drift": {"max_clock_drift_s": 16},
    "genesis root": {"network": replace(network_of(), genesis_validators_root=b"\7" * 32)},
    "genesis time": {"network": replace(network_of(), genesis_time_s=5)},
    "fork version": {"network": replace(network_of(), forks=network_of().forks[:-1])},
    "preset": {"network": replace(network_of(), preset=Preset(8, 16, 32))},
    "frozen": {"is_frozen": True},
}


@pytest.mark.parametrize("changed", UNFIT.values(), ids=UNFIT)
def test_attack_C18_unfit_substitute(changed):
    chain = chain_of()
    subject = chain.client_state(FIRST_SLOT, is_frozen=True)
    CLIENT.check_substitute(subject, chain.client_state(FIRST_SLOT + 1, trusting_period_s=5))
    substitute = chain.client_state(FIRST_SLOT + 1, **changed)
    with pytest.raises(PredicateFailed):
        CLIENT.check_substitute(subject, substitute)
    with pytest.raises(PredicateFailed):
        CLIENT.recovered(subject, substitute)


def test_recovery_may_change_what_is_scheduled_after_the_newest_header():
    """Forks are announced, postponed and called off; those that ruled a header which is believed are what they were."""
    chain = chain_of()
    network = chain.network
    epoch = network.epoch_at(FIRST_SLOT)

    def scheduled(*epochs: int):
        forks = tuple(ForkActivation(Fork.FULU, b"\7\0\0\0", at) for at in epochs)
        return replace(network, forks=network.forks + forks)

    for before, after in (((), (epoch + 1,)), ((epoch + 1,), (10**6,)), ((10**6,), ())):
        subject = chain.client_state(FIRST_SLOT, network=scheduled(*before), is_frozen=True)
        substitute = chain.client_state(FIRST_SLOT + 1, network=scheduled(*after))
        assert decode_client_state(CLIENT.recovered(subject, substitute)).network == scheduled(*after)
    for before, after in (((), (epoch,)), ((epoch,), ()), ((epoch,), (epoch + 1,)), ((epoch,), (epoch - 1,))):
        subject = chain.client_state(FIRST_SLOT, network=scheduled(*before))
        with pytest.raises(PredicateFailed):
            CLIENT.check_substitute(subject, chain.client_state(FIRST_SLOT + 1, network=scheduled(*after)))
        with pytest.raises(PredicateFailed):
            CLIENT.check_rescheduled(subject, chain.client_state(FIRST_SLOT, network=scheduled(*after)))


BAD_STATES = {
    "no chain id": {"chain_id": 0},
    "zero router": {"router_address": bytes(20)},
    "short router": {"router_address": bytes(18) + b"\1"},
    "a vote below two thirds": {"min_participants": 21},
    "more than all": {"min_participants": 33},
    "no trusting period": {"trusting_period_s": 0},
    "no drift": {"max_clock_drift_s": 0},
    "trusting period of 2^64": {"trusting_period_s": 2**64},
}


@pytest.mark.parametrize("changed", BAD_STATES.values(), ids=BAD_STATES)
def test_attack_C20_client_state_with_unfit_parameters(changed):
    chain = chain_of()
    chain.client_state(FIRST_SLOT)
    with pytest.raises(MalformedInput):
        chain.client(FIRST_SLOT, **changed)


def test_attack_C20_zero_roots_and_heights_are_never_trusted():
    for changed in (
        lambda: TrustedCommittees(5, bytes(32), None),
        lambda: TrustedCommittees(5, b"\1" * 32, bytes(32)),
        lambda: TrustedCommittees(5, b"\1" * 31, None),
        lambda: chain_of(0).client(FIRST_SLOT, committees=TrustedCommittees(0, b"\1" * 32, None)),
        lambda: ConsensusState(0, b"\1" * 32, b"\1" * 32, 1, b"\1" * 32),
        lambda: ConsensusState(1, bytes(32), b"\1" * 32, 1, b"\1" * 32),
        lambda: ConsensusState(1, b"\1" * 32, bytes(32), 1, b"\1" * 32),
        lambda: ConsensusState(1, b"\1" * 32, b"\1" * 32, 1, bytes(32)),
    ):
        with pytest.raises(MalformedInput):
            changed()


BAD_NETWORKS = {
    "zero genesis root": {"genesis_validators_root": bytes(32)},
    "no forks": {"forks": ()},
    "forks out of order": {"forks": network_of().forks[::-1]},
    "first fork later": {"forks": (ForkActivation(Fork.CAPELLA, b"\1\0\0\0", 1),)},
    "no slot time": {"seconds_per_slot": 0},
    "genesis beyond time": {"genesis_time_s": 2**50},
}


@pytest.mark.parametrize("changed", BAD_NETWORKS.values(), ids=BAD_NETWORKS)
def test_attack_C20_network_that_is_invalid(changed):
    with pytest.raises(MalformedInput):
        replace(network_of(), **changed)


@pytest.mark.parametrize("size", [0, 1, 4, 31, 33, 1024])
def test_attack_C20_committee_sizes_that_no_preset_has(size):
    with pytest.raises(MalformedInput):
        Preset(8, 8, size)


def test_headers_of_a_fork_that_is_not_offered_are_refused_as_such():
    network = network_of(Fork.GLOAS, epochs={Fork.GLOAS: 17})
    chain = chain_of(network=network, first_slot=FIRST_SLOT, blocks=3)
    verifier = Verifier(chain)
    header = chain.header(FIRST_SLOT + 1)
    verifier.accepted(header)
    beacon = replace(header.update.attested_header.beacon, slot=17 * 8)
    later = replace(
        header,
        update=replace(
            header.update,
            attested_header=replace(header.update.attested_header, beacon=beacon),
            signature_slot=17 * 8 + 1,
        ),
    )
    error = verifier.error(UnsupportedOperation, later, now_ns=chain.time_ns(17 * 8 + 2))
    assert "GLOAS" in str(error)


def test_finalized_header_from_before_capella_proves_no_execution():
    network = network_of(Fork.BELLATRIX)
    chain = chain_of(network=network)
    donor = chain_of()
    state, states = donor.client_state(FIRST_SLOT, network=network), Verifier(donor).states
    header = chain.header(FIRST_SLOT + 1)
    verifier = Verifier(donor)
    verifier.state, verifier.states = state, states
    verifier.refused("shows_finality", header)


# Proofs


def proven() -> tuple[SimulatedBeacon, bytes, bytes]:
    chain = chain_of(0)
    chain.commit(KEY, VALUE)
    chain.advance(2)
    return chain, chain.client_state(chain.slot), chain.consensus_state(chain.slot)


def test_attack_B37_proof_for_another_path():
    chain, client, state = proven()
    CLIENT.verify_membership(client, state, chain.proof(chain.slot, KEY), (KEY,), VALUE)
    other = KEY[:-1] + b"\x08"
    with pytest.raises(VerificationError):
        CLIENT.verify_membership(client, state, chain.proof(chain.slot, KEY), (other,), VALUE)
    CLIENT.verify_non_membership(client, state, chain.proof(chain.slot, other), (other,))
    with pytest.raises(VerificationError):
        CLIENT.verify_non_membership(client, state, chain.proof(chain.slot, KEY), (KEY,))


def test_attack_B40_account_proof_of_another_address_or_none():
    chain = chain_of()
    header = chain.header(FIRST_SLOT + 1)
    verifier = Verifier(chain)
    verifier.accepted(header)
    stranger = b"\x42" * 20
    state = State(chain.storage, router=stranger)
    block = chain.propose(FIRST_SLOT + 1, state, label="moved")
    moved = replace(chain.header(block), account_proof=proof_nodes(state.account_trie, ROUTER))
    error = verifier.refused("router_account_proven", moved)
    assert "no account" in error.reason
    no_code = chain.propose(FIRST_SLOT + 1, State(chain.storage, code_hash=EMPTY_CODE_HASH), label="no code")
    assert "no code" in verifier.refused("router_account_proven", chain.header(no_code)).reason
    other = replace(header, account_proof=proof_nodes(chain.blocks[FIRST_SLOT].execution_state.account_trie, stranger))
    verifier.error(VerificationError, other)
    verifier.error(VerificationError, chain.header(block))
    verifier.error(VerificationError, replace(header, account_proof=()))
    verifier.error(VerificationError, replace(header, account_proof=header.account_proof[1:]))


def test_attack_B40_storage_root_comes_from_the_account_proof_alone():
    chain = chain_of()
    block = chain.propose(FIRST_SLOT + 1, State({b"\7" * 32: b"\1" * 32}), label="other")
    header = chain.header(FIRST_SLOT + 1)
    forged = replace(header, account_proof=proof_nodes(block.execution_state.account_trie, ROUTER))
    Verifier(chain).error(VerificationError, forged)


def test_attack_C20_slots_have_no_other_revision():
    message = ethereum_pb2.ClientState.FromString(chain_of().client_state(FIRST_SLOT))
    message.latest_height.revision_number = 1
    with pytest.raises(MalformedInput):
        decode_client_state(message.SerializeToString(deterministic=True))


def test_states_round_trip():
    chain = chain_of()
    for changed in ({}, {"is_frozen": True}, {"committees": chain.trusted(FIRST_SLOT, next_known=False)}):
        client = chain.client(FIRST_SLOT, **changed)
        assert decode_client_state(encode_client_state(client)) == client
    state = ConsensusState(7, hashed(1), hashed(2), 3, hashed(4))
    assert decode_consensus_state(encode_consensus_state(state)) == state


def test_attack_C9_execution_block_from_the_future_is_not_believed():
    """Whatever a committee signs: a state dated 2^64 s would never expire, and every later one would go back in time."""
    chain = chain_of()
    verifier = Verifier(chain)
    bound_s = (chain.now_ns + 15 * 10**9) // 10**9
    for time_s in (bound_s + 1, 2**64 - 1):
        late = chain.propose(FIRST_SLOT + 1, time_s=time_s)
        error = verifier.refused("execution_not_from_future", chain.header(late))
        assert error.got == time_s * 10**9
    verifier.accepted(chain.header(chain.propose(FIRST_SLOT + 1, time_s=bound_s)))


def test_attack_C33_finalized_header_without_a_branch_is_never_proven():
    """No decoder makes such an update, but the rule must not stand on that."""
    chain = chain_of()
    update = chain.update(FIRST_SLOT + 1)
    finality_proven(update, chain.network)
    finality_proven(replace(update, finalized_header=None, finality_branch=()), chain.network)
    with pytest.raises(MalformedInput):
        finality_proven(replace(update, finality_branch=()), chain.network)
