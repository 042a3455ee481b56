"""Answers that are too large, too slow, of the wrong kind or refused: typed errors in bounded time, the same from both clients."""

import socket
import time

import httpx
import pytest

from hutong.relay.sdk import AnswerTooLarge, ApiProblem, BadAnswer, HutongError, TooSlow, Unreachable
from hutong.relay.sdk import plan as plans
from hutong.relay.sdk.deadline import transport, within
from hutong.relay.sdk.listing import MAX_EMPTY_PAGES
from hutong.relay.sdk.plan import MAX_ATTEMPTS, MAX_PAUSE_S, pause_s
from hutong.relay.web.problems import STATUSES
from tests.relay.sdk.scripted_server import PROBLEM, answer, endless, in_order, problem, scripted
from tests.relay.sdk.sdk_values import HASH, STATUS, summary

KEY = "hk_" + "k" * 43
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch):
    monkeypatch.setattr(plans, "FIRST_PAUSE_S", 0.001)


@pytest.mark.parametrize(("code", "status"), [(code, status) for code, found in STATUSES.items() for status in found])
def test_every_code_is_a_typed_error(client, code, status):
    with scripted(lambda _: problem(code.value, status, "what is wrong", "amount", retry_after=0)) as server:
        with pytest.raises(ApiProblem) as caught:
            client.call(server.url, "status")
        assert len(server.requests) == (MAX_ATTEMPTS if status in (429, 503) else 1)
    found = caught.value
    assert (found.code, found.status, found.detail, found.field) == (code.value, status, "what is wrong", "amount")


def test_a_busy_server_is_asked_again(client):
    with scripted(
        in_order(problem("busy", 503), problem("rate_limited", 429, retry_after=0), answer(200, STATUS))
    ) as server:
        assert client.call(server.url, "status").version == "0.1.0"
    assert len(server.requests) == 3


@pytest.mark.parametrize(("outer_s", "inner_s"), [(0.2, 20), (20, 0.2)])
def test_the_earlier_of_two_deadlines_counts(outer_s, inner_s):
    with socket.create_server(("127.0.0.1", 0)) as silent, httpx.Client(transport=transport(False)) as http:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        began_s = time.monotonic()
        with pytest.raises(httpx.ReadTimeout), within(outer_s), within(inner_s):
            http.get(url, timeout=None)
        assert time.monotonic() - began_s < 10


def test_pauses_are_bounded_whatever_the_server_asks():
    assert pause_s(0, 10**9) == MAX_PAUSE_S == pause_s(60) and pause_s(3, 0) == 0
    assert [pause_s(n) for n in range(3)] == [0.001, 0.002, 0.004]


def test_a_submission_is_repeated_with_its_key_alone(client):
    said = in_order(problem("busy", 503), answer(202, {"chain": "alpha", "hash": HASH, "state": "pending"}))
    with scripted(said) as server:
        done = client.call(server.url, "submit", "alpha", b"\x02\x01", "order-1", options={"api_key": KEY})
    assert done.hash == HASH
    assert [request.count("Idempotency-Key: order-1") for request in server.requests] == [1, 1]
    assert server.requests[0].endswith('{"chain": "alpha", "raw": "0x0201"}') and f"Bearer {KEY}" in server.requests[0]


@pytest.mark.parametrize(
    "said",
    [
        answer(502, b"<html>bad gateway</html>", "text/html"),
        answer(500, b"{", PROBLEM),
        answer(404, {"code": "not_found"}, PROBLEM),
        answer(301, b"", location="http://127.0.0.1:1/"),
        answer(204, b""),
        answer(200, b"\xff\xfe"),
        answer(200, b"[" * 100_000),
        answer(200, b'{"name": "hutong"}'),
        answer(200, STATUS | {"chains": "3"}),
        answer(200, STATUS | {"chains": -1}),
        answer(200, STATUS | {"chains": 10**30}),
        answer(200, STATUS | {"inside_relay": 1}),
        answer(200, STATUS | {"time": "yesterday"}),
        answer(200, STATUS | {"time": "2026-11-26T03:50:50"}),
        answer(200, STATUS | {"name": "x" * 300}),
        answer(200, b'{"chains": ' + b"9" * 100_000 + b"}"),
        answer(200, b"\x1f\x8b\x08\x00", content_encoding="gzip"),
    ],
)  # fmt: skip
def test_what_is_no_answer_of_the_api(client, said):
    with scripted(lambda _: said) as server:
        with pytest.raises(BadAnswer) as caught:
            client.call(server.url, "status", options={"api_key": KEY})
        assert len(server.requests) == 1 and len(str(caught.value)) < 800 and KEY not in str(caught.value)


def test_additions_are_passed_over(client):
    added = STATUS | {"new": {"deep": [1]}, "ledger": {"schema": "0004", "size": 9}}
    with scripted(lambda _: answer(200, added)) as server:
        assert client.call(server.url, "status").ledger.schema == "0004"
    later = summary(state="half_open", stage="at_moon", app="nft", colour="red")
    with scripted(lambda _: answer(200, {"items": [later], "next": None})) as server:
        (found,) = client.take(None, server.url, "messages")
    assert {found.state.value, found.stage.value, found.app.value} == {"unknown"}


@pytest.mark.parametrize("head", [HEAD + b"connection: close\r\n\r\n", HEAD + b"content-length: 999999999\r\n\r\n"])
def test_an_answer_without_end(client, head):
    def script(_request):
        yield head
        yield from endless(b"[" * 65_536)

    with scripted(script) as server:
        with pytest.raises(AnswerTooLarge) as caught:
            client.call(server.url, "status")
    assert caught.value.limit_bytes == 8 * 1024 * 1024


def test_a_refusal_without_end(client):
    with scripted(lambda _: answer(404, b" " * 100_000, PROBLEM)) as server:
        with pytest.raises(AnswerTooLarge):
            client.call(server.url, "status")


@pytest.mark.parametrize(
    "slow", [b"HTTP/1.1 200 OK\r\nx: ", HEAD + b"connection: close\r\n\r\n", b""], ids=["head", "body", "nothing"]
)
def test_a_byte_now_and_then_is_waited_for_no_longer_than_was_said(client, slow):
    def script(_request):
        yield slow
        yield from endless(b" " if slow else b"", 0.05)

    with scripted(script) as server:
        began = time.monotonic()
        with pytest.raises(TooSlow):
            client.call(server.url, "status", options={"timeout_s": 0.4})
        assert time.monotonic() - began < 10


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf", b"SSH-2.0-OpenSSH_9\r\n"])
def test_a_connection_that_breaks(client, said):
    with scripted(lambda _: said) as server:
        with pytest.raises(Unreachable):
            client.call(server.url, "status")


def test_a_list_without_end(client):
    with scripted(lambda _: answer(200, {"items": [summary()], "next": "same"})) as server:
        with pytest.raises(BadAnswer):
            client.take(None, server.url, "messages")
        assert len(server.requests) == 2


def test_empty_pages_without_end(client, monkeypatch):
    from hutong.relay.sdk import listing

    monkeypatch.setattr(listing, "MAX_EMPTY_PAGES", 3)
    numbers = iter(range(MAX_EMPTY_PAGES))
    with scripted(lambda _: answer(200, {"items": [], "next": f"c{next(numbers)}"})) as server:
        with pytest.raises(BadAnswer):
            client.take(None, server.url, "messages")
        assert len(server.requests) == 4


def test_a_server_s_words_are_fit_for_a_terminal(client):
    with scripted(lambda _: problem("bu\x1bsy", 500, "line\n\x1b[2Jgone" + "x" * 5_000)) as server:
        with pytest.raises(ApiProblem) as caught:
            client.call(server.url, "status")
    assert "\x1b" not in str(caught.value) and "\n" not in str(caught.value) and len(str(caught.value)) < 700


def test_every_error_is_one_family():
    assert all(issubclass(kind, HutongError) for kind in (ApiProblem, BadAnswer, AnswerTooLarge, TooSlow, Unreachable))
