"""Streams that break, repeat, reset and lie: nothing is missed, nothing told twice, and no wait is for ever."""

import pytest

from hutong.relay.sdk import (
    AnswerTooLarge,
    ApiProblem,
    BadAnswer,
    ChainsChanged,
    MessageChanged,
    Reset,
    TooSlow,
    Unreachable,
)
from hutong.relay.sdk import plan as plans
from hutong.relay.sdk.following import MAX_FAILURES
from tests.relay.sdk.scripted_server import answer, endless, event, in_order, problem, scripted, stream
from tests.relay.sdk.sdk_values import settled, summary, whole

ID = "alpha/client-0/7"
OTHER = summary(id="alpha/client-0/8", legs=["alpha/client-0/8"])
DELIVERED = summary(stage="delivered")


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch):
    """Between connections of these servers nobody is waited for."""
    monkeypatch.setattr(plans, "FIRST_PAUSE_S", 0.001)


def follow(client, server, **named):
    return client.take(None, server.url, "follow", ID, **{"timeout_s": 20, **named})


def stages(found):
    return [message.stage.value for message in found]


def test_a_message_is_followed_to_its_end(client, api):
    from tests.relay.api.api_world import CLIENT

    (only,) = client.take(None, api[0], "follow", f"alpha/{CLIENT}/1")
    assert only == client.call(api[0], "message", f"alpha/{CLIENT}/1").summary
    with pytest.raises(TooSlow):
        client.take(None, api[0], "follow", f"alpha/{CLIENT}/2", timeout_s=0.2)
    (first,) = client.take(1, api[0], "follow", f"alpha/{CLIENT}/2")
    assert not first.is_settled


def test_each_change_once_in_order(client):
    parts = [event("message", summary(), "c1"), b": still here\n\n", event("message", OTHER, "c2"), event("message", summary(), "c3"),
             event("later-kind", {"x": 1}, "c4"), event("message", DELIVERED, "c5"), event("message", settled(), "c6")]  # fmt: skip
    with scripted(lambda _: stream(*parts)) as server:
        assert stages(follow(client, server)) == ["sent", "delivered", "settled"]
    assert f"GET /v1/events?message={ID.replace('/', '%2F')} " in server.requests[0] and len(server.requests) == 1


def test_bytes_may_be_cut_anywhere(client):
    whole_stream = b"".join(
        [event("message", summary(), "c1"), event("message", settled(), "c2").replace(b"\n", b"\r\n")]
    )
    with scripted(lambda _: stream(*(whole_stream[i : i + 1] for i in range(len(whole_stream))))) as server:
        assert stages(follow(client, server)) == ["sent", "settled"]


def test_a_broken_stream_goes_on_where_it_was(client):
    script = in_order(
        lambda: stream(event("message", summary(), "c1"), b"event: message\ndata: {half"),
        lambda: b"HTTP/1.1 200 OK\r\ncontent-le",
        lambda: problem("busy", 503, retry_after=0),
        lambda: stream(event("message", DELIVERED, "c2")),
        lambda: stream(event("message", DELIVERED, "c2"), event("message", settled(), "c3")),
    )
    with scripted(script) as server:
        assert stages(follow(client, server)) == ["sent", "delivered", "settled"]
    told = [
        next((line[15:] for line in request.split("\r\n") if line.lower().startswith("last-event-id")), None)
        for request in server.requests
    ]
    assert told == [None, "c1", "c1", "c1", "c2"]


def test_after_a_reset_the_message_is_read_again(client):
    def script(request):
        if "/v1/messages/" in request:
            return answer(200, whole(DELIVERED))
        return stream(event("message", summary(), "c1"), event("reset", {}), event("message", settled(), "c9"))

    with scripted(script) as server:
        assert stages(follow(client, server)) == ["sent", "delivered", "settled"]


def test_a_message_that_is_not_there_yet_is_waited_for(client, monkeypatch):
    from hutong.relay.sdk import following

    monkeypatch.setattr(following, "APPEARS_EVERY_S", 0.001)
    with scripted(
        in_order(
            problem("not_found", 404), problem("not_found", 404), lambda: stream(event("message", settled(), "c1"))
        )
    ) as server:
        assert stages(follow(client, server)) == ["settled"]
    with scripted(lambda _: problem("not_found", 404)) as server:
        with pytest.raises(ApiProblem) as caught:
            follow(client, server, appears_within_s=0)
        assert caught.value.code == "not_found" and len(server.requests) == 1


def test_a_server_that_only_hangs_up_is_left(client):
    with scripted(lambda _: b"") as server:
        with pytest.raises(Unreachable):
            follow(client, server)
        assert len(server.requests) == MAX_FAILURES + 1


def test_one_that_repeats_itself_is_left_too(client):
    with scripted(lambda _: stream(event("message", summary(), "c1"))) as server:
        with pytest.raises(Unreachable):
            follow(client, server)
        assert len(server.requests) == MAX_FAILURES + 1


@pytest.mark.parametrize(
    "parts",
    [
        [b"event: message\ndata: {}\n\n"],
        [b"event: message\ndata: " + b"[" * 5_000 + b"\n\n"],
        [event("message", summary(token={"denom": "x", "amount": 7}), "c1")],
        [event("message", summary(legs=[]), "c1")],
        [b"event: reset\ndata: {}\n\n"],  # and the message then read is none
    ],
)
def test_events_that_are_invalid(client, parts):
    with scripted(lambda request: answer(200, []) if "/v1/messages/" in request else stream(*parts)) as server:
        with pytest.raises(BadAnswer):
            follow(client, server)


@pytest.mark.parametrize("part", [b"x" * 65_536, b"data: " + b"x" * 60_000 + b"\n"], ids=["line", "event"])
def test_an_endless_line_or_event_ends(client, part):
    with scripted(lambda _: stream(endless(part))) as server:
        with pytest.raises(AnswerTooLarge):
            follow(client, server)


def test_a_stream_that_is_invalid(client):
    with scripted(lambda _: answer(200, b"<html>", "text/html")) as server:
        with pytest.raises(BadAnswer):
            follow(client, server)


@pytest.mark.parametrize("part", [b": still here\n\n", b"event: nothing\ndata: 1\n\n"])
def test_a_stream_that_says_nothing_for_ever_ends_at_the_caller_s_time(client, part):
    with scripted(lambda _: stream(endless(part, 0.02))) as server:
        with pytest.raises(TooSlow):
            follow(client, server, timeout_s=0.3)


def test_all_events_with_their_cursors(client):
    chains = {"items": [{"name": "alpha", "kind": "evm", "chain_id": "1", "router": None, "apps": {"transfer": None, "mailbox": None},
                         "height": 7, "time": None, "age_s": None, "paused": None, "error": None}]}  # fmt: skip
    script = in_order(
        lambda: stream(event("message", summary(), "c1"), event("chains", chains)),
        lambda: stream(event("reset", {}), event("message", OTHER, "c7")),
    )
    with scripted(script) as server:
        first, second, third, last = client.take(4, server.url, "events", after="c0")
    assert (first.cursor, first.message.id) == ("c1", ID) and isinstance(first, MessageChanged)
    assert isinstance(second, ChainsChanged) and second.chains[0].height == 7
    assert isinstance(third, Reset) and last.message.id == "alpha/client-0/8"
    assert "Last-Event-ID: c0" in server.requests[0] and "Last-Event-ID: c1" in server.requests[1]
