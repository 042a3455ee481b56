"""Pending transactions to subscribers and filters, and how one that does not keep up is dropped."""

import json
import socket

import pytest
import trio
import trio.testing
from trio_websocket import ConnectionClosed, open_websocket_url, wrap_client_stream

from hutong.relay.evm.chain.mempool import REMEMBERED_ARRIVALS
from hutong.relay.evm.chain.pending_news import PendingNews
from hutong.relay.evm.rpc import filters, server, subscriptions
from hutong.relay.evm.rpc.json_rpc import JsonRpcService
from hutong.relay.evm.rpc.server import MAX_NOTIFY_S, OUTGOING_MESSAGES, JsonRpcApp, serve
from tests.relay.evm.evm_simulator import InstantChain, funded
from tests.relay.evm.evm_transactions import FUNDED, OTHER_KEY, raw_transaction, signed

TO = b"\x01" * 20


@pytest.fixture
def chain():
    chain = InstantChain(funded(FUNDED))
    chain.hold = True
    return chain


class Peer:
    """The other end of a WebSocket without a socket. `room`: messages that it takes without reading."""

    def __init__(self, chain, room=1000):
        self._to_app, self._app_reads = trio.open_memory_channel(1000)
        self._app_writes, self.from_app = trio.open_memory_channel(room)
        self._app = JsonRpcApp(JsonRpcService(chain))

    async def run(self):
        scope = {"type": "websocket", "path": "/", "headers": []}
        await self._app(scope, self._app_reads.receive, self._app_writes.send)
        await self._app_writes.aclose()

    async def connect(self):
        await self._to_app.send({"type": "websocket.connect"})
        assert (await self.from_app.receive())["type"] == "websocket.accept"

    async def ask(self, method, *params):
        text = json.dumps({"id": 1, "method": method, "params": params})
        await self._to_app.send({"type": "websocket.receive", "text": text})
        return json.loads((await self.from_app.receive())["text"])

    async def told(self):
        message = json.loads((await self.from_app.receive())["text"])
        assert message["method"] == "eth_subscription"
        return message["params"]["result"]


@pytest.fixture
async def peer(chain, nursery):
    peer = Peer(chain)
    nursery.start_soon(peer.run)
    await peer.connect()
    return peer


def raw(nonce, **fields):
    return raw_transaction(nonce=nonce, to=TO, **fields)


@pytest.mark.trio
async def test_hashes_of_what_becomes_executable_arrive_in_order(chain, peer):
    assert "result" in await peer.ask("eth_subscribe", "newPendingTransactions")
    await chain.submit_transaction(raw(1))
    await trio.testing.wait_all_tasks_blocked()
    with pytest.raises(trio.WouldBlock):
        peer.from_app.receive_nowait()
    await chain.submit_transaction(raw(0))
    assert [await peer.told() for _ in range(2)] == [f"0x{signed(nonce=nonce, to=TO).hash.hex()}" for nonce in (0, 1)]


@pytest.mark.trio
async def test_whole_transactions_arrive_where_they_are_asked_for(chain, peer):
    assert "result" in await peer.ask("eth_subscribe", "newPendingTransactions", True)
    await chain.submit_transaction(raw(0, value=7))
    told = await peer.told()
    assert (told["value"], told["blockHash"], told["from"]) == ("0x7", None, f"0x{FUNDED.hex()}")


@pytest.mark.trio
async def test_after_unsubscribing_nothing_arrives_and_nobody_listens(chain, peer):
    identifier = (await peer.ask("eth_subscribe", "newPendingTransactions"))["result"]
    await trio.testing.wait_all_tasks_blocked()
    assert len(chain.mempool.listeners) == 1
    assert (await peer.ask("eth_unsubscribe", identifier))["result"] is True
    await trio.testing.wait_all_tasks_blocked()
    assert not chain.mempool.listeners
    refused = (await peer.ask("eth_unsubscribe", identifier))["error"]
    assert refused["message"] == "subscription not found"


@pytest.mark.trio
@pytest.mark.parametrize(
    "params", [["syncing"], [1], [], ["newPendingTransactions", 1], ["logs", []], ["newHeads", 1, 2]]
)
async def test_odd_subscriptions_are_refused(peer, params):
    assert (await peer.ask("eth_subscribe", *params))["error"]["code"] == -32602


@pytest.mark.trio
async def test_a_subscriber_that_reads_nothing_is_dropped_with_the_reason(chain, nursery, autojump_clock):
    peer = Peer(chain, room=1)
    nursery.start_soon(peer.run)
    await peer.connect()
    assert "result" in await peer.ask("eth_subscribe", "newPendingTransactions")
    transaction = signed(nonce=0, to=TO)
    for _ in range(OUTGOING_MESSAGES + 3):
        chain.mempool.add(transaction, 0)
        chain.mempool.drop(transaction.hash)
    began = trio.current_time()
    await trio.sleep(MAX_NOTIFY_S - 0.1)
    await trio.sleep(0.2)
    with trio.fail_after(1):
        got = [message async for message in peer.from_app]
    assert trio.current_time() - began < MAX_NOTIFY_S + 1
    assert [message["type"] for message in got[:-1]] == ["websocket.send"] * (len(got) - 1)
    assert got[-1] == {
        "type": "websocket.close",
        "code": 1013,
        "reason": f"too slow: {OUTGOING_MESSAGES} messages waited for {MAX_NOTIFY_S:.0f} s",
    }
    assert not chain.mempool.listeners


@pytest.mark.trio
async def test_a_subscriber_that_reads_slowly_but_reads_stays(chain, nursery, autojump_clock):
    peer = Peer(chain, room=1)
    nursery.start_soon(peer.run)
    await peer.connect()
    assert "result" in await peer.ask("eth_subscribe", "newPendingTransactions")
    transaction = signed(nonce=0, to=TO)
    for _ in range(2 * OUTGOING_MESSAGES):
        chain.mempool.add(transaction, 0)
        chain.mempool.drop(transaction.hash)
    for _ in range(2 * OUTGOING_MESSAGES):
        await trio.sleep(MAX_NOTIFY_S - 0.1)
        assert await peer.told() == f"0x{transaction.hash.hex()}"


@pytest.mark.trio
async def test_who_missed_more_than_is_remembered_is_dropped(chain, peer, monkeypatch):
    assert "result" in await peer.ask("eth_subscribe", "newPendingTransactions")
    await trio.testing.wait_all_tasks_blocked()
    transaction = signed(nonce=0, to=TO)
    for _ in range(REMEMBERED_ARRIVALS + 1):
        chain.mempool.add(transaction, 0)
        chain.mempool.drop(transaction.hash)
    reason = f"too slow: {REMEMBERED_ARRIVALS + 1} pending transactions behind, at most {REMEMBERED_ARRIVALS}"
    assert await peer.from_app.receive() == {"type": "websocket.close", "code": 1013, "reason": reason}


async def refuses_to_read(url):
    """A real connection with a small receive buffer, subscribed, that then reads nothing."""
    host, port = url.removeprefix("ws://").split(":")
    stream = trio.socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    stream.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    await stream.connect((host, int(port)))
    await stream.send(
        b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    assert b"101" in (await stream.recv(4_096)).split(b"\r\n")[0]
    text = json.dumps({"id": 1, "method": "eth_subscribe", "params": ["newPendingTransactions", True]}).encode()
    await stream.send(bytes([0x81, 0x80 | len(text)]) + bytes(4) + text)
    assert b"result" in await stream.recv(4_096)
    return stream


@pytest.mark.trio
async def test_attack_H_a_peer_that_reads_nothing_is_given_up_and_others_are_served(chain, nursery, monkeypatch):
    monkeypatch.setattr(server, "MAX_NOTIFY_S", 0.3)
    monkeypatch.setattr(server, "MAX_SEND_S", 0.5)
    app = JsonRpcApp(JsonRpcService(chain))
    port = await nursery.start(serve, app, "127.0.0.1", 0)
    url = f"ws://127.0.0.1:{port}"
    transaction = signed(nonce=0, to=TO, data=bytes(100_000), gas=5_000_000)
    with await refuses_to_read(url), trio.fail_after(60):
        while chain.mempool.listeners:
            chain.mempool.add(transaction, 0)
            await trio.sleep(0.005)
            chain.mempool.drop(transaction.hash)
        while app.connections:  # noqa: ASYNC110  it tells nobody
            await trio.sleep(0.01)
        async with open_websocket_url(url) as other:
            await other.send_message('{"id":1,"method":"eth_chainId"}')
            assert json.loads(await other.get_message())["result"] == "0x539"
    nursery.cancel_scope.cancel()


@pytest.mark.trio
async def test_the_reason_reaches_a_peer_that_was_too_far_behind(chain, nursery):
    port = await nursery.start(serve, JsonRpcApp(JsonRpcService(chain)), "127.0.0.1", 0)
    with trio.fail_after(60), pytest.raises(ConnectionClosed) as caught:
        # trio_websocket leaves the stream to the collector where the other side closed first.
        async with await trio.open_tcp_stream("127.0.0.1", port) as stream:
            peer = await wrap_client_stream(nursery, stream, "127.0.0.1", "/")
            await peer.send_message('{"id":1,"method":"eth_subscribe","params":["newHeads"]}')
            assert "result" in await peer.get_message()
            chain.heads.publish(subscriptions.MAX_LAG_BLOCKS + 1)
            await peer.get_message()
    assert caught.value.reason.code == 1013
    assert caught.value.reason.reason == "too slow: 1025 blocks behind, at most 1024"
    nursery.cancel_scope.cancel()


@pytest.mark.trio
async def test_news_from_another_thread_wake_the_waiter_and_none_is_lost(chain):
    with PendingNews(chain.mempool) as news:
        seen = 0
        for nonce in range(3):
            await trio.to_thread.run_sync(chain.mempool.add, signed(nonce=nonce, to=TO), 0)
            with trio.fail_after(60):
                while seen <= nonce:
                    await news.wait()
                    seen, _ = chain.mempool.announcements(0)
    assert seen == 3


# --- polled


@pytest.mark.trio
async def test_a_pending_filter_tells_each_once_and_says_when_it_lost_some(chain, peer):
    identifier = (await peer.ask("eth_newPendingTransactionFilter"))["result"]
    assert (await peer.ask("eth_getFilterChanges", identifier))["result"] == []
    first = await chain.submit_transaction(raw(0))
    other = await chain.submit_transaction(raw_transaction(OTHER_KEY, nonce=0, to=TO))
    told = (await peer.ask("eth_getFilterChanges", identifier))["result"]
    assert told == [f"0x{first.hex()}", f"0x{other.hex()}"]
    assert (await peer.ask("eth_getFilterChanges", identifier))["result"] == []
    assert (await peer.ask("eth_getFilterLogs", identifier))["error"]["message"] == "filter not found"
    transaction = signed(nonce=1, to=TO)
    for _ in range(REMEMBERED_ARRIVALS + 1):
        chain.mempool.add(transaction, 0)
        chain.mempool.drop(transaction.hash)
    lost = (await peer.ask("eth_getFilterChanges", identifier))["error"]
    assert lost["code"] == -32005 and "4097 transactions since the last poll, 4096 are remembered" in lost["message"]
    assert (await peer.ask("eth_getFilterChanges", identifier))["result"] == []


@pytest.mark.trio
async def test_filters_make_room_and_are_forgotten(chain, peer, monkeypatch):
    monkeypatch.setattr(filters, "MAX_FILTERS", 2)
    identifiers = [(await peer.ask("eth_newPendingTransactionFilter"))["result"] for _ in range(3)]
    answers = [await peer.ask("eth_getFilterChanges", identifier) for identifier in identifiers]
    assert ["result" in answer for answer in answers] == [False, True, True]
    assert (await peer.ask("eth_uninstallFilter", identifiers[1]))["result"] is True
    assert (await peer.ask("eth_uninstallFilter", identifiers[1]))["result"] is False
