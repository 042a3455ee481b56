"""Attack list D on the library, and what of A, C and H concerns it: each refusal beside an honest twin."""

from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.light_clients.attestation import (
    MAX_ATTESTORS,
    AttestationClient,
    AttestationKind,
    ClientState,
    Misbehaviour,
    PacketAttestation,
    PacketEntry,
    Scope,
    StateAttestation,
    decode_attestation,
    decode_client_state,
    decode_misbehaviour,
    decode_packets,
    decode_state,
    encode_attestation,
    encode_client_state,
    encode_misbehaviour,
    encode_packets,
    encode_state,
    in_signer_order,
    sign_digest,
)
from hutong.light_clients.attestation.types import EVIDENCE_KINDS, MAX_PERIOD_S, MAX_TIMESTAMP_S, Attestation
from hutong.light_clients.interface import (
    NANOSECONDS_PER_SECOND,
    ClientExpired,
    ClientFrozen,
    ClientStatus,
    Destination,
    Height,
    MalformedInput,
    MemoryConsensusStates,
    Misbehaved,
    NoOp,
    PredicateFailed,
    UnknownHeight,
    Updated,
    VerificationError,
)
from tests.light_clients.attestation import forgeries
from tests.light_clients.attestation.attested_chain import (
    KEY,
    OTHER_KEY,
    SCOPE,
    VALUE,
    AttestedChain,
    address_of,
    attestor_keys,
)
from tests.light_clients.attestation.forgeries import Forgery, Statement

CLIENT = AttestationClient()


@dataclass
class Client:
    """A client that knows block 1 and judges block 3, where KEY has VALUE and OTHER_KEY nothing."""

    chain: AttestedChain

    def __post_init__(self) -> None:
        self.chain.put(KEY, VALUE)
        self.height = self.chain.advance(2)
        self.state = self.chain.client_state(1)
        self.states = MemoryConsensusStates({Height(0, 1): self.chain.consensus_state(1)})
        self.update_statement = forgeries.state_of(self.chain, self.height)
        self.proof_statement = forgeries.packets_of(self.chain, self.height)

    def update(self, message: bytes, now_ns: int | None = None):
        return CLIENT.verify_header(self.state, self.states, message, self.chain.now_ns if now_ns is None else now_ns)

    def prove(self, message: bytes, key: bytes = KEY, value: bytes | None = VALUE, height: int | None = None) -> None:
        consensus_state = self.chain.consensus_state(self.height if height is None else height)
        if value is None:
            CLIENT.verify_non_membership(self.state, consensus_state, message, (key,))
        else:
            CLIENT.verify_membership(self.state, consensus_state, message, (key,), value)

    def accept(self, update: bytes, proof: bytes) -> None:
        assert isinstance(self.update(update), Updated)
        self.prove(proof)
        self.prove(proof, OTHER_KEY, None)

    def misbehave(self, evidence: bytes) -> Misbehaved:
        return CLIENT.check_misbehaviour(self.state, self.states, evidence, self.chain.now_ns)


@pytest.fixture
def client():
    return Client(AttestedChain())


def refused(attempt, forgery: Forgery) -> None:
    """By the very rule that the forgery names."""
    try:
        attempt(forgery.message)
    except PredicateFailed as error:
        assert error.predicate == forgery.predicate, forgery.name
    except MalformedInput as error:
        assert error.field == forgery.predicate, (forgery.name, error)
    else:
        pytest.fail(f"accepted: {forgery.name}")


@pytest.mark.parametrize(
    "forge",
    [
        pytest.param(forgeries.one_signer_counted_twice, id="D1"),
        pytest.param(forgeries.malleated_signatures, id="D2"),
        pytest.param(forgeries.strangers, id="D3"),
        pytest.param(forgeries.replays, id="D5"),
        pytest.param(forgeries.undomained, id="D5 undomained"),
        pytest.param(forgeries.too_few_or_too_many, id="A"),
        pytest.param(forgeries.verifying_keys_do_not_travel, id="A verifier"),
    ],
)
def test_every_forged_set_of_signatures_is_refused_as_update_and_as_proof(client, forge):
    for forgery in forge(client.update_statement):
        refused(client.update, forgery)
    for forgery in forge(client.proof_statement):
        refused(client.prove, forgery)
    client.accept(client.update_statement.honest, client.proof_statement.honest)


def test_attack_D1_attestation_signer_counted_twice(client):
    for forgery in forgeries.one_signer_counted_twice(client.update_statement):
        refused(client.update, forgery)
    again = forgeries.signed_again(client.chain.keys[0], client.update_statement.digest)
    other = client.update_statement.sign(client.chain.keys[1])
    assert isinstance(client.update(client.update_statement.wire([again, other])), Updated), "it is a signature of hers"
    client.accept(client.update_statement.by(*client.chain.keys), client.proof_statement.by(*client.chain.keys))


def test_attack_D2_attestation_every_signature_has_one_form(client):
    forged = list(forgeries.malleated_signatures(client.proof_statement))
    assert len(forged) == 13
    for forgery in forged:
        refused(client.prove, forgery)
    client.prove(client.proof_statement.honest)


def test_attack_D3_attestation_strangers_and_the_set_before_a_recovery(client):
    for forgery in forgeries.strangers(client.update_statement):
        refused(client.update, forgery)
    client.accept(client.update_statement.honest, client.proof_statement.honest)
    # The set changes by recovery alone, and from that moment the old one is worth nothing: there is no overlap.
    frozen = encode_client_state(decode_client_state(client.state).frozen())
    rotated = AttestedChain()
    rotated.keys = sorted([*client.chain.keys[1:], *forgeries.STRANGERS[:1]], key=address_of)
    scope = replace(SCOPE, destination_client_id="attestation-1")
    client.state = CLIENT.recovered(frozen, rotated.client_state(client.height, scope=scope))
    client.states = client.states.with_state(Height(0, client.height), client.chain.consensus_state(client.height))
    client.chain.advance()
    later = forgeries.state_of(client.chain, client.chain.height)
    removed = client.chain.keys[0]
    with pytest.raises(PredicateFailed, match="not an attestor's") as caught:
        client.update(later.by(removed, client.chain.keys[1]))
    assert caught.value.got == address_of(removed)
    assert isinstance(client.update(later.by(*rotated.keys[:2])), Updated)
    with pytest.raises(PredicateFailed, match="not an attestor's"):
        client.update(encode_attestation(rotated.attest(later.kind, later.data, rotated.keys[:2], scope)))


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"threshold": 0}, "client_state.threshold"),
        ({"threshold": 1}, "client_state.threshold"),
        ({"threshold": 4}, "client_state.threshold"),
        ({"threshold": 2**31}, "client_state.threshold"),
        ({"attestors": ()}, "client_state.attestors"),
        ({"attestors": (b"\x01" * 20,) * 2}, "client_state.attestors"),
        ({"attestors": (b"\x02" * 20, b"\x01" * 20)}, "client_state.attestors"),
        ({"attestors": (bytes(20), b"\x01" * 20)}, "client_state.attestors"),
        ({"attestors": (b"\x01" * 19,)}, "client_state.attestors"),
        ({"attestors": tuple(n.to_bytes(20, "big") for n in range(1, MAX_ATTESTORS + 2))}, "client_state.attestors"),
        ({"trusting_period_s": 0}, "client_state.trusting_period_s"),
        ({"trusting_period_s": MAX_PERIOD_S + 1}, "client_state.trusting_period_s"),
        ({"max_clock_drift_s": 0}, "client_state.max_clock_drift_s"),
        ({"latest_height": 0}, "client_state.latest_height"),
    ],
)
def test_attack_D4_attestation_client_states_with_unfit_sets(changes, field):
    with pytest.raises(MalformedInput) as caught:
        AttestedChain().client(1, **changes)
    assert caught.value.field == field


def test_attack_D4_attestation_stored_bytes_with_an_unfit_threshold_are_refused_at_every_use(client):
    """Ronin 2024: whatever put a threshold of 0 into the state, nothing is verified by it."""
    at = client.state.index((2).to_bytes(32, "big"), 64)
    for threshold in (0, 1, 4):
        bad = client.state[:at] + threshold.to_bytes(32, "big") + client.state[at + 32 :]
        for use in (
            lambda: CLIENT.create(bad, client.chain.consensus_state(1), client.chain.now_ns),
            lambda: CLIENT.status(bad, client.states, client.chain.now_ns),
            lambda: CLIENT.verify_header(bad, client.states, client.update_statement.honest, client.chain.now_ns),
            lambda: CLIENT.verify_membership(
                bad, client.chain.consensus_state(3), client.proof_statement.honest, (KEY,), VALUE
            ),
            lambda: CLIENT.recovered(client.state, bad),
        ):
            with pytest.raises(MalformedInput) as caught:
                use()
            assert caught.value.field == "client_state.threshold"
    client.accept(client.update_statement.honest, client.proof_statement.honest)


@pytest.mark.parametrize(("attestors", "least"), [(1, 1), (2, 2), (3, 2), (4, 3), (5, 3), (7, 4), (64, 33)])
def test_attack_D4_attestation_least_threshold_is_more_than_half(attestors, least):
    """Any two quorums share a member, whose two signatures are the evidence."""
    chain = AttestedChain(attestors, least)
    assert chain.client(1).threshold == least
    if least > 1:
        with pytest.raises(MalformedInput):
            chain.client(1, threshold=least - 1)
    client = Client(chain)
    client.accept(client.update_statement.by(*chain.keys[:least]), client.proof_statement.by(*chain.keys))
    if least > 1:
        with pytest.raises(PredicateFailed) as caught:
            client.update(client.update_statement.by(*chain.keys[: least - 1]))
        assert (caught.value.got, caught.value.expected) == (least - 1, f"{least} to {attestors}")


def test_attack_D5_attestation_replay_to_every_other_destination(client):
    names = [forgery.name for forgery in forgeries.replays(client.update_statement)]
    assert len(names) == 8
    for forge in (forgeries.replays, forgeries.undomained):
        for forgery in forge(client.update_statement):
            refused(client.update, forgery)
        for forgery in forge(client.proof_statement):
            refused(client.prove, forgery)
    # Each of them is good where it was meant for.
    for scope in forgeries.other_scopes(client.chain.scope).values():
        there = replace(client, chain=AttestedChain(scope=scope))
        there.accept(there.update_statement.honest, there.proof_statement.honest)


def test_attack_D5_attestation_client_is_created_where_its_scope_says(client):
    here = Destination(SCOPE.destination_chain_id, SCOPE.destination_router, SCOPE.destination_client_id)
    CLIENT.check_destination(client.state, here)
    for name, other in (
        ("chain_id", replace(here, chain_id="hutong-2")),
        ("router", replace(here, router=b"\x01" * 20)),
        ("client_id", replace(here, client_id="attestation-1")),
    ):
        with pytest.raises(PredicateFailed) as caught:
            CLIENT.check_destination(client.state, other)
        assert caught.value.predicate == "destination_is_this_client"
        assert caught.value.expected == getattr(other, name)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"source_chain_id": ""}, "scope.source_chain_id"),
        ({"source_chain_id": "x" * 65}, "scope.source_chain_id"),
        ({"source_chain_id": "a b"}, "scope.source_chain_id"),
        ({"destination_chain_id": "hütong-1"}, "scope.destination_chain_id"),
        ({"source_router": b""}, "scope.source_router"),
        ({"source_router": bytes(20)}, "scope.source_router"),
        ({"destination_router": b"\x01" * 65}, "scope.destination_router"),
        ({"destination_client_id": "attestation"}, "scope.destination_client_id"),
        ({"source_chain_id": SCOPE.destination_chain_id, "source_router": SCOPE.destination_router}, "scope"),
    ],
)
def test_attack_D5_attestation_scopes_that_name_nothing(changes, field):
    with pytest.raises(MalformedInput) as caught:
        replace(SCOPE, **changes)
    assert caught.value.field == field


def test_attack_D6_attestation_kinds_are_not_exchanged(client):
    attempts = {"update": client.update, "proof": client.prove}
    for use, forgery in forgeries.kinds_exchanged(client.update_statement, client.proof_statement):
        refused(attempts[use], forgery)
    evidence = encode_misbehaviour(
        Misbehaviour(
            AttestationKind.PACKETS,
            client.chain.state_attestation(3),
            client.chain.state_attestation(3, client.chain.times_s[3] + 1),
        )
    )
    with pytest.raises(PredicateFailed, match="signed_by_attestors"):
        client.misbehave(evidence)
    client.accept(client.update_statement.honest, client.proof_statement.honest)


def test_attack_D7_attestation_heights_and_units(client):
    for forgery in forgeries.states_out_of_range(client.chain, client.height):
        refused(client.update, forgery)
    proof = client.chain.proof(2, KEY, lies={KEY: VALUE})
    with pytest.raises(PredicateFailed) as caught:
        client.prove(proof)
    assert (caught.value.predicate, caught.value.got, caught.value.expected) == ("height_is_the_proof_height", 2, 3)
    client.prove(proof, height=2)
    client.accept(client.update_statement.honest, client.proof_statement.honest)
    assert StateAttestation(1, MAX_TIMESTAMP_S).timestamp_s == 2**40 - 1


def test_attack_D8_attestation_conflicting_state_freezes(client):
    verdict = client.update(client.update_statement.honest)
    client.state = verdict.client_state
    client.states = client.states.with_state(verdict.height, verdict.consensus_state)
    assert client.update(client.update_statement.by(*client.chain.keys)) == NoOp(verdict.height)
    conflict = client.update(client.chain.update(3, client.chain.times_s[3] + 1))
    assert isinstance(conflict, Misbehaved)
    assert decode_client_state(conflict.client_state) == replace(decode_client_state(client.state), is_frozen=True)
    assert CLIENT.status(conflict.client_state, client.states, client.chain.now_ns) is ClientStatus.FROZEN


def test_attack_D8_attestation_one_below_the_threshold_freezes_nothing(client):
    """Otherwise any one attestor could stop the lane."""
    few = client.chain.keys[:1]
    time_s = client.chain.times_s[3]
    with pytest.raises(PredicateFailed):
        client.update(client.chain.update(3, time_s + 1, keys=few))
    for evidence in (
        client.chain.state_misbehaviour((3, time_s), (3, time_s + 1), keys=few),
        encode_misbehaviour(
            Misbehaviour(
                AttestationKind.STATE,
                client.chain.state_attestation(3),
                client.chain.state_attestation(3, time_s + 1, keys=few),
            )
        ),
    ):
        with pytest.raises(PredicateFailed) as caught:
            client.misbehave(evidence)
        assert caught.value.predicate == "quorum_of_attestors"
    assert client.misbehave(client.chain.state_misbehaviour((3, time_s), (3, time_s + 1))).height == Height(0, 3)


def test_attack_D8_attestation_conflicting_packets_freeze(client):
    own = client.chain.packet_attestation(3, KEY, OTHER_KEY)
    for lie in ({KEY: VALUE[::-1]}, {KEY: bytes(32)}, {OTHER_KEY: VALUE}):
        other = client.chain.packet_attestation(3, *lie, lies=lie)
        verdict = client.misbehave(encode_misbehaviour(Misbehaviour(AttestationKind.PACKETS, own, other)))
        assert verdict.height == Height(0, 3)
        assert decode_client_state(verdict.client_state).is_frozen


def test_attack_D9_attestation_packet_lists(client):
    for forgery in forgeries.bad_packet_lists(client.chain, client.height):
        refused(client.prove, forgery)
    client.prove(forgeries.longest_list(client.chain, client.height))
    client.accept(client.update_statement.honest, client.proof_statement.honest)


def test_attack_D9_attestation_zero_is_absence_and_nothing_else(client):
    proof = client.proof_statement.honest
    for key, value in ((KEY, None), (OTHER_KEY, VALUE), (OTHER_KEY, bytes(32)), (KEY, bytes(32)), (KEY, VALUE[:31])):
        with pytest.raises((PredicateFailed, MalformedInput)):
            client.prove(proof, key, value)
    unlisted = b"client-0\x02" + (9).to_bytes(8, "big")
    with pytest.raises(PredicateFailed, match="does not list the path"):
        client.prove(proof, unlisted, None)
    client.prove(proof, OTHER_KEY, None)
    client.prove(proof)


def test_attack_D10_attestation_encodings_that_a_lax_decoder_takes(client):
    honest = client.proof_statement.honest
    for name, damaged in forgeries.damaged_envelopes(honest):
        for attempt in (client.prove, client.update):
            # One byte less may be the encoding of shorter data, which nobody signed.
            with pytest.raises(PredicateFailed if name == "length one less" else MalformedInput):
                attempt(damaged)
    client.prove(honest)


def test_attack_D10_attestation_signed_data_are_parsed_after_their_signatures(client):
    """Nonsense of a stranger is refused for its signature, nonsense of a quorum for what it is."""
    for statement, attempt in ((client.update_statement, client.update), (client.proof_statement, client.prove)):
        for name, data in forgeries.damaged_abi(statement.data):
            nonsense = replace(statement, data=data)
            with pytest.raises(PredicateFailed) as caught:
                attempt(nonsense.by(*forgeries.STRANGERS[:2]))
            assert caught.value.predicate == "signed_by_attestors", name
            with pytest.raises(MalformedInput):
                attempt(nonsense.honest)
    client.accept(client.update_statement.honest, client.proof_statement.honest)


# Known losses


def test_attack_A_attestation_below_the_threshold_or_with_a_verifier_of_its_own(client):
    """Ronin and Harmony: as many as the threshold, never fewer; Wormhole: the verifier is in no message."""
    for forge in (forgeries.too_few_or_too_many, forgeries.verifying_keys_do_not_travel):
        for forgery in forge(client.update_statement):
            refused(client.update, forgery)
        for forgery in forge(client.proof_statement):
            refused(client.prove, forgery)
    client.accept(client.update_statement.honest, client.proof_statement.honest)


def test_attack_A_attestation_default_values_are_never_trusted(client):
    """Nomad: zero heights, times, commitments and addresses are not values."""
    for make in (
        lambda: StateAttestation(0, 1),
        lambda: StateAttestation(1, 0),
        lambda: PacketAttestation(0, (PacketEntry(bytes(32), VALUE),)),
        lambda: PacketAttestation(1, ()),
        lambda: Attestation(b"", ()),
        lambda: decode_state(bytes(64)),
        lambda: decode_packets(b""),
        lambda: decode_client_state(bytes(512)),
    ):
        with pytest.raises(MalformedInput):
            make()
    with pytest.raises(PredicateFailed):
        client.prove(client.chain.proof(3, KEY, lies={KEY: bytes(32)}), KEY, bytes(32))
    client.accept(client.update_statement.honest, client.proof_statement.honest)


# Consensus lines


def test_attack_C9_attestation_time_at_its_bound(client):
    bound_s = client.chain.now_ns // NANOSECONDS_PER_SECOND + 15
    with pytest.raises(PredicateFailed) as caught:
        client.update(client.chain.update(9, bound_s))
    assert caught.value.predicate == "header_not_from_future"
    assert isinstance(client.update(client.chain.update(9, bound_s - 1)), Updated)


def test_attack_C10_attestation_trusting_period_of_client_and_of_state(client):
    """An attested state must be young itself, and come while the client's latest one is."""
    edge_ns = (client.chain.times_s[1] + 1_000) * NANOSECONDS_PER_SECOND
    with pytest.raises(ClientExpired) as caught:
        client.update(client.update_statement.honest, edge_ns)
    assert caught.value.expired_at_ns == edge_ns
    assert isinstance(client.update(client.update_statement.honest, edge_ns - 1), Updated)
    old = client.chain.update(2, client.chain.now_ns // NANOSECONDS_PER_SECOND - 1_000)
    with pytest.raises(ClientExpired):
        client.update(old)
    no_states = MemoryConsensusStates({})
    with pytest.raises(UnknownHeight):
        CLIENT.verify_header(client.state, no_states, client.update_statement.honest, client.chain.now_ns)
    assert CLIENT.status(client.state, no_states, client.chain.now_ns) is ClientStatus.EXPIRED


def test_attack_C15_attestation_time_order_of_stored_states(client):
    verdict = client.update(client.update_statement.honest)
    client.states = client.states.with_state(verdict.height, verdict.consensus_state)
    first, last = client.chain.times_s[1], client.chain.times_s[3]
    for time_s in (first, first + 1, last):
        assert isinstance(client.update(client.chain.update(2, time_s)), Updated), "equal times are legal"
    for time_s in (first - 1, last + 1):
        assert isinstance(client.update(client.chain.update(2, time_s)), Misbehaved)
    assert isinstance(client.update(client.chain.update(4, last - 1)), Misbehaved)
    assert isinstance(client.update(client.chain.update(4, last)), Updated)


def test_attack_C16_attestation_evidence_that_proves_nothing(client):
    chain, time_s = client.chain, client.chain.times_s[3]
    states = chain.state_misbehaviour
    own, other_height = chain.packet_attestation(3, KEY), chain.packet_attestation(2, KEY, lies={KEY: VALUE[::-1]})
    disjoint = chain.packet_attestation(3, OTHER_KEY, lies={OTHER_KEY: VALUE})
    for evidence in (
        states((3, time_s), (3, time_s)),
        states((2, time_s), (3, time_s)),
        states((2, time_s - 1), (3, time_s)),
        states((3, time_s), (2, time_s - 1)),
        encode_misbehaviour(Misbehaviour(AttestationKind.PACKETS, own, own)),
        encode_misbehaviour(Misbehaviour(AttestationKind.PACKETS, own, other_height)),
        encode_misbehaviour(Misbehaviour(AttestationKind.PACKETS, own, disjoint)),
    ):
        with pytest.raises(PredicateFailed) as caught:
            client.misbehave(evidence)
        assert caught.value.predicate == "headers_conflict"
    for evidence in (
        states((3, time_s), (3, time_s + 1)),
        states((2, time_s + 1), (3, time_s)),
        states((3, time_s), (2, time_s + 1)),
        states((3, time_s), (3, 2**40 - 1)),
    ):
        assert client.misbehave(evidence).height == Height(0, 3)


def test_attack_C16_attestation_evidence_signed_elsewhere_or_by_strangers(client):
    time_s = client.chain.times_s[3]
    pair = ((3, time_s), (3, time_s + 1))
    for signing in (
        {"keys": forgeries.STRANGERS[:2]},
        {"scope": replace(SCOPE, destination_client_id="attestation-1")},
        {"scope": replace(SCOPE, source_chain_id="31338")},
    ):
        with pytest.raises(PredicateFailed) as caught:
            client.misbehave(client.chain.state_misbehaviour(*pair, **signing))
        assert caught.value.predicate == "signed_by_attestors"
    assert client.misbehave(client.chain.state_misbehaviour(*pair))


def test_attack_C17_attestation_frozen_client_does_nothing(client):
    time_s = client.chain.times_s[3]
    evidence = client.chain.state_misbehaviour((3, time_s), (3, time_s + 1))
    client.state = client.misbehave(evidence).client_state
    for attempt in (
        lambda: client.update(client.update_statement.honest),
        lambda: client.misbehave(evidence),
        lambda: client.prove(client.proof_statement.honest),
        lambda: client.prove(client.proof_statement.honest, OTHER_KEY, None),
    ):
        with pytest.raises(ClientFrozen):
            attempt()
    client.state = CLIENT.recovered(client.state, client.chain.client_state(3))
    client.prove(client.proof_statement.honest)


def test_attack_C18_attestation_unfit_substitutes(client):
    frozen = encode_client_state(decode_client_state(client.state).frozen())
    chain = client.chain
    for name, substitute in (
        ("source_chain_id", chain.client_state(3, scope=replace(SCOPE, source_chain_id="1"))),
        ("source_router", chain.client_state(3, scope=replace(SCOPE, source_router=b"\x01" * 20))),
        ("destination_chain_id", chain.client_state(3, scope=replace(SCOPE, destination_chain_id="hutong-2"))),
        ("destination_router", chain.client_state(3, scope=replace(SCOPE, destination_router=b"\x01" * 20))),
        ("max_clock_drift_s", chain.client_state(3, max_clock_drift_s=16)),
    ):
        for use in (CLIENT.check_substitute, CLIENT.recovered):
            with pytest.raises(PredicateFailed, match=name) as caught:
                use(frozen, substitute)
            assert caught.value.predicate == "substitute_parameters_match"
    with pytest.raises(PredicateFailed, match="frozen itself"):
        CLIENT.check_substitute(frozen, frozen)
    fit = chain.client(
        3,
        scope=replace(SCOPE, destination_client_id="attestation-7"),
        attestors=tuple(map(address_of, attestor_keys(5, first=50))),
        threshold=4,
        trusting_period_s=2_000,
    )
    recovered = decode_client_state(CLIENT.recovered(frozen, encode_client_state(fit)))
    assert recovered == replace(fit, scope=SCOPE)


def test_attack_C20_attestation_first_states_that_do_not_fit(client):
    chain, now_ns = client.chain, client.chain.now_ns
    with pytest.raises(PredicateFailed, match="consensus_state_is_the_latest"):
        CLIENT.create(chain.client_state(3), chain.consensus_state(2), now_ns)
    with pytest.raises(ClientFrozen):
        CLIENT.create(chain.client_state(3, is_frozen=True), chain.consensus_state(3), now_ns)
    assert CLIENT.create(chain.client_state(3), chain.consensus_state(3), now_ns).latest_height == Height(0, 3)


# Decoders

UINT64 = st.integers(1, 2**64 - 1)
ADDRESSES = st.sets(st.binary(min_size=20, max_size=20).filter(any), min_size=1, max_size=8).map(sorted).map(tuple)
CHAIN_IDS = st.text("".join(map(chr, range(0x21, 0x7F))), min_size=1, max_size=64)
ROUTERS = st.binary(min_size=1, max_size=64).filter(any)


@st.composite
def client_states(draw) -> ClientState:
    attestors = draw(ADDRESSES)
    source, destination = draw(st.lists(st.tuples(CHAIN_IDS, ROUTERS), min_size=2, max_size=2, unique=True))
    scope = Scope(*source, *destination, f"client-{draw(st.integers(0, 10**20 - 1))}")
    return ClientState(
        scope,
        attestors,
        draw(st.integers(len(attestors) // 2 + 1, len(attestors))),
        draw(st.integers(1, MAX_PERIOD_S)),
        draw(st.integers(1, MAX_PERIOD_S)),
        draw(UINT64),
        draw(st.booleans()),
    )


STATES = st.builds(StateAttestation, UINT64, st.integers(1, MAX_TIMESTAMP_S))
WORDS = st.binary(min_size=32, max_size=32)
PACKET_LISTS = st.dictionaries(WORDS, WORDS, min_size=1, max_size=6).map(
    lambda found: tuple(PacketEntry(path, found[path]) for path in sorted(found))
)
PACKET_ATTESTATIONS = st.builds(PacketAttestation, UINT64, PACKET_LISTS)
ATTESTATIONS = st.builds(
    Attestation,
    st.binary(max_size=200),
    st.lists(st.binary(min_size=65, max_size=65), min_size=1, max_size=4).map(tuple),
)
EVIDENCE = st.builds(Misbehaviour, st.sampled_from(EVIDENCE_KINDS), ATTESTATIONS, ATTESTATIONS)
CODECS = [
    pytest.param(client_states(), encode_client_state, decode_client_state, id="client state"),
    pytest.param(STATES, encode_state, decode_state, id="state"),
    pytest.param(PACKET_ATTESTATIONS, encode_packets, decode_packets, id="packets"),
    pytest.param(ATTESTATIONS, encode_attestation, decode_attestation, id="attestation"),
    pytest.param(EVIDENCE, encode_misbehaviour, decode_misbehaviour, id="misbehaviour"),
]


@pytest.mark.parametrize(("values", "encode", "decode"), CODECS)
def test_attack_H_attestation_values_have_one_encoding(values, encode, decode):
    @settings(max_examples=40, deadline=None)
    @given(values, st.data())
    def check(value, data):
        encoded = encode(value)
        assert decode(encoded) == value
        place = data.draw(st.integers(0, len(encoded) - 1))
        changed = bytearray(encoded)
        changed[place] ^= 1 << data.draw(st.integers(0, 7))
        try:
            other = decode(bytes(changed))
        except MalformedInput:
            return
        assert other != value and encode(other) == bytes(changed)

    check()


@pytest.mark.parametrize(("values", "encode", "decode"), CODECS)
def test_attack_H_attestation_decoders_are_total(values, encode, decode):
    @settings(max_examples=80, deadline=None)
    @given(
        st.binary(max_size=400)
        | st.lists(st.integers(0, 300), max_size=14).map(
            lambda words: b"".join(word.to_bytes(32, "big") for word in words)
        )
    )
    def check(data):
        try:
            value = decode(data)
        except VerificationError:
            return
        assert encode(value) == data

    check()


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_attack_H_attestation_any_bit_of_an_update_counts(data):
    """Signatures of other quorums aside, the accepted set is exactly the original."""
    client = Client(AttestedChain())
    honest = data.draw(st.sampled_from((client.update_statement.honest, client.proof_statement.honest)))
    changed = bytearray(honest)
    changed[data.draw(st.integers(0, len(honest) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    attempt = client.update if honest == client.update_statement.honest else client.prove
    with pytest.raises(VerificationError):
        attempt(bytes(changed))


@settings(max_examples=40, deadline=None)
@given(st.permutations(range(5)), st.integers(0, 5))
def test_any_choice_of_signatures_is_sorted_into_the_one_accepted_form(order, count):
    chain = AttestedChain(attestors=5, threshold=3)
    statement = Statement(chain, AttestationKind.STATE, chain.state_attestation(1).data)
    signatures = [statement.sign(chain.keys[place]) for place in order[:count]]
    kept = in_signer_order(statement.digest, [*signatures, *signatures[:1]])
    assert set(kept) == set(signatures) and len(kept) == count
    message = statement.wire(kept)
    states = MemoryConsensusStates({Height(0, 1): chain.consensus_state(1)})
    if count < 3:
        with pytest.raises(VerificationError):
            CLIENT.verify_header(chain.client_state(1), states, message, chain.now_ns)
    else:
        assert CLIENT.verify_header(chain.client_state(1), states, message, chain.now_ns) == NoOp(Height(0, 1))
    with pytest.raises(MalformedInput):
        in_signer_order(statement.digest, [*signatures, bytes(65)])
    assert sign_digest(chain.keys[0], statement.digest)[64] in (27, 28)
