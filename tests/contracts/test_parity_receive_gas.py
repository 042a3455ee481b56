"""Parity row 16: a message says how much gas its receiver needs, and the relay gives it (`adapters/ics26/batch.py`)."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hutong.adapters.ics26.abi import encode_recv_packet
from hutong.adapters.ics26.batch import DEFAULT_LIMITS, call_gas, execution_gas, intrinsic_gas, receive_gas
from hutong.adapters.interface import Batch, RecvPacket
from hutong.light_clients.ibc.abi import ABI_ENCODING
from hutong.light_clients.ibc.forward import (
    FORWARD_PORT,
    FORWARD_VERSION,
    ForwardRequest,
    OriginStamp,
    StampedPayload,
    decode_forward_request,
    encode_forward_request,
    encode_stamped_payload,
)
from hutong.light_clients.ibc.gmp import (
    GMP_GAS_VERSION,
    GMP_PORT,
    GMP_VERSION,
    MAX_RECEIVE_GAS,
    GmpPacketData,
    decode_message,
    encode_gmp,
    encode_message,
)
from hutong.light_clients.ibc.packet import ERROR_ACKNOWLEDGEMENT, Payload
from hutong.light_clients.interface import Height, MalformedInput
from tests.contracts.lane import ORIGIN_CLIENT, REMOTE_SENDER, Lane
from tests.contracts.test_router_packets import refused
from tests.relay.hub.simulated_hub import RemoteChain, SimulatedHub, sent_packet

BURN_GAS = 8
BURNT = 3_000_000


@pytest.fixture
def lane():
    lane = Lane()
    lane.receiver.transact("set", BURN_GAS, BURNT, bytes(20), b"")
    return lane


def asking(lane, gas, **changes):
    """Leg 2 of a message whose sender asks for gas, or without any for None."""
    version, value = encode_message(GmpPacketData(REMOTE_SENDER, lane.receiver.text, b"", b"hello", ""), gas)
    stamped = StampedPayload(
        OriginStamp(1, ORIGIN_CLIENT, GMP_PORT, FORWARD_PORT, 7, 1), version, ABI_ENCODING, changes.get("value", value)
    )
    payload = Payload(FORWARD_PORT, GMP_PORT, FORWARD_VERSION, ABI_ENCODING, encode_stamped_payload(stamped))
    return lane.incoming(changes.get("sequence", 1), payload)


def relayed(lane, *packets):
    """One batch with the gas that the relay gives to each, in a transaction of the gas that it begins with."""
    height = lane.publish({})
    messages, calls = [], []
    for packet in packets:
        _, proof, proof_height = lane.receive_message(packet)
        height = proof_height[1]
        messages.append(RecvPacket(packet, proof, Height(*proof_height)))
    messages = [
        replace(m, proof=lane.receive_message(m.packet, height)[1], proof_height=Height(1, height)) for m in messages
    ]
    calls = tuple(encode_recv_packet(m.packet, m.proof, m.proof_height) for m in messages)
    gas = execution_gas(Batch(tuple(messages)), calls)
    pairs = tuple((call_gas(m, call), call) for m, call in zip(messages, calls, strict=True))
    data = lane.router.calldata("relayBatch", pairs)
    assert gas + intrinsic_gas(data) <= DEFAULT_LIMITS.max_gas
    return lane.router.transact("relayBatch", pairs, gas=gas)


def test_parity_row_16_a_receiver_of_three_million_gas_is_served_when_the_sender_asked(lane):
    outcome = relayed(lane, asking(lane, BURNT + 100_000))
    assert outcome.value == (True,)
    assert outcome.named("MessageDelivered") and lane.receiver.call("calls") == 1
    assert BURNT + 100_000 <= lane.receiver.call("gasSeen")
    assert outcome.gas_used > BURNT


def test_parity_row_16_without_asking_it_gets_the_documented_default_and_can_be_repeated(lane):
    packet = asking(lane, None)
    outcome = relayed(lane, packet)
    assert outcome.value == (False,)
    assert lane.receiver.call("calls") == 0
    lane.receiver.transact("set", BURN_GAS, 1_000_000, bytes(20), b"")
    assert relayed(lane, packet).value == (True,)


def test_parity_row_16_a_heavy_message_starves_no_other_of_its_batch(lane):
    heavy, light = asking(lane, BURNT + 100_000), lane.forwarded_packet(sequence=2)
    app = lane.incoming(3)
    outcome = relayed(lane, heavy, app)
    assert outcome.value == (True, True)
    lane.receiver.transact("set", 0, 0, bytes(20), b"")
    assert relayed(lane, light).value == (True,)


@pytest.mark.long
def test_parity_row_16_the_most_that_can_be_asked_fits_a_transaction(lane):
    lane.receiver.transact("set", BURN_GAS, MAX_RECEIVE_GAS - 50_000, bytes(20), b"")
    assert relayed(lane, asking(lane, MAX_RECEIVE_GAS)).value == (True,)
    assert lane.receiver.call("gasSeen") >= MAX_RECEIVE_GAS - 10_000


def test_parity_row_16_a_relayer_that_gives_less_than_was_asked_settles_nothing(lane):
    """Not even where the receiver would have been content: less is not what the sender's receiver was promised."""
    lane.receiver.transact("set", 0, 0, bytes(20), b"")
    message = lane.receive_message(asking(lane, 2_000_000))
    refused(lambda: lane.router.transact("recvPacket", message, gas=1_900_000), "IBCFailedCallback")
    assert lane.router.transact("recvPacket", message, gas=3_000_000).named("MessageDelivered")


@pytest.mark.parametrize("gas", [0, MAX_RECEIVE_GAS + 1, 2**255])
def test_parity_row_16_a_gas_that_nobody_can_give_is_refused_for_good(lane, gas):
    """Written by another Mailbox: an error acknowledgement tells the sender; the relay takes it for no hint."""
    value = gas.to_bytes(32, "big") + encode_gmp(GmpPacketData(REMOTE_SENDER, lane.receiver.text, b"", b"x", ""))
    stamped = StampedPayload(
        OriginStamp(1, ORIGIN_CLIENT, GMP_PORT, FORWARD_PORT, 7, 1), GMP_GAS_VERSION, ABI_ENCODING, value
    )
    payload = Payload(FORWARD_PORT, GMP_PORT, FORWARD_VERSION, ABI_ENCODING, encode_stamped_payload(stamped))
    packet = lane.incoming(1, payload)
    assert receive_gas(RecvPacket(packet, b"", Height(1, 1))) == 0
    outcome = lane.receive(packet)
    (written,) = outcome.named("WriteAcknowledgement")
    assert written["acknowledgements"] == (ERROR_ACKNOWLEDGEMENT,)


@pytest.mark.parametrize("forwarded", [True, False])
def test_parity_row_16_contract_sends_what_was_asked_and_hears_of_its_end(lane, forwarded):
    client = "client-0"
    if not forwarded:
        lane.mailbox.transact("setHubClient", "")
        lane.mailbox.transact("setDirectPeer", client, "beta")
    name = "sendForwardedWithGas" if forwarded else "sendMessageWithGas"
    ends = (client, ORIGIN_CLIENT) if forwarded else (client,)
    timeout_s = lane.evm.timestamp_s + 1000

    def send(gas, **call):
        data = lane.mailbox.calldata(name, *ends, REMOTE_SENDER, b"heavy", timeout_s, gas)
        return lane.receiver.transact("execute", lane.mailbox.address, data, **call)

    for gas in (0, MAX_RECEIVE_GAS + 1):
        refused(lambda gas=gas: send(gas), "InvalidMessage")
    lane.receiver.transact("set", 0, 0, bytes(20), b"")
    packet = lane.sent(send(4_000_000))
    payload = packet.payloads[0]
    version, value = payload.version, payload.value
    if forwarded:
        request = decode_forward_request(value)
        version, value = request.version, request.value
    data, gas = decode_message(version, value)
    assert (version, gas, data.payload, data.sender) == (GMP_GAS_VERSION, 4_000_000, b"heavy", lane.receiver.text)
    outcome = lane.acknowledge(packet, ERROR_ACKNOWLEDGEMENT)
    (settled,) = outcome.named("MessageAcknowledged")
    assert (settled["sender"], settled["delivered"]) == (lane.receiver.text, False)
    assert lane.receiver.call("calls") == 1


def test_parity_row_16_the_hub_passes_the_gas_on():
    """Its forwarder reads nothing of the inner payload: the version is the two Mailboxes' own affair."""
    hub = SimulatedHub()
    chain_a, chain_b = RemoteChain(hub, salt=1), RemoteChain(hub, salt=2)
    version, value = encode_message(GmpPacketData("0x" + "11" * 20, "0x" + "22" * 20, b"", b"x", ""), 5_000_000)
    request = ForwardRequest(chain_b.client, GMP_PORT, version, ABI_ENCODING, hub.time_s + 500, value)
    payload = Payload(GMP_PORT, FORWARD_PORT, FORWARD_VERSION, ABI_ENCODING, encode_forward_request(request))
    leg_2 = sent_packet(chain_a.deliver(chain_a.send(payload)))
    assert receive_gas(RecvPacket(leg_2, b"", Height(1, 1))) == 5_000_000


@given(st.integers(-5, MAX_RECEIVE_GAS + 5), st.binary(min_size=1, max_size=50))
def test_parity_row_16_messages_with_gas_are_read_again(gas, payload):
    data = GmpPacketData("s", "r", b"", payload, "")
    if not 1 <= gas <= MAX_RECEIVE_GAS:
        with pytest.raises(MalformedInput):
            encode_message(data, gas)
        return
    assert decode_message(*encode_message(data, gas)) == (data, gas)
    assert decode_message(*encode_message(data)) == (data, None)


@given(st.sampled_from([GMP_VERSION, GMP_GAS_VERSION, "other"]), st.binary(max_size=400))
def test_parity_row_16_any_bytes_are_a_message_or_a_typed_refusal(version, value):
    try:
        decode_message(version, value)
    except MalformedInput:
        pass
