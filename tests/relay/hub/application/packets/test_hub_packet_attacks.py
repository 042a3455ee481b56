"""Attack lines E on the hub's router and forwarder: each refused with no state change, each beside its positive twin."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.light_clients.ibc.abi import packet_to_tuple
from hutong.light_clients.ibc.commitment import (
    acknowledgement_commitment,
    acknowledgement_key,
    commitment_key,
    packet_commitment,
    payload_hash,
    receipt_key,
)
from hutong.light_clients.ibc.forward import OriginStamp, StampedPayload, decode_stamped_payload, encode_stamped_payload
from hutong.light_clients.ibc.packet import ERROR_ACKNOWLEDGEMENT, Acknowledgement, Packet, Payload
from hutong.light_clients.interface import MalformedInput
from hutong.relay.hub.application import abi
from hutong.relay.hub.application.admin import set_paused_action
from hutong.relay.hub.application.clients import Clients
from hutong.relay.hub.application.modules import CLIENT_MANAGER_ADDRESS, FORWARDER_ADDRESS, ROUTER_ADDRESS
from hutong.relay.hub.application.packets.packets import PacketRouter
from hutong.relay.hub.state import keys
from hutong.relay.hub.state.keys import EVM_STATE_ROOT_KEY
from tests.relay.hub.simulated_hub import (
    ANSWER,
    RELAYER,
    STRANGER,
    RemoteChain,
    SimulatedHub,
    forward_payload,
    sent_packet,
    written_acknowledgement,
)


def content(hub) -> dict[bytes, bytes]:
    """Everything that the hub commits to but the EVM, where a refused transaction still moves a nonce."""
    root = hub.app_hash
    return {leaf.key: leaf.value for leaf in hub.application.state.tree.leaves(root) if leaf.key != EVM_STATE_ROOT_KEY}


def refused(hub, data: bytes, error: abi.Error | None = None, account=RELAYER) -> tuple:
    """The call reverts, emits nothing, and leaves no trace in the state."""
    before = content(hub)
    outcome = hub.send(ROUTER_ADDRESS, data, account)
    assert not outcome.ok
    assert outcome.logs == ()
    assert content(hub) == before
    if error is None:
        return ()
    arguments = outcome.reverted_with(error)
    assert arguments is not None, outcome.data
    return arguments


def no_op(outcome) -> bool:
    return outcome.ok and [log.topics[0] for log in outcome.logs] == [abi.NOOP_EVENT.topic]


@pytest.fixture
def forwarded(hub, chain_a, chain_b):
    """Leg 1 received and leg 2 sent."""
    leg_1 = chain_a.send_forward(chain_b.client)
    height = chain_a.update()
    call = chain_a.receive_call(leg_1, height)
    outcome = hub.send(ROUTER_ADDRESS, call)
    return leg_1, sent_packet(outcome), call


def test_attack_E1_hub_receive_twice_by_two_relayers(hub, forwarded):
    before = content(hub)
    assert no_op(hub.send(ROUTER_ADDRESS, forwarded[2], STRANGER))
    assert content(hub) == before


def test_attack_E1_hub_receive_twice_in_one_block_and_in_one_batch(hub, chain_a, chain_b):
    leg_1 = chain_a.send_forward(chain_b.client)
    call = chain_a.receive_call(leg_1, chain_a.update())
    first, second = hub.advance(hub.raw(ROUTER_ADDRESS, call), hub.raw(ROUTER_ADDRESS, call, STRANGER))
    assert sent_packet(first)
    assert no_op(second)
    leg_1 = chain_a.send_forward(chain_b.client)
    call = chain_a.receive_call(leg_1, chain_a.update())
    batch = hub.send(ROUTER_ADDRESS, abi.RELAY_BATCH.call([(2_000_000, call), (2_000_000, call)]))
    assert len(batch.events(abi.SEND_PACKET_EVENT)) == 1
    assert len(batch.events(abi.NOOP_EVENT)) == 1


def test_attack_E1_hub_receive_again_after_the_acknowledgement_and_after_a_restart(hub, chain_b, forwarded):
    _, leg_2, call = forwarded
    assert chain_b.answer(leg_2).ok
    before = content(hub)
    assert no_op(hub.send(ROUTER_ADDRESS, call))
    again = SimulatedHub(hub.store, hub.genesis)
    again.nonces, again.time_s = hub.nonces, hub.time_s
    assert no_op(again.send(ROUTER_ADDRESS, call))
    assert content(again) == before


def test_attack_E2_hub_receive_at_the_timeout_and_a_second_before(hub, chain_a, chain_b):
    packets = [chain_a.send(forward_payload(chain_b.client, hub.time_s + 300), hub.time_s + 60) for _ in range(2)]
    height = chain_a.update()
    timeout_s = packets[0].timeout_timestamp_s
    calls = [chain_a.receive_call(packet, height) for packet in packets]
    # The block's time was fixed by the commit before it.
    hub.advance(time_s=timeout_s - 1)
    hub.advance(time_s=timeout_s - 1)
    in_time = hub.advance(hub.raw(ROUTER_ADDRESS, calls[0]), time_s=timeout_s)
    assert sent_packet(in_time[0])
    hub.advance(time_s=timeout_s)
    arguments = refused(hub, calls[1], abi.INVALID_TIMEOUT_TIMESTAMP)
    assert arguments == (timeout_s, timeout_s)


@pytest.mark.parametrize(("late_s", "accepted"), [(-1, False), (0, True)])
def test_attack_E2_hub_timeout_proven_at_the_timeout_and_a_second_before(hub, chain_a, chain_b, late_s, accepted):
    leg_1 = chain_a.send_forward(chain_b.client, timeout_s=hub.time_s + 60)
    leg_2 = sent_packet(chain_a.deliver(leg_1))
    height = chain_b.seal(leg_2.timeout_timestamp_s + late_s)
    hub.advance(time_s=leg_2.timeout_timestamp_s + 2)
    hub.advance()
    assert hub.send(ROUTER_ADDRESS, chain_b.update_call(height)).ok
    call = chain_b.timeout_call(leg_2, height)
    if accepted:
        assert hub.send(ROUTER_ADDRESS, call).events(abi.TIMEOUT_PACKET_EVENT)
    else:
        timeout_s = leg_2.timeout_timestamp_s
        assert refused(hub, call, abi.INVALID_TIMEOUT_TIMESTAMP) == (timeout_s, timeout_s - 1)


def test_attack_E3_hub_timeout_with_a_proof_from_before_the_receive(hub, chain_a, chain_b):
    leg_1 = chain_a.send_forward(chain_b.client, timeout_s=hub.time_s + 60)
    leg_2 = sent_packet(chain_a.deliver(leg_1))
    early = chain_b.update()
    chain_b.receive(leg_2, Acknowledgement((ANSWER,)))
    hub.advance(time_s=leg_2.timeout_timestamp_s)
    hub.advance()
    late = chain_b.update()
    # The early height proves absence but not the time; the late one proves the time but not absence.
    refused(hub, chain_b.timeout_call(leg_2, early), abi.INVALID_TIMEOUT_TIMESTAMP)
    refused(hub, chain_b.timeout_call(leg_2, late), abi.VERIFICATION_FAILED)
    stale_proof = chain_b.chain.proof(early, receipt_key(leg_2))
    mixed = abi.TIMEOUT_PACKET.call((packet_to_tuple(leg_2), stale_proof, (0, late)))
    refused(hub, mixed, abi.VERIFICATION_FAILED)
    assert hub.send(ROUTER_ADDRESS, chain_b.acknowledge_call(leg_2, ANSWER, late)).events(abi.ACK_PACKET_EVENT)


def test_attack_E4_hub_acknowledge_twice_and_timeout_after_it(hub, chain_b, forwarded):
    leg_1, leg_2, _ = forwarded
    assert written_acknowledgement(chain_b.answer(leg_2))[0] == leg_1
    height = chain_b.trusted
    before = content(hub)
    assert no_op(hub.send(ROUTER_ADDRESS, chain_b.acknowledge_call(leg_2, ANSWER, height)))
    assert content(hub) == before
    refused(hub, chain_b.timeout_call(leg_2, height))


def test_attack_E4_hub_timeout_twice_and_acknowledge_after_it(hub, chain_a, chain_b):
    leg_1 = chain_a.send_forward(chain_b.client, timeout_s=hub.time_s + 60)
    leg_2 = sent_packet(chain_a.deliver(leg_1))
    assert chain_b.expire(leg_2).ok
    before = content(hub)
    assert no_op(hub.send(ROUTER_ADDRESS, chain_b.timeout_call(leg_2, chain_b.trusted)))
    assert content(hub) == before
    # A destination that breaks its own rules and receives late: the settlement stands.
    assert no_op(chain_b.answer(leg_2))
    assert hub.view().get(acknowledgement_key(leg_1)) is not None


def test_attack_E4_hub_acknowledge_a_packet_that_was_never_sent(hub, chain_b):
    never = Packet(1, chain_b.client, "client-0", hub.time_s + 60, (forward_payload(chain_b.client, hub.time_s),))
    chain_b.receive(never, Acknowledgement((ANSWER,)))
    call = chain_b.acknowledge_call(never, ANSWER, chain_b.update())
    before = content(hub)
    assert no_op(hub.send(ROUTER_ADDRESS, call))
    assert content(hub) == before


CHANGES = {
    "sequence": lambda packet: replace(packet, sequence=packet.sequence + 1),
    "source client": lambda packet: replace(packet, source_client="client-1"),
    "destination client": lambda packet: replace(packet, destination_client="bft-evm-1"),
    "timeout": lambda packet: replace(packet, timeout_timestamp_s=packet.timeout_timestamp_s + 1),
    "source port": lambda packet: changed_payload(packet, source_port="gmpporu"),
    "destination port": lambda packet: changed_payload(packet, destination_port="forware"),
    "version": lambda packet: changed_payload(packet, version="hutong-forward-2"),
    "encoding": lambda packet: changed_payload(packet, encoding="application/json"),
    "value": lambda packet: changed_payload(packet, value=packet.payloads[0].value + b"\0"),
    "payload twice": lambda packet: replace(packet, payloads=packet.payloads * 2),
}


def changed_payload(packet: Packet, **fields) -> Packet:
    return replace(packet, payloads=(replace(packet.payloads[0], **fields),))


@pytest.mark.parametrize("name", CHANGES)
def test_attack_E5_hub_receive_with_one_field_changed(hub, chain_a, chain_b, name):
    packet = chain_a.send_forward(chain_b.client)
    height = chain_a.update()
    changed = CHANGES[name](packet)
    assert packet_commitment(changed) != packet_commitment(packet) or commitment_key(changed) != commitment_key(packet)
    refused(hub, chain_a.receive_call(changed, height, proven=packet))
    assert hub.send(ROUTER_ADDRESS, chain_a.receive_call(packet, height)).events(abi.SEND_PACKET_EVENT)


@pytest.mark.parametrize("name", [name for name in CHANGES if name not in ("source client", "destination client")])
def test_attack_E5_hub_acknowledge_with_one_field_changed(hub, chain_b, forwarded, name):
    leg_2 = forwarded[1]
    changed = CHANGES[name](leg_2)
    chain_b.receive(leg_2, Acknowledgement((ANSWER,)))
    chain_b.receive(changed, Acknowledgement((ANSWER,)))
    height = chain_b.update()
    call = chain_b.acknowledge_call(changed, ANSWER, height)
    if changed.sequence != leg_2.sequence:
        assert no_op(hub.send(ROUTER_ADDRESS, call))
    elif len(changed.payloads) > 1:
        refused(hub, call, abi.MULTI_PAYLOAD)
    else:
        refused(hub, call, abi.COMMITMENT_MISMATCH)
    assert hub.send(ROUTER_ADDRESS, chain_b.acknowledge_call(leg_2, ANSWER, height)).events(abi.ACK_PACKET_EVENT)


@settings(max_examples=100, deadline=None)
@given(
    st.text("abc", min_size=2, max_size=5),
    st.text("abc", min_size=2, max_size=5),
    st.text("abc", min_size=2, max_size=5),
    st.text("abc", min_size=2, max_size=5),
    st.binary(min_size=1, max_size=5),
)
def test_attack_E6_hub_a_byte_moved_between_adjacent_fields_changes_the_commitment(
    source, port, version, encoding, value
):
    payload = Payload(source, port, version, encoding, value)
    moved = [
        Payload(source + port[0], port[1:] + "x", version, encoding, value),
        Payload(source, port, version + encoding[0], encoding[1:], value),
        Payload(source, port, version, encoding + value[:1].hex(), value[1:] or b"x"),
    ]
    for other in moved:
        if other != payload:
            assert payload_hash(other) != payload_hash(payload)


def test_attack_E7_hub_packet_of_one_client_presented_at_another(hub, chain_a, chain_b):
    """Both remote chains call their client of the hub `client-0`: the hub's own client keeps them apart."""
    packet = chain_a.send_forward(chain_b.client)
    chain_a_height = chain_a.update()
    chain_b.update()
    at_b = replace(packet, destination_client=chain_b.client)
    proof = chain_a.chain.proof(chain_a_height, commitment_key(packet))
    call = abi.RECV_PACKET.call((packet_to_tuple(at_b), proof, (0, chain_b.trusted)))
    refused(hub, call, abi.VERIFICATION_FAILED)
    swapped = replace(packet, source_client=packet.destination_client, destination_client=packet.source_client)
    call = abi.RECV_PACKET.call((packet_to_tuple(swapped), proof, (0, chain_a_height)))
    refused(hub, call, abi.CLIENT_NOT_FOUND)
    stranger = replace(packet, source_client="client-7")
    call = abi.RECV_PACKET.call((packet_to_tuple(stranger), proof, (0, chain_a_height)))
    assert refused(hub, call, abi.INVALID_COUNTERPARTY) == ("client-0", "client-7")
    assert hub.send(ROUTER_ADDRESS, chain_a.receive_call(packet, chain_a_height)).ok


def test_attack_E8_hub_acknowledgements_that_are_invalid(hub, chain_b, forwarded):
    leg_2 = forwarded[1]
    chain_b.receive(leg_2, Acknowledgement((ANSWER,)))
    height = chain_b.update()
    for wrong in (b"", ANSWER + b"\0", ERROR_ACKNOWLEDGEMENT, b"x" * (16 * 1024 + 1)):
        refused(hub, chain_b.acknowledge_call(leg_2, wrong, height), abi.VERIFICATION_FAILED)
    for entries in ((), (b"",), (ANSWER, ERROR_ACKNOWLEDGEMENT)):
        with pytest.raises(MalformedInput):
            Acknowledgement(entries)
    longest = b"\x01" * (16 * 1024)
    chain_b.chain.commit(acknowledgement_key(leg_2), acknowledgement_commitment(Acknowledgement((longest,))))
    outcome = hub.send(ROUTER_ADDRESS, chain_b.acknowledge_call(leg_2, longest, chain_b.update()))
    assert written_acknowledgement(outcome)[1].app_acknowledgements == (longest,)


def test_attack_E8_hub_acknowledgement_list_of_two_is_not_provable_as_one(hub, chain_b, forwarded):
    leg_2 = forwarded[1]
    chain_b.receive(leg_2, Acknowledgement((ANSWER, ANSWER)))
    refused(hub, chain_b.acknowledge_call(leg_2, ANSWER, chain_b.update()), abi.VERIFICATION_FAILED)


def test_attack_E9_hub_packet_with_two_payloads(hub, chain_a, chain_b):
    payload = forward_payload(chain_b.client, hub.time_s + 500)
    packet = replace(chain_a.send(payload), payloads=(payload, payload))
    chain_a.chain.commit(commitment_key(packet), packet_commitment(packet))
    refused(hub, chain_a.receive_call(packet, chain_a.update()), abi.MULTI_PAYLOAD)


def test_attack_E11_hub_batches_and_contracts_cannot_re_enter(hub, chain_a, chain_b):
    """A batch holds relay calls only, never another batch, an admin call or a send."""
    for inner in (
        abi.RELAY_BATCH.call([]),
        abi.APPROVE.call(bytes(32)),
        abi.EXECUTE.call(b""),
        abi.SEND_PACKET.call(("bft-evm-0", 1, ("a1", "b1", "c", "d", b"e"))),
        b"",
        b"\x01",
    ):
        index, selector = refused(hub, abi.RELAY_BATCH.call([(100_000, inner)]), abi.BATCH_SELECTOR_NOT_ALLOWED)
        assert (index, selector) == (0, inner[:4].ljust(4, b"\0"))
    leg_1 = chain_a.send_forward(chain_b.client)
    call = chain_a.receive_call(leg_1, chain_a.update())
    assert hub.send(ROUTER_ADDRESS, abi.RELAY_BATCH.call([(2_000_000, call)])).events(abi.SEND_PACKET_EVENT)


def test_attack_E12_hub_receive_out_of_gas_at_every_depth_stays_retryable(hub, chain_a, chain_b):
    leg_1 = chain_a.send_forward(chain_b.client)
    call = chain_a.receive_call(leg_1, chain_a.update())
    needed = hub.call(ROUTER_ADDRESS, call, gas=8_000_000).gas_used
    before = content(hub)
    step = max((needed - 30_000) // 60, 1)
    for gas in [*range(needed - 30_000, 22_000, -step), needed - 1]:
        result = hub.call(ROUTER_ADDRESS, call, gas=gas)
        assert not result.success, gas
    assert not hub.send(ROUTER_ADDRESS, call, gas=needed // 2 + 40_000).ok
    assert content(hub) == before
    assert hub.send(ROUTER_ADDRESS, call).events(abi.SEND_PACKET_EVENT)


@pytest.mark.parametrize("offset_s", [0, -1, 24 * 3600 + 100, 2**62, 2**63])
def test_attack_E13_hub_forward_with_a_timeout_that_is_invalid(hub, chain_a, chain_b, offset_s):
    timeout_s = max(hub.time_s + offset_s, 1) if offset_s else 1
    packet = chain_a.send(forward_payload(chain_b.client, timeout_s))
    outcome = chain_a.deliver(packet)
    assert written_acknowledgement(outcome)[1].is_error
    assert hub.view().get(keys.forward_key(chain_b.client, 1)) is None
    nanoseconds = chain_a.send(forward_payload(chain_b.client, (hub.time_s + 60) * 10**9))
    assert written_acknowledgement(chain_a.deliver(nanoseconds))[1].is_error
    assert sent_packet(chain_a.deliver(chain_a.send_forward(chain_b.client)))


def test_attack_E14_hub_forward_to_a_client_that_cannot_carry_it(hub, chain_a, chain_b):
    unregistered = RemoteChain(hub, register=False, salt=3)
    packet = chain_a.send_forward(unregistered.client)
    assert written_acknowledgement(chain_a.deliver(packet))[1].is_error
    assert "counterparty" in hub.read(FORWARDER_ADDRESS, abi.GET_FORWARD_FAILURE, chain_a.client, packet.sequence)
    chain_b.freeze()
    packet = chain_a.send_forward(chain_b.client)
    assert written_acknowledgement(chain_a.deliver(packet))[1].is_error
    assert "is Frozen" in hub.read(FORWARDER_ADDRESS, abi.GET_FORWARD_FAILURE, chain_a.client, packet.sequence)
    healthy = RemoteChain(hub, salt=8)
    packet = chain_a.send_forward(healthy.client)
    assert sent_packet(chain_a.deliver(packet))


def test_attack_E14_hub_counterparty_registered_twice_by_a_stranger_or_with_an_empty_prefix(hub, chain_a):
    again = hub.register(chain_a.client, "client-9")
    assert again.reverted_with(abi.VERIFICATION_FAILED)[0] == "counterparty_registered_once"
    other = RemoteChain(hub, register=False, salt=4)
    for prefix in ((), (b"", b"x"), (b"x",) * 5, (b"x" * 1025,)):
        assert hub.register(other.client, "client-0", prefix).reverted_with(abi.VERIFICATION_FAILED)
    assert hub.register(other.client, "bad id").reverted_with(abi.VERIFICATION_FAILED)
    call = abi.EXECUTE.call(b"\0")
    assert hub.send(CLIENT_MANAGER_ADDRESS, call, STRANGER).reverted_with(abi.NOT_AN_ADMIN)
    assert hub.register(other.client, "client-0").ok


def test_attack_E15_hub_sequences_of_two_routes_do_not_collide(hub, chain_a, chain_b):
    chain_c = RemoteChain(hub, salt=5)
    to_b = sent_packet(chain_a.deliver(chain_a.send_forward(chain_b.client)))
    to_c = sent_packet(chain_a.deliver(chain_a.send_forward(chain_c.client)))
    assert (to_b.sequence, to_c.sequence) == (1, 1)
    assert written_acknowledgement(chain_c.answer(to_c))[0].sequence == 2
    assert hub.view().get(commitment_key(to_b)) is not None
    assert written_acknowledgement(chain_b.answer(to_b))[0].sequence == 1


def test_attack_E15_hub_sequence_zero_gap_and_overflow(hub, chain_a, chain_b):
    packet = chain_a.send_forward(chain_b.client)
    height = chain_a.update()
    value = list(packet_to_tuple(packet))
    value[0] = 0
    call = abi.RECV_PACKET.call((tuple(value), b"\x01", (0, height)))
    assert refused(hub, call, abi.VERIFICATION_FAILED)[0] == "packet.sequence"
    # A gap on the sender's side is no business of the receiver: v2 is unordered.
    chain_a.sequence = 2**64 - 2
    assert sent_packet(chain_a.deliver(chain_a.send_forward(chain_b.client)))
    assert hub.send(ROUTER_ADDRESS, chain_a.receive_call(packet, height)).ok


def test_attack_E16_hub_replay_fails_after_everything_was_settled(hub, chain_b, forwarded):
    _, leg_2, call = forwarded
    assert chain_b.answer(leg_2).ok
    for _ in range(3):
        hub.advance()
    assert no_op(hub.send(ROUTER_ADDRESS, call))


def test_attack_E20_hub_pause_loses_nothing_and_timeouts_go_on_after_it(hub, chain_a, chain_b, forwarded):
    _, leg_2, _ = forwarded
    another = chain_a.send_forward(chain_b.client)
    height = chain_a.update()
    assert hub.execute(set_paused_action(hub.next_salt(), True)).ok
    assert hub.read(ROUTER_ADDRESS, abi.PAUSED)
    refused(hub, chain_a.receive_call(another, height), abi.ENFORCED_PAUSE)
    chain_b.receive(leg_2, Acknowledgement((ANSWER,)))
    height_b = chain_b.update()
    assert hub.send(ROUTER_ADDRESS, chain_b.acknowledge_call(leg_2, ANSWER, height_b)).events(abi.ACK_PACKET_EVENT)
    refused(hub, chain_a.receive_call(another, height), abi.ENFORCED_PAUSE)
    assert hub.execute(set_paused_action(hub.next_salt(), False)).ok
    assert hub.send(ROUTER_ADDRESS, chain_a.receive_call(another, height)).events(abi.SEND_PACKET_EVENT)


def test_attack_F11_hub_stamp_names_the_proven_origin_whatever_the_sender_writes(hub, chain_a, chain_b):
    """A sender that wraps a stamp of its own gets it delivered as payload, under the hub's true stamp."""
    forged = encode_stamped_payload(
        StampedPayload(
            OriginStamp(1, "bft-evm-9", "gmpport", "forward", 7, 1), "ics27-2", "application/x-solidity-abi", b"x"
        )
    )
    packet = chain_a.send_forward(chain_b.client, value=forged)
    packet = replace(packet, payloads=(replace(packet.payloads[0], source_port="evilport"),))
    chain_a.chain.commit(commitment_key(packet), packet_commitment(packet))
    leg_2 = sent_packet(chain_a.deliver(packet))
    stamped = decode_stamped_payload(leg_2.payloads[0].value)
    assert (stamped.stamp.client_id, stamped.stamp.source_port) == (chain_a.client, "evilport")
    assert stamped.value == forged


@pytest.mark.parametrize("port", ["clientmanager", "admin", "0x" + "0" * 36 + "1001", "router"])
def test_attack_F12_hub_packet_can_never_call_a_system_module(hub, chain_a, chain_b, port):
    """Poly: a message's port reaches the forwarder or nobody; nothing of it is ever called data."""
    packet = chain_a.send(forward_payload(chain_b.client, hub.time_s + 500, destination_port=port))
    before = content(hub)
    outcome = chain_a.deliver(packet)
    assert written_acknowledgement(outcome)[1].is_error
    touched = set(content(hub)) - set(before)
    assert not any(key.startswith((b"admin/", b"clients/bft-evm-2")) for key in touched)


def test_attack_E18_hub_forward_of_a_forward_is_refused(hub, chain_a, chain_b):
    """One hop: a stamped payload that comes back to the hub's port is no request."""
    leg_2 = sent_packet(chain_a.deliver(chain_a.send_forward(chain_b.client)))
    again = chain_a.send(replace(leg_2.payloads[0], destination_port="forward"))
    assert written_acknowledgement(chain_a.deliver(again))[1].is_error


def test_attack_E10_hub_second_settlement_of_a_forward_is_impossible(hub, chain_a, chain_b, forwarded):
    """Leg 1's acknowledgement comes later, once, from leg 2 alone: not from another packet, client or port."""
    leg_1, leg_2, _ = forwarded
    other = sent_packet(chain_a.deliver(chain_a.send_forward(chain_b.client)))
    assert written_acknowledgement(chain_b.answer(other, b"second"))[0].sequence == 2
    assert hub.view().get(acknowledgement_key(leg_1)) is None
    assert written_acknowledgement(chain_b.answer(leg_2))[0] == leg_1
    stored = hub.view().get(acknowledgement_key(leg_1))
    chain_b.receive(leg_2, Acknowledgement((b"another answer",)))
    height = chain_b.update()
    assert no_op(hub.send(ROUTER_ADDRESS, chain_b.acknowledge_call(leg_2, b"another answer", height)))
    assert hub.view().get(acknowledgement_key(leg_1)) == stored
    with pytest.raises(RuntimeError, match="not due"):
        router_of(hub).write_acknowledgement(leg_1, Acknowledgement((b"third",)))


def router_of(hub) -> PacketRouter:
    """The packet state machine over a scratch view, as a native application would hold it."""
    view, height, time_ns = hub.application.view()
    clients = Clients(hub.application.light_clients, view, time_ns, height, hub.genesis.rules_version)
    return PacketRouter(view, clients, time_ns // 10**9, lambda *_: None)


@pytest.mark.long
@settings(max_examples=15, deadline=None)
@given(st.permutations(["receive", "receive", "timeout early", "timeout late", "acknowledge"]), st.booleans())
def test_attack_E2_hub_of_timeout_and_acknowledgement_exactly_one_settles_in_every_order(order, destination_receives):
    hub = SimulatedHub()
    chain_a, chain_b = RemoteChain(hub, salt=1), RemoteChain(hub, salt=2)
    leg_1 = chain_a.send_forward(chain_b.client, timeout_s=hub.time_s + 40)
    leg_2 = sent_packet(chain_a.deliver(leg_1))
    early = chain_b.update()
    if destination_receives:
        chain_b.receive(leg_2, Acknowledgement((ANSWER,)))
    hub.advance(time_s=leg_2.timeout_timestamp_s)
    hub.advance()
    late = chain_b.update()
    settlements = []
    for action in order:
        call = {
            "receive": lambda: chain_a.receive_call(leg_1, chain_a.trusted),
            "timeout early": lambda: chain_b.timeout_call(leg_2, early),
            "timeout late": lambda: chain_b.timeout_call(leg_2, late),
            "acknowledge": lambda: chain_b.acknowledge_call(leg_2, ANSWER, late),
        }[action]()
        outcome = hub.send(ROUTER_ADDRESS, call)
        settlements += outcome.events(abi.WRITE_ACKNOWLEDGEMENT_EVENT) if outcome.ok else []
    assert len(settlements) == 1
    assert (tuple(settlements[0][1]) == (ANSWER,)) == destination_receives
