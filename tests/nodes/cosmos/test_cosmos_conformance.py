"""The cosmos adapter passes the suite against a stock simd joined to a hub, as source and as destination."""

from dataclasses import replace

import httpx
import pytest
import trio

from hutong.adapters.interface import EndpointUnavailable, HeightUnavailable
from hutong.relay.keys import Signer
from tests.adapters.conformance.lane import QUICK
from tests.adapters.conformance.suite import CHECKS, acknowledge, check_poor_sender, receive, send_one
from tests.nodes import provision
from tests.nodes.cosmos.followed_simd import open_simd
from tests.nodes.cosmos.joined_simd import BLOCK_TIME_S, RELAYER_SECRET, joined_chains
from tests.nodes.cosmos.simd_chain import SimdChain, running_simd
from tests.nodes.cosmos.simd_node import edit_toml

pytestmark = pytest.mark.nodes

POOR = Signer.in_memory(bytes(31) + b"\x99")


CHAINS = {
    "indexed": (True, provision.simd),
    "unindexed": (False, provision.simd),
    "ibc-go-v11": (True, provision.simd11),
}


@pytest.fixture(scope="module", params=CHAINS.values(), ids=CHAINS)
def simd(tmp_path_factory, request):
    home, accounts = tmp_path_factory.mktemp("simd"), {"relayer": RELAYER_SECRET}
    index, program = request.param
    with running_simd(home, accounts, block_time_s=BLOCK_TIME_S, tx_index=index, program=program()) as chain:
        yield chain


async def check_all(link):
    for check in CHECKS:
        try:
            await check(link)
        except BaseException as error:
            error.add_note(f"in {check.__name__}")
            raise


async def test_conformance_as_source(tmp_path, simd):
    async with joined_chains(tmp_path, simd) as (from_simd, _):
        await check_all(from_simd)


async def test_conformance_as_destination(tmp_path, simd):
    async with joined_chains(tmp_path, simd) as (from_simd, from_hub):
        sent = await send_one(from_simd)
        await receive(from_simd, sent)
        written = await from_simd.b.adapter.written_acknowledgement(from_simd.b.client, sent.packet.sequence)
        await acknowledge(from_simd, written)
        await check_all(from_hub)
        await check_poor_sender(from_hub, POOR)


async def test_blocks_are_announced(simd):
    """Nothing is polled within the test's time: what wakes is the node's word."""
    async with open_simd(simd, poll_interval_s=3_600) as chain:
        head = await chain.head()
        with trio.fail_after(600):
            assert (await chain.wait_for_height(head.height + 2)).height >= head.height + 2


async def test_a_block_that_an_answer_cannot_hold_is_read_through_the_index(tmp_path, simd):
    async with joined_chains(tmp_path, simd) as (from_simd, _):
        sent = await send_one(from_simd, b"large")
        body = {"jsonrpc": "2.0", "id": 1, "method": "block_results", "params": {"height": str(sent.height)}}
        async with httpx.AsyncClient() as http:
            size = len((await http.post(simd.rpc, json=body)).content)
        async with open_simd(simd, options=replace(QUICK, max_answer_bytes=size - 1)) as chain:
            await chain.wait_for_height(sent.height + 1)
            if simd.tx_index:
                (found,) = await chain.packet_events(sent.height, sent.height)
                assert (found.packet, found.transaction_hash) == (sent.packet, sent.transaction_hash)
            else:
                with pytest.raises(EndpointUnavailable, match=f"more than {size - 1} bytes"):
                    await chain.packet_events(sent.height, sent.height)


@pytest.fixture
def pruned_simd(tmp_path):
    """Without an index, and with the state of the last ten blocks."""
    chain = SimdChain(tmp_path, "simd-1", BLOCK_TIME_S, tx_index=False)
    chain.initialise({"relayer": RELAYER_SECRET}, power=100, unbonding_s=21 * 86_400)
    pruning = {"pruning": "custom", "pruning-keep-recent": "10", "pruning-interval": "10"}
    edit_toml(chain.node.home / "config" / "app.toml", pruning)
    try:
        chain.start()
        yield chain
    finally:
        chain.kill()


async def test_attack_G10_a_node_that_prunes_says_what_it_keeps_no_more(tmp_path, pruned_simd):
    async with joined_chains(tmp_path / "hub", pruned_simd) as (from_simd, _):
        chain, client = from_simd.a.adapter, from_simd.a.client
        sent = await send_one(from_simd, b"early")
        assert await chain.sent_packet(client, sent.packet.sequence) == sent
        with trio.fail_after(600):
            await chain.wait_for_height(sent.height + 25)
        with pytest.raises(HeightUnavailable, match="version does not exist"):
            await chain.commitment(client, sent.packet.sequence, sent.height)
        assert await chain.commitment(client, sent.packet.sequence) is not None
        with pytest.raises(HeightUnavailable, match="was in an earlier block, and the node keeps no state before"):
            await chain.sent_packet(client, sent.packet.sequence)
        # the blocks' results are kept, so that a watcher that comes late still sees it
        assert sent in await chain.packet_events(sent.height, sent.height)
        late = await send_one(from_simd, b"late")
        assert await chain.sent_packet(client, late.packet.sequence) == late
