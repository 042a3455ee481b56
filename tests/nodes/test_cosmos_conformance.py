"""The cosmos adapter passes the suite against a stock simd joined to a hub, as source and as destination."""

from contextlib import asynccontextmanager

import pytest
import trio
from lane import HUB_EVM_CHAIN_ID, PARAMETERS, RELAYER
from suite import CHECKS, End, Link, acknowledge, check_poor_sender, receive, send_one

from adapters.cosmos.administration import create_client, register_counterparty
from adapters.cosmos.fees import Coin
from adapters.cosmos.transfer import CosmosTransfer, send_transfer
from adapters.ics26.abi import Function
from adapters.ics26.transactor import Transactor
from relay.keys import Signer
from tests.nodes.followed_simd import CLIENT_TYPE, simd_and_hub
from tests.nodes.simd_chain import TOKEN_DENOM, running_simd

pytestmark = pytest.mark.nodes

TRANSFER_MODULE = bytes.fromhex("0000000000000000000000000000000000001003")
SEND_TRANSFER = Function("sendTransfer", ("string", "string", "uint256", "string", "uint64", "string"), ("uint64",))
SECRET = bytes(31) + b"\x71"
POOR = Signer(bytes(31) + b"\x99")
BLOCK_TIME_S = 0.5


@pytest.fixture(scope="module")
def simd(tmp_path_factory):
    with running_simd(tmp_path_factory.mktemp("simd"), {"relayer": SECRET}, block_time_s=BLOCK_TIME_S) as chain:
        yield chain


async def advance():
    await trio.sleep(BLOCK_TIME_S / 2)


@asynccontextmanager
async def joined(home, simd):
    """Both links of a simd and a hub that hold clients of each other."""
    async with simd_and_hub(home, simd) as both:
        cosmos, hub = both.cosmos, both.hub
        on_hub = (await both.client_on_hub()).client
        on_simd = await create_client(cosmos, RELAYER, await hub.initial_states(CLIENT_TYPE, PARAMETERS))
        await register_counterparty(cosmos, RELAYER, on_simd, on_hub, hub.merkle_prefix)
        await both.register_on_hub(on_hub, on_simd)
        simd_end, hub_end = End(cosmos, on_simd, RELAYER), End(hub, on_hub, RELAYER)
        transactor = Transactor(hub.execution, HUB_EVM_CHAIN_ID, RELAYER)

        async def from_simd(value: bytes, timeout_s: int) -> None:
            token = Coin(1_000, TOKEN_DENOM)
            await send_transfer(
                cosmos, RELAYER, CosmosTransfer(on_simd, token, RELAYER.address, timeout_s, value.decode())
            )

        async def from_hub(value: bytes, timeout_s: int) -> None:
            denom = f"transfer/{on_hub}/{TOKEN_DENOM}"
            data = SEND_TRANSFER.encode(on_hub, denom, 1, simd_end.address, timeout_s, value.decode())
            receipt = await transactor.send(TRANSFER_MODULE, data)
            await hub.wait_for_height(receipt.height)

        yield Link(simd_end, hub_end, from_simd, advance), Link(hub_end, simd_end, from_hub, advance)


async def check_all(link):
    for check in CHECKS:
        try:
            await check(link)
        except BaseException as error:
            error.add_note(f"in {check.__name__}")
            raise


async def test_conformance_as_source(tmp_path, simd):
    async with joined(tmp_path, simd) as (from_simd, _):
        await check_all(from_simd)


async def test_conformance_as_destination(tmp_path, simd):
    async with joined(tmp_path, simd) as (from_simd, from_hub):
        sent = await send_one(from_simd)
        await receive(from_simd, sent)
        written = await from_simd.b.adapter.written_acknowledgement(from_simd.b.client, sent.packet.sequence)
        await acknowledge(from_simd, written)
        await check_all(from_hub)
        await check_poor_sender(from_hub, POOR)
