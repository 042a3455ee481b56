"""docs/spec/packets.md: commitments bind every field of a packet (checklist E5, E6)."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hutong.light_clients.ibc.commitment import (
    PathKind,
    acknowledgement_commitment,
    acknowledgement_key,
    check_merkle_prefix,
    commitment_key,
    merkle_path,
    packet_commitment,
    path_key,
    receipt_key,
)
from hutong.light_clients.ibc.packet import ERROR, Acknowledgement, Packet, Payload, encode_packet
from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.proofs import ics23
from tests.light_clients.ibc.ibc_strategies import PACKETS, PAYLOADS

TRANSFER = b'{"denom":"uatom","amount":"1000000","sender":"sender","receiver":"receiver","memo":"memo"}'
STOCK = Packet(
    1,
    "07-tendermint-0",
    "07-tendermint-1",
    100,
    (Payload("transfer", "transfer", "ics20-1", "application/json", TRANSFER),),
)
PACKET = replace(STOCK, payloads=(*STOCK.payloads, Payload("gmpport", "gmpport", "ics27-2", "raw", b"\1\2\3")))


def test_commitments_of_stock_chains():
    assert packet_commitment(STOCK).hex() == "a096722aa6534040a0efbdae05765132a7b223ad306d6512f3734821bd046505"
    assert acknowledgement_commitment(Acknowledgement((b"some bytes",))).hex() == (
        "f03b4667413e56aaf086663267913e525c442b56fa1af4fa3f3dab9f37044c5b"
    )
    assert acknowledgement_commitment(ERROR).hex() == "e2fb30dfbf7abdeaca82d426534d2b3a9d5444dd2a87fa16d38b77ba1a13ced7"
    assert acknowledgement_commitment(Acknowledgement((b'{"result":"AQ=="}',))).hex() == (
        "8460e21f73b53d779e4b3291cd35338e92fae9998735f1a0b7150c074c0731a6"
    )


def test_the_timeout_is_big_endian():
    """The written specification says little-endian; every implementation disagrees with it."""
    assert packet_commitment(STOCK).hex() != "ef75ed4f75423e3cc71c5a6a4d782c24a074a38454b996d20ce915cbe67466b4"


def test_keys():
    assert path_key("client-0", PathKind.COMMITMENT, 1).hex() == "636c69656e742d30010000000000000001"
    assert commitment_key(STOCK) == b"07-tendermint-0\x01" + bytes(7) + b"\1"
    assert receipt_key(STOCK) == b"07-tendermint-1\x02" + bytes(7) + b"\1"
    assert acknowledgement_key(STOCK) == b"07-tendermint-1\x03" + bytes(7) + b"\1"


def with_payload(**changes):
    first, *rest = PACKET.payloads
    return replace(PACKET, payloads=(replace(first, **changes), *rest))


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param(replace(PACKET, destination_client="07-tendermint-2"), id="destination client"),
        pytest.param(replace(PACKET, timeout_timestamp_s=101), id="timeout"),
        pytest.param(with_payload(source_port="transfes"), id="source port"),
        pytest.param(with_payload(destination_port="transfes"), id="destination port"),
        pytest.param(with_payload(version="ics20-2"), id="version"),
        pytest.param(with_payload(encoding="application/jsom"), id="encoding"),
        pytest.param(with_payload(value=TRANSFER[:-1] + b"]"), id="value"),
        pytest.param(replace(PACKET, payloads=PACKET.payloads[::-1]), id="payload order"),
        pytest.param(replace(PACKET, payloads=PACKET.payloads[:1]), id="payload count"),
        pytest.param(replace(PACKET, payloads=PACKET.payloads + PACKET.payloads[1:]), id="payload repeated"),
    ],
)
def test_attack_E5_a_changed_field_changes_the_commitment(changed):
    assert packet_commitment(replace(PACKET)) == packet_commitment(PACKET)
    assert packet_commitment(changed) != packet_commitment(PACKET)


def test_attack_E5_source_client_and_sequence_change_the_key():
    """They are not in the value: the key under which it is stored binds them."""
    for changed in (replace(PACKET, source_client="07-tendermint-9"), replace(PACKET, sequence=2)):
        assert packet_commitment(changed) == packet_commitment(PACKET)
        assert commitment_key(changed) != commitment_key(PACKET)


@pytest.mark.long
@given(PACKETS, PACKETS)
def test_attack_E5_commitment_and_key_together_are_the_packet(one, other):
    same = (packet_commitment(one), commitment_key(one)) == (packet_commitment(other), commitment_key(other))
    assert same == (one == other)


FIELDS = ("source_port", "destination_port", "version", "encoding")


@pytest.mark.parametrize(("left", "right"), list(zip(FIELDS, FIELDS[1:], strict=False)))
def test_attack_E6_a_byte_moved_between_neighbouring_texts(left, right):
    payload = Payload("abcd", "abcd", "abcd", "abcd", b"abcd")
    moved = replace(
        payload, **{left: getattr(payload, left)[:-1], right: getattr(payload, left)[-1] + getattr(payload, right)}
    )
    kept = replace(payload)
    assert packet_commitment(replace(PACKET, payloads=(kept,))) == packet_commitment(
        replace(PACKET, payloads=(payload,))
    )
    assert packet_commitment(replace(PACKET, payloads=(moved,))) != packet_commitment(
        replace(PACKET, payloads=(payload,))
    )


def test_attack_E6_a_byte_moved_between_encoding_and_value_and_between_payloads():
    payload = Payload("abcd", "abcd", "abcd", "abcd", b"efgh")
    moved = replace(payload, encoding="abcde", value=b"fgh")
    one, two = replace(payload, value=b"efg"), replace(payload, value=b"hefgh")
    for first, second in (((payload,), (moved,)), ((payload, payload), (one, two))):
        assert packet_commitment(replace(PACKET, payloads=first)) != packet_commitment(replace(PACKET, payloads=second))


@given(PAYLOADS, PAYLOADS)
def test_attack_E6_payloads_with_equal_bytes_in_a_row_differ(one, other):
    if one != other:
        assert packet_commitment(replace(PACKET, payloads=(one,))) != packet_commitment(
            replace(PACKET, payloads=(other,))
        )


def test_attack_E6_a_byte_moved_between_app_acknowledgements():
    commitments = {
        acknowledgement_commitment(Acknowledgement(entries))
        for entries in ((b"abc", b"def"), (b"ab", b"cdef"), (b"abcd", b"ef"), (b"abcdef",), (b"def", b"abc"))
    }
    assert len(commitments) == 5


def test_merkle_paths():
    assert merkle_path((b"ibc", b""), b"key") == (b"ibc", b"key")
    assert merkle_path((b"",), b"key") == (b"key",)
    assert merkle_path((b"ibc", b"sub"), b"key") == (b"ibc", b"subkey")
    with pytest.raises(MalformedInput, match="merkle_prefix"):
        merkle_path((), b"key")


EMPTY_ELEMENTS = (((b"", b"x"), b"key"), ((b"ibc", b"", b"x"), b"key"), ((b"",), b""), ((b"ibc", b""), b""))


@pytest.mark.parametrize(("prefix", "key"), EMPTY_ELEMENTS)
def test_an_empty_element_is_no_error_of_the_path_and_proves_nothing(prefix, key):
    path = merkle_path(prefix, key)
    assert path == (*prefix[:-1], prefix[-1] + key) and b"" in path
    specs = (ics23.TENDERMINT_SPEC,) * len(path)
    for value in (b"value", None):
        with pytest.raises(MalformedInput, match="elements have 1 to"):
            ics23.verify_chained(specs, b"", b"\x01" * 32, path, value)


def test_a_counterpartys_prefix_has_no_empty_element_but_the_last():
    for prefix in ((b"ibc", b""), (b"",), (b"ibc",), (b"ibc", b"sub")):
        check_merkle_prefix(prefix)
    for prefix in ((), (b"", b"x"), (b"ibc", b"", b"x")):
        with pytest.raises(MalformedInput, match="merkle_prefix"):
            check_merkle_prefix(prefix)


@given(st.integers(1, 2**64 - 1), st.integers(1, 2**64 - 1))
def test_keys_of_different_sequences_and_kinds_never_collide(one, other):
    keys = {path_key("client-0", kind, sequence) for kind in PathKind for sequence in {one, other}}
    assert len(keys) == 3 * len({one, other})


def test_the_vectors_of_the_specification():
    """docs/spec/packets.md prints a packet, its commitment and its key."""
    page = (Path(__file__).resolve().parents[3] / "docs" / "spec" / "packets.md").read_text(encoding="utf-8")
    words = "".join(page.split())
    payload = Payload("gmpport", "gmpport", "ics27-2", "application/x-solidity-abi", b"value")
    packet = Packet(7, "client-0", "07-tendermint-1", 1_700_000_000, (payload,))
    for data in (encode_packet(packet), packet_commitment(packet), commitment_key(packet), packet_commitment(STOCK)):
        assert data.hex() in words
