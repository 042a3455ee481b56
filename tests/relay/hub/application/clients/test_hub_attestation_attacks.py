"""Attack list D through the hub's own door, and what of A, C and E concerns its attestation clients."""

from dataclasses import replace

import pytest

from hutong.light_clients.attestation import AttestationKind, Misbehaviour, encode_misbehaviour
from hutong.light_clients.ibc.commitment import commitment_key, packet_commitment
from hutong.light_clients.ibc.packet import Acknowledgement
from hutong.relay.evm.vm.transaction import MAX_TRANSACTION_BYTES
from hutong.relay.hub.application import abi
from hutong.relay.hub.application.admin import create_client_action, recover_client_action
from hutong.relay.hub.application.gas import CLIENT_MESSAGE_BYTE, PROOF_BYTE
from hutong.relay.hub.application.modules import ROUTER_ADDRESS
from tests.light_clients.attestation import forgeries
from tests.light_clients.attestation.attested_chain import KEY, OTHER_KEY, VALUE, AttestedChain, address_of
from tests.relay.hub.application.clients.attested_remote import CLIENT_TYPE, AttestedRemote
from tests.relay.hub.application.clients.test_hub_client_attacks import status
from tests.relay.hub.application.packets.test_hub_packet_attacks import content, refused
from tests.relay.hub.simulated_hub import ANSWER, STRANGER, sent_packet, written_acknowledgement

FAILED = abi.VERIFICATION_FAILED


class Forged:
    """A remote with a sent packet at its newest height, whose forged updates and proofs the hub is shown.

    The forgeries speak of KEY and OTHER_KEY; `statement` is about the packet's path instead, so that a proof accepted by
    mistake would deliver it.
    """

    def __init__(self, hub, chain_b) -> None:
        self.hub = hub
        self.remote = AttestedRemote(hub)
        self.packet = self.remote.send_forward(chain_b.client)
        self.height = self.remote.update()
        chain = self.remote.chain
        self.update_statement = forgeries.state_of(chain, self.height)
        self.proof_statement = forgeries.Statement(
            chain, AttestationKind.PACKETS, chain.packets_of(self.height, (commitment_key(self.packet),))
        )

    def refuses_update(self, message: bytes) -> tuple:
        return refused(self.hub, self.remote.update_call(self.height, message), FAILED)

    def refuses_proof(self, message: bytes) -> tuple:
        return refused(self.hub, self.remote.receive_call(self.packet, self.height, message), FAILED)

    def refuses_all(self, forge) -> None:
        for forgery in forge(self.update_statement):
            assert self.refuses_update(forgery.message)[0] == forgery.predicate, forgery.name
        for forgery in forge(self.proof_statement):
            assert self.refuses_proof(forgery.message)[0] == forgery.predicate, forgery.name

    def accepts(self) -> None:
        outcome = self.hub.send(ROUTER_ADDRESS, self.remote.update_call(self.height, self.update_statement.honest))
        assert outcome.events(abi.CLIENT_UPDATED_EVENT) == [(self.remote.client, 2)]
        call = self.remote.receive_call(self.packet, self.height, self.proof_statement.honest)
        assert sent_packet(self.hub.send(ROUTER_ADDRESS, call))


@pytest.fixture
def forged(hub, chain_b):
    return Forged(hub, chain_b)


def test_attack_D1_hub_signer_counted_twice(forged):
    forged.refuses_all(forgeries.one_signer_counted_twice)
    forged.accepts()


def test_attack_D2_hub_every_signature_has_one_form(forged):
    forged.refuses_all(forgeries.malleated_signatures)
    forged.accepts()


def test_attack_D3_hub_strangers_and_the_set_before_a_recovery(hub, forged):
    forged.refuses_all(forgeries.strangers)
    forged.accepts()
    remote, old = forged.remote, list(forged.remote.chain.keys)
    time_s = remote.chain.times_s[-1]
    conflict = remote.chain.state_misbehaviour((9, time_s), (9, time_s + 1))
    assert hub.send(ROUTER_ADDRESS, remote.misbehaviour_call(conflict)).events(abi.MISBEHAVIOUR_EVENT)
    remote.advance()
    rotated = sorted([*old[1:], forgeries.STRANGERS[0]], key=address_of)
    scope = replace(remote.chain.scope, destination_client_id="attestation-1")
    substitute = remote.create(attestors=tuple(map(address_of, rotated)), scope=scope)
    assert hub.execute(recover_client_action(hub.next_salt(), remote.client, substitute)).ok
    height = remote.advance()
    by_removed = remote.chain.update(height, keys=old[:2])
    assert refused(hub, remote.update_call(height, by_removed), FAILED)[0] == "signed_by_attestors"
    assert hub.send(ROUTER_ADDRESS, remote.update_call(height, remote.chain.update(height, keys=rotated[:2]))).ok


def test_attack_D4_hub_client_with_an_unfit_set(hub):
    chain = AttestedChain(genesis_s=hub.time_s)
    good, consensus_state = chain.client_state(1), chain.consensus_state(1)
    place = good.index((2).to_bytes(32, "big"), 64)
    for threshold in (0, 1, 4, 2**32 - 1):
        bad = good[:place] + threshold.to_bytes(32, "big") + good[place + 32 :]
        outcome = hub.execute(create_client_action(hub.next_salt(), CLIENT_TYPE, bad, consensus_state))
        assert outcome.reverted_with(FAILED)[0] == "client_state.threshold"
    addresses = list(map(address_of, chain.keys))
    swapped = good.replace(addresses[0], b"\xee" * 20).replace(addresses[1], addresses[0])
    twice, zero = good.replace(addresses[1], addresses[0]), good.replace(addresses[0], bytes(20))
    for bad in (swapped, twice, zero):
        outcome = hub.execute(create_client_action(hub.next_salt(), CLIENT_TYPE, bad, consensus_state))
        assert outcome.reverted_with(FAILED)[0] == "client_state.attestors"
    assert hub.create_client(CLIENT_TYPE, good, consensus_state) == "attestation-0"


def test_attack_D5_hub_replay_to_every_other_destination(forged):
    forged.refuses_all(forgeries.replays)
    forged.refuses_all(forgeries.undomained)
    forged.accepts()


def test_attack_D5_hub_client_is_created_only_as_what_its_scope_names(hub):
    """A second client with the same keys has another identifier in what is signed, so nothing passes from one to the other."""
    chain = AttestedChain(genesis_s=hub.time_s)
    consensus_state = chain.consensus_state(1)
    for name, scope in (
        ("client_id", replace(chain.scope, destination_client_id="attestation-1")),
        ("chain_id", replace(chain.scope, destination_chain_id="hutong-2")),
        ("router", replace(chain.scope, destination_router=b"\x0d" * 20)),
    ):
        before = content(hub)
        action = create_client_action(hub.next_salt(), CLIENT_TYPE, chain.client_state(1, scope=scope), consensus_state)
        outcome = hub.execute(action)
        assert outcome.reverted_with(FAILED)[0] == "destination_is_this_client", name
        assert {key for key in set(content(hub)) - set(before) if not key.startswith(b"admin/")} == set()
    first, second = AttestedRemote(hub, 0), AttestedRemote(hub, 1)
    assert (first.client, second.client) == ("attestation-0", "attestation-1")
    outcome = hub.execute(create_client_action(hub.next_salt(), CLIENT_TYPE, chain.client_state(1), consensus_state))
    assert outcome.reverted_with(FAILED)[0] == "destination_is_this_client", "the number is taken"
    first.advance()
    height = second.advance()
    assert refused(hub, first.update_call(height, second.chain.update(height)), FAILED)[0] == "signed_by_attestors"
    assert hub.send(ROUTER_ADDRESS, first.update_call(height)).ok


def test_attack_D6_hub_kinds_are_not_exchanged(hub, forged):
    attempts = {"update": forged.refuses_update, "proof": forged.refuses_proof}
    for use, forgery in forgeries.kinds_exchanged(forged.update_statement, forged.proof_statement):
        assert attempts[use](forgery.message)[0] == forgery.predicate
    forged.accepts()


def test_attack_D7_hub_heights_and_units(hub, forged):
    for forgery in forgeries.states_out_of_range(forged.remote.chain, forged.height):
        assert forged.refuses_update(forgery.message)[0] == forgery.predicate, forgery.name
    chain, key = forged.remote.chain, commitment_key(forged.packet)
    lie = {key: packet_commitment(forged.packet)}
    for height in (forged.height - 1, forged.height + 1):
        if height >= len(chain.stores):
            chain.advance()
        proof = chain.proof(height, key, lies=lie)
        assert forged.refuses_proof(proof)[0] == "height_is_the_proof_height"
        call = forged.remote.receive_call(forged.packet, height, proof)
        # A height that the client has no state of, and the first one, of which it has.
        if height > forged.height:
            refused(hub, call, FAILED)
    forged.accepts()


def test_attack_D8_hub_conflicting_attestations_freeze(hub, forged):
    remote, chain = forged.remote, forged.remote.chain
    time_s = chain.times_s[forged.height]
    lone = chain.update(forged.height, time_s + 1, keys=chain.keys[:1])
    forged.refuses_update(lone)
    assert status(hub, remote.client) == "Active"
    outcome = hub.send(ROUTER_ADDRESS, remote.update_call(forged.height, chain.update(forged.height, time_s + 1)))
    assert outcome.events(abi.CLIENT_UPDATED_EVENT) == [(remote.client, 1)]
    assert outcome.events(abi.MISBEHAVIOUR_EVENT) == [(remote.client,)]
    assert status(hub, remote.client) == "Frozen"


def test_attack_D8_hub_two_values_under_one_path_freeze(hub, forged):
    chain, remote, height = forged.remote.chain, forged.remote, forged.height
    key = commitment_key(forged.packet)
    own = chain.packet_attestation(height, key)
    for other in (
        own,
        chain.packet_attestation(height, KEY),
        chain.packet_attestation(height - 1, key, lies={key: VALUE}),
        chain.packet_attestation(height, key, lies={key: VALUE}, keys=chain.keys[:1]),
        chain.packet_attestation(height, key, lies={key: VALUE}, keys=forgeries.STRANGERS[:2]),
    ):
        evidence = encode_misbehaviour(Misbehaviour(AttestationKind.PACKETS, own, other))
        refused(hub, remote.misbehaviour_call(evidence), FAILED)
    assert status(hub, remote.client) == "Active"
    lie = chain.packet_attestation(height, key, OTHER_KEY, lies={key: bytes(32)})
    evidence = encode_misbehaviour(Misbehaviour(AttestationKind.PACKETS, own, lie))
    assert hub.send(ROUTER_ADDRESS, remote.misbehaviour_call(evidence)).events(abi.MISBEHAVIOUR_EVENT)
    assert status(hub, remote.client) == "Frozen"


def test_attack_D9_hub_packet_lists(hub, chain_b):
    """The lists speak of KEY: the packet stands under it."""
    remote = AttestedRemote(hub)
    packet = remote.send_forward(chain_b.client)
    assert commitment_key(packet) == KEY
    height = remote.update()
    value = packet_commitment(packet)
    for forgery in forgeries.bad_packet_lists(remote.chain, height):
        call = remote.receive_call(packet, height, forgery.message)
        if len(call) > MAX_TRANSACTION_BYTES:
            assert hub.application.check_tx(hub.raw(ROUTER_ADDRESS, call, STRANGER)).code != 0, forgery.name
            continue
        assert refused(hub, call, FAILED)[0] in (forgery.predicate, "commitment_is_attested"), forgery.name
    honest = remote.receive_call(packet, height, remote.chain.proof(height, KEY, OTHER_KEY))
    assert remote.chain.stores[height][KEY] == value
    assert sent_packet(hub.send(ROUTER_ADDRESS, honest))


def test_attack_D9_hub_zero_is_absence_and_nothing_else(hub, chain_b):
    """A timeout needs the zero word listed for the receipt, at a time past the timeout."""
    remote = AttestedRemote(hub)
    leg_1 = chain_b.send_forward(remote.client)
    leg_2 = sent_packet(chain_b.deliver(leg_1))
    hub.advance(time_s=leg_2.timeout_timestamp_s)
    hub.advance()
    height = remote.update()
    key = leg_2.destination_client.encode() + b"\x02" + leg_2.sequence.to_bytes(8, "big")
    unlisted = remote.chain.proof(height, OTHER_KEY)
    received = remote.chain.proof(height, key, lies={key: VALUE})
    for proof in (unlisted, received):
        assert refused(hub, remote.timeout_call(leg_2, height, proof), FAILED)[0] == "commitment_is_attested"
    outcome = hub.send(ROUTER_ADDRESS, remote.timeout_call(leg_2, height))
    assert written_acknowledgement(outcome)[1].is_error


def test_attack_D10_hub_encodings_that_a_lax_decoder_takes(forged):
    for name, damaged in forgeries.damaged_envelopes(forged.proof_statement.honest):
        assert forged.refuses_proof(damaged), name
    for statement, attempt in (
        (forged.update_statement, forged.refuses_update),
        (forged.proof_statement, forged.refuses_proof),
    ):
        for name, data in forgeries.damaged_abi(statement.data):
            nonsense = replace(statement, data=data)
            assert attempt(nonsense.by(*forgeries.STRANGERS[:2]))[0] == "signed_by_attestors", name
            assert attempt(nonsense.honest)[0].startswith(("state", "packets")), name
    forged.accepts()


def test_attack_A_hub_below_the_threshold_or_with_a_verifier_of_its_own(forged):
    """Ronin, Harmony, Wormhole."""
    forged.refuses_all(forgeries.too_few_or_too_many)
    forged.refuses_all(forgeries.verifying_keys_do_not_travel)
    forged.accepts()


def test_attack_C9_hub_attested_time_at_its_bound(hub, forged):
    remote = forged.remote
    hub.advance()
    now_s = hub.application.block_time_ns(hub.height) // 10**9
    # The transaction runs in the next block, whose time was fixed by the last commit.
    next_s = hub.time_s
    assert next_s >= now_s
    late = remote.chain.update(99, next_s + 15)
    assert refused(hub, remote.update_call(99, late), FAILED)[0] == "header_not_from_future"
    next_s = hub.time_s
    assert hub.send(ROUTER_ADDRESS, remote.update_call(99, remote.chain.update(99, next_s + 14))).ok


def test_attack_C15_hub_attested_time_order_freezes(hub, forged):
    remote, chain = forged.remote, forged.remote.chain
    height = remote.update(3)
    between = height - 1
    late = chain.update(between, chain.times_s[height] + 1)
    assert hub.send(ROUTER_ADDRESS, remote.update_call(between, late)).events(abi.MISBEHAVIOUR_EVENT)
    twin = AttestedRemote(hub, 1)
    height = twin.update(3)
    equal = twin.chain.update(height - 1, twin.chain.times_s[height])
    assert hub.send(ROUTER_ADDRESS, twin.update_call(height - 1, equal)).ok
    assert status(hub, twin.client) == "Active"


def test_attack_C17_hub_frozen_attestation_client_waits_for_recovery(hub, chain_a):
    remote = AttestedRemote(hub)
    leg_2 = sent_packet(chain_a.deliver(chain_a.send_forward(remote.client)))
    remote.receive(leg_2, Acknowledgement((ANSWER,)))
    height = remote.update()
    pair = (
        remote.chain.packet_attestation(height, OTHER_KEY),
        remote.chain.packet_attestation(height, OTHER_KEY, lies={OTHER_KEY: VALUE}),
    )
    evidence = remote.misbehaviour_call(encode_misbehaviour(Misbehaviour(AttestationKind.PACKETS, *pair)))
    assert hub.send(ROUTER_ADDRESS, evidence).ok
    for call in (
        remote.acknowledge_call(leg_2, height),
        remote.timeout_call(leg_2, height),
        remote.update_call(height),
        evidence,
    ):
        assert refused(hub, call, abi.CLIENT_NOT_ACTIVE) == (remote.client,)
    assert written_acknowledgement(chain_a.deliver(chain_a.send_forward(remote.client)))[1].is_error
    new_height = remote.advance()
    substitute = remote.create(scope=replace(remote.chain.scope, destination_client_id="attestation-1"))
    assert hub.execute(recover_client_action(hub.next_salt(), remote.client, substitute)).ok
    assert status(hub, remote.client) == "Active"
    refused(hub, remote.acknowledge_call(leg_2, height), FAILED)
    settled = hub.send(ROUTER_ADDRESS, remote.acknowledge_call(leg_2, new_height))
    assert not written_acknowledgement(settled)[1].is_error


def test_attack_C18_hub_substitutes_of_an_attestation_client(hub):
    remote = AttestedRemote(hub)
    remote.update()
    time_s = remote.chain.times_s[-1]
    conflict = remote.chain.state_misbehaviour((9, time_s), (9, time_s + 1))
    assert hub.send(ROUTER_ADDRESS, remote.misbehaviour_call(conflict)).ok
    remote.advance()
    number = 1

    def substitute(**changes) -> str:
        nonlocal number
        scope = replace(remote.chain.scope, destination_client_id=f"attestation-{number}", **changes.pop("scope", {}))
        number += 1
        return remote.create(scope=scope, **changes)

    for changes in (
        {"scope": {"source_chain_id": "31338"}},
        {"scope": {"source_router": b"\x01" * 20}},
        {"max_clock_drift_s": 16},
    ):
        outcome = hub.execute(recover_client_action(hub.next_salt(), remote.client, substitute(**changes)))
        assert outcome.reverted_with(FAILED)[0] == "substitute_parameters_match"
    assert hub.execute(recover_client_action(hub.next_salt(), remote.client, substitute())).ok


def test_attack_E3_hub_attested_absence_before_the_receipt(hub, chain_a):
    remote = AttestedRemote(hub)
    leg_2 = sent_packet(chain_a.deliver(chain_a.send_forward(remote.client)))
    before = remote.update()
    old = remote.chain.proof(
        before, KEY, leg_2.destination_client.encode() + b"\x02" + leg_2.sequence.to_bytes(8, "big")
    )
    remote.receive(leg_2, Acknowledgement((ANSWER,)))
    hub.advance(time_s=leg_2.timeout_timestamp_s)
    hub.advance()
    due = remote.update()
    assert refused(hub, remote.timeout_call(leg_2, due, old), FAILED)[0] == "height_is_the_proof_height"
    refused(hub, remote.timeout_call(leg_2, before, old), abi.INVALID_TIMEOUT_TIMESTAMP)
    assert refused(hub, remote.timeout_call(leg_2, due), FAILED)[0] == "commitment_is_attested"
    assert not written_acknowledgement(hub.send(ROUTER_ADDRESS, remote.acknowledge_call(leg_2, due)))[1].is_error


def test_signatures_are_paid_by_the_byte_before_they_are_checked(hub, chain_b):
    """Rule 11's price of work: every signature more costs at least its bytes, in updates and in proofs."""
    remote = AttestedRemote(hub, attestors=64, threshold=33)
    packet = remote.send_forward(chain_b.client)
    height = remote.advance()
    keys = remote.chain.keys
    costs = [
        hub.send(ROUTER_ADDRESS, remote.update_call(height, remote.chain.update(height, keys=keys[:count]))).gas_used
        for count in (64, 33)
    ]
    # The first one stores; padding to words is at most 31 bytes.
    assert costs[0] - costs[1] > 31 * 65 * CLIENT_MESSAGE_BYTE
    key = commitment_key(packet)
    calls = [
        remote.receive_call(packet, height, remote.chain.proof(height, key, lies={key: VALUE}, keys=keys[:count]))
        for count in (64, 33)
    ]
    gas_used = [hub.send(ROUTER_ADDRESS, call).gas_used for call in calls]
    assert gas_used[0] - gas_used[1] > 30 * 65 * PROOF_BYTE
    assert sent_packet(hub.send(ROUTER_ADDRESS, remote.receive_call(packet, height)))
