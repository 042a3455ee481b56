"""Bytes of an ABCI connection: every request comes out of any pieces, and whatever else comes is a typed error."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hutong.light_clients.interface import MalformedInput
from hutong.relay.hub.abci.framing import (
    MAX_CHUNK_REQUEST_BYTES,
    MAX_REQUEST_BYTES,
    RequestReader,
    encode_message,
)
from tests.relay.hub.abci.abci_client import request

REQUESTS = st.one_of(
    st.builds(lambda text: request("echo", message=text), st.text(max_size=300)),
    st.builds(lambda raw: request("check_tx", tx=raw), st.binary(max_size=300)),
    st.builds(
        lambda txs, height: request("finalize_block", txs=txs, height=height),
        st.lists(st.binary(max_size=40)),
        st.integers(0, 2**62),
    ),
    st.builds(
        lambda chunk, index: request("apply_snapshot_chunk", chunk=chunk, index=index), st.binary(), st.integers(0, 9)
    ),
    st.just(request("flush")),
)


def drain(reader: RequestReader) -> list:
    found = []
    while (one := reader.next()) is not None:
        found.append(one)
    return found


@given(st.lists(REQUESTS, max_size=6), st.lists(st.integers(1, 50), min_size=1))
def test_requests_come_out_of_any_pieces(requests, sizes):
    data = b"".join(encode_message(one) for one in requests)
    reader, found, turn = RequestReader(), [], 0
    while data:
        size = sizes[turn % len(sizes)]
        reader.feed(data[:size])
        data, turn = data[size:], turn + 1
        found += drain(reader)
    assert found == requests
    assert reader.at_boundary()


@given(st.lists(st.binary(max_size=200), max_size=5))
def test_attack_H_abci_any_bytes_are_requests_or_a_typed_error(pieces):
    reader = RequestReader()
    try:
        for piece in pieces:
            reader.feed(piece)
            assert all(one.WhichOneof("value") for one in drain(reader))
    except MalformedInput as error:
        assert error.field in ("abci.request", "abci.length")


@given(REQUESTS, st.data())
def test_a_request_cut_short_is_awaited_and_not_answered(one, data):
    encoded = encode_message(one)
    reader = RequestReader()
    reader.feed(encoded[: data.draw(st.integers(0, len(encoded) - 1))])
    assert reader.next() is None


def length(size: int) -> bytes:
    found = bytearray()
    while size >= 0x80:
        found.append(size & 0x7F | 0x80)
        size >>= 7
    return bytes(found) + bytes([size])


ECHO, CHUNK = b"\x0a", b"\x7a"


def refused(data: bytes) -> MalformedInput:
    reader = RequestReader()
    reader.feed(data)
    with pytest.raises(MalformedInput) as caught:
        reader.next()
    return caught.value


def test_attack_H_abci_a_length_is_bounded_before_its_bytes_come():
    assert refused(length(MAX_CHUNK_REQUEST_BYTES + 1)).expected == MAX_CHUNK_REQUEST_BYTES
    error = refused(length(MAX_REQUEST_BYTES + 1) + ECHO)
    assert (error.got, error.expected) == (MAX_REQUEST_BYTES + 1, MAX_REQUEST_BYTES)
    assert refused(b"\xff" * 5).field == "abci.length"
    assert refused(b"\x00").reason == "is empty"
    for within in (length(MAX_REQUEST_BYTES) + ECHO, length(MAX_CHUNK_REQUEST_BYTES) + CHUNK):
        reader = RequestReader()
        reader.feed(within)
        assert reader.next() is None


def test_a_kind_that_is_not_known_is_refused():
    assert refused(b"\x02\x22\x00").reason == "is of no known kind"  # 4 was SetOption
    assert refused(b"\x02\x0a\x05").reason == "is not protobuf"


def test_a_chunk_longer_than_other_requests_may_be_is_read():
    one = request("apply_snapshot_chunk", index=1, chunk=bytes(MAX_REQUEST_BYTES + 1))
    reader = RequestReader()
    reader.feed(encode_message(one))
    assert reader.next() == one
