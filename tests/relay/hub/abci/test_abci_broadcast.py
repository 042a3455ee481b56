"""`eth_sendRawTransaction` into CometBFT's pool: what its RPC may answer, and what the sender then hears.

tests/nodes has the real CometBFT; here a small HTTP server says what that one says only in trouble.
"""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio

from hutong.relay.evm.chain.mempool import SenderAccount
from hutong.relay.evm.errors import InvalidReason, InvalidTransaction
from hutong.relay.evm.rpc.json_rpc import JsonRpcService
from hutong.relay.evm.store.database import MemoryStore
from hutong.relay.evm.vm.transaction import decode_cached
from hutong.relay.hub.abci.broadcast import MAX_ANSWER_BYTES, CometBftPool
from hutong.relay.hub.abci.machine import HubMachine
from hutong.relay.hub.rpc.chain import HubChain
from tests.relay.hub.hub_process import transfer
from tests.relay.hub.simulated_hub import EVM_CHAIN_ID, hub_genesis

GENESIS = hub_genesis()


def raw(nonce: int) -> bytes:
    return bytes.fromhex(transfer(nonce, EVM_CHAIN_ID)[2:])


@asynccontextmanager
async def answering(body: bytes, asked: list[dict] | None = None) -> AsyncIterator[str]:
    """A URL where every POST gets `body`."""

    async def serve(stream: trio.SocketStream) -> None:
        received = b""
        while b"\r\n\r\n" not in received or not received.endswith(b"}"):
            data = await stream.receive_some(65_536)
            if not data:
                return
            received += data
        if asked is not None:
            asked.append(json.loads(received.split(b"\r\n\r\n", 1)[1]))
        head = f"HTTP/1.1 200 OK\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n".encode()
        try:
            await stream.send_all(head + body)
        except trio.BrokenResourceError:
            return
        await stream.aclose()

    async with trio.open_nursery() as nursery:
        (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
        nursery.start_soon(trio.serve_listeners, serve, [listener])
        yield f"http://127.0.0.1:{listener.socket.getsockname()[1]}"
        nursery.cancel_scope.cancel()


async def refusal(url: str, nonce: int = 0, account_nonce: int = 0) -> InvalidTransaction | None:
    machine = HubMachine(MemoryStore(), GENESIS)
    with CometBftPool(url, machine.pool) as pool:
        try:
            await pool.pass_on(decode_cached(raw(nonce), EVM_CHAIN_ID), SenderAccount(account_nonce, 0))
        except InvalidTransaction as error:
            return error
    return None


def failed(data: str) -> bytes:
    return json.dumps(
        {"jsonrpc": "2.0", "id": 1, "error": {"code": -32603, "message": "Internal error", "data": data}}
    ).encode()


def result(**fields) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": 1, "result": fields}).encode()


async def test_what_cometbft_takes_is_taken():
    asked: list[dict] = []
    async with answering(result(code=0, log=""), asked) as url:
        assert await refusal(url) is None
    (call,) = asked
    assert call["method"] == "broadcast_tx_sync"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (failed("tx already exists in cache"), InvalidReason.ALREADY_KNOWN),
        (failed("mempool is full: number of txs 20000 (max: 20000)"), InvalidReason.POOL_FULL),
        (failed("the application is gone"), InvalidReason.NOT_PASSED_ON),
        (result(code=1, log="another refusal"), InvalidReason.NOT_PASSED_ON),
        (result(log="no code"), InvalidReason.NOT_PASSED_ON),
        (b"[]", InvalidReason.NOT_PASSED_ON),
        (b"{", InvalidReason.NOT_PASSED_ON),
        (b"[" * 50_000, InvalidReason.NOT_PASSED_ON),
        (b" " * (MAX_ANSWER_BYTES + 1) + result(code=0), InvalidReason.NOT_PASSED_ON),
        (b"", InvalidReason.NOT_PASSED_ON),
    ],
)
async def test_every_other_answer_is_a_typed_refusal(body, reason):
    async with answering(body) as url:
        assert (await refusal(url)).reason is reason


async def test_a_nonce_that_is_used_is_refused_before_cometbft_is_asked():
    error = await refusal("http://127.0.0.1:1", nonce=0, account_nonce=2)
    assert (error.reason, error.got, error.expected) == (InvalidReason.NONCE_TOO_LOW, 0, 2)


async def test_a_cometbft_that_is_away_is_no_refusal_of_the_transaction():
    """Code -32603 sends the caller to another node; a refused transaction has -32000."""
    machine = HubMachine(MemoryStore(), GENESIS)
    with CometBftPool("http://127.0.0.1:1", machine.pool) as pool:
        service = JsonRpcService(HubChain(machine.application, machine.pool.mempool, pool.pass_on))

        async def send(data: bytes) -> dict:
            call = {"jsonrpc": "2.0", "id": 1, "method": "eth_sendRawTransaction", "params": ["0x" + data.hex()]}
            return json.loads(await service.answer(json.dumps(call).encode()))["error"]

        away, junk = await send(raw(0)), await send(b"\x09")
    assert away["code"] == -32603
    assert "CometBFT's RPC does not answer" in away["message"]
    assert junk["code"] == -32000


async def test_a_refusal_by_check_tx_comes_back_as_the_error_it_was():
    machine = HubMachine(MemoryStore(), GENESIS)
    bad = decode_cached(raw(5_000), EVM_CHAIN_ID)
    async with answering(result(code=2, log="…")) as url:
        with CometBftPool(url, machine.pool) as pool:
            machine.pool.expect(bad.hash)
            assert machine.pool.check(bad.raw).code == 2
            assert machine.pool.refusal(bad.hash).reason is InvalidReason.NONCE_TOO_HIGH
            with pytest.raises(InvalidTransaction) as caught:
                await pool.pass_on(bad, SenderAccount(0, 0))
    assert caught.value.reason is InvalidReason.NOT_PASSED_ON  # nothing was checked while it was on its way
