"""Attack list D on AttestationClient.sol: every message goes through the Python client too, and both must agree."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hutong.light_clients.attestation import AttestationKind, Misbehaviour, encode_attestation, encode_misbehaviour
from hutong.light_clients.attestation.codec import client_state_value
from tests.contracts.clients.attestation_twin import EVM_SCOPE, AttestationTwin, deploy_attestation_client
from tests.contracts.clients.hub_twin import MISBEHAVIOUR, NOOP, REFUSED, UPDATE
from tests.contracts.evm import Evm, Reverted
from tests.light_clients.attestation import forgeries
from tests.light_clients.attestation.attested_chain import (
    KEY,
    OTHER_KEY,
    VALUE,
    AttestedChain,
    address_of,
    attestor_keys,
)

FUZZ = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


class Lane(AttestationTwin):
    """Trusts block 1; judges block 3, where KEY has VALUE and OTHER_KEY nothing. `fresh` has not seen block 3's state."""

    @classmethod
    def start(cls, attestors: int = 3, threshold: int = 2, *, updated: bool = True) -> "Lane":
        chain = AttestedChain(attestors, threshold, EVM_SCOPE)
        chain.put(KEY, VALUE)
        lane = cls(chain)
        lane.height = lane.advance(2)
        if updated:
            assert lane.update(chain.update(lane.height)) == UPDATE
        lane.state_statement = forgeries.state_of(chain, lane.height)
        lane.packet_statement = forgeries.packets_of(chain, lane.height)
        return lane

    def member(self, proof: bytes) -> bool:
        return self.proves(proof, self.height, (KEY,), VALUE)

    def absent(self, proof: bytes) -> bool:
        return self.proves(proof, self.height, (OTHER_KEY,), None)

    def refuses(self, use: str, forgery: forgeries.Forgery) -> None:
        """By both, the contract with the error that the forgery names, and nothing is changed."""
        before = self.contract.call("getClientState"), self.contract.call("neighbours", self.height)
        accepted = self.update(forgery.message) != REFUSED if use == "update" else self.member(forgery.message)
        assert not accepted, forgery.name
        assert self.reason == forgery.error, (forgery.name, self.reason, self.arguments)
        assert before == (self.contract.call("getClientState"), self.contract.call("neighbours", self.height))

    def refuses_all(self, forge) -> None:
        """As updates and as proofs; the honest twins pass afterwards."""
        for forgery in forge(self.state_statement):
            self.refuses("update", forgery)
        for forgery in forge(self.packet_statement):
            self.refuses("proof", forgery)
        self.accepts()

    def accepts(self) -> None:
        assert self.update(self.state_statement.honest) in (UPDATE, NOOP)
        assert self.member(self.packet_statement.honest)
        assert self.absent(self.packet_statement.honest)


@pytest.fixture
def lane():
    return Lane.start()


def test_attack_D1_contract_signer_counted_twice(lane):
    lane.refuses_all(forgeries.one_signer_counted_twice)


def test_attack_D2_contract_every_signature_has_one_form(lane):
    lane.refuses_all(forgeries.malleated_signatures)


def test_attack_D3_contract_strangers(lane):
    lane.refuses_all(forgeries.strangers)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"threshold": 0}, "threshold"),
        ({"threshold": 1}, "threshold"),
        ({"threshold": 4}, "threshold"),
        ({"threshold": 2**31 + 2}, "threshold"),
        ({"attestors": []}, "attestors"),
        ({"attestors": [b"\x01" * 20] * 2}, "attestors"),
        ({"attestors": [b"\x02" * 20, b"\x01" * 20]}, "attestors"),
        ({"attestors": [bytes(20), b"\x01" * 20]}, "attestors"),
        ({"attestors": [n.to_bytes(20, "big") for n in range(1, 66)], "threshold": 60}, "attestors"),
        ({"trusting_period_s": 0}, "trustingPeriod"),
        ({"trusting_period_s": 2**32}, "trustingPeriod"),
        ({"max_clock_drift_s": 0}, "maxClockDrift"),
        ({"max_clock_drift_s": 2**32}, "maxClockDrift"),
        ({"latest_height": 0}, "latestHeight"),
        ({"latest_height": 2}, "latestHeight"),
        ({"is_frozen": True}, "frozen"),
        ({"source_chain_id": ""}, "sourceChainId"),
        ({"source_chain_id": "a b"}, "sourceChainId"),
        ({"source_chain_id": "x" * 65}, "sourceChainId"),
        ({"source_router": b""}, "sourceRouter"),
        ({"source_router": bytes(20)}, "sourceRouter"),
        ({"source_router": b"\x01" * 65}, "sourceRouter"),
        ({"destination_chain_id": "1"}, "destinationChainId"),
        ({"destination_chain_id": "01337"}, "destinationChainId"),
        ({"destination_router": bytes(20)}, "destinationRouter"),
        ({"destination_router": b"\x01" * 21}, "destinationRouter"),
        ({"destination_client_id": "client"}, "destinationClientId"),
        ({"source_chain_id": "1337", "source_router": b"\x0e" * 20}, "sourceRouter"),
    ],
)
def test_attack_D4_contract_constructor_refuses_unfit_states(changes, field):
    """Ronin 2024: the threshold is checked where it is set, and is no storage that an upgrade could zero."""
    chain = AttestedChain(scope=EVM_SCOPE)
    evm = Evm(timestamp_s=chain.times_s[1])
    (*scope,), *rest = client_state_value(chain.client(1))
    names = ("attestors", "threshold", "trusting_period_s", "max_clock_drift_s", "latest_height", "is_frozen")
    scopes = (
        "source_chain_id",
        "source_router",
        "destination_chain_id",
        "destination_router",
        "destination_client_id",
    )
    fields = dict(zip((*scopes, *names), (*scope, *rest), strict=True)) | changes
    value = (tuple(fields[name] for name in scopes), *(fields[name] for name in names))
    with pytest.raises(Reverted) as caught:
        evm.deploy("AttestationClient", value, (1, chain.times_s[1]))
    assert (caught.value.name, caught.value.arguments) == ("InvalidClientState", (field,))
    assert deploy_attestation_client(evm, chain, 1).call("status") == 0


@pytest.mark.parametrize(("attestors", "least"), [(1, 1), (2, 2), (3, 2), (4, 3), (7, 4), (64, 33)])
def test_attack_D4_contract_least_threshold_is_more_than_half(attestors, least):
    lane = Lane.start(attestors, least)
    assert lane.member(lane.packet_statement.by(*lane.chain.keys[:least]))
    assert lane.member(lane.packet_statement.by(*lane.chain.keys))
    if least == 1:
        return
    assert not lane.member(lane.packet_statement.by(*lane.chain.keys[: least - 1]))
    assert (lane.reason, lane.arguments) == ("InvalidSignatureCount", (65 * (least - 1), least, attestors))
    evm = Evm(timestamp_s=lane.evm.timestamp_s)
    value = list(client_state_value(lane.chain.client(1)))
    value[2] = least - 1
    with pytest.raises(Reverted, match="threshold"):
        evm.deploy("AttestationClient", tuple(value), (1, lane.chain.times_s[1]))


def test_attack_D5_contract_replay_to_every_other_destination(lane):
    lane.refuses_all(forgeries.replays)
    lane.refuses_all(forgeries.undomained)


def test_attack_D5_contract_serves_one_client_of_one_router(lane):
    serves = lambda router, client: lane.contract.call("servesClient", router, client)  # noqa: E731
    assert serves(EVM_SCOPE.destination_router, "client-0")
    assert not serves(EVM_SCOPE.destination_router, "client-1")
    assert not serves(EVM_SCOPE.destination_router, "client-00")
    assert not serves(b"\x0d" * 20, "client-0")


def test_attack_D5_contract_fork_of_this_chain(lane):
    """With another chain id the client verifies nothing. With the same one nothing in any message tells the two apart."""
    lane.evm.chain_id = 1338
    update, proof = lane.state_statement.honest, lane.packet_statement.honest
    time_s = lane.chain.times_s[3]
    for call in (
        ("updateClient", update),
        ("misbehaviour", lane.chain.state_misbehaviour((3, time_s), (3, time_s + 1))),
        ("verifyMembership", (proof, (0, 3), (KEY,), VALUE)),
        ("verifyNonMembership", (proof, (0, 3), (OTHER_KEY,))),
    ):
        with pytest.raises(Reverted) as caught:
            lane.contract.transact(*call)
        assert (caught.value.name, caught.value.arguments) == ("WrongChainId", (1337, 1338))
    # A substitute for the fork's own chain id has the same identity, so that a recovery can settle what is stuck there.
    scope = replace(EVM_SCOPE, destination_chain_id="1338")
    substitute = deploy_attestation_client(lane.evm, AttestedChain(scope=scope), 1)
    assert substitute.call("identity") == lane.contract.call("identity")
    lane.evm.chain_id = 1337
    lane.accepts()


def test_attack_D6_contract_kinds_are_not_exchanged(lane):
    for use, forgery in forgeries.kinds_exchanged(lane.state_statement, lane.packet_statement):
        lane.refuses(use, forgery)
    chain, time_s = lane.chain, lane.chain.times_s[3]
    two_states = (chain.state_attestation(3), chain.state_attestation(3, time_s + 1))
    assert lane.misbehaviour(encode_misbehaviour(Misbehaviour(AttestationKind.PACKETS, *two_states))) == REFUSED
    assert lane.reason == "UnknownAttestor"
    lane.accepts()
    assert lane.misbehaviour(encode_misbehaviour(Misbehaviour(AttestationKind.STATE, *two_states))) == MISBEHAVIOUR


def test_attack_D7_contract_heights_and_units(lane):
    for forgery in forgeries.states_out_of_range(lane.chain, lane.height):
        lane.refuses("update", forgery)
    assert lane.update(lane.chain.update(2)) == UPDATE
    proof_at_2 = lane.chain.proof(2, KEY)
    assert not lane.member(proof_at_2)
    assert (lane.reason, lane.arguments) == ("InvalidProof", ("attested at another height",))
    assert lane.proves(proof_at_2, 2, (KEY,), VALUE)
    lane.accepts()


def test_attack_D7_contract_height_without_a_state_or_of_another_revision(lane):
    proof = lane.chain.proof(2, KEY)
    assert not lane.proves(proof, 2, (KEY,), VALUE)
    assert (lane.reason, lane.arguments) == ("UnknownHeight", (0, 2))
    honest = lane.packet_statement.honest
    with pytest.raises(Reverted, match="UnknownHeight"):
        lane.contract.call("verifyMembership", (honest, (1, 3), (KEY,), VALUE))
    assert lane.contract.call("verifyMembership", (honest, (0, 3), (KEY,), VALUE)) == lane.chain.times_s[3]


def test_attack_D8_contract_conflicting_state_freezes(lane):
    chain, time_s = lane.chain, lane.chain.times_s[3]
    assert lane.update(chain.update(3, keys=chain.keys)) == NOOP
    assert lane.update(chain.update(3, time_s + 1, keys=chain.keys[:1])) == REFUSED
    assert lane.update(chain.update(3, time_s + 1)) == MISBEHAVIOUR
    assert lane.contract.call("status") == 1
    for use, message in (("update", chain.update(3)), ("member", lane.packet_statement.honest)):
        accepted = lane.update(message) != REFUSED if use == "update" else lane.member(message)
        assert not accepted
        assert lane.reason == "FrozenClient"


@pytest.mark.parametrize("lie", [{KEY: VALUE[::-1]}, {KEY: bytes(32)}, {OTHER_KEY: VALUE}])
def test_attack_D8_contract_conflicting_packets_freeze(lane, lie):
    own = lane.chain.packet_attestation(3, KEY, OTHER_KEY)
    other = lane.chain.packet_attestation(3, *lie, b"client-0\x03" + bytes(8), lies=lie)
    for pair in ((own, other), (other, own)):
        twin = Lane.start()
        assert twin.misbehaviour(encode_misbehaviour(Misbehaviour(AttestationKind.PACKETS, *pair))) == MISBEHAVIOUR
        assert twin.contract.call("status") == 1


def test_attack_D9_contract_packet_lists(lane):
    for forgery in forgeries.bad_packet_lists(lane.chain, lane.height):
        lane.refuses("proof", forgery)
    assert lane.member(forgeries.longest_list(lane.chain, lane.height))
    lane.accepts()


def test_attack_D9_contract_zero_is_absence_and_nothing_else(lane):
    proof = lane.packet_statement.honest
    unlisted = b"client-0\x02" + (9).to_bytes(8, "big")
    for path, value, reason in (
        ((KEY,), None, "InvalidProof"),
        ((OTHER_KEY,), VALUE, "InvalidProof"),
        ((OTHER_KEY,), bytes(32), "InvalidProof"),
        ((KEY,), bytes(32), "InvalidProof"),
        ((KEY,), VALUE[:31], "InvalidProof"),
        ((KEY,), VALUE + b"\0", "InvalidProof"),
        ((KEY,), b"", "InvalidProof"),
        ((unlisted,), None, "InvalidProof"),
        ((unlisted,), VALUE, "InvalidProof"),
        ((), VALUE, "InvalidPath"),
        ((b"",), None, "InvalidPath"),
        ((KEY, b""), VALUE, "InvalidPath"),
        ((b"", KEY), VALUE, "InvalidPath"),
        ((KEY, KEY), VALUE, "InvalidPath"),
        ((b"x" * 1025,), None, "InvalidPath"),
    ):
        assert not lane.proves(proof, 3, path, value)
        assert lane.reason == reason
    lane.accepts()


def test_attack_D10_contract_encodings_that_a_lax_decoder_takes(lane):
    for name, damaged in forgeries.damaged_envelopes(lane.packet_statement.honest):
        assert not lane.member(damaged), name
        assert lane.update(damaged) == REFUSED, name
        if name != "length one less":
            assert lane.reason in ("MalformedPayload", "InvalidAttestedData"), (name, lane.reason)
    lane.accepts()


def test_attack_D10_contract_signed_data_are_parsed_after_their_signatures(lane):
    for statement, use in ((lane.state_statement, "update"), (lane.packet_statement, "proof")):
        for name, data in forgeries.damaged_abi(statement.data):
            nonsense = replace(statement, data=data)
            lane.refuses(use, forgeries.Forgery(name, nonsense.by(*forgeries.STRANGERS[:2]), "", "UnknownAttestor"))
            accepted = lane.update(nonsense.honest) != REFUSED if use == "update" else lane.member(nonsense.honest)
            assert not accepted, name
            assert lane.reason in ("MalformedPayload", "InvalidAttestedData"), (name, lane.reason)
    lane.accepts()


def test_attack_A_contract_below_the_threshold_or_with_a_verifier_of_its_own(lane):
    lane.refuses_all(forgeries.too_few_or_too_many)
    lane.refuses_all(forgeries.verifying_keys_do_not_travel)


def test_attack_A_contract_default_values_are_never_trusted():
    """Nomad: a client without a state does not exist, and zero heights and times are not values."""
    chain = AttestedChain(scope=EVM_SCOPE)
    evm = Evm(timestamp_s=chain.times_s[1])
    for state, field in (((0, 1), "latestHeight"), ((1, 0), "timestamp"), ((2, 5), "latestHeight")):
        with pytest.raises(Reverted, match=field):
            evm.deploy("AttestationClient", client_state_value(chain.client(1)), state)
    lane = Lane.start(updated=False)
    assert lane.update(bytes(64)) == lane.update(b"") == REFUSED
    assert not lane.proves(lane.packet_statement.honest, 0, (KEY,), VALUE)
    assert lane.reason == "UnknownHeight"
    lane.accepts()


# Consensus lines


def test_attack_C9_contract_attested_time_at_its_bound(lane):
    bound_s = lane.evm.timestamp_s + 15
    assert lane.update(lane.chain.update(9, bound_s)) == REFUSED
    assert lane.reason == "HeaderFromFuture"
    assert lane.update(lane.chain.update(9, bound_s - 1)) == UPDATE


def test_attack_C10_contract_trusting_period_of_an_attested_chain():
    lane = Lane.start(updated=False)
    edge_s = lane.chain.times_s[1] + 1_000
    for at_s, outcome, status in ((edge_s - 1, UPDATE, 0), (edge_s, REFUSED, 2)):
        twin = Lane.start(updated=False)
        twin.evm.timestamp_s = at_s
        assert twin.contract.call("status") == status
        assert twin.update(twin.chain.update(3)) == outcome
    assert twin.reason == "ExpiredClient"
    lane.evm.timestamp_s = edge_s - 1
    assert lane.update(lane.chain.update(9, edge_s - 1_001)) == REFUSED, "a state that is too old itself"
    assert lane.reason == "ExpiredClient"
    assert lane.update(lane.chain.update(9, edge_s - 1)) == UPDATE


def test_attack_C15_contract_time_order_of_attested_states(lane):
    first, last = lane.chain.times_s[1], lane.chain.times_s[3]
    for time_s in (first, last):
        twin = Lane.start()
        assert twin.update(twin.chain.update(2, time_s)) == UPDATE
        assert twin.contract.call("neighbours", 2) == (1, 3)
    for height, time_s in ((2, first - 1), (2, last + 1), (4, last - 1)):
        twin = Lane.start()
        assert twin.update(twin.chain.update(height, time_s)) == MISBEHAVIOUR
    assert lane.update(lane.chain.update(4, last)) == UPDATE


def test_attack_C16_contract_attested_evidence_that_proves_nothing(lane):
    chain, time_s = lane.chain, lane.chain.times_s[3]
    states = chain.state_misbehaviour
    own, other_height = chain.packet_attestation(3, KEY), chain.packet_attestation(2, KEY, lies={KEY: VALUE[::-1]})
    disjoint = chain.packet_attestation(3, OTHER_KEY, lies={OTHER_KEY: VALUE})
    for evidence in (
        states((3, time_s), (3, time_s)),
        states((2, time_s), (3, time_s)),
        states((2, time_s - 1), (3, time_s)),
        states((3, time_s), (2, time_s - 1)),
        *(
            encode_misbehaviour(Misbehaviour(AttestationKind.PACKETS, own, other))
            for other in (own, other_height, disjoint)
        ),
    ):
        assert lane.misbehaviour(evidence) == REFUSED
        assert lane.reason == "NotMisbehaviour"
    pair = ((3, time_s), (3, time_s + 1))
    assert lane.misbehaviour(states(*pair, keys=forgeries.STRANGERS[:2])) == REFUSED
    assert lane.misbehaviour(states(*pair, keys=chain.keys[:1])) == REFUSED
    assert lane.misbehaviour(states(*pair, scope=replace(EVM_SCOPE, destination_client_id="client-1"))) == REFUSED
    for evidence in (
        states(*pair),
        states((2, time_s + 1), (3, time_s)),
        states((3, time_s), (2, time_s + 1)),
        states((3, time_s), (3, 2**40 - 1)),
    ):
        assert Lane.start().misbehaviour(evidence) == MISBEHAVIOUR


def test_attack_C20_contract_first_states_of_an_attested_chain():
    chain = AttestedChain(scope=EVM_SCOPE)
    for at_s, error in ((chain.times_s[1] + 1_000, "ExpiredClient"), (chain.times_s[1] - 15, "HeaderFromFuture")):
        with pytest.raises(Reverted, match=error):
            deploy_attestation_client(Evm(timestamp_s=at_s), chain, 1)
    for at_s in (chain.times_s[1] + 999, chain.times_s[1] - 14):
        client = deploy_attestation_client(Evm(timestamp_s=at_s), chain, 1)
        assert client.call("getClientState") == chain.client_state(1)
        assert (client.call("clientType"), client.call("latestHeight")) == ("attestation", (0, 1))
        assert client.call("latestTimestamp") == chain.times_s[1]


# Both at once, on anything


TWIN = Lane.start()
MESSAGES = {
    "update": TWIN.state_statement.by(*TWIN.chain.keys),
    "proof": TWIN.packet_statement.by(*TWIN.chain.keys),
    "misbehaviour": TWIN.chain.state_misbehaviour((3, TWIN.chain.times_s[3]), (3, TWIN.chain.times_s[3] + 1)),
}


def judged(use: str, message: bytes) -> bool:
    """Whether both accept; they must agree. Nothing but a NoOp or a proof may pass here, so TWIN stays as it is."""
    if use == "update":
        return TWIN.update(message) != REFUSED
    if use == "proof":
        return TWIN.member(message)
    return TWIN.misbehaviour(message) != REFUSED


@FUZZ
@given(use=st.sampled_from(sorted(MESSAGES)), data=st.binary(max_size=500))
def test_attack_H_contract_random_bytes_are_no_attestation(use, data):
    assert not judged(use, data)


@FUZZ
@given(use=st.sampled_from(sorted(MESSAGES)), data=st.data())
def test_attack_H_contract_any_bit_or_word_of_an_attestation_counts(use, data):
    honest = MESSAGES[use]
    changed = bytearray(honest)
    if data.draw(st.booleans()):
        changed[data.draw(st.integers(0, len(honest) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    else:
        place = 32 * data.draw(st.integers(0, len(honest) // 32 - 1))
        word = data.draw(st.binary(min_size=32, max_size=32) | st.integers(0, 700).map(lambda n: n.to_bytes(32, "big")))
        changed[place : place + 32] = word
    if bytes(changed) != honest:
        assert not judged(use, bytes(changed))


HEIGHTS = st.integers(1, 12)


@pytest.mark.long
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_contract_and_library_agree_on_every_history(data):
    """Updates in any order, true and false, with lists of any content, by any signers, at any time: the same verdicts, the
    same states, until one freezes both."""
    attestors = data.draw(st.integers(1, 4))
    chain = AttestedChain(attestors, attestors // 2 + 1, EVM_SCOPE)
    chain.put(KEY, VALUE)
    chain.advance(11, seconds=2)
    twin = AttestationTwin(chain, trusted=data.draw(HEIGHTS))
    pool = [*chain.keys, *attestor_keys(1, first=700)]
    assert sorted(pool[:-1], key=address_of) == chain.keys
    for _ in range(data.draw(st.integers(1, 8))):
        signers = (
            data.draw(st.lists(st.sampled_from(pool), min_size=1, max_size=5)) if data.draw(st.booleans()) else None
        )
        height, shift = data.draw(HEIGHTS), data.draw(st.sampled_from((0, 0, 0, 0, 1, -1, 40, -1_001)))
        if data.draw(st.booleans()):
            twin.update(chain.update(height, chain.times_s[height] + shift, keys=signers))
            continue
        lies = {KEY: data.draw(st.sampled_from((VALUE, bytes(32), VALUE[::-1])))} if data.draw(st.booleans()) else None
        keys = data.draw(st.sampled_from(((KEY,), (OTHER_KEY,), (KEY, OTHER_KEY))))
        attestation = chain.packet_attestation(height, *keys, lies=lies, keys=signers)
        at = data.draw(st.sampled_from((height, height, height + 1)))
        for path, value in ((KEY, VALUE), (KEY, None), (OTHER_KEY, None)):
            twin.proves(encode_attestation(attestation), at, (path,), value)
