"""A stock simd and a hub that hold clients of each other, as links of the adapters' conformance suite."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import trio

from hutong.adapters.cosmos.administration import create_client, register_counterparty
from hutong.adapters.cosmos.transactions.fees import Coin
from hutong.adapters.cosmos.transfer import CosmosTransfer, send_transfer
from hutong.adapters.ics26.abi import Function
from hutong.adapters.ics26.transactor import Transactor
from tests.adapters.conformance.lane import HUB_EVM_CHAIN_ID, PARAMETERS, RELAYER
from tests.adapters.conformance.suite import End, Link
from tests.nodes.cosmos.followed_simd import CLIENT_TYPE, simd_and_hub
from tests.nodes.cosmos.simd_chain import TOKEN_DENOM, SimdChain

TRANSFER_MODULE = bytes.fromhex("0000000000000000000000000000000000001003")
SEND_TRANSFER = Function("sendTransfer", ("string", "string", "uint256", "string", "uint64", "string"), ("uint64",))
RELAYER_SECRET = bytes(31) + b"\x71"
"""Of `lane.RELAYER`: the account that simd's genesis funds."""
BLOCK_TIME_S = 0.5


async def advance() -> None:
    await trio.sleep(BLOCK_TIME_S / 2)


@asynccontextmanager
async def joined_chains(home: Path, simd: SimdChain) -> AsyncIterator[tuple[Link, Link]]:
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
