"""Bodies within their bounds: of requests to an application of ours, and of a server's answers."""

import gzip
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from hutong.relay.base.http import AnswerTooLarge, AnswerTooSlow, BodyTooLarge, read_answer, read_body, respond


def arriving(*messages):
    waiting = list(messages)

    async def receive():
        return waiting.pop(0)

    return receive


def part(body, *, more):
    return {"type": "http.request", "body": body, "more_body": more}


async def test_parts_are_joined():
    assert await read_body(arriving(part(b"ab", more=True), part(b"", more=True), part(b"c", more=False)), 3) == b"abc"


async def test_one_byte_over_the_bound_is_refused_before_the_end():
    with pytest.raises(BodyTooLarge) as refused:
        await read_body(arriving(part(b"ab", more=True), part(b"cd", more=True)), 3)
    assert refused.value.max_bytes == 3


async def test_who_left_has_sent_nothing():
    assert await read_body(arriving(part(b"ab", more=True), {"type": "http.disconnect"}), 3) is None


@given(st.lists(st.binary(max_size=8), min_size=1, max_size=6), st.integers(0, 30))
def test_a_body_is_whole_or_refused(pieces, most):
    async def read():
        return await read_body(arriving(*(part(one, more=True) for one in pieces), part(b"", more=False)), most)

    whole = b"".join(pieces)
    if len(whole) <= most:
        assert trio.run(read) == whole
    else:
        with pytest.raises(BodyTooLarge):
            trio.run(read)


@pytest.mark.parametrize("more", [(), ((b"vary", b"origin"),)])
async def test_an_answer_says_its_length(more):
    sent = []

    async def send(message):
        sent.append(message)

    await respond(send, 404, b"{}", headers=more)
    start, body = sent
    assert (start["type"], start["status"], body) == (
        "http.response.start",
        404,
        {"type": "http.response.body", "body": b"{}"},
    )
    assert start["headers"] == [(b"content-type", b"application/json"), (b"content-length", b"2"), *more]


class Pieces:
    def __init__(self, pieces):
        self.pieces, self.taken = pieces, 0

    def iter_raw(self):
        for one in self.pieces:
            self.taken += 1
            yield one


@given(st.lists(st.binary(max_size=8), max_size=6), st.integers(0, 30))
def test_an_answer_is_whole_or_dropped_at_its_bound(pieces, most):
    answer, whole = Pieces(pieces), b"".join(pieces)
    if len(whole) <= most:
        assert read_answer(answer, most) == whole
    else:
        with pytest.raises(AnswerTooLarge, match=f"an answer of more than {most} bytes"):
            read_answer(answer, most)
        before = len(b"".join(pieces[: answer.taken - 1]))
        assert before <= most, "nothing is read after the piece that is too much"


def test_an_answer_that_drips_ends(monkeypatch):
    now = iter(range(100))
    monkeypatch.setattr("hutong.relay.base.http.time.monotonic", lambda: float(next(now)))
    answer = Pieces([b"x"] * 50)
    with pytest.raises(AnswerTooSlow, match="no whole answer within 5 s"):
        read_answer(answer, 1_000, within_s=5.0)
    assert answer.taken == 6


def test_what_is_small_and_grows_is_not_unpacked():
    packed = gzip.compress(bytes(10_000_000))

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("content-encoding", "gzip")
            self.send_header("content-length", str(len(packed)))
            self.end_headers()
            self.wfile.write(packed)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_address[1]}/"
        with httpx.Client(trust_env=False) as client, client.stream("GET", url) as answer:
            assert read_answer(answer, 100_000) == packed
        server.shutdown()
