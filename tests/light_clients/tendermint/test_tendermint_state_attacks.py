"""Misbehaviour, recovery, creation: lines C16 to C20."""

from dataclasses import replace

import pytest

from hutong.light_clients.interface import (
    ClientExpired,
    ClientFrozen,
    ClientStatus,
    Height,
    MalformedInput,
    MemoryConsensusStates,
    Misbehaved,
    PredicateFailed,
    UnknownHeight,
    VerificationError,
    audit,
)
from hutong.light_clients.proofs import ics23
from hutong.light_clients.tendermint.codec import (
    decode_client_state,
    encode_client_state,
    encode_consensus_state,
    encode_misbehaviour,
    encode_tendermint_header,
)
from hutong.light_clients.tendermint.types import FROZEN_HEIGHT, TrustLevel
from tests.light_clients.tendermint.simulated_chain import SimulatedChain, flags, signers
from tests.light_clients.tendermint.verifying import CLIENT, Verifier, with_entry, with_header


@pytest.fixture
def chain() -> SimulatedChain:
    chain = SimulatedChain()
    chain.advance(4)
    return chain


@pytest.fixture
def client(chain) -> Verifier:
    return Verifier(chain, 1, 2)


def fork_evidence(chain, height: int = 4, trusted: int = 1):
    return chain.misbehaviour(
        chain.update(height, trusted), chain.update(height, trusted, chain.fork(height, app_hash=b"\x66" * 32))
    )


def time_evidence(chain):
    """Block 5 signed again with a time that is not after block 4's."""
    late = chain.fork(5, time_ns=chain.block(4).header.time_ns)
    return chain.misbehaviour(chain.update(5, 1, late), chain.update(4, 1))


def refused(client, evidence, predicate: str) -> PredicateFailed:
    with pytest.raises(PredicateFailed) as caught:
        client.misbehaviour(evidence)
    assert caught.value.predicate == predicate, caught.value
    return caught.value


def test_attack_C16_two_equal_headers(chain, client):
    update = chain.update(4, 1)
    refused(client, chain.misbehaviour(update, update), "headers_conflict")
    assert isinstance(client.misbehaviour(fork_evidence(chain)), Misbehaved)


def test_attack_C16_one_header_is_invalid(chain, client):
    evidence = fork_evidence(chain)
    for name in ("header_1", "header_2"):
        update = getattr(evidence, name)
        bad_signature = with_entry(update, 0, signature=b"\x01" * 64)
        refused(client, replace(evidence, **{name: bad_signature}), "trusted_power_signed")
        bad_later = with_entry(update, 2, signature=b"\x01" * 64)
        refused(client, replace(evidence, **{name: bad_later}), "two_thirds_signed")
        tampered = with_header(update, data_hash=b"\x01" * 32)
        refused(client, replace(evidence, **{name: tampered}), "commit_matches_header")
    few = chain.fork(4, app_hash=b"\x66" * 32, flags=flags(absent=(0, 1, 2)))
    refused(client, replace(evidence, header_2=chain.update(4, 1, few)), "trusted_power_signed")
    some = chain.fork(4, app_hash=b"\x66" * 32, flags=flags(absent=(0, 1)))
    refused(client, replace(evidence, header_2=chain.update(4, 1, some)), "two_thirds_signed")
    assert isinstance(client.misbehaviour(evidence), Misbehaved)


def test_attack_C16_heights_reversed(chain, client):
    evidence = time_evidence(chain)
    reversed_ = replace(evidence, header_1=evidence.header_2, header_2=evidence.header_1)
    error = refused(client, reversed_, "evidence_heights_in_order")
    assert (error.got, error.expected) == (4, ">= 5")
    assert isinstance(client.misbehaviour(evidence), Misbehaved)


def test_attack_C16_times_in_order_are_no_evidence(chain, client):
    honest = chain.misbehaviour(chain.update(5, 1), chain.update(4, 1))
    refused(client, honest, "headers_conflict")
    just_later = chain.fork(5, time_ns=chain.block(4).header.time_ns + 1)
    refused(client, chain.misbehaviour(chain.update(5, 1, just_later), chain.update(4, 1)), "headers_conflict")
    assert isinstance(client.misbehaviour(time_evidence(chain)), Misbehaved)


def test_attack_C16_headers_of_another_chain(chain, client):
    other = SimulatedChain(chain_id="other-1")
    other.advance(4)
    assert other.consensus_state(1).next_validators_hash == chain.consensus_state(1).next_validators_hash
    refused(client, fork_evidence(other), "chain_id_matches")
    mixed = chain.misbehaviour(chain.update(4, 1), other.update(4, 1))
    refused(client, mixed, "evidence_heights_in_order")
    assert isinstance(client.misbehaviour(fork_evidence(chain)), Misbehaved)


def test_attack_C16_expired_trusted_state(chain, client):
    edge_ns = chain.block(1).header.time_ns + chain.trusting_period_ns
    with pytest.raises(ClientExpired) as caught:
        client.misbehaviour(fork_evidence(chain, trusted=1), edge_ns)
    assert caught.value.expired_at_ns == edge_ns
    assert isinstance(client.misbehaviour(fork_evidence(chain, trusted=2), edge_ns), Misbehaved)


def test_attack_C16_trusted_height_unknown_or_not_below(chain, client):
    evidence = fork_evidence(chain)
    unknown = replace(evidence, header_2=replace(evidence.header_2, trusted_height=chain.height(3)))
    with pytest.raises(UnknownHeight) as caught:
        client.misbehaviour(unknown)
    assert caught.value.height == chain.height(3)
    full = Verifier(chain, 1, 4)
    not_below = replace(evidence, header_2=replace(evidence.header_2, trusted_height=chain.height(4)))
    refused(full, not_below, "trusted_height_is_below")
    assert isinstance(full.misbehaviour(evidence), Misbehaved)


@pytest.mark.parametrize(
    "changes", [{"height": -5}, {"chain_id": "sim-99999999999999999999"}], ids=["height", "revision"]
)
def test_attack_C16_headers_without_an_ibc_height_end_an_audit_with_a_verdict(chain, client, changes):
    """Judged by a named check like all else, so that the audit prints it and does not break off."""

    def audited(evidence):
        encoded = encode_misbehaviour(evidence)
        return audit(CLIENT.judge_misbehaviour, client.state, client.states, encoded, client.now_ns)

    evidence = fork_evidence(chain)
    spoilt = chain.misbehaviour(with_header(evidence.header_1, **changes), with_header(evidence.header_2, **changes))
    last = audited(spoilt)[-1]
    assert last.name == "header_1.header_has_ibc_height"
    assert isinstance(last.error, MalformedInput)
    with pytest.raises(MalformedInput):
        client.misbehaviour(spoilt)
    assert all(verdict.held for verdict in audited(evidence))


def test_attack_C16_message_without_client_identifier(chain, client):
    evidence = fork_evidence(chain)
    for client_id in ("", "short", "with space-0", "x" * 65):
        with pytest.raises(MalformedInput) as caught:
            client.misbehaviour(replace(evidence, client_id=client_id))
        assert caught.value.field == "misbehaviour.client_id"
    assert isinstance(client.misbehaviour(evidence), Misbehaved)


def test_attack_C40_double_sign_by_more_than_a_third_freezes_by_less_does_not(chain, client):
    """Two commits of one height need 2/3 each: with honest 2/3 there is only one."""
    honest_minority = chain.fork(4, app_hash=b"\x66" * 32, flags=flags(nil=(1, 2, 3)))
    evidence = chain.misbehaviour(chain.update(4, 1), chain.update(4, 1, honest_minority))
    refused(client, evidence, "trusted_power_signed")
    assert isinstance(client.misbehaviour(fork_evidence(chain)), Misbehaved)


@pytest.mark.parametrize("make", [fork_evidence, time_evidence])
def test_attack_C17_valid_evidence_freezes_everything(chain, client, make):
    chain.put(b"client-0\x01" + bytes(8), b"\x05" * 32)
    chain.advance(2)
    verdict = client.misbehaviour(make(chain))
    frozen = decode_client_state(verdict.client_state)
    assert frozen.frozen_height == FROZEN_HEIGHT
    assert replace(frozen, frozen_height=Height(0, 0)) == chain.client_state(2)
    active, client.state = client.state, verdict.client_state
    assert CLIENT.status(client.state, client.states, client.now_ns) is ClientStatus.FROZEN
    consensus_state = encode_consensus_state(chain.consensus_state(7))
    proof, path, value = chain.prove(b"client-0\x01" + bytes(8), 7)
    absent, absent_path, _ = chain.prove(b"client-0\x02" + bytes(8), 7)
    attempts = (
        lambda state: CLIENT.verify_header(
            state, client.states, encode_tendermint_header(chain.update(4, 1)), client.now_ns
        ),
        lambda state: CLIENT.verify_membership(state, consensus_state, proof, path, value),
        lambda state: CLIENT.verify_non_membership(state, consensus_state, absent, absent_path),
    )
    for attempt in attempts:
        attempt(active)
        with pytest.raises(ClientFrozen):
            attempt(client.state)
    with pytest.raises(ClientFrozen):
        client.misbehaviour(make(chain))


@pytest.mark.parametrize("field", ["app_hash", "next_validators_hash"])
def test_attack_C15_a_second_block_that_no_update_could_carry_still_freezes_as_evidence(chain, client, field):
    """An update without these fields is refused before it is compared (T4); a double sign is one all the same."""
    fork = chain.update(4, 1, chain.fork(4, **{field: b""}))
    assert isinstance(client.misbehaviour(chain.misbehaviour(chain.update(4, 1), fork)), Misbehaved)
    with pytest.raises(PredicateFailed) as caught:
        client.verify(fork)
    assert caught.value.predicate == "consensus_fields_present"
    client.accepts(chain.update(4, 1))


def substitute_of(chain, height: int = 5, **changes) -> bytes:
    return encode_client_state(chain.client_state(height, **changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"trust_level": TrustLevel(2, 3)},
        {"unbonding_period_ns": 22 * 86_400 * 10**9},
        {"max_clock_drift_ns": 11 * 10**9},
        {"proof_specs": (ics23.IAVL_SPEC, ics23.TENDERMINT_SPEC)},
        {"upgrade_path": ()},
        {"chain_id": "other-1"},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_attack_C18_substitute_with_other_parameters(chain, client, changes):
    with pytest.raises(PredicateFailed) as caught:
        CLIENT.check_substitute(client.state, substitute_of(chain, **changes))
    assert caught.value.predicate == "substitute_matches"
    with pytest.raises(PredicateFailed):
        CLIENT.recovered(client.state, substitute_of(chain, **changes))
    CLIENT.check_substitute(client.state, substitute_of(chain))


def test_attack_C18_substitute_that_is_frozen_behind_or_unsound(chain, client):
    with pytest.raises(ClientFrozen):
        CLIENT.check_substitute(client.state, substitute_of(chain, frozen_height=FROZEN_HEIGHT))
    for height in (1, 2):
        with pytest.raises(PredicateFailed) as caught:
            CLIENT.check_substitute(client.state, substitute_of(chain, height))
        assert caught.value.predicate == "substitute_is_ahead"
    with pytest.raises(PredicateFailed) as caught:
        CLIENT.check_substitute(client.state, substitute_of(chain, trusting_period_ns=chain.unbonding_period_ns))
    assert caught.value.predicate == "periods_in_order"
    CLIENT.check_substitute(client.state, substitute_of(chain, 3))


def test_attack_C18_substitute_of_another_type(chain, client):
    for other in (b"", b"\x08\x01", b"\x0a\x05sim-1", encode_consensus_state(chain.consensus_state(1))):
        with pytest.raises(MalformedInput):
            CLIENT.check_substitute(client.state, other)


def test_attack_C18_expired_substitute_is_seen_by_its_status(chain):
    states = MemoryConsensusStates({chain.height(5): encode_consensus_state(chain.consensus_state(5))})
    edge_ns = chain.block(5).header.time_ns + chain.trusting_period_ns
    assert CLIENT.status(substitute_of(chain), states, edge_ns - 1) is ClientStatus.ACTIVE
    assert CLIENT.status(substitute_of(chain), states, edge_ns) is ClientStatus.EXPIRED


def test_recovered_client_takes_height_period_and_revision_of_the_substitute():
    old, new = SimulatedChain(chain_id="sim-1"), SimulatedChain(chain_id="sim-2")
    old.advance(4)
    new.advance(1)
    frozen = encode_client_state(old.client_state(5).frozen())
    substitute = new.client_state(2, trusting_period_ns=6 * 86_400 * 10**9)
    recovered = decode_client_state(CLIENT.recovered(frozen, encode_client_state(substitute)))
    assert recovered == substitute
    assert not recovered.is_frozen


def test_attack_C19_placeholder_root_verifies_nothing(chain, client):
    sentinel = replace(chain.consensus_state(2), root=b"sentinel_root")
    proof, path, value = chain.prove(b"hub/genesis", 2)
    CLIENT.verify_membership(client.state, encode_consensus_state(chain.consensus_state(2)), proof, path, value)
    with pytest.raises(VerificationError):
        CLIENT.verify_membership(client.state, encode_consensus_state(sentinel), proof, path, value)


@pytest.mark.parametrize(
    ("changes", "predicate"),
    [
        ({"trust_level": TrustLevel(0, 0)}, "trust_level_in_range"),
        ({"trust_level": TrustLevel(1, 0)}, "trust_level_in_range"),
        ({"trust_level": TrustLevel(33, 100)}, "trust_level_in_range"),
        ({"trust_level": TrustLevel(4, 3)}, "trust_level_in_range"),
        ({"trust_level": TrustLevel(2**64 // 3 - 1, 2**64 - 1)}, "trust_level_in_range"),
        ({"trusting_period_ns": 21 * 86_400 * 10**9}, "periods_in_order"),
        ({"trusting_period_ns": 0}, "periods_in_order"),
        ({"trusting_period_ns": -1}, "periods_in_order"),
        ({"unbonding_period_ns": 0}, "periods_in_order"),
        ({"max_clock_drift_ns": 0}, "clock_drift_positive"),
        ({"max_clock_drift_ns": -1}, "clock_drift_positive"),
        ({"proof_specs": ()}, "proof_specs_present"),
        ({"upgrade_path": ("upgrade", " ")}, "upgrade_path_elements_present"),
        ({"latest_height": Height(0, 3)}, "latest_height_of_chain"),
        ({"latest_height": Height(2, 3)}, "latest_height_of_chain"),
        ({"latest_height": Height(1, 0)}, "latest_height_of_chain"),
        ({"chain_id": ""}, "chain_id_is_usable"),
        ({"chain_id": "  "}, "chain_id_is_usable"),
        ({"chain_id": "s" * 49 + "-1"}, "chain_id_is_usable"),
    ],
    ids=str,
)
def test_attack_C20_unfit_client_state(chain, changes, predicate):
    consensus_state = encode_consensus_state(chain.consensus_state(3))
    now_ns = chain.latest.header.time_ns
    with pytest.raises(PredicateFailed) as caught:
        CLIENT.create(encode_client_state(chain.client_state(3, **changes)), consensus_state, now_ns)
    assert caught.value.predicate == predicate
    CLIENT.create(encode_client_state(chain.client_state(3)), consensus_state, now_ns)


@pytest.mark.parametrize("level", [TrustLevel(1, 3), TrustLevel(1, 1), TrustLevel(34, 100)])
def test_attack_C20_trust_levels_at_the_bounds_pass(chain, level):
    consensus_state = encode_consensus_state(chain.consensus_state(3))
    CLIENT.create(
        encode_client_state(chain.client_state(3, trust_level=level)), consensus_state, chain.latest.header.time_ns
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"root": b""},
        {"root": bytes(32)},
        {"next_validators_hash": b""},
        {"timestamp_ns": 0},
        {"timestamp_ns": 999_999_999},
    ],
    ids=str,
)
def test_attack_C20_first_consensus_state_is_no_default_value(chain, changes):
    state = replace(chain.consensus_state(3), **changes)
    with pytest.raises(PredicateFailed) as caught:
        CLIENT.create(
            encode_client_state(chain.client_state(3)), encode_consensus_state(state), chain.latest.header.time_ns
        )
    assert caught.value.predicate == "consensus_state_is_sound"


def test_misbehaviour_across_a_set_change_is_judged_from_each_trusted_state():
    chain = SimulatedChain()
    chain.set_members(dict.fromkeys((*signers(4), *signers(1, label="newcomer")), 10))
    chain.advance(5)
    client = Verifier(chain, 1, 3)
    one = chain.update(6, 1)
    two = chain.update(6, 3, chain.fork(6, app_hash=b"\x44" * 32))
    assert isinstance(client.misbehaviour(chain.misbehaviour(one, two)), Misbehaved)
