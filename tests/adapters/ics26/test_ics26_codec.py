"""Events, reverts, calls and batches of the router ABI, honest and hostile."""

from dataclasses import replace

import pytest
from eth_abi.abi import decode, encode
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.adapters.ics26 import abi
from hutong.adapters.ics26.batch import DEFAULT_LIMITS, call_gas, encode_batch, encode_message, intrinsic_gas
from hutong.adapters.ics26.events import (
    ACK_PACKET_TOPIC,
    SEND_PACKET_TOPIC,
    TIMEOUT_PACKET_TOPIC,
    WRITE_ACKNOWLEDGEMENT_TOPIC,
    Log,
    client_topic,
    packet_event,
    sequence_topic,
)
from hutong.adapters.ics26.reverts import RevertReader, definitions_of, parse_definition
from hutong.adapters.interface import (
    AcknowledgePacket,
    BadAnswer,
    Batch,
    BatchLimits,
    BatchTooLarge,
    PacketEventKind,
    RecvPacket,
    SubmitMisbehaviour,
    TimeoutPacket,
    UpdateClient,
)
from hutong.contracts.artifacts import load_artifact
from hutong.light_clients.ibc.abi import PACKET_TUPLE, packet_to_tuple
from hutong.light_clients.ibc.packet import ERROR, Acknowledgement, Packet, Payload
from hutong.light_clients.interface import Height, MalformedInput

PAYLOAD = Payload("gmpport", "forward", "hutong-forward-1", "application/x-solidity-abi", b"value")
PACKET = Packet(7, "client-0", "bft-evm-3", 2_000_000_000, (PAYLOAD,))


def log(topic: bytes, types: list, values: list, packet: Packet = PACKET, client: str | None = None) -> Log:
    client = client or packet.source_client
    topics = (topic, client_topic(client), sequence_topic(packet.sequence))
    data = encode([PACKET_TUPLE, *types], [packet_to_tuple(packet), *values])
    return Log(b"\x10" * 20, topics, data, 5, b"\x05" * 32, b"\x06" * 32, 2, removed=False)


SEND = log(SEND_PACKET_TOPIC, [], [])
WRITE = log(WRITE_ACKNOWLEDGEMENT_TOPIC, ["bytes[]"], [[b"ok"]], client=PACKET.destination_client)


def test_events_round_trip():
    event = packet_event(SEND, 9)
    assert (event.kind, event.packet, event.client_id) == (PacketEventKind.SEND, PACKET, "client-0")
    event = packet_event(WRITE, 9)
    assert (event.kind, event.client_id) == (PacketEventKind.WRITE_ACKNOWLEDGEMENT, "bft-evm-3")
    assert event.acknowledgement == Acknowledgement((b"ok",))
    event = packet_event(log(ACK_PACKET_TOPIC, ["bytes"], [b"ok"]), 9)
    assert event.acknowledgement == Acknowledgement((b"ok",))
    assert packet_event(log(TIMEOUT_PACKET_TOPIC, [], []), 9).kind is PacketEventKind.TIMEOUT


@pytest.mark.parametrize(
    "forged",
    [
        replace(SEND, topics=(SEND.topics[0], client_topic("client-1"), SEND.topics[2])),
        replace(SEND, topics=(SEND.topics[0], SEND.topics[1], sequence_topic(8))),
        replace(SEND, topics=SEND.topics[:2]),
        replace(SEND, topics=(*SEND.topics, b"\0" * 32)),
        replace(SEND, topics=(b"\x01" * 32,)),
        replace(SEND, topics=()),
        replace(SEND, data=SEND.data + b"\0"),
        replace(SEND, data=SEND.data[:-32]),
        replace(SEND, data=b""),
        replace(WRITE, topics=(WRITE.topics[0], client_topic("client-0"), WRITE.topics[2])),
        log(WRITE_ACKNOWLEDGEMENT_TOPIC, ["bytes[]"], [[]], client="bft-evm-3"),
        log(WRITE_ACKNOWLEDGEMENT_TOPIC, ["bytes[]"], [[b""]], client="bft-evm-3"),
    ],
)
def test_attack_G1_events_that_contradict_themselves(forged):
    with pytest.raises(BadAnswer):
        packet_event(forged, 9)


@given(st.binary(max_size=700))
@settings(max_examples=200, deadline=None)
def test_attack_H_event_data_is_a_packet_or_refused(data):
    with pytest.raises(BadAnswer):
        packet_event(replace(SEND, data=data), 9)


@given(st.integers(0, len(SEND.data) * 8 - 1))
@settings(max_examples=300, deadline=None)
def test_attack_H_one_turned_bit_in_event_data(position):
    twisted = bytearray(SEND.data)
    twisted[position // 8] ^= 1 << position % 8
    try:
        event = packet_event(replace(SEND, data=bytes(twisted)), 9)
    except BadAnswer:
        return
    assert event.packet != PACKET
    assert event.packet.source_client == "client-0"
    assert event.packet.sequence == 7


def test_router_functions_are_those_of_the_contract():
    entries = {e["name"]: e for name in ("Router",) for e in load_artifact(name).abi if e["type"] == "function"}

    def kind(parameter):
        if not parameter["type"].startswith("tuple"):
            return parameter["type"]
        return f"({','.join(map(kind, parameter['components']))}){parameter['type'][5:]}"

    functions = [value for value in vars(abi).values() if isinstance(value, abi.Function)]
    assert len(functions) >= 12
    for function in functions:
        entry = entries[function.name]
        if function.name not in ("addClient",):  # overloaded
            assert tuple(map(kind, entry["inputs"])) == function.inputs
            assert tuple(map(kind, entry["outputs"])) == function.outputs


def test_revert_sentences():
    reader = RevertReader(definitions_of(load_artifact("IHubClient").abi))
    error = reader.read(abi.selector("IBCInvalidCounterparty(string,string)") + encode(["string"] * 2, ["a", "b"]))
    assert (error.name, error.reason) == ("IBCInvalidCounterparty", "IBCInvalidCounterparty: expected a, actual b")
    error = reader.read(abi.selector("UnknownHeight(uint64,uint64)") + encode(["uint64"] * 2, [1, 5]))
    assert error.reason == "UnknownHeight: revisionNumber 1, revisionHeight 5"
    assert reader.read(abi.selector("Error(string)") + encode(["string"], ["no"])).reason == "Error: no"
    assert "overflow" in reader.read(abi.selector("Panic(uint256)") + encode(["uint256"], [0x11])).reason
    assert "code 0x99" in reader.read(abi.selector("Panic(uint256)") + encode(["uint256"], [0x99])).reason
    assert reader.read(b"").name == "empty"
    assert reader.read(b"\x01\x02\x03\x04").name == "unknown"
    assert reader.read(abi.selector("Error(string)") + b"\xff" * 40).name == "malformed"
    long = reader.read(abi.selector("Error(string)") + encode(["string"], ["x" * 5000]))
    assert len(long.reason) < 200


@given(st.binary(max_size=300))
@settings(max_examples=300, deadline=None)
def test_attack_H_any_revert_data_is_a_sentence(data):
    reader = RevertReader([parse_definition("Strange(bytes[] a,string b)")])
    for head in (b"", abi.selector("Strange(bytes[],string)"), abi.selector("Error(string)")):
        assert reader.read(head + data).reason


def test_attack_H_abi_bomb_in_revert_data_is_not_unfolded():
    """Thousands of offsets to one long element: without a layout check 60 KB unfold to a gigabyte."""
    offsets = 1000
    element = encode(["bytes"], [b"\xee" * 30_000])[32:]
    bomb = (32).to_bytes(32, "big") + offsets.to_bytes(32, "big")
    bomb += (32 * offsets).to_bytes(32, "big") * offsets + element
    error = RevertReader().read(abi.selector("InvalidMerklePrefix(bytes[])") + bomb[:60_000])
    assert error.name == "malformed"
    with pytest.raises(BadAnswer):
        abi.Function("f", (), ("bytes[]",)).decode(bomb)


def identity(_, data):
    return data


def proof_identity(_, data, absent):
    return b"absent" if absent else data


MESSAGES = (
    UpdateClient("client-0", b"header"),
    RecvPacket(PACKET, b"proof", Height(1, 9)),
    AcknowledgePacket(PACKET, ERROR, b"proof", Height(1, 9)),
    TimeoutPacket(PACKET, b"proof", Height(1, 9)),
    SubmitMisbehaviour("client-0", b"evidence"),
)


def test_batch_holds_every_message_in_order_with_its_gas():
    calls = tuple(encode_message(m, identity, identity, proof_identity) for m in MESSAGES)
    data = encode_batch(Batch(MESSAGES), calls, DEFAULT_LIMITS)
    assert data[:4] == abi.RELAY_BATCH.selector
    (pairs,) = decode(abi.RELAY_BATCH.inputs, data[4:])
    assert [call for _, call in pairs] == list(calls)
    assert [gas for gas, _ in pairs] == [call_gas(m, c) for m, c in zip(MESSAGES, calls, strict=True)]
    assert [call[:4] for call in calls] == [
        f.selector
        for f in (abi.UPDATE_CLIENT, abi.RECV_PACKET, abi.ACK_PACKET, abi.TIMEOUT_PACKET, abi.SUBMIT_MISBEHAVIOUR)
    ]
    assert b"absent" in calls[3]
    assert b"absent" not in calls[1]


@pytest.mark.parametrize("size", [1_000, 40_000, 105_000])
def test_an_update_is_promised_no_more_than_its_transaction_has_left_after_its_data(size):
    """A Clique update of 105 kB was promised 11 million where 10.7 were left, so it never left the relay."""
    limits = replace(DEFAULT_LIMITS, max_bytes=160_000)
    messages = (UpdateClient("client-0", bytes(size)), MESSAGES[1])
    calls = tuple(encode_message(m, identity, identity, proof_identity) for m in messages)
    data = encode_batch(Batch(messages), calls, limits)
    (((update_gas, _), (packet_gas, _)),) = decode(abi.RELAY_BATCH.inputs, data[4:])
    left = limits.max_gas - 2 * intrinsic_gas(data)
    assert packet_gas == call_gas(messages[1], calls[1])
    assert update_gas < left * 63 // 64 - 200_000
    assert update_gas == min(call_gas(messages[0], calls[0]), left * 62 // 64 - 200_000)
    assert (update_gas < call_gas(messages[0], calls[0])) == (size == 105_000)


def test_batch_bounds_both_sides():
    calls = tuple(encode_message(m, identity, identity, proof_identity) for m in MESSAGES)
    size = len(encode_batch(Batch(MESSAGES), calls, DEFAULT_LIMITS)) + 256
    encode_batch(Batch(MESSAGES), calls, BatchLimits(5, size, 1))
    with pytest.raises(BatchTooLarge) as caught:
        encode_batch(Batch(MESSAGES), calls, BatchLimits(5, size - 1, 1))
    assert (caught.value.what, caught.value.got, caught.value.limit) == ("bytes", size, size - 1)
    with pytest.raises(BatchTooLarge) as caught:
        encode_batch(Batch(MESSAGES), calls, BatchLimits(4, size, 1))
    assert (caught.value.what, caught.value.got, caught.value.limit) == ("messages", 5, 4)


def test_two_payloads_are_refused():
    two = replace(PACKET, payloads=(PAYLOAD, PAYLOAD))
    with pytest.raises(MalformedInput, match="one payload"):
        abi.encode_recv_packet(two, b"", Height(0, 1))
    with pytest.raises(MalformedInput, match="one entry"):
        abi.encode_ack_packet(PACKET, Acknowledgement((b"a", b"b")), b"", Height(0, 1))
