"""Every contract once, on the oldest and on the newest fork: a packet each way, a message each way."""

import pytest

from hutong.light_clients.ibc.commitment import acknowledgement_key, commitment_key, receipt_key
from hutong.light_clients.ibc.gmp import encode_gmp_acknowledgement
from hutong.light_clients.ibc.packet import ERROR_ACKNOWLEDGEMENT
from tests.contracts.lane import Lane, new_lane


@pytest.mark.parametrize("fork", ["paris", "prague"])
def test_packet_is_received_and_acknowledged(fork):
    lane = Lane(fork)
    packet = lane.incoming()
    outcome = lane.receive(packet)
    (written,) = outcome.named("WriteAcknowledgement")
    assert written["acknowledgements"] == (b"ok",)
    assert lane.app.call("received") == 1
    assert lane.stored(receipt_key(packet)) != bytes(32)
    assert lane.stored(acknowledgement_key(packet)) != bytes(32)
    print("gas of a receive", outcome.gas_used)


@pytest.mark.parametrize("fork", ["paris", "prague"])
def test_packet_is_sent_and_settled(fork):
    lane = Lane(fork)
    packet = lane.send()
    assert packet.sequence == 1
    assert lane.stored(commitment_key(packet)) != bytes(32)
    outcome = lane.acknowledge(packet, b"done")
    assert lane.app.call("acknowledged") == 1
    assert lane.stored(commitment_key(packet)) == bytes(32)
    assert outcome.named("AckPacket")

    second = lane.send()
    height = lane.pass_time_to(second.timeout_timestamp_s)
    lane.router.transact("timeoutPacket", lane.timeout_message(second, height))
    assert lane.app.call("timedOut") == 1
    assert lane.stored(commitment_key(second)) == bytes(32)


@pytest.mark.parametrize("fork", ["paris", "prague"])
def test_message_is_delivered_to_its_receiver(fork):
    lane = Lane(fork)
    outcome = lane.receive(lane.forwarded_packet(payload=b"hello"))
    (written,) = outcome.named("WriteAcknowledgement")
    assert written["acknowledgements"] == (encode_gmp_acknowledgement(b"hello"),)
    (delivered,) = outcome.named("MessageDelivered")
    assert delivered["origin"] == ("chain-b", "bft-evm-1", "gmpport", 7, True)
    assert delivered["messageId"] == lane.mailbox.call("messageIdOf", True, "bft-evm-1", 7)


@pytest.mark.parametrize("fork", ["paris", "prague"])
@pytest.mark.parametrize(
    ("acknowledgement", "delivered"), [(encode_gmp_acknowledgement(b"hi"), True), (ERROR_ACKNOWLEDGEMENT, False)]
)
def test_message_is_sent_and_its_sender_learns_the_end(fork, acknowledgement, delivered):
    lane = Lane(fork)
    sender = lane.evm.deploy("ExampleSender", lane.mailbox.address)
    outcome = sender.transact("send", "bft-evm-1", lane.receiver.text, b"ping")
    packet = lane.sent(outcome)
    assert sender.call("outcomes", outcome.value) == 1
    settled = lane.acknowledge(packet, acknowledgement)
    assert sender.call("outcomes", outcome.value) == (2 if delivered else 3)
    assert sender.call("results", outcome.value) == (b"hi" if delivered else b"")
    assert settled.named("MessageAcknowledged")[0]["delivered"] is delivered
    print("gas of an acknowledgement", settled.gas_used)


def test_a_copied_lane_is_as_a_new_one_and_shares_nothing():
    """Addresses, state and gas; what happens on one is not seen on another."""
    anew, first, second = Lane(), new_lane(Lane), new_lane(Lane)
    assert [lane.app.address for lane in (first, second)] == [anew.app.address] * 2
    gas = [lane.receive(lane.incoming()).gas_used for lane in (anew, first)]
    assert gas[0] == gas[1]
    packet = first.incoming()
    assert first.stored(receipt_key(packet)) == anew.stored(receipt_key(packet)) != second.stored(receipt_key(packet))
    assert first.chain.latest.header.height == anew.chain.latest.header.height > second.chain.latest.header.height
    assert second.receive(packet).gas_used == gas[0]
    assert second.evm.deploy("HostileApp").address == first.evm.deploy("HostileApp").address
