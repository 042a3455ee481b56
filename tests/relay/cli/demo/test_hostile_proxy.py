"""The hostile proxy before a running dev chain, asked by the real adapter: no lie becomes a fact, honest answers pass."""

import json
from collections import Counter
from contextlib import asynccontextmanager
from random import Random

import httpx
import pytest
import trio
from trio_websocket import ConnectionClosed, HandshakeError, wrap_client_stream

from hutong.adapters.evm import EvmSettings, open_evm_chain
from hutong.adapters.ics26.chain import RouterSettings
from hutong.adapters.interface import AdapterError
from hutong.adapters.rpc import RpcOptions
from hutong.light_clients.interface import Height
from hutong.relay.devnet import Pace, running_devnet
from hutong.relay.local.faults import HEAD_FAULTS, FaultKind
from hutong.relay.local.proxy import hostile_proxy
from tests.relay.devnet.devnet_tools import CHAIN_ID, KEY, VALIDATOR_KEYS, VALUE, commitment_deployment, genesis

QUICK = RpcOptions(attempt_timeout_s=5, rounds=2, backoff_first_s=0.01, backoff_most_s=0.02, quarantine_s=0.05)
PATIENT = RpcOptions(attempt_timeout_s=5, rounds=12, backoff_first_s=0.01, backoff_most_s=0.02, quarantine_s=0.05)


@asynccontextmanager
async def chain_behind_proxy(**faults):
    """A dev chain whose one contract holds VALUE where a router keeps KEY, seen through a proxy."""
    async with running_devnet(genesis(), Pace(60_000, 60_000), private_keys=VALIDATOR_KEYS) as devnet:
        deployment = await devnet.chain.submit_transaction(commitment_deployment(0))
        for _ in range(3):
            await devnet.chain.add_block()
        receipt = await ask(devnet.url, "eth_getTransactionReceipt", "0x" + deployment.hex())
        async with hostile_proxy(devnet.url, seed=1, upstream_ws=devnet.websocket_url, **faults) as proxy:
            yield devnet, proxy, receipt["result"]["contractAddress"]


@asynccontextmanager
async def adapter_at(url: str, router: str, options: RpcOptions = QUICK):
    settings = EvmSettings(CHAIN_ID, (url,), RouterSettings("alpha", router), options=options)
    async with open_evm_chain(settings, Random(1)) as chain:
        yield chain


async def ask(url: str, method: str, *params) -> dict:
    async with httpx.AsyncClient(trust_env=False) as client:
        body = {"jsonrpc": "2.0", "id": 7, "method": method, "params": list(params)}
        return (await client.post(url, json=body)).json()


async def facts(url: str, router: str, options: RpcOptions = QUICK) -> tuple:
    """All that this adapter reads of the chain; proofs are checked on the way."""
    async with adapter_at(url, router, options) as chain:
        head = await chain.head()
        proof = await chain.prove((KEY,), Height(0, head.height))
        times = tuple([await chain.block_time_ns(height) for height in range(head.height + 1)])
        return head, proof.value, times, await chain.packet_events(1, head.height)


async def test_proxy_without_faults_is_the_node():
    async with chain_behind_proxy(one_in=0) as (devnet, proxy, router):
        honest = await facts(devnet.url, router)
        assert honest[1] == VALUE
        assert await facts(proxy.url, router) == honest
        assert proxy.answers > 5
        assert proxy.faults == 0


@pytest.mark.long
@pytest.mark.parametrize("kind", [kind for kind in FaultKind if kind not in (*HEAD_FAULTS, FaultKind.FORGED_EVENT)])
async def test_attack_G1_hostile_endpoint_with_one_kind_of_fault(kind):
    """Every third answer is spoilt: what the adapter takes for a fact is still what the honest node says."""
    async with chain_behind_proxy(one_in=3, kinds={kind}, delay_most_s=0.05) as (devnet, proxy, router):
        good = 0
        for _ in range(6):
            honest = await facts(devnet.url, router)
            try:
                read = await facts(proxy.url, router, PATIENT)
            except AdapterError as error:
                assert str(error)
                continue
            good += 1
            assert read[1] == honest[1] == VALUE
            assert read[0].height <= honest[0].height
            assert read[2] == honest[2][: len(read[2])]
            assert read[3] == honest[3] == ()
            await devnet.chain.add_block()
        assert good
        assert proxy.faults == proxy.counts[kind] > 0


async def test_attack_G1_only_lies_are_refused_and_the_honest_endpoint_beside_it_serves():
    async with chain_behind_proxy(one_in=1, kinds={FaultKind.FLIPPED_HEADER}) as (devnet, proxy, router):
        honest = await facts(devnet.url, router)
        with pytest.raises(AdapterError):
            await facts(proxy.url, router)
        settings = EvmSettings(CHAIN_ID, (proxy.url, devnet.url), RouterSettings("alpha", router), options=QUICK)
        async with open_evm_chain(settings, Random(1)) as chain:
            assert await chain.head() == honest[0]
        assert proxy.faults > 0


@pytest.mark.long
async def test_faults_come_at_the_stated_rate_and_from_the_seed():
    async def served(seed: int, one_in: int) -> Counter:
        async with (
            running_devnet(genesis(), Pace(60_000, 60_000)) as devnet,
            hostile_proxy(devnet.url, seed=seed, one_in=one_in, kinds={FaultKind.ERROR, FaultKind.TRUNCATED}) as proxy,
            httpx.AsyncClient(trust_env=False) as client,
        ):
            for number in range(200):
                body = {"jsonrpc": "2.0", "id": number, "method": "eth_blockNumber", "params": []}
                await client.post(proxy.url, json=body)
            assert proxy.answers == 200
            return proxy.counts

    first = await served(7, 4)
    assert 30 < first.total() < 70
    assert set(first) == {FaultKind.ERROR, FaultKind.TRUNCATED}
    assert await served(7, 4) == first
    assert await served(8, 4) != first


@asynccontextmanager
async def websocket(url: str):
    """Closes its socket whatever the other side did."""
    host = url.removeprefix("ws://")
    stream = await trio.open_tcp_stream("127.0.0.1", int(host.partition(":")[2]))
    try:
        async with trio.open_nursery() as nursery:
            yield await wrap_client_stream(nursery, stream, host, "/")
            nursery.cancel_scope.cancel()
    finally:
        with trio.CancelScope(shield=True):
            await trio.aclose_forcefully(stream)


async def announced(socket, devnet, seconds: float = 1.0) -> list[dict]:
    """Head announcements after one block, until none has come for a while or the socket closed."""
    await devnet.chain.add_block()
    heads = []
    with trio.move_on_after(seconds):
        try:
            while not heads:
                message = json.loads(await socket.get_message())
                if message.get("method") == "eth_subscription":
                    heads.append(message["params"]["result"])
        except ConnectionClosed:
            return [{"closed": True}]
    return heads


@pytest.mark.parametrize(
    ("kind", "heard"),
    [
        (None, lambda heads, block: heads[0]["hash"] == block["hash"]),
        (FaultKind.HEAD_DROPPED, lambda heads, _: heads == []),
        (FaultKind.HEAD_FORGED, lambda heads, block: heads[0]["hash"] != block["hash"]),
        (FaultKind.HEADS_CLOSED, lambda heads, _: heads == [{"closed": True}]),
    ],
)
async def test_attack_G1_head_announcements_are_dropped_forged_and_cut_off(kind, heard):
    kinds = () if kind is None else (kind,)
    async with (
        chain_behind_proxy(one_in=1, kinds=kinds) as (devnet, proxy, _),
        websocket(proxy.ws_url) as socket,
    ):
        await socket.send_message(
            json.dumps({"jsonrpc": "2.0", "id": 1, "method": "eth_subscribe", "params": ["newHeads"]})
        )
        assert json.loads(await socket.get_message())["id"] == 1
        heads = await announced(socket, devnet, 0.3 if kind is FaultKind.HEAD_DROPPED else 10)
        block = (await ask(devnet.url, "eth_getBlockByNumber", "latest", False))["result"]
        assert heard(heads, block)
        assert proxy.counts == ({} if kind is None else {kind: 1})


async def test_attack_G1_forged_and_missing_announcements_do_not_move_the_head():
    """Waiting ends by polling, and at a block that is there."""
    async with chain_behind_proxy(one_in=2, kinds=HEAD_FAULTS) as (devnet, proxy, router):
        settings = EvmSettings(
            CHAIN_ID,
            (devnet.url,),
            RouterSettings("alpha", router, poll_interval_s=0.05),
            (proxy.ws_url,),
            options=QUICK,
        )
        async with open_evm_chain(settings, Random(1)) as chain:
            for _ in range(6):
                block = await devnet.chain.add_block()
                with trio.fail_after(20):
                    head = await chain.wait_for_height(block.number)
                assert (head.height, head.hash) == (block.number, block.hash)


async def test_node_that_is_away_is_a_bad_gateway():
    async with hostile_proxy("http://127.0.0.1:9", seed=1, one_in=0) as proxy:
        async with httpx.AsyncClient(trust_env=False) as client:
            assert (await client.post(proxy.url, content=b"{}")).status_code == 502
            assert (await client.get(proxy.url)).status_code == 405
        with pytest.RaisesGroup(HandshakeError, flatten_subgroups=True):
            async with websocket(proxy.ws_url):
                pass
