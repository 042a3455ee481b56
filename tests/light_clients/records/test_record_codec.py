"""Bytes of records: each value has one form, every other form is a typed refusal."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hutong.light_clients.interface import Height, MalformedInput
from hutong.light_clients.records import (
    PROVEN,
    ClientEpoch,
    Observation,
    ObservationKey,
    PlaceKind,
    SourceTrust,
    StorePlace,
    TrustKind,
    decode_epoch,
    decode_observation,
    decode_observation_of,
    decode_place,
    encode_epoch,
    encode_observation,
    epoch_key,
    parse_observation_key,
)
from hutong.relay.hub.state.keys import MAX_KEY_BYTES
from tests.light_clients.records.record_strategies import EPOCHS, KEYS, OBSERVATIONS, PLACES

GOOD = Observation(b"\x2a".rjust(32, b"\0"), PROVEN, 1, Height(0, 7), 1_700_000_000_000_000_000)


@given(OBSERVATIONS)
def test_observation_is_read_as_written(observation):
    assert decode_observation(encode_observation(observation)) == observation


@given(EPOCHS)
def test_epoch_is_read_as_written(epoch):
    assert decode_epoch(encode_epoch(epoch)) == epoch


@given(PLACES)
def test_place_is_read_from_its_name(place):
    assert decode_place(place.kind, place.name) == place


@given(KEYS)
def test_key_is_read_as_written_and_fits_the_state(key):
    assert parse_observation_key(key.to_bytes()) == key
    assert len(key.to_bytes()) <= MAX_KEY_BYTES


@pytest.mark.parametrize(
    ("decode", "encode"),
    [(decode_observation, encode_observation), (decode_epoch, encode_epoch)],
    ids=["observation", "epoch"],
)
@given(data=st.binary(max_size=120) | OBSERVATIONS.map(encode_observation) | EPOCHS.map(encode_epoch))
def test_bytes_have_one_reading_or_a_typed_refusal(decode, encode, data):
    try:
        value = decode(data)
    except MalformedInput:
        return
    assert encode(value) == data


@given(data=st.binary(max_size=200) | KEYS.map(ObservationKey.to_bytes))
def test_a_key_has_one_reading_or_a_typed_refusal(data):
    try:
        key = parse_observation_key(data)
    except MalformedInput:
        return
    assert key.to_bytes() == data


@given(kind=st.integers(0, 255), name=st.binary(max_size=700))
def test_a_name_has_one_reading_or_a_typed_refusal(kind, name):
    try:
        place = decode_place(kind, name)
    except MalformedInput:
        return
    assert (place.kind, place.name) == (kind, name)


@pytest.mark.parametrize(
    ("position", "byte", "field"),
    [
        (0, 2, "observation.version"),
        (1, 2, "observation.presence"),
        (1, 0, "observation.value"),
        (2, 0, "observation.trust"),
        (2, 2, "observation.trust"),
        (3, 1, "observation.trust"),
        (4, 1, "observation.trust"),
        (12, 0, "observation.epoch"),
    ],
)
def test_attack_J3_an_observation_with_one_wrong_byte_is_refused(position, byte, field):
    data = bytearray(encode_observation(GOOD))
    data[position] = byte
    with pytest.raises(MalformedInput) as refused:
        decode_observation(bytes(data))
    assert refused.value.field == field


@pytest.mark.parametrize(
    ("make", "field"),
    [
        (lambda: Observation(b"", PROVEN, 1, Height(0, 1), 1), "observation.value"),
        (lambda: Observation(bytes(8193), PROVEN, 1, Height(0, 1), 1), "observation.value"),
        (lambda: Observation(None, PROVEN, 1, Height(0, 1), 0), "observation.source_time_ns"),
        (lambda: SourceTrust(TrustKind.ATTESTED, 0, 3), "observation.trust"),
        (lambda: SourceTrust(TrustKind.ATTESTED, 4, 3), "observation.trust"),
        (lambda: SourceTrust(TrustKind.ATTESTED, 65, 65), "observation.trust"),
        (lambda: ClientEpoch(0, True, 0), "epoch.epoch"),
        (lambda: StorePlace(bytes(65), b"k"), "place.store"),
        (lambda: StorePlace(b"bank", b""), "place.key"),
        (lambda: StorePlace(b"bank", bytes(513)), "place.key"),
        (lambda: decode_place(1, bytes(51)), "place.name"),
        (lambda: decode_place(2, bytes(20) + b"\x05"), "place.field"),
        (lambda: decode_place(3, b"\x05bank"), "place.store"),
        (lambda: decode_place(4, b"x"), "place.kind"),
    ],
)
def test_values_out_of_their_bounds_are_refused(make, field):
    with pytest.raises(MalformedInput) as refused:
        make()
    assert refused.value.field == field


@pytest.mark.parametrize("kind", [PlaceKind.SLOT, PlaceKind.ACCOUNT])
@pytest.mark.parametrize("size", [1, 31, 33])
def test_values_of_evm_places_have_32_bytes(kind, size):
    key = ObservationKey("bft-evm-0", kind, bytes(19) + b"\x01\x01" + bytes(kind.tail_bytes - 21))
    odd = Observation(b"\x01" * size, PROVEN, 1, Height(0, 7), 1)
    with pytest.raises(MalformedInput) as refused:
        decode_observation_of(key, encode_observation(odd))
    assert refused.value.got == size
    assert decode_observation_of(key, encode_observation(GOOD)) == GOOD


@pytest.mark.parametrize(
    "key",
    [
        b"",
        b"observation/",
        epoch_key("bft-evm-0"),
        b"observation/slot/bft-evm-0" + bytes(52),
        b"observation/slot/bft-evm-0/" + bytes(51),
        b"observation/slot/bft-evm-0/" + bytes(53),
        b"observation/slot/b\xc3\xbct-evm-0/" + bytes(52),
        b"observation/account/bft-evm-0/" + bytes(21),
        b"observation/other/bft-evm-0/" + bytes(52),
        b"clients/bft-evm-0/state",
    ],
)
def test_attack_J2_other_keys_of_the_hub_are_not_observations(key):
    with pytest.raises(MalformedInput):
        parse_observation_key(key)
