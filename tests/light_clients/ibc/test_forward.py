"""docs/spec/forward.md: the request that a sender writes, and the stamp that only the hub writes."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hutong.light_clients.ibc.forward import (
    MAX_FORWARD_VALUE_BYTES,
    MAX_STAMPED_BYTES,
    ForwardRequest,
    OriginStamp,
    StampedPayload,
    decode_forward_request,
    decode_stamped_payload,
    encode_forward_request,
    encode_stamped_payload,
)
from hutong.light_clients.interface import MalformedInput, VerificationError
from tests.light_clients.ibc.ibc_strategies import FORWARD_REQUESTS, STAMPED_PAYLOADS

REQUEST = ForwardRequest("bft-evm-1", "gmpport", "ics27-2", "application/x-solidity-abi", 1_700_000_000, b"message")
STAMP = OriginStamp(1, "bft-evm-0", "gmpport", "forward", 7, 1)
STAMPED = StampedPayload(STAMP, "ics27-2", "application/x-solidity-abi", b"message")


@given(FORWARD_REQUESTS)
def test_requests_survive_their_encoding(request):
    assert decode_forward_request(encode_forward_request(request)) == request


@given(STAMPED_PAYLOADS)
def test_stamped_payloads_survive_their_encoding(stamped):
    assert decode_stamped_payload(encode_stamped_payload(stamped)) == stamped


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"next_client": "hub"}, "forward.next_client"),
        ({"destination_port": "x"}, "forward.destination_port"),
        ({"version": " "}, "forward.version"),
        ({"encoding": "e" * 257}, "forward.encoding"),
        ({"timeout_timestamp_s": 0}, "forward.timeout_timestamp_s"),
        ({"timeout_timestamp_s": 2**64}, "forward.timeout_timestamp_s"),
        ({"value": b""}, "forward.value"),
        ({"value": bytes(MAX_FORWARD_VALUE_BYTES + 1)}, "forward.value"),
    ],
)
def test_requests_out_of_bounds(changes, field):
    with pytest.raises(MalformedInput) as caught:
        replace(REQUEST, **changes)
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"version": 0}, "stamp.version"),
        ({"version": 2}, "stamp.version"),
        ({"client_id": "x"}, "stamp.client_id"),
        ({"source_port": ""}, "stamp.source_port"),
        ({"destination_port": "a/b"}, "stamp.destination_port"),
        ({"sequence": 0}, "stamp.sequence"),
        ({"hops": 0}, "stamp.hops"),
        ({"hops": 2}, "stamp.hops"),
    ],
)
def test_stamps_that_the_hub_never_writes(changes, field):
    with pytest.raises(MalformedInput) as caught:
        replace(STAMP, **changes)
    assert caught.value.field == field


def test_what_fits_leg_one_fits_leg_two():
    longest = "x" * 256
    request = replace(REQUEST, version=longest, encoding=longest, value=bytes(MAX_FORWARD_VALUE_BYTES))
    stamp = OriginStamp(1, "c" * 62 + "-0", "p" * 128, "q" * 128, 2**64 - 1, 1)
    assert len(encode_forward_request(request)) <= MAX_STAMPED_BYTES
    stamped = StampedPayload(stamp, longest, longest, request.value)
    assert len(encode_stamped_payload(stamped)) <= MAX_STAMPED_BYTES


def test_attack_H_a_request_is_no_stamped_payload_and_the_reverse():
    with pytest.raises(MalformedInput):
        decode_stamped_payload(encode_forward_request(REQUEST))
    with pytest.raises(MalformedInput):
        decode_forward_request(encode_stamped_payload(STAMPED))


def test_attack_H_a_stamp_in_the_senders_value_stays_inside_the_value():
    """Whatever the sender writes is the `value` of a stamped payload, after the hub's own stamp."""
    forged = encode_stamped_payload(replace(STAMPED, stamp=replace(STAMP, client_id="bft-evm-9")))
    carried = decode_stamped_payload(encode_stamped_payload(replace(STAMPED, value=forged)))
    assert carried.stamp == STAMP
    assert carried.value == forged


@pytest.mark.parametrize(
    ("value", "encode", "decode"),
    [
        (REQUEST, encode_forward_request, decode_forward_request),
        (STAMPED, encode_stamped_payload, decode_stamped_payload),
    ],
)
def test_attack_H_every_changed_bit_is_another_value_or_refused(value, encode, decode):
    raw = encode(value)
    for bit in range(8 * len(raw)):
        changed = bytearray(raw)
        changed[bit // 8] ^= 1 << bit % 8
        try:
            other = decode(bytes(changed))
        except VerificationError:
            continue
        assert other != value
        assert encode(other) == bytes(changed)


@given(st.binary(max_size=600))
def test_attack_H_any_bytes_give_a_verdict(data):
    for decode, encode in (
        (decode_forward_request, encode_forward_request),
        (decode_stamped_payload, encode_stamped_payload),
    ):
        try:
            value = decode(data)
        except VerificationError:
            continue
        assert encode(value) == data


VECTOR_REQUEST = encode_forward_request(REQUEST)
VECTOR_STAMPED = encode_stamped_payload(STAMPED)
PAGE = Path(__file__).resolve().parents[3] / "docs" / "spec" / "forward.md"


def test_the_vectors_of_the_specification():
    words = "".join(PAGE.read_text(encoding="utf-8").split())
    assert VECTOR_REQUEST.hex() in words
    assert VECTOR_STAMPED.hex() in words
