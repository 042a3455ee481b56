"""Packets and acknowledgements: rules, and the canonical protobuf codec (checklist E8, H)."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hutong.light_clients.ibc.abi import decode_packet_abi, encode_packet_abi
from hutong.light_clients.ibc.packet import (
    ERROR,
    ERROR_ACKNOWLEDGEMENT,
    MAX_ACKNOWLEDGEMENT_BYTES,
    MAX_PACKET_BYTES,
    MAX_PAYLOADS,
    MAX_PAYLOADS_BYTES,
    MAX_TEXT_BYTES,
    Acknowledgement,
    Packet,
    Payload,
    decode_acknowledgement,
    decode_packet,
    encode_acknowledgement,
    encode_packet,
)
from hutong.light_clients.interface import MalformedInput, VerificationError
from tests.light_clients.ibc.ibc_strategies import ACKNOWLEDGEMENTS, PACKETS

PAYLOAD = Payload("gmpport", "gmpport", "ics27-2", "application/x-solidity-abi", b"value")
PACKET = Packet(7, "client-0", "07-tendermint-1", 1_700_000_000, (PAYLOAD,))


@given(PACKETS)
def test_packets_survive_both_encodings(packet):
    assert decode_packet(encode_packet(packet)) == packet
    assert decode_packet_abi(encode_packet_abi(packet)) == packet


@given(ACKNOWLEDGEMENTS)
def test_acknowledgements_survive_their_encoding(acknowledgement):
    assert decode_acknowledgement(encode_acknowledgement(acknowledgement)) == acknowledgement


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"sequence": 0}, "packet.sequence"),
        ({"sequence": 2**64}, "packet.sequence"),
        ({"timeout_timestamp_s": 0}, "packet.timeout_timestamp_s"),
        ({"timeout_timestamp_s": 2**64}, "packet.timeout_timestamp_s"),
        ({"source_client": "x"}, "packet.source_client"),
        ({"destination_client": "client/0-0"}, "packet.destination_client"),
        ({"payloads": ()}, "packet.payloads"),
        ({"payloads": (PAYLOAD,) * (MAX_PAYLOADS + 1)}, "packet.payloads"),
        ({"payloads": (replace(PAYLOAD, value=bytes(MAX_PAYLOADS_BYTES)), PAYLOAD)}, "packet.payloads"),
    ],
)
def test_packets_out_of_bounds(changes, field):
    with pytest.raises(MalformedInput) as caught:
        replace(PACKET, **changes)
    assert caught.value.field == field


def test_packets_at_their_bounds():
    replace(PACKET, payloads=(replace(PAYLOAD, value=bytes(MAX_PAYLOADS_BYTES)),))
    replace(PACKET, payloads=(PAYLOAD,) * MAX_PAYLOADS)
    replace(PACKET, sequence=2**64 - 1, timeout_timestamp_s=2**64 - 1)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"source_port": "x"}, "payload.source_port"),
        ({"destination_port": ""}, "payload.destination_port"),
        ({"version": ""}, "payload.version"),
        ({"version": "  "}, "payload.version"),
        ({"encoding": "\t"}, "payload.encoding"),
        ({"encoding": "x" * (MAX_TEXT_BYTES + 1)}, "payload.encoding"),
        ({"version": "é" * (MAX_TEXT_BYTES // 2 + 1)}, "payload.version"),
        ({"value": b""}, "payload.value"),
    ],
)
def test_payloads_out_of_bounds(changes, field):
    with pytest.raises(MalformedInput) as caught:
        replace(PAYLOAD, **changes)
    assert caught.value.field == field


@pytest.mark.parametrize(
    "entries",
    [
        pytest.param((), id="no entry"),
        pytest.param((b"",), id="empty entry"),
        pytest.param((b"ok", b""), id="empty second entry"),
        pytest.param((b"ok", ERROR_ACKNOWLEDGEMENT), id="sentinel inside a list"),
        pytest.param((ERROR_ACKNOWLEDGEMENT, ERROR_ACKNOWLEDGEMENT), id="sentinel twice"),
        pytest.param((bytes(MAX_ACKNOWLEDGEMENT_BYTES + 1),), id="too long"),
        pytest.param((bytes(MAX_ACKNOWLEDGEMENT_BYTES), b"x"), id="too long together"),
    ],
)
def test_attack_E8_malformed_acknowledgements(entries):
    assert Acknowledgement((b"ok", b"also")).app_acknowledgements == (b"ok", b"also")
    assert Acknowledgement((bytes(MAX_ACKNOWLEDGEMENT_BYTES),))
    with pytest.raises(MalformedInput):
        Acknowledgement(entries)


def test_attack_E8_success_list_shorter_or_longer_than_the_payloads():
    two = replace(PACKET, payloads=(PAYLOAD, PAYLOAD))
    Acknowledgement((b"1",)).check_matches(PACKET)
    Acknowledgement((b"1", b"2")).check_matches(two)
    for acknowledgement, packet in ((Acknowledgement((b"1",)), two), (Acknowledgement((b"1", b"2")), PACKET)):
        with pytest.raises(MalformedInput) as caught:
            acknowledgement.check_matches(packet)
        assert (caught.value.got, caught.value.expected) == (
            len(acknowledgement.app_acknowledgements),
            len(packet.payloads),
        )


def test_attack_E8_the_sentinel_alone_is_an_error_for_any_packet():
    assert ERROR.is_error
    ERROR.check_matches(PACKET)
    ERROR.check_matches(replace(PACKET, payloads=(PAYLOAD, PAYLOAD)))
    assert not Acknowledgement((ERROR_ACKNOWLEDGEMENT + b"!",)).is_error


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda raw: raw + b"\x30\x01", id="unknown field"),
        pytest.param(lambda raw: raw + raw[:2], id="field repeated at the end"),
        pytest.param(lambda raw: raw[2:] + raw[:2], id="fields in another order"),
        pytest.param(lambda raw: b"\x08\x87\x00" + raw[2:], id="varint not shortest"),
        pytest.param(lambda raw: raw[:-1], id="cut short"),
        pytest.param(lambda raw: raw + b"\0", id="trailing byte"),
        pytest.param(lambda raw: b"", id="nothing"),
        pytest.param(lambda raw: b"\xff" * 20, id="no protobuf"),
        pytest.param(lambda raw: raw + bytes(MAX_PACKET_BYTES), id="too long"),
        pytest.param(lambda raw: raw.replace(b"client-0", b"client-\xff"), id="text that is not UTF-8"),
    ],
)
def test_attack_H_packet_bytes_are_canonical(spoil):
    raw = encode_packet(PACKET)
    assert raw[:2] == b"\x08\x07"
    assert decode_packet(raw) == PACKET
    with pytest.raises(MalformedInput):
        decode_packet(spoil(raw))


@given(st.binary(max_size=300))
def test_attack_H_any_bytes_are_the_one_encoding_of_their_value_or_refused(data):
    for decode, encode in (
        (decode_packet, encode_packet),
        (decode_acknowledgement, encode_acknowledgement),
        (decode_packet_abi, encode_packet_abi),
    ):
        try:
            value = decode(data)
        except VerificationError:
            continue
        assert encode(value) == data


def test_attack_H_every_changed_bit_of_a_packet_is_another_packet_or_refused():
    for encode, decode in ((encode_packet, decode_packet), (encode_packet_abi, decode_packet_abi)):
        raw = encode(PACKET)
        assert decode(raw) == PACKET
        for bit in range(8 * len(raw)):
            changed = bytearray(raw)
            changed[bit // 8] ^= 1 << bit % 8
            try:
                value = decode(bytes(changed))
            except VerificationError:
                continue
            assert value != PACKET
            assert encode(value) == bytes(changed)
