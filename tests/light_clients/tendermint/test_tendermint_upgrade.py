"""Client upgrades: line C19, and what is proven across the two revisions."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hutong.light_clients.interface import (
    ClientExpired,
    ClientFrozen,
    Height,
    MalformedInput,
    MemoryConsensusStates,
    PredicateFailed,
    UnknownHeight,
    Updated,
    UpgradableClient,
    VerificationError,
    audit,
)
from hutong.light_clients.proofs.ics23 import IAVL_SPEC
from hutong.light_clients.tendermint import upgrade as upgrades
from hutong.light_clients.tendermint.codec import (
    decode_client_state,
    decode_consensus_state,
    decode_upgrade,
    encode_client_state,
    encode_consensus_state,
    encode_upgrade,
)
from hutong.light_clients.tendermint.types import TrustLevel
from tests.light_clients.tendermint.simulated_chain import DAY_NS, SimulatedChain
from tests.light_clients.tendermint.upgrading_chain import PLAN_HEIGHT, UpgradingChain
from tests.light_clients.tendermint.verifying import CLIENT, Verifier


@pytest.fixture
def planned() -> UpgradingChain:
    return UpgradingChain()


@pytest.fixture
def client(planned) -> Verifier:
    return Verifier(planned.old, 2, PLAN_HEIGHT)


def upgraded(client, upgrade, now_ns: int | None = None) -> Updated:
    return CLIENT.verify_upgrade(
        client.state, client.states, encode_upgrade(upgrade), client.now_ns if now_ns is None else now_ns
    )


def apply(client, verdict) -> None:
    client.state = verdict.client_state
    client.states = client.states.with_state(verdict.height, verdict.consensus_state)


def refused(client, upgrade, predicate: str) -> PredicateFailed:
    with pytest.raises(PredicateFailed) as caught:
        upgraded(client, upgrade)
    assert caught.value.predicate == predicate, caught.value
    return caught.value


def test_the_committed_next_revision_becomes_the_client(planned, client):
    assert isinstance(CLIENT, UpgradableClient)
    verdict = upgraded(client, planned.upgrade())
    state = decode_client_state(verdict.client_state)
    old = decode_client_state(client.state)
    assert verdict.height == state.latest_height == Height(2, 1)
    assert (state.chain_id, state.unbonding_period_ns) == ("sim-2", old.unbonding_period_ns)
    assert (state.trust_level, state.trusting_period_ns, state.max_clock_drift_ns) == (
        old.trust_level,
        old.trusting_period_ns,
        old.max_clock_drift_ns,
    )
    stand_in = decode_consensus_state(verdict.consensus_state)
    last = planned.old.block(PLAN_HEIGHT - 1).header
    assert (stand_in.timestamp_ns, stand_in.next_validators_hash) == (last.time_ns, last.next_validators_hash)
    assert stand_in.root == b"sentinel_root"
    assert CLIENT.status(verdict.client_state, client.states.with_state(verdict.height, verdict.consensus_state), 0)


def test_packets_in_flight_are_proven_at_heights_of_both_revisions(planned, client):
    """What the old chain wrote is in its last app hash, which the client had to have before it was upgraded."""
    apply(client, upgraded(client, planned.upgrade()))
    planned.new.advance(4)
    now_ns = planned.new.latest.header.time_ns
    first = client.verify(planned.new.update(2, 1), now_ns)
    assert isinstance(first, Updated) and first.height == Height(2, 2)
    apply(client, first)
    apply(client, client.verify(planned.new.update(5, 2), now_ns))
    assert CLIENT.latest_height(client.state) == Height(2, 5)
    for chain, number in ((planned.old, 2), (planned.old, PLAN_HEIGHT), (planned.new, 5)):
        proof, path, value = chain.prove(b"hub/genesis", number)
        CLIENT.verify_membership(client.state, client.states.get(chain.height(number)), proof, path, value)


def test_attack_C19_headers_of_the_old_revision_are_over(planned, client):
    """Also those of a chain that goes on after the block that it called its last: nobody may move or freeze the client by them."""
    client.accepts(planned.old.update(4, 2))
    apply(client, upgraded(client, planned.upgrade()))
    planned.old.advance(2)
    for update in (
        planned.old.update(4, 2),
        planned.old.update(PLAN_HEIGHT, 2),
        planned.old.update(PLAN_HEIGHT + 2, PLAN_HEIGHT),
        planned.old.update(PLAN_HEIGHT, 2, planned.old.fork(PLAN_HEIGHT, app_hash=b"\x66" * 32)),
    ):
        client.refuses("chain_id_matches", update)


def test_attack_C19_placeholder_root_of_an_upgrade_verifies_nothing(planned, client):
    apply(client, upgraded(client, planned.upgrade()))
    stand_in = client.states.get(Height(2, 1))
    for chain, key in ((planned.new, b"hub/genesis"), (planned.new, b"absent"), (planned.old, b"hub/genesis")):
        proof, path, value = chain.prove(key, 1)
        with pytest.raises(VerificationError):
            if value is None:
                CLIENT.verify_non_membership(client.state, stand_in, proof, path)
            else:
                CLIENT.verify_membership(client.state, stand_in, proof, path, value)


@pytest.mark.parametrize("offset", [-1, 1, 2])
def test_attack_C19_client_upgrade_at_another_height_than_the_latest(planned, offset):
    planned.old.advance(4)
    at = PLAN_HEIGHT + offset
    client = Verifier(planned.old, 2, PLAN_HEIGHT, at)
    client.state = encode_client_state(planned.old.client_state(at))
    for number in (PLAN_HEIGHT, at):
        refused(client, planned.upgrade(number), "key_matches")


def test_attack_C19_plan_withdrawn_before_its_height_upgrades_nobody(planned):
    """Proven at an earlier height it was true once; at the latest it is gone."""
    earlier = planned.upgrade(PLAN_HEIGHT - 1)
    planned = UpgradingChain(withdrawn=True)
    client = Verifier(planned.old, 2, PLAN_HEIGHT)
    with pytest.raises(PredicateFailed):
        upgraded(client, earlier)


@pytest.mark.parametrize(
    "changes",
    [
        {"chain_id": "evil-2"},
        {"unbonding_period_ns": 28 * DAY_NS},
        {"latest_height": Height(2, 2)},
        {"proof_specs": (IAVL_SPEC,)},
        {"upgrade_path": ("upgrade", "elsewhere")},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_attack_C19_fields_that_the_chain_chose_are_its_own(planned, client, changes):
    upgrade = planned.upgrade()
    refused(client, replace(upgrade, client_state=replace(upgrade.client_state, **changes)), "value_matches")


def test_attack_C19_fields_that_a_relayer_smuggles_are_not_read(planned, client):
    upgrade = planned.upgrade()
    smuggled = replace(
        upgrade.client_state,
        trust_level=TrustLevel(1, 1_000),
        trusting_period_ns=9_999 * DAY_NS,
        max_clock_drift_ns=365 * DAY_NS,
        frozen_height=Height(0, 1),
        allow_update_after_expiry=True,
        allow_update_after_misbehaviour=True,
    )
    assert upgraded(client, replace(upgrade, client_state=smuggled)) == upgraded(client, upgrade)


def test_attack_C19_consensus_state_of_the_upgrade_is_the_committed_one(planned, client):
    upgrade = planned.upgrade()
    state = upgrade.consensus_state
    for changes in (
        {"timestamp_ns": state.timestamp_ns + 1},
        {"next_validators_hash": b"\x66" * 32},
        {"root": b"\x66" * 32},
    ):
        refused(client, replace(upgrade, consensus_state=replace(state, **changes)), "value_matches")


def test_attack_C19_proofs_in_each_others_place(planned, client):
    upgrade = planned.upgrade()
    refused(client, replace(upgrade, client_proof=upgrade.consensus_proof), "key_matches")
    refused(client, replace(upgrade, consensus_proof=upgrade.client_proof), "key_matches")
    for name in ("client_proof", "consensus_proof"):
        with pytest.raises(VerificationError):
            upgraded(client, replace(upgrade, **{name: b""}))


def test_attack_C19_upgrade_within_a_revision_or_back(client):
    for chain_id, height in (("sim-1", Height(1, 99)), ("sim", Height(0, 99))):
        planned = UpgradingChain(chain_id=chain_id, latest_height=height)
        refused(Verifier(planned.old, 2, PLAN_HEIGHT), planned.upgrade(), "revision_increases")


def test_attack_C19_committed_state_that_no_client_may_have(planned):
    """The chain itself can commit nonsense; the new state passes the rules of a new client or nothing changes."""
    for changes, predicate in (
        ({"latest_height": Height(3, 1)}, "latest_height_of_chain"),
        ({"chain_id": "sim-2", "latest_height": Height(2, 0)}, "latest_height_of_chain"),
        ({"proof_specs": ()}, "proof_specs_present"),
        ({"unbonding_period_ns": 0}, "periods_in_order"),
    ):
        chain = UpgradingChain(**changes)
        refused(Verifier(chain.old, 2, PLAN_HEIGHT), chain.upgrade(), predicate)


def test_client_without_an_upgrade_path_is_never_upgraded(planned):
    client = Verifier(planned.old, 2, PLAN_HEIGHT, upgrade_path=())
    refused(client, planned.upgrade(), "upgrade_path_present")


def test_frozen_expired_and_incomplete_clients_are_not_upgraded(planned, client):
    raw = encode_upgrade(planned.upgrade())
    frozen = encode_client_state(decode_client_state(client.state).frozen())
    with pytest.raises(ClientFrozen):
        CLIENT.verify_upgrade(frozen, client.states, raw, client.now_ns)
    edge_ns = planned.old.block(PLAN_HEIGHT).header.time_ns + planned.old.trusting_period_ns
    with pytest.raises(ClientExpired):
        CLIENT.verify_upgrade(client.state, client.states, raw, edge_ns)
    # The stand-in is a block older: it would be expired at once.
    with pytest.raises(ClientExpired):
        CLIENT.verify_upgrade(client.state, client.states, raw, edge_ns - 1)
    with pytest.raises(UnknownHeight):
        CLIENT.verify_upgrade(client.state, MemoryConsensusStates({}), raw, client.now_ns)


@pytest.mark.parametrize(
    ("unbonding_ns", "expected_ns"),
    [(21 * DAY_NS, 7 * DAY_NS), (42 * DAY_NS, 7 * DAY_NS), (3 * DAY_NS, DAY_NS), (3 * DAY_NS + 2, DAY_NS)],
)
def test_trusting_period_shrinks_with_the_unbonding_period_and_never_grows(unbonding_ns, expected_ns):
    planned = UpgradingChain(unbonding_period_ns=unbonding_ns)
    verdict = upgraded(Verifier(planned.old, 2, PLAN_HEIGHT), planned.upgrade())
    assert decode_client_state(verdict.client_state).trusting_period_ns == expected_ns


def test_committed_bytes_are_those_of_gogoproto(planned):
    """`Any` of the client state with every non-nullable message present, although zero."""
    state = replace(planned.upgrade().client_state, proof_specs=(), upgrade_path=("upgrade", "upgradedIBCState"))
    assert upgrades.committed_client(state).hex() == (
        "0a2b" + b"/ibc.lightclients.tendermint.v1.ClientState".hex() + "1236"
        "0a0573696d2d32" "1200" "1a00" "220408" "80df6e" "2a00" "3200" "3a0408021001"
        "4a0775706772616465" "4a10" + b"upgradedIBCState".hex()
    )  # fmt: skip
    cosmos = replace(planned.old.client_state(7), upgrade_path=("upgrade", "upgradedIBCState"))
    assert upgrades.upgraded_path(cosmos, "upgradedClient") == (b"upgrade", b"upgradedIBCState/7/upgradedClient")


def test_audit_names_every_rule_of_an_upgrade(planned, client):
    raw = encode_upgrade(planned.upgrade())
    verdicts = audit(CLIENT.judge_upgrade, client.state, client.states, raw, client.now_ns)
    assert all(verdict.held for verdict in verdicts)
    names = [verdict.name for verdict in verdicts]
    assert names[:5] == [
        "client_state_well_formed",
        "client_active",
        "upgrade_well_formed",
        "upgrade_path_present",
        "revision_increases",
    ]
    assert {"client.tree_0.root_matches", "consensus.tree_0.root_matches", "periods_in_order"} <= set(names)


PLANNED = UpgradingChain()
RAW = encode_upgrade(PLANNED.upgrade())


def test_upgrades_have_one_encoding():
    assert encode_upgrade(decode_upgrade(RAW)) == RAW
    for raw in (RAW + b"\x00", RAW[:-1], RAW + RAW, b"", encode_client_state(PLANNED.old.client_state(2))):
        with pytest.raises(MalformedInput):
            decode_upgrade(raw)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(place=st.integers(0, len(RAW) * 8 - 1))
def test_attack_H_one_bit_of_a_valid_upgrade_changes_nothing_but_the_verdict(place):
    """A changed bit is refused, or stood in a field that nobody reads."""
    client = Verifier(PLANNED.old, 2, PLAN_HEIGHT)
    expected = CLIENT.verify_upgrade(client.state, client.states, RAW, client.now_ns)
    damaged = bytearray(RAW)
    damaged[place // 8] ^= 1 << place % 8
    try:
        verdict = CLIENT.verify_upgrade(client.state, client.states, bytes(damaged), client.now_ns)
    except VerificationError:
        return
    assert verdict == expected


@settings(max_examples=40, deadline=None)
@given(data=st.binary(max_size=300))
def test_any_bytes_in_place_of_an_upgrade_are_a_typed_error(data):
    client = Verifier(PLANNED.old, 2, PLAN_HEIGHT)
    with pytest.raises(VerificationError):
        CLIENT.verify_upgrade(client.state, client.states, data, client.now_ns)


# Revisions in every predicate


@pytest.mark.parametrize("chain_id", ["sim-2", "sim-3", "sim", "sim-01", "other-1", "sim-1-1"])
def test_attack_C11_header_of_another_revision_than_its_trusted_height(chain_id):
    chain = SimulatedChain()
    chain.advance(3)
    client = Verifier(chain, 1)
    other = chain.fork(3, chain_id=chain_id)
    predicate = "chain_id_matches" if chain_id in ("other-1", "sim-1-1") else "revision_matches"
    client.refuses(predicate, chain.update(3, 1, other))


def test_attack_C11_trusted_height_of_another_revision_is_unknown(planned, client):
    """Before the upgrade nothing of revision 2 is known, after it nothing of revision 3."""
    update = planned.new.update(1, 1)
    with pytest.raises(UnknownHeight):
        client.verify(replace(update, trusted_height=Height(2, 1)))
    apply(client, upgraded(client, planned.upgrade()))
    planned.new.advance(2)
    for revision in (0, 3):
        with pytest.raises(UnknownHeight):
            client.verify(replace(planned.new.update(2, 1), trusted_height=Height(revision, 1)))


def test_attack_C11_new_header_vouched_for_by_the_old_revision_and_the_reverse(planned, client):
    apply(client, upgraded(client, planned.upgrade()))
    planned.new.advance(3)
    client.refuses("revision_matches", replace(planned.new.update(2, 1), trusted_height=Height(1, 2)))
    client.refuses("revision_matches", replace(planned.old.update(4, 2), trusted_height=Height(2, 1)))


def test_attack_C11_evidence_of_two_revisions_is_none(planned, client):
    apply(client, upgraded(client, planned.upgrade()))
    planned.new.advance(3)
    evidence = planned.new.misbehaviour(planned.new.update(3, 1), planned.old.update(3, 2))
    with pytest.raises(PredicateFailed) as caught:
        client.misbehaviour(evidence, planned.new.latest.header.time_ns)
    assert caught.value.predicate == "evidence_heights_in_order"


@pytest.mark.parametrize("revision", [1, 2])
def test_a_fork_in_either_revision_freezes_an_upgraded_client(planned, client, revision):
    apply(client, upgraded(client, planned.upgrade()))
    planned.new.advance(3)
    chain, trusted = ((planned.old, 2), (planned.new, 1))[revision - 1]
    evidence = chain.misbehaviour(
        chain.update(4, trusted), chain.update(4, trusted, chain.fork(4, app_hash=b"\x66" * 32))
    )
    verdict = client.misbehaviour(evidence, planned.new.latest.header.time_ns)
    assert decode_client_state(verdict.client_state).is_frozen


def test_recovery_orders_heights_by_revision_first(planned):
    """A substitute of the next revision is ahead, however low its height; one of the revision before never is."""
    old, new = planned.old.client_state(PLAN_HEIGHT), planned.new.client_state(1)
    CLIENT.check_substitute(encode_client_state(old), encode_client_state(new))
    with pytest.raises(PredicateFailed) as caught:
        CLIENT.check_substitute(encode_client_state(new), encode_client_state(old))
    assert caught.value.predicate == "substitute_is_ahead"
    recovered = decode_client_state(CLIENT.recovered(encode_client_state(old.frozen()), encode_client_state(new)))
    assert (recovered.chain_id, recovered.latest_height, recovered.is_frozen) == ("sim-2", Height(2, 1), False)


def test_encoded_consensus_state_of_the_plan_has_no_root():
    assert encode_consensus_state(PLANNED.upgrade().consensus_state).hex().find("1200") > 0
