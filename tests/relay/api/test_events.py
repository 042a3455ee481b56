"""Events over both servers: live, replayed, reset, bounded; and a client that does not read."""

import gc
import json
import time
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
import trio
import trio.lowlevel
from trio_websocket import ConnectionClosed, ConnectionRejected, wrap_client_stream

from hutong.relay.api.reading import changes
from hutong.relay.ledger import Ledger, MessageReader
from hutong.relay.ledger.reading.message_cursor import CursorKind, Position, encode_cursor
from tests.relay.api.api_world import (
    CLIENT,
    acknowledged,
    api_under_trio,
    api_under_uvicorn,
    config_of,
    facts,
    received,
    sent,
    write_ledger,
)

LIMIT_S = 120
# The clients here leave in the middle of an answer; httpx then leaves its generators to the collector.
pytestmark = [
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


@pytest.fixture(autouse=True)
def collected_here():
    """What a test of this file left to the collector is collected before it becomes another test's warning."""
    yield
    gc.collect()


@asynccontextmanager
async def open_websocket(url: str, extra_headers=None):
    """As trio-websocket's own, which leaves the socket open where the other side ended the conversation."""
    parts = urlsplit(url)
    stream = await trio.open_tcp_stream(parts.hostname, parts.port)
    try:
        async with trio.open_nursery() as nursery:
            yield await wrap_client_stream(
                nursery, stream, parts.netloc, f"{parts.path}?{parts.query}", extra_headers=extra_headers
            )
            nursery.cancel_scope.cancel()
    finally:
        await trio.aclose_forcefully(stream)


async def note(home: Path, notes) -> None:
    ledger = Ledger.open_file(home / "ledger.sqlite")
    ledger.note(notes)
    await ledger.flush()
    ledger.close()


def settled(sequence: int):
    one, now_ns = facts(sequence), time.time_ns()
    return [received(one, now_ns), acknowledged(one, now_ns)]


async def read_events(response, count: int) -> list[tuple[str, dict, str]]:
    """(event, data, id) of the next `count` messages and resets."""
    found, event, identity = [], "", ""
    async for line in response.aiter_lines():
        if line.startswith("event: "):
            event = line[7:]
        elif line.startswith("id: "):
            identity = line[4:]
        elif line.startswith("data: ") and event in ("message", "reset"):
            found.append((event, json.loads(line[6:]), identity))
            if len(found) == count:
                break
    return found


async def see_it_end(url: str, home: Path) -> None:
    async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=LIMIT_S) as http:
        async with http.stream("GET", f"/v1/events?message=alpha/{CLIENT}/2") as response:
            assert response.headers["content-type"].startswith("text/event-stream")
            lines = response.aiter_lines()
            assert (await anext(lines)).startswith(":"), "a comment opens the line"
            await note(home, settled(2))
            states = [json.loads(line[6:])["state"] async for line in lines if line.startswith("data: ")]
    assert states[0] == "open" and states[-1] == "acknowledged", "it begins as it is, and ends when it is settled"


@pytest.mark.long
async def test_a_message_is_followed_to_its_end_under_trio(tmp_path):
    await write_ledger(tmp_path)
    async with api_under_trio(config_of(tmp_path)) as (url, service):
        with trio.fail_after(LIMIT_S):
            await see_it_end(url, tmp_path)
            while service.changes.open_streams:
                await trio.lowlevel.checkpoint()


async def test_a_message_is_followed_to_its_end_under_uvicorn(tmp_path):
    await write_ledger(tmp_path)
    with api_under_uvicorn(config_of(tmp_path)) as (url, _):
        with trio.fail_after(LIMIT_S):
            await see_it_end(url, tmp_path)


@pytest.mark.long
async def test_what_was_missed_comes_first_and_once(tmp_path, monkeypatch):
    await write_ledger(tmp_path)
    reader = MessageReader.open_file(tmp_path / "ledger.sqlite")
    cursor = reader.newest_change()
    await note(tmp_path, settled(2))
    async with api_under_trio(config_of(tmp_path)) as (url, _):
        async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=LIMIT_S) as http:
            with trio.fail_after(LIMIT_S):
                async with http.stream("GET", "/v1/events", headers={"last-event-id": cursor}) as response:
                    ((_, data, last),) = await read_events(response, 1)
                assert data["id"] == f"alpha/{CLIENT}/2"
                await note(tmp_path, [sent(facts(20), time.time_ns())])
                async with http.stream("GET", f"/v1/events?after={last}") as response:
                    ((_, data, _),) = await read_events(response, 1)
                assert data["id"] == f"alpha/{CLIENT}/20", "what was told is not told again"
                monkeypatch.setattr(changes, "MAX_MISSED", 0)
                async with http.stream("GET", f"/v1/events?after={cursor}") as response:
                    assert (await read_events(response, 1))[0][0] == "reset"
            refused = await http.get("/v1/events?after=nonsense")
            assert refused.status_code == 400 and refused.json()["code"] == "invalid_request"
            assert (await http.get("/v1/events?message=alpha/client-9/9")).status_code == 404
    reader.close()


@pytest.mark.long
async def test_every_message_of_one_transaction_of_the_ledger_is_told(tmp_path):
    """They have one number in the ledger: that of the flush which wrote them."""
    await write_ledger(tmp_path)
    async with api_under_trio(config_of(tmp_path)) as (url, service):
        async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=LIMIT_S) as http:
            with trio.fail_after(LIMIT_S):
                async with http.stream("GET", "/v1/events") as all_of_them:
                    async with http.stream("GET", f"/v1/events?message=alpha/{CLIENT}/2") as followed:
                        while service.changes.open_streams < 2:
                            await trio.lowlevel.checkpoint()
                        new = [sent(facts(sequence), time.time_ns()) for sequence in range(100, 299)]
                        await note(tmp_path, [*settled(2), *new])
                        told = await read_events(all_of_them, 200)
                        followed_lines = [line async for line in followed.aiter_lines() if line.startswith("data: ")]
    assert {data["id"] for _, data, _ in told} == {f"alpha/{CLIENT}/{n}" for n in (2, *range(100, 299))}
    assert json.loads(followed_lines[-1][6:])["state"] == "acknowledged", "and that was its end"


async def test_who_follows_a_settled_message_from_after_its_settlement_is_told_so(tmp_path):
    await write_ledger(tmp_path)
    reader = MessageReader.open_file(tmp_path / "ledger.sqlite")
    cursor = reader.newest_change()
    reader.close()
    async with api_under_trio(config_of(tmp_path)) as (url, _):
        async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=LIMIT_S) as http:
            with trio.fail_after(LIMIT_S):
                async with http.stream("GET", f"/v1/events?message=alpha/{CLIENT}/1&after={cursor}") as response:
                    states = [
                        json.loads(line[6:])["state"] async for line in response.aiter_lines() if line[:5] == "data:"
                    ]
    assert states == ["acknowledged"]


@pytest.mark.long
async def test_a_restored_ledger_resets_its_streams_and_goes_on(tmp_path):
    await write_ledger(tmp_path)
    later = encode_cursor(CursorKind.CHANGES, Position(2**62, f"alpha/{CLIENT}/1"))
    async with api_under_trio(config_of(tmp_path)) as (url, service):
        async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=LIMIT_S) as http:
            with trio.fail_after(LIMIT_S):
                async with http.stream("GET", f"/v1/events?after={later}") as response:
                    assert (await read_events(response, 1))[0][0] == "reset"
                async with http.stream("GET", "/v1/events") as response:
                    lines = response.aiter_lines()
                    assert (await anext(lines)).startswith(":")
                    told = trio.Event()

                    async def restore() -> None:
                        while not told.is_set():  # a read that is under way puts its own cursor back
                            service.changes._cursor = later
                            await trio.lowlevel.checkpoint()

                    async with trio.open_nursery() as nursery:
                        nursery.start_soon(restore)
                        while await anext(lines) != "event: reset":
                            pass
                        told.set()
                    while service.changes._cursor in (None, later):
                        await trio.lowlevel.checkpoint()
                    await note(tmp_path, settled(2))
                    while f'"id":"alpha/{CLIENT}/2"' not in await anext(lines):
                        pass


@pytest.mark.long
async def test_the_same_over_a_websocket(tmp_path):
    await write_ledger(tmp_path)
    for serve in (api_under_trio, None):
        if serve is None:
            with api_under_uvicorn(config_of(tmp_path)) as (url, _):
                await follow_by_websocket(url)
        else:
            async with serve(config_of(tmp_path)) as (url, _):
                await follow_by_websocket(url)


async def follow_by_websocket(url: str) -> None:
    address = url.replace("http", "ws") + f"/v1/ws?message=alpha/{CLIENT}/1"
    with trio.fail_after(LIMIT_S):
        async with open_websocket(address) as socket:
            assert json.loads(await socket.get_message())["event"] == "heartbeat"
            told = json.loads(await socket.get_message())
            assert told["event"] == "message" and told["data"]["state"] == "acknowledged" and told["id"]
        for query, code in (("message=alpha/client-9/9", 4_404), ("after=nonsense", 4_400), ("color=red", 4_400)):
            async with open_websocket(url.replace("http", "ws") + f"/v1/ws?{query}") as socket:
                with pytest.raises(ConnectionClosed) as closed:
                    while True:  # the heartbeat that opens a line may come first
                        await socket.get_message()
                assert closed.value.reason.code == code and closed.value.reason.reason, query
        evil = [(b"Origin", b"https://evil.example")]
        with pytest.RaisesGroup(ConnectionRejected):  # before it is a WebSocket
            async with open_websocket(address, extra_headers=evil):
                pass


async def test_attack_G15_streams_are_bounded(tmp_path):
    await write_ledger(tmp_path)
    config = config_of(tmp_path, max_streams=2, trusted_proxies=["127.0.0.1"])
    async with api_under_trio(config) as (url, service):
        async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=LIMIT_S) as http:
            with trio.fail_after(LIMIT_S):
                async with http.stream("GET", "/v1/events") as one, http.stream("GET", "/v1/events") as two:
                    assert one.status_code == two.status_code == 200
                    third = await http.get("/v1/events")
                    assert (third.status_code, third.json()["code"]) == (503, "busy") and third.headers["retry-after"]
                while service.changes.open_streams:
                    await trio.lowlevel.checkpoint()
                async with http.stream("GET", "/v1/events") as again:
                    assert again.status_code == 200, "who leaves makes room"


async def test_attack_G15_no_address_takes_all_streams(tmp_path):
    await write_ledger(tmp_path)
    config = config_of(tmp_path, max_streams=16, trusted_proxies=["127.0.0.1"])
    async with api_under_trio(config) as (url, service), AsyncExitStack() as streams:
        async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=LIMIT_S) as http:
            with trio.fail_after(LIMIT_S):
                for address in ("203.0.113.7", "203.0.113.7", "203.0.113.8"):
                    stream = http.stream("GET", "/v1/events", headers={"x-forwarded-for": address})
                    assert (await streams.enter_async_context(stream)).status_code == 200
                third = await http.get("/v1/events", headers={"x-forwarded-for": "203.0.113.7"})
                assert (third.status_code, third.json()["code"]) == (503, "busy"), third.text
                await streams.aclose()
                while service.changes.open_streams:
                    await trio.lowlevel.checkpoint()
                async with http.stream("GET", "/v1/events", headers={"x-forwarded-for": "203.0.113.7"}) as again:
                    assert again.status_code == 200
                    assert dict(service.changes._clients) == {"203.0.113.7": 1}, "who left is forgotten"


async def test_attack_G15_a_client_that_does_not_read_loses_its_stream_alone(tmp_path):
    await write_ledger(tmp_path)
    async with api_under_trio(config_of(tmp_path), send_limit_s=0.5) as (url, service):
        host, port = url.removeprefix("http://").split(":")
        deaf = await trio.open_tcp_stream(host, int(port))
        deaf.socket.setsockopt(trio.socket.SOL_SOCKET, trio.socket.SO_RCVBUF, 4_096)
        async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=LIMIT_S) as http:
            with trio.fail_after(2 * LIMIT_S):
                async with deaf, http.stream("GET", "/v1/events") as reading:
                    await deaf.send_all(b"GET /v1/events HTTP/1.1\r\nHost: x\r\n\r\n")
                    while service.changes.open_streams < 2:
                        await trio.lowlevel.checkpoint()
                    change = changes.Change("message", b"x" * 20_000)
                    async with trio.open_nursery() as nursery:
                        nursery.start_soon(partial(read_until, reading, "the last one"))
                        while service.changes.open_streams > 1:
                            service.changes._tell(change)
                            await trio.sleep(0.005)
                        service.changes._tell(changes.Change("message", b'"the last one"'))
                assert (await http.get("/healthz")).status_code == 200


async def read_until(response, text: str) -> None:
    async for line in response.aiter_lines():
        if text in line:
            return
