"""The TCP side of a node's ports: no bytes and no number of connections from outside end the process."""

import pytest
import trio
import trio.testing

from hutong.relay.evm import listener
from hutong.relay.evm.rpc.server import serve

UPGRADE = (
    b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n"
)
PING_THEN_BROKEN_FRAME = b"\x89\x80" + bytes(4) + b"\xc1\x80" + bytes(4)
"""hypercorn answers the ping after wsproto has given the connection up: LocalProtocolError."""
H2C_UPGRADE = (
    b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n"
    b"Connection: Upgrade, HTTP2-Settings\r\n\r\n"
)
REQUEST = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


async def app(scope, receive, send):
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        while (await receive())["type"] != "websocket.disconnect":
            pass
        return
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


@pytest.fixture
async def port(nursery):
    yield await nursery.start(serve, app, "127.0.0.1", 0)
    nursery.cancel_scope.cancel()


async def answer(port: int, data: bytes = REQUEST) -> bytes:
    with trio.fail_after(60):
        async with await trio.open_tcp_stream("127.0.0.1", port) as stream:
            await stream.send_all(data)
            return await stream.receive_some(4096)


async def ended(stream: trio.SocketStream) -> bool:
    try:
        while await stream.receive_some(4096):
            pass
    except trio.BrokenResourceError:
        pass
    return True


async def test_attack_G15_hub_bytes_that_break_the_protocol_code_end_their_connection_only(port):
    assert b"101" in await answer(port, UPGRADE)
    async with await trio.open_tcp_stream("127.0.0.1", port) as other:
        async with await trio.open_tcp_stream("127.0.0.1", port) as stream:
            with trio.fail_after(60):
                await stream.send_all(UPGRADE + PING_THEN_BROKEN_FRAME)
                assert await ended(stream)
        await other.send_all(REQUEST)
        assert (await other.receive_some(4096)).startswith(b"HTTP/1.1 200")
    assert (await answer(port)).startswith(b"HTTP/1.1 200")


async def test_attack_G15_hub_connections_above_the_bound_are_closed_and_room_comes_back(port, monkeypatch):
    monkeypatch.setattr(listener, "MAX_OPEN_CONNECTIONS", 8)
    held = [await trio.open_tcp_stream("127.0.0.1", port) for _ in range(8)]
    with trio.fail_after(60):
        for stream in held:
            await stream.send_all(REQUEST)
            assert await stream.receive_some(4096)
        async with await trio.open_tcp_stream("127.0.0.1", port) as ninth:
            assert await ended(ninth)
        for stream in held:
            await stream.aclose()
        while True:
            try:
                if await answer(port):
                    break
            except trio.BrokenResourceError:
                pass
            await trio.sleep(0.01)


@pytest.mark.parametrize("left_behind", [b"", b"POST / HT", UPGRADE[:80], H2C_UPGRADE])
async def test_attack_G15_hub_sockets_of_peers_that_left_are_closed(port, monkeypatch, left_behind):
    """hypercorn alone kept them for the keep-alive time, or for ever."""
    monkeypatch.setattr(listener, "PEER_LEFT_S", 0.1)
    monkeypatch.setattr(listener, "MAX_OPEN_CONNECTIONS", 4)
    for _ in range(4):
        async with await trio.open_tcp_stream("127.0.0.1", port) as stream:
            await stream.send_all(left_behind or b"\r")
    with trio.fail_after(60):
        while True:
            try:
                if await answer(port):
                    break
            except trio.BrokenResourceError:
                pass
            await trio.sleep(0.02)


async def test_attack_G15_no_websocket_inflates_what_it_is_sent(port):
    """A message's bound is judged after inflating: some kilobytes stopped the event loop for a third of a second."""
    said = await answer(port, UPGRADE)
    assert said.startswith(b"HTTP/1.1 101") and b"extensions" not in said.lower()
    async with await trio.open_tcp_stream("127.0.0.1", port) as stream:
        with trio.fail_after(60):
            await stream.send_all(UPGRADE)
            assert b"101" in await stream.receive_some(4096)
            await stream.send_all(b"\xc1\x80" + bytes(4))  # compressed
            assert await ended(stream)
    assert (await answer(port)).startswith(b"HTTP/1.1 200")


async def test_http_2_is_not_served_in_the_clear(port):
    preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])
    assert (await answer(port, preface)).startswith(b"HTTP/1.1 505")
    upgraded = await answer(port, H2C_UPGRADE)
    assert upgraded.startswith(b"HTTP/1.1 200"), "an upgrade that is not taken is an ordinary request"
    assert (await answer(port)).startswith(b"HTTP/1.1 200")


async def test_a_peer_that_never_reads_does_not_keep_a_stopping_node(nursery):
    async def flood(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        while True:
            await send({"type": "http.response.body", "body": bytes(1 << 20), "more_body": True})

    with trio.fail_after(60):
        async with trio.open_nursery() as serving:
            port = await serving.start(serve, flood, "127.0.0.1", 0)
            async with await trio.open_tcp_stream("127.0.0.1", port) as stream:
                await stream.send_all(REQUEST)
                await stream.receive_some(1)
                await trio.testing.wait_all_tasks_blocked(0.1)
                serving.cancel_scope.cancel()


async def test_an_answer_leaves_in_one_packet(port):
    async with await trio.open_tcp_stream("127.0.0.1", port) as stream:
        for _ in range(3):
            with trio.fail_after(60):
                await stream.send_all(REQUEST)
                received = await stream.receive_some(4096)
            assert received.startswith(b"HTTP/1.1 200") and received.endswith(b"\r\n\r\nok")


async def test_a_connection_is_closed_when_it_was_idle_and_not_while_a_request_is_answered(nursery):
    released, under_way = trio.Event(), trio.Event()

    async def slow(scope, receive, send):
        if scope["path"] == "/slow":
            under_way.set()
            await released.wait()
        await app(scope, receive, send)

    config = listener.listen_config("127.0.0.1", 0)
    config.keep_alive_timeout = 0.3
    port = await nursery.start(listener.listen, slow, config)
    with trio.fail_after(60):
        async with await trio.open_tcp_stream("127.0.0.1", port) as busy:
            await busy.send_all(REQUEST)
            assert await busy.receive_some(4096)
            await busy.send_all(REQUEST.replace(b"/ ", b"/slow "))
            await under_way.wait()
            for first in (b"", REQUEST):
                async with await trio.open_tcp_stream("127.0.0.1", port) as idle:
                    if first:
                        await idle.send_all(first)
                        assert await idle.receive_some(4096)
                    assert await ended(idle), "the time is over for one that came later"
            released.set()
            assert (await busy.receive_some(4096)).endswith(b"ok")
            assert await ended(busy), "and then for the busy one, from its answer on"
    nursery.cancel_scope.cancel()
