"""Bodies in chunks: Amazon's own two examples, cut anywhere; and what was changed, left out, small or too long."""

from dataclasses import replace

import pytest

from hutong.light_clients.interface import MalformedInput, PredicateFailed
from hutong.relay.services.storage.rules.s3.chunks import (
    MAX_LINE_BYTES,
    ChunkedBody,
    ChunkSeed,
    ChunkTooSmall,
    chunk_is_signed,
    trailer_is_signed,
)
from hutong.relay.services.storage.rules.s3.sigv4 import Authorization, chunk_seed

SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
SEED, TRAILER_SEED = (
    "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
    "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e",
)
SIGNATURES = (
    "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
    "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
    "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9",
)
TRAILER_SIGNATURES = (
    "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2",
    "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7",
    "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992",
    "d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435",
)
CHUNKS = (b"a" * 65_536, b"a" * 1_024, b"")
PLAIN = b"2000\r\n" + b"x" * 8_192 + b"\r\n3\r\nend\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n"


def seed_of(signature: str, payload: str) -> ChunkSeed:
    authorization = Authorization(
        "AKIAIOSFODNN7EXAMPLE", "20130524T000000Z", "20130524", "us-east-1", "s3", ("host",), signature, payload, None
    )
    seed = chunk_seed(authorization, SECRET)
    assert seed is not None
    return seed


def body_of(signatures, trailers: bytes = b"") -> bytes:
    framed = [
        f"{len(chunk):x};chunk-signature={signature}\r\n".encode() + chunk + (b"\r\n" if chunk else b"")
        for chunk, signature in zip(CHUNKS, signatures[:3], strict=True)
    ]
    return b"".join(framed) + trailers + b"\r\n"


AMAZONS = body_of(SIGNATURES)
TRAILER = f"x-amz-checksum-crc32c:sOO8/Q==\r\nx-amz-trailer-signature:{TRAILER_SIGNATURES[3]}\r\n".encode()
AMAZONS_TRAILER = body_of(TRAILER_SIGNATURES, TRAILER)


def signed_body() -> ChunkedBody:
    return ChunkedBody(seed_of(SEED, "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"), has_trailer=False)


def trailer_body() -> ChunkedBody:
    return ChunkedBody(seed_of(TRAILER_SEED, "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"), has_trailer=True)


def read(body: ChunkedBody, octets: bytes, step: int = 1 << 20) -> bytes:
    content = b"".join(b"".join(body.take(octets[at : at + step])) for at in range(0, len(octets), step))
    if not body.is_ended:
        raise MalformedInput("body", "ended early")
    return content


@pytest.mark.parametrize("step", [7, 65_536, 1 << 20])
def test_amazons_examples_are_read_however_they_are_cut(step):
    assert read(signed_body(), AMAZONS, step) == b"a" * 66_560
    body = trailer_body()
    assert read(body, AMAZONS_TRAILER, step) == b"a" * 66_560
    assert body.trailers == (("x-amz-checksum-crc32c", "sOO8/Q=="),)


def test_chunks_without_signatures_are_read():
    body = ChunkedBody(None, has_trailer=True)
    assert read(body, PLAIN, 1) == b"x" * 8_192 + b"end"
    assert body.trailers == (("x-amz-checksum-crc32", "AAAAAA=="),)


def test_attack_S14_a_chunk_that_was_changed_moved_or_signed_by_another_is_refused():
    changed = AMAZONS.replace(b"aaaa", b"aaab", 1)
    other = AMAZONS.replace(SIGNATURES[1].encode(), SIGNATURES[0].encode())
    for wrong in (changed, other, AMAZONS.replace(SIGNATURES[2].encode(), b"0" * 64)):
        with pytest.raises(PredicateFailed) as refused:
            read(signed_body(), wrong)
        assert refused.value.predicate == "chunk_is_signed"
    seed = seed_of(SEED, "STREAMING-AWS4-HMAC-SHA256-PAYLOAD")
    digest = "bf718b6f653bebc184e1479f1935b8da974d701b893afcf49e701f3e2f9f9c5a"
    chunk_is_signed(seed, SEED, digest, SIGNATURES[0])
    with pytest.raises(PredicateFailed):
        chunk_is_signed(replace(seed, key=bytes(32)), SEED, digest, SIGNATURES[0])


def test_attack_S14_a_trailer_that_was_changed_or_is_not_signed_is_refused():
    with pytest.raises(PredicateFailed) as refused:
        read(trailer_body(), AMAZONS_TRAILER.replace(b"sOO8/Q==", b"sOO8/A=="))
    assert refused.value.predicate == "trailer_is_signed"
    with pytest.raises(MalformedInput):
        read(trailer_body(), body_of(TRAILER_SIGNATURES, b"x-amz-checksum-crc32c:sOO8/Q==\r\n"))
    seed = seed_of(TRAILER_SEED, "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER")
    said = (("x-amz-checksum-crc32c", "sOO8/Q=="),)
    trailer_is_signed(seed, TRAILER_SIGNATURES[2], said, TRAILER_SIGNATURES[3])
    with pytest.raises(PredicateFailed):
        trailer_is_signed(seed, TRAILER_SIGNATURES[1], said, TRAILER_SIGNATURES[3])


@pytest.mark.parametrize(
    "wrong",
    [
        PLAIN[:-2],
        PLAIN + b"0",
        PLAIN.replace(b"2000\r\n", b"2000\n", 1),
        PLAIN.replace(b"2000\r\n", b"20g0\r\n", 1),
        PLAIN.replace(b"2000\r\n", b"1fff\r\n", 1),
        PLAIN.replace(b"2000\r\n", b"2000;chunk-signature=" + b"0" * 64 + b"\r\n", 1),
        PLAIN.replace(b"x-amz-checksum-crc32:", b"no value"),
        PLAIN.replace(b"x-amz-checksum-crc32:AAAAAA==\r\n", b"a:b\r\n" * 2),
        PLAIN.replace(b"x-amz-checksum-crc32:AAAAAA==\r\n", b"".join(b"a%d:b\r\n" % n for n in range(9))),
        b"2" * (MAX_LINE_BYTES + 1),
        b"0\r\nx-amz-trailer-signature:" + b"0" * 64 + b"\r\n\r\n",
    ],
)
def test_bodies_that_are_not_in_chunks_are_refused(wrong):
    with pytest.raises(MalformedInput):
        read(ChunkedBody(None, has_trailer=True), wrong)
    with pytest.raises(MalformedInput):
        read(ChunkedBody(None, has_trailer=True), wrong, 3)


def test_only_the_last_chunk_is_small():
    assert read(ChunkedBody(None, has_trailer=True), b"2\r\nab\r\n0\r\n\r\n") == b"ab"
    with pytest.raises(ChunkTooSmall):
        read(ChunkedBody(None, has_trailer=True), b"2\r\nab\r\n1\r\nc\r\n0\r\n\r\n")
