"""Events of a catalogue: one spelling, sealed, under keys that repairers do not have."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hutong.light_clients.interface import MalformedInput, PredicateFailed
from hutong.relay.services.storage.gateway.events import (
    Event,
    EventKind,
    Segment,
    TenantKeys,
    decode_event,
    decode_segment,
    encode_event,
    encode_segment,
    open_page,
    seal_page,
)

SEGMENT = Segment(b"", 0, 546, 10, bytes([3]) * 32)
EVENT = Event(
    7, EventKind.PUT, "ward-3", b"a/1", 10, 1_800_000_000_000, 5, bytes([1]) * 32, b"note", (SEGMENT,), "upload", 2
)


def test_event_is_read_as_it_was_written():
    assert decode_event(encode_event(EVENT)) == EVENT
    assert decode_segment(encode_segment(SEGMENT)) == SEGMENT


@pytest.mark.parametrize("kind", list(EventKind))
def test_every_kind_has_its_encoding(kind):
    assert decode_event(encode_event(replace(EVENT, kind=kind))).kind is kind


@given(st.binary(max_size=80))
def test_bytes_give_an_event_or_an_error(octets):
    try:
        assert encode_event(decode_event(octets)) == octets
    except MalformedInput:
        pass


def test_byte_more_or_less_is_refused():
    octets = encode_event(EVENT)
    for other in (octets + b"\0", octets[:-1], octets.replace(b"cput", b"cbad")):
        with pytest.raises(MalformedInput):
            decode_event(other)


def test_attack_S11_page_opens_by_the_tenants_key_alone():
    keys, others = TenantKeys.of(bytes([1]) * 32), TenantKeys.of(bytes([2]) * 32)
    sealed = seal_page(keys.catalogue_root, encode_event(EVENT))
    assert decode_event(open_page(keys.catalogue_root, sealed)) == EVENT
    assert b"ward-3" not in sealed
    for wrong in (others.catalogue_root, keys.repair_root):
        with pytest.raises(PredicateFailed):
            open_page(wrong, sealed)
    with pytest.raises(PredicateFailed):
        open_page(keys.catalogue_root, sealed[:-1] + bytes([sealed[-1] ^ 1]))


def test_page_sealed_twice_has_other_bytes():
    root = TenantKeys.of(bytes([1]) * 32).catalogue_root
    assert seal_page(root, b"same") != seal_page(root, b"same")


def test_secret_of_another_length_is_refused():
    with pytest.raises(MalformedInput, match=r"tenant\.secret"):
        TenantKeys.of(bytes(31))
