"""The queue record: one encoding a job, and a typed refusal for everything else."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hutong.relay.dispatch import JobKind, RecordRefused, Route, decode_job, encode_job
from tests.relay.relay_values import job

VECTOR = (
    b'{"acknowledgement":null,"destination":"hub","event_height":7,"event_time_ns":1700000000000000000,"kind":"receive",'
    b'"packet":"CAESCGNsaWVudC0wGgliZnQtZXZtLTAggKjWuQcqPgoHZ21wcG9ydBIHZ21wcG9ydBoHaWNzMjctMiIaYXBwbGljYXRpb24veC1zb2xpZGl0eS1hYmkqBWhlbGxv",'
    b'"seen_at_ns":1700000000500000000,"source":"alpha","version":1}'
)


def test_vector_of_the_specification():
    assert encode_job(job()) == VECTOR
    assert decode_job(VECTOR) == job()


@pytest.mark.parametrize("kind", JobKind)
def test_round_trip(kind):
    assert decode_job(encode_job(job(kind=kind))) == job(kind=kind)


def test_a_job_has_its_record_made_once():
    made, read = job(), decode_job(VECTOR)
    assert made.record == read.record == VECTOR
    assert made.record is made.record and read.record is read.record
    assert made == read == job() and hash(made) == hash(job()), "whether it was made is no part of the job"
    assert decode_job(replace(made, event_height=8).record).event_height == 8


def test_ids_and_routes():
    there, back = job(), job(kind=JobKind.ACKNOWLEDGE)
    assert there.packet_id == back.packet_id == "alpha/client-0/1"
    assert there.id == "receive:alpha/client-0/1"
    assert there.route == Route("alpha", "hub", "bft-evm-0")
    assert back.route == Route("hub", "alpha", "client-0")


def change(**fields) -> bytes:
    document = json.loads(VECTOR) | fields
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


@pytest.mark.parametrize(
    ("data", "field"),
    [
        (change(version=0), "version"),
        (change(version=2), "version"),
        (change(version=True), "version"),
        (change(extra=1), "extra"),
        (change(kind="send"), "kind"),
        (change(source=""), "source"),
        (change(event_height=-1), "event_height"),
        (change(event_height=1.0), "event_height"),
        (change(seen_at_ns=2**63), "seen_at_ns"),
        (change(packet="AA=="), "packet"),
        (change(packet="*"), "packet"),
        (change(acknowledgement="CgRkb25l"), "acknowledgement"),
        (change(kind="acknowledge"), "acknowledgement"),
        (VECTOR + b" ", "bytes"),
        (VECTOR.replace(b":7,", b":7 ,"), "bytes"),
        (b"[" * 100_000, "bytes"),
        (b"[]", "bytes"),
        (b"{" + b" " * 600_000 + b"}", "bytes"),
    ],
    ids=range(18),
)
def test_attack_H_queue_record_of_another_version_or_damaged_is_refused(data, field):
    decode_job(change())
    with pytest.raises(RecordRefused) as caught:
        decode_job(data)
    assert caught.value.field == field


@given(
    st.binary(max_size=300)
    | st.integers(0, len(VECTOR) - 1).flatmap(
        lambda at: st.integers(0, 255).map(lambda byte: VECTOR[:at] + bytes([byte]) + VECTOR[at + 1 :])
    )
)
def test_attack_H_any_bytes_give_the_same_bytes_back_or_a_typed_error(data):
    try:
        decoded = decode_job(data)
    except RecordRefused:
        return
    assert encode_job(decoded) == data
