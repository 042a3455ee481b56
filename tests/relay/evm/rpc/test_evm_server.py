"""The ASGI application without sockets: what a connection may do, and where it ends."""

import json

import pytest
import trio
import trio.testing

from hutong.relay.evm.rpc.json_rpc import MAX_BODY_BYTES, JsonRpcService
from hutong.relay.evm.rpc.server import MAX_BODY_S, JsonRpcApp
from hutong.relay.evm.rpc.subscriptions import MAX_LAG_BLOCKS, MAX_SUBSCRIPTIONS
from tests.relay.evm.evm_simulator import InstantChain, funded
from tests.relay.evm.evm_transactions import FUNDED, raw_transaction


@pytest.fixture
def chain():
    return InstantChain(funded(FUNDED))


class Peer:
    """The other end of one ASGI connection."""

    def __init__(self, app, scope):
        self.to_app, self._app_reads = trio.open_memory_channel(1000)
        self._app_writes, self.from_app = trio.open_memory_channel(1000)
        self._app, self._scope = app, {"path": "/", "headers": [], **scope}

    async def run(self):
        await self._app(self._scope, self._app_reads.receive, self._app_writes.send)
        await self._app_writes.aclose()

    async def ask(self, method, *params):
        await self.to_app.send(
            {"type": "websocket.receive", "text": json.dumps({"id": 1, "method": method, "params": params})}
        )
        return json.loads((await self.from_app.receive())["text"])


def websocket(test):
    async def run(chain):
        async with trio.open_nursery() as nursery:
            peer = Peer(JsonRpcApp(JsonRpcService(chain)), {"type": "websocket"})
            nursery.start_soon(peer.run)
            await peer.to_app.send({"type": "websocket.connect"})
            assert (await peer.from_app.receive())["type"] == "websocket.accept"
            await test(chain, peer)
            nursery.cancel_scope.cancel()

    return run


@pytest.mark.trio
@pytest.mark.parametrize(("message", "close"), [
    ({"bytes": b"binary"}, (1003, "text messages only")),
    ({"text": "é" * (MAX_BODY_BYTES // 2 + 1)}, (1009, f"a message has at most {MAX_BODY_BYTES} bytes")),
])  # fmt: skip
async def test_messages_that_close_the_connection(chain, message, close):
    @websocket
    async def run(chain, peer):
        await peer.to_app.send({"type": "websocket.receive", **message})
        assert await peer.from_app.receive() == {"type": "websocket.close", "code": close[0], "reason": close[1]}
        assert [message async for message in peer.from_app] == []

    await run(chain)


@pytest.mark.trio
async def test_subscriptions_are_bounded(chain):
    @websocket
    async def run(chain, peer):
        for _ in range(MAX_SUBSCRIPTIONS):
            assert "result" in await peer.ask("eth_subscribe", "newHeads")
        refused = await peer.ask("eth_subscribe", "newHeads")
        assert refused["error"]["message"] == f"more than {MAX_SUBSCRIPTIONS} subscriptions on one connection"
        assert (await peer.ask("eth_chainId"))["result"] == "0x539"

    await run(chain)


@pytest.mark.trio
async def test_a_consumer_that_fell_too_far_behind_is_disconnected(chain):
    @websocket
    async def run(chain, peer):
        assert "result" in await peer.ask("eth_subscribe", "newHeads")
        await trio.testing.wait_all_tasks_blocked()
        chain.heads.publish(MAX_LAG_BLOCKS + 1)
        reason = f"too slow: {MAX_LAG_BLOCKS + 1} blocks behind, at most {MAX_LAG_BLOCKS}"
        assert await peer.from_app.receive() == {"type": "websocket.close", "code": 1013, "reason": reason}

    await run(chain)


@pytest.mark.trio
async def test_every_block_is_notified_in_order_though_heads_jump(chain):
    @websocket
    async def run(chain, peer):
        assert "result" in await peer.ask("eth_subscribe", "newHeads")
        await trio.testing.wait_all_tasks_blocked()
        chain.hold = True
        for nonce in range(3):
            await chain.submit_transaction(raw_transaction(nonce=nonce, to=b"\x01" * 20))
            chain.seal()
        chain.heads.publish(3)
        numbers = [json.loads((await peer.from_app.receive())["text"])["params"]["result"]["number"] for _ in range(3)]
        assert numbers == ["0x1", "0x2", "0x3"]

    await run(chain)


@pytest.mark.trio
async def test_the_connection_ends_when_the_peer_leaves(chain):
    @websocket
    async def run(chain, peer):
        await peer.to_app.send({"type": "websocket.disconnect"})
        assert [message async for message in peer.from_app] == []

    await run(chain)


@pytest.mark.trio
async def test_a_body_that_never_ends_is_given_up(chain, autojump_clock):
    app = JsonRpcApp(JsonRpcService(chain))
    peer = Peer(app, {"type": "http", "method": "POST", "headers": [(b"content-length", b"10")]})
    await peer.to_app.send({"type": "http.request", "body": b"{", "more_body": True})
    await peer.run()
    assert trio.current_time() >= MAX_BODY_S
    assert (await peer.from_app.receive())["status"] == 408


@pytest.mark.trio
async def test_body_larger_than_stated_is_refused(chain):
    peer = Peer(JsonRpcApp(JsonRpcService(chain)), {"type": "http", "method": "POST"})
    for _ in range(3):
        await peer.to_app.send({"type": "http.request", "body": b" " * (MAX_BODY_BYTES // 2), "more_body": True})
    await peer.run()
    assert (await peer.from_app.receive())["status"] == 413


@pytest.mark.trio
async def test_listed_origin_is_answered_with_its_headers(chain):
    app = JsonRpcApp(JsonRpcService(chain), allowed_origins=frozenset({"https://wallet.example"}))
    for origin, status in ((b"https://wallet.example", 200), (b"https://evil.example", 403)):
        peer = Peer(app, {"type": "http", "method": "POST", "headers": [(b"origin", origin)]})
        await peer.to_app.send({"type": "http.request", "body": b'{"id":1,"method":"eth_chainId"}'})
        await peer.run()
        start = await peer.from_app.receive()
        assert start["status"] == status
        assert ((b"access-control-allow-origin", origin) in start["headers"]) == (status == 200)
