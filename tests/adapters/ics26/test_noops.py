"""Which messages of a mined batch changed nothing, read from its logs."""

from hypothesis import given
from hypothesis import strategies as st

from hutong.adapters.cosmos.reading.inclusion import noops as cosmos_noops
from hutong.adapters.ics26.abi import RELAY_BATCH, encode_ack_packet, encode_recv_packet, encode_update_client
from hutong.adapters.ics26.events import (
    ACK_PACKET_TOPIC,
    NOOP_TOPIC,
    SEND_PACKET_TOPIC,
    WRITE_ACKNOWLEDGEMENT_TOPIC,
    Log,
    client_topic,
    sequence_topic,
)
from hutong.adapters.ics26.noops import noops
from hutong.light_clients.ibc.packet import Acknowledgement, Packet, Payload
from hutong.light_clients.interface import Height

PAYLOAD = Payload("mail", "echo", "v1", "text", b"hello")


def packet(sequence: int) -> Packet:
    return Packet(sequence, "client-0", "client-7", 2_000_000_000, (PAYLOAD,))


def batch(*calls: bytes) -> bytes:
    return RELAY_BATCH.encode([(1_000_000, call) for call in calls])


def receive(sequence: int) -> bytes:
    return encode_recv_packet(packet(sequence), b"proof", Height(0, 9))


def acknowledge(sequence: int) -> bytes:
    return encode_ack_packet(packet(sequence), Acknowledgement((b"\x01",)), b"proof", Height(0, 9))


def log(*topics: bytes) -> Log:
    return Log(b"r" * 20, topics, b"", 1, b"h" * 32, b"t" * 32, 0, removed=False)


def of(topic: bytes, client: str, sequence: int) -> Log:
    return log(topic, client_topic(client), sequence_topic(sequence))


NOOP = log(NOOP_TOPIC)
UPDATE = encode_update_client("client-7", b"header")


def test_trial_T4_a_noop_is_told_from_what_was_done():
    data = batch(UPDATE, receive(1), receive(2), receive(3), acknowledge(4), acknowledge(5))
    logs = [
        NOOP,
        of(WRITE_ACKNOWLEDGEMENT_TOPIC, "client-7", 2),
        NOOP,
        of(ACK_PACKET_TOPIC, "client-0", 4),
        NOOP,
    ]
    assert noops(data, [], logs) == (1, 3, 5)
    assert noops(data, [], []) == ()


def test_trial_T4_a_failed_call_leaves_no_noop():
    data = batch(receive(1), receive(2))
    assert noops(data, [0], [NOOP]) == (1,)


def test_trial_T4_a_hub_that_answers_later_has_done_its_work():
    """It sends the packet on, acknowledges it when the second leg is settled, and that is another's acknowledgement."""
    data = batch(receive(1), receive(2), receive(3), acknowledge(4), receive(5))
    logs = [
        of(SEND_PACKET_TOPIC, "client-9", 30),
        NOOP,
        of(SEND_PACKET_TOPIC, "client-9", 31),
        of(WRITE_ACKNOWLEDGEMENT_TOPIC, "client-7", 3),
        of(WRITE_ACKNOWLEDGEMENT_TOPIC, "client-3", 77),
        of(ACK_PACKET_TOPIC, "client-0", 4),
        NOOP,
    ]
    assert noops(data, [], logs) == (1, 4)


@given(st.binary(max_size=200), st.lists(st.sampled_from([NOOP, of(ACK_PACKET_TOPIC, "client-0", 4)]), max_size=5))
def test_data_of_no_batch_names_nothing(data, logs):
    assert noops(data, [], logs) == ()
    assert noops(RELAY_BATCH.selector + data, [], logs) == ()


def _any(name: str, value: bytes) -> bytes:
    url = f"/ibc.core.channel.v2.{name}Response".encode()
    inner = b"\x0a" + bytes([len(url)]) + url + (b"\x12" + bytes([len(value)]) + value if value else b"")
    return b"\x12" + bytes([len(inner)]) + inner


def test_trial_T4_ibc_go_says_of_each_message_whether_it_was_a_noop():
    data = b"".join(
        [
            _any("MsgUpdateClient", b""),
            _any("MsgRecvPacket", b"\x08\x02"),
            _any("MsgRecvPacket", b"\x08\x01"),
            _any("MsgAcknowledgement", b"\x08\x01"),
            _any("MsgTimeout", b"\x08\x03"),
        ]
    )
    assert cosmos_noops(data) == (2, 3)


@given(st.binary(max_size=300))
def test_data_of_no_transaction_names_nothing_or_raises_nothing(data):
    assert all(index >= 0 for index in cosmos_noops(data))
