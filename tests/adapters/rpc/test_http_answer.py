"""Answers of HTTP/1.1 in whatever pieces they come, and what is none of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hutong.adapters.rpc import Endpoint, RpcOptions
from hutong.adapters.rpc.http_answer import MAX_HEAD_BYTES, MAX_INFORMATIONAL, AttemptFailed, HttpAnswer
from hutong.adapters.rpc.transport import new_http_client, post
from tests.adapters.rpc.hostile_server import hostile_server, result

PLAIN = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Encoding: gzip\r\n\r\nhello"
CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhe\r\n3;note=x\r\nllo\r\n0\r\ncontent-encoding: gzip\r\n\r\n"
INTERIM = b"HTTP/1.1 100 Continue\r\ncontent-encoding: br\r\n\r\n"
TO_THE_END = b"HTTP/1.0 200 OK\r\n\r\nhello"


def read(*pieces: bytes) -> tuple[HttpAnswer, bytes]:
    answer, body = HttpAnswer(), b""
    for piece in pieces:
        if answer.is_complete:
            break
        answer.feed(piece)
        body += b"".join(answer.take())
    return answer, body


@pytest.mark.parametrize(
    ("data", "encodings"),
    [
        (PLAIN, [b"gzip"]),
        (CHUNKED, []),
        (INTERIM + PLAIN, [b"gzip"]),
        (INTERIM * MAX_INFORMATIONAL + CHUNKED, []),
    ],
)
def test_an_answer_is_the_same_in_any_two_pieces(data, encodings):
    for cut in range(1, len(data)):
        answer, body = read(data[:cut], data[cut:])
        assert (answer.status, body, answer.encodings) == (200, b"hello", encodings)
        assert answer.is_complete and answer.is_reusable


@pytest.mark.parametrize(
    "data",
    [
        PLAIN + b"x",
        PLAIN + PLAIN,
        PLAIN + INTERIM,
        PLAIN.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"),
        PLAIN.replace(b"HTTP/1.1", b"HTTP/1.0"),
    ],
)
def test_an_answer_after_which_something_comes_ends_its_connection(data):
    answer, body = read(data)
    assert (answer.is_complete, answer.is_reusable, body) == (True, False, b"hello")


def test_without_framing_the_end_of_the_connection_is_the_end_of_the_answer():
    answer, body = read(TO_THE_END[:-2])
    assert (answer.is_complete, body) == (False, b"hel")
    answer, body = read(TO_THE_END[:-2], TO_THE_END[-2:], b"")
    assert (answer.is_complete, answer.is_reusable, body) == (True, False, b"hello")


@pytest.mark.parametrize(
    ("pieces", "reason"),
    [
        ([b""], "ended before an answer"),
        ([INTERIM, b""], "ended before an answer"),
        ([PLAIN[:-1], b""], "breaks off"),
        ([CHUNKED[:-2], b""], "breaks off"),
        ([INTERIM * (MAX_INFORMATIONAL + 1)], "more than 8 interim answers"),
        ([b"HTTP/1.1 101 x\r\nupgrade: y\r\nconnection: upgrade\r\n\r\n"], "HttpParserUpgrade"),
        ([PLAIN.replace(b"Content-Length: 5", b"Content-Length: 5\r\nContent-Length: 6")], "Content-Length"),
        ([CHUNKED.replace(b"\r\n\r\n2", b"\r\ncontent-length: 5\r\n\r\n2")], "Content-Length"),
        ([PLAIN.replace(b"5", b"-5")], "Content-Length"),
        ([b"HTTP/1.1 200 OK\nContent-Length: 0\n\n"], "HttpParserError"),
        ([b"SSH-2.0-x\r\n"], "HttpParserError"),
    ],
)
def test_attack_G1_what_is_no_answer_is_a_failed_attempt(pieces, reason):
    with pytest.raises(AttemptFailed, match=reason):
        read(*pieces)


@pytest.mark.parametrize(
    ("before", "endless"),
    [
        (b"HTTP/1.1 200 OK\r\nx: ", b"y" * 1024),
        (b"HTTP/1.1 200 OK\r\n", b"x: y\r\n" * 100),
        (b"HTTP/1.1 200 ", b"y" * 1024),
        (CHUNKED.partition(b"\r\n0")[0] + b"\r\n0\r\n", b"x: y\r\n" * 100),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1;", b"y" * 1024),
    ],
)
def test_attack_G1_an_endless_head_or_trailer_is_cut_off(before, endless):
    answer, fed = HttpAnswer(), 0
    answer.feed(before)
    with pytest.raises(AttemptFailed, match=f"more than {MAX_HEAD_BYTES} bytes of head"):
        while fed < 2 * MAX_HEAD_BYTES:
            answer.feed(endless)
            fed += len(endless)
    assert fed > MAX_HEAD_BYTES - 2 * len(endless)


def test_a_body_in_chunks_of_one_byte_is_no_head():
    count = MAX_HEAD_BYTES
    data = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * count + b"0\r\n\r\n"
    answer, body = read(*(data[at : at + 1000] for at in range(0, len(data), 1000)))
    assert answer.is_reusable and body == b"x" * count


@given(
    st.binary(max_size=200) | st.binary(max_size=60).map(lambda data: PLAIN[:40] + data + CHUNKED), st.integers(1, 50)
)
def test_attack_H_any_bytes_are_an_answer_or_a_failed_attempt(data, size):
    pieces = [*(data[at : at + size] for at in range(0, len(data), size)), b""]
    try:
        answer, body = read(*pieces)
    except AttemptFailed:
        return
    assert answer.is_complete and len(body) <= len(data) and answer.status >= 200


@pytest.mark.parametrize("path", ["/a b", "/a\x7fb", "/ü"])
async def test_a_url_that_would_end_the_request_line_is_not_asked(path):
    async with hostile_server() as server, new_http_client(1) as http:
        server.answers["m"] = lambda request: result(request, 1)
        with pytest.raises(AttemptFailed, match="not a URL that HTTP can ask for"):
            await post(http, Endpoint(server.url + path, RpcOptions()), "m", b'{"id":1,"method":"m"}', 1000)
        assert server.requests == []
        await post(http, Endpoint(server.url + "/a%20b", RpcOptions()), "m", b'{"id":1,"method":"m"}', 1000)
        assert server.methods() == ["m"]
