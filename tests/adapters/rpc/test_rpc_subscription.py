"""The new-heads subscription against a real WebSocket server that talks, babbles and hangs up."""

import json
from contextlib import asynccontextmanager, suppress
from functools import partial
from random import Random

import pytest
import trio
from trio_websocket import ConnectionClosed, serve_websocket

from hutong.adapters.interface import EndpointStatistics
from hutong.adapters.rpc import Announcements, HeadSignal, subscription

REFUSALS = [
    b"HTTP/1.1 403 Forbidden\r\ncontent-length: 20\r\n\r\nno",
    b"HTTP/1.1 403 Forbidden\r\n\r\nno",
    b"HTTP/1.0 403 Forbidden\r\ncontent-type: text/plain\r\n\r\n",
]


@asynccontextmanager
async def websocket_server(talk):
    async with trio.open_nursery() as nursery:

        async def handle(request):
            connection = await request.accept()
            try:
                await connection.get_message()
                await talk(connection)
            except ConnectionClosed:
                pass

        server = await nursery.start(serve_websocket, handle, "127.0.0.1", 0, None)
        yield f"ws://127.0.0.1:{server.port}"
        nursery.cancel_scope.cancel()


HEAD = json.dumps({"jsonrpc": "2.0", "method": "eth_subscription", "params": {"subscription": "0x1", "result": {}}})


async def woken(talk, times: int) -> None:
    signal = HeadSignal()
    async with websocket_server(talk) as url, trio.open_nursery() as nursery:
        nursery.start_soon(signal.follow, (url,), Random(1))
        with trio.fail_after(60):
            for _ in range(times):
                await signal.wait(60)
        nursery.cancel_scope.cancel()


async def test_each_announced_head_wakes():
    async def talk(connection):
        while True:
            await connection.send_message(HEAD)
            await trio.sleep(0.02)

    await woken(talk, 3)


@pytest.mark.long
async def test_attack_G1_babbling_socket_is_left_and_tried_again():
    """Not JSON, then a message beyond the bound, then silence from a closed socket: the next connection is honest."""
    connections = []

    async def talk(connection):
        connections.append(connection)
        if len(connections) == 1:
            await connection.send_message("{" * 100)
            await trio.sleep(0.05)
        elif len(connections) == 2:
            await connection.send_message("x" * 300_000)
            await trio.sleep(0.05)
        elif len(connections) == 3:
            await connection.aclose()
        else:
            await connection.send_message(HEAD)
            await trio.sleep_forever()

    await woken(talk, 1)
    assert len(connections) == 4


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 429 Too Many Requests\r\ncontent-length: 4\r\n\r\nslow",
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}",
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
        b"\x00\x01 no HTTP\r\n\r\n",
    ],
    ids=["forbidden", "too many", "no upgrade", "empty upgrade", "garbage"],
)
async def test_attack_G1_socket_that_refuses_the_handshake_ends_no_task(answer):
    """The library's reader raises in a task of its own: whoever follows heads must not end with it."""
    refused = []

    async def refuse(stream):
        refused.append(stream)
        async with stream:
            with suppress(trio.BrokenResourceError):
                await stream.receive_some(65536)
                await stream.send_all(answer)
                await stream.receive_some(1)

    async def talk(connection):
        await connection.send_message(HEAD)
        await trio.sleep_forever()

    signal = HeadSignal()
    async with websocket_server(talk) as good, trio.open_nursery() as nursery:
        (listener,) = await nursery.start(partial(trio.serve_tcp, refuse, 0, host="127.0.0.1"))
        port = listener.socket.getsockname()[1]
        nursery.start_soon(signal.follow, (f"ws://127.0.0.1:{port}", good), Random(1))
        with trio.fail_after(60):
            await signal.wait(60)
        assert refused
        nursery.cancel_scope.cancel()


async def test_unreachable_socket_does_not_stop_polling(autojump_clock):
    signal = HeadSignal()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(signal.follow, ("ws://127.0.0.1:1",), Random(1))
        start = trio.current_time()
        await signal.wait(0.5)
        assert trio.current_time() - start < 2
        assert signal.connected is False
        nursery.cancel_scope.cancel()


async def test_each_kind_of_node_announces_in_its_own_words():
    """CometBFT's first answer only says that the subscription stands; each later one has a block."""
    asked = []

    async def talk(connection, first):
        asked.append(json.loads(first))
        await connection.send_message(json.dumps({"jsonrpc": "2.0", "id": 1, "result": {}}))
        await connection.send_message(json.dumps({"jsonrpc": "2.0", "id": 1, "error": {"code": -32603}}))
        await connection.send_message(HEAD)
        await told.wait()
        data = {"type": "tendermint/event/NewBlockHeader", "value": {}}
        await connection.send_message(json.dumps({"jsonrpc": "2.0", "id": 1, "result": {"query": "q", "data": data}}))
        await trio.sleep_forever()

    told = trio.Event()
    announcements = Announcements(
        json.dumps({"method": "subscribe"}),
        lambda message: isinstance(message.get("result"), dict) and "data" in message["result"],
    )
    signal = HeadSignal(announcements)
    async with trio.open_nursery() as nursery:

        async def handle(request):
            connection = await request.accept()
            try:
                await talk(connection, await connection.get_message())
            except ConnectionClosed:
                pass

        server = await nursery.start(serve_websocket, handle, "127.0.0.1", 0, None)
        nursery.start_soon(signal.follow, (f"ws://127.0.0.1:{server.port}",), Random(1))
        with trio.move_on_after(0.3) as early:
            await signal.wait(60)
        assert early.cancelled_caught
        told.set()
        with trio.fail_after(60):
            await signal.wait(60)
        assert asked == [{"method": "subscribe"}]
        nursery.cancel_scope.cancel()


async def statistics_after(follow, until) -> "EndpointStatistics":
    signal = HeadSignal()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(follow, signal)
        with trio.fail_after(60):
            while True:
                found = signal.statistics()
                if found and until(found[0]):
                    break
                await trio.sleep(0.02)
        nursery.cancel_scope.cancel()
    return found[0]


async def test_trial_T16_a_websocket_that_refuses_each_handshake_is_counted_with_its_status():
    async with trio.open_nursery() as nursery:
        server = await nursery.start(serve_websocket, lambda request: request.reject(403), "127.0.0.1", 0, None)
        url = f"ws://127.0.0.1:{server.port}/key"
        one = await statistics_after(lambda signal: signal.follow((url,), Random(1)), lambda found: found.strikes >= 2)
        nursery.cancel_scope.cancel()
    assert dict(one.errors)["status"] >= 2 and one.answers == 0 and one.last_failure == "HTTP status 403"
    assert (one.api, one.name) == ("ws", url.removesuffix("/key")), "no path, where keys stand"


async def test_trial_T16_a_websocket_that_always_closes_is_counted_and_a_good_one_is_not():
    async def closes(connection):
        await connection.aclose(1013, "later")

    async def good(connection):
        while True:
            await connection.send_message(HEAD)
            await trio.sleep(0.02)

    async with websocket_server(closes) as url:
        one = await statistics_after(lambda signal: signal.follow((url,), Random(1)), lambda found: found.strikes >= 2)
    assert dict(one.errors)["connection"] >= 2 and "1013" in one.last_failure
    async with websocket_server(good) as url:
        one = await statistics_after(lambda signal: signal.follow((url,), Random(1)), lambda found: found.answers >= 3)
    assert one.strikes == 0 and one.failures == 0 and one.requests == 1
    nobody = await statistics_after(
        lambda signal: signal.follow(("ws://127.0.0.1:1",), Random(1)), lambda found: found.strikes >= 2
    )
    assert dict(nobody.errors)["connection"] >= 2


@pytest.mark.parametrize("answer", REFUSALS, ids=["a body without end", "no length", "the old protocol"])
async def test_trial_T16_a_refusal_whose_body_never_ends_is_a_refusal_and_no_silence(answer, monkeypatch):
    """The connection stays open, as a proxy's may."""
    monkeypatch.setattr(subscription, "CONNECT_TIMEOUT_S", 0.5)

    async def refuse(stream):
        async with stream:
            with suppress(trio.BrokenResourceError):
                await stream.receive_some(65536)
                await stream.send_all(answer)
                await trio.sleep(5)

    async with trio.open_nursery() as nursery:
        (listener,) = await nursery.start(partial(trio.serve_tcp, refuse, 0, host="127.0.0.1"))
        url = f"ws://127.0.0.1:{listener.socket.getsockname()[1]}"
        one = await statistics_after(lambda signal: signal.follow((url,), Random(1)), lambda found: found.strikes >= 2)
        nursery.cancel_scope.cancel()
    assert dict(one.errors) == {"status": one.failures} and one.last_failure == "HTTP status 403"


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 1"], ids=["nothing", "a piece"])
async def test_trial_T16_an_endpoint_that_closes_at_once_is_not_called_silent(answer):
    async def close(stream):
        async with stream:
            with suppress(trio.BrokenResourceError):
                await stream.receive_some(65536)
                await stream.send_all(answer)

    async with trio.open_nursery() as nursery:
        (listener,) = await nursery.start(partial(trio.serve_tcp, close, 0, host="127.0.0.1"))
        url = f"ws://127.0.0.1:{listener.socket.getsockname()[1]}"
        one = await statistics_after(lambda signal: signal.follow((url,), Random(1)), lambda found: found.strikes >= 2)
        nursery.cancel_scope.cancel()
    assert dict(one.errors) == {"connection": one.failures}
    assert one.last_failure == "closed the connection before the handshake"
