"""A lane whose first chain is finalized by a simulated beacon chain: what `path create` makes of consensus `ethereum`."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from random import Random

import trio

from hutong.adapters.evm import EvmSettings, open_evm_chain
from hutong.adapters.evm.administration import deploy as deployment
from hutong.adapters.hub import HubChain
from hutong.adapters.ics26.chain import RouterSettings
from hutong.adapters.interface import ClientParameters
from hutong.relay.devnet import Genesis
from hutong.relay.devnet.beacon_node import BeaconDevnet, BeaconNode, BeaconPace, running_beacon_devnet
from tests.adapters.conformance.lane import (
    DEPLOYER,
    PARAMETERS,
    POLL_S,
    QUICK,
    RELAYER,
    SEND_FORWARDED,
    UNKNOWN_CLIENT,
    EvmMember,
    Lane,
    address_bytes,
    deploy_at,
    introduce,
    join,
    running_hub,
)
from tests.adapters.conformance.suite import Link

PACE = BeaconPace(seconds_per_slot=1, slots_per_epoch=4, epochs_per_period=8, slot_interval_ms=100, head_start_s=2_000)
"""Ten slots a second until the chain's clock has caught up with the host's."""
BEHIND = ClientParameters(trusting_period_s=7 * 86_400, max_clock_drift_s=3_600)
"""Of the client of the hub, whose clock is the host's and so far ahead."""
TIMEOUT_AFTER_S = 6_000


def ethereum_settings(name: str, chain_id: int, node: BeaconNode, router: str, start_height: int = 0) -> EvmSettings:
    return EvmSettings(
        chain_id=chain_id,
        rpc=(node.url,),
        ws=(node.devnet.websocket_url,),
        router=RouterSettings(name, router, start_height, poll_interval_s=POLL_S),
        consensus="ethereum",
        beacon=(node.url,),
        network=node.chains.network,
        options=QUICK,
    )


async def join_ethereum(
    stack: AsyncExitStack, hub: HubChain, name: str, chain_id: int, pace: BeaconPace, from_slot: int = 0
) -> EvmMember:
    """As `join`, with an `ethereum` client on the hub, which begins at that final slot at the earliest."""
    funds = {address_bytes(signer): 10**24 for signer in (DEPLOYER, RELAYER)}
    chains = BeaconDevnet(Genesis(chain_id, funds_wei=funds), pace, seed=bytes(31) + b"\x05", absent_members=3)
    node = await stack.enter_async_context(running_beacon_devnet(chains))
    contracts = await deploy_at(ethereum_settings(name, chain_id, node, "0x" + "11" * 20))
    settings = ethereum_settings(name, chain_id, node, contracts.router, contracts.height)
    chain = await stack.enter_async_context(open_evm_chain(settings, Random(2)))
    await wait_final(chain, contracts.height)
    await chain.wait_for_height(from_slot)
    return await introduce(hub, chain, contracts, await chain.initial_states("ethereum", PARAMETERS), BEHIND)


async def wait_final(chain, block_number: int) -> None:
    """Until an execution block is final."""
    with trio.fail_after(600):
        _, time_ns = await chain.consensus.facts(block_number)
        await chain.wait_for_height(chain.beacon.blocks.slot_of(time_ns // 10**9))


class EthereumLane(Lane):
    def first_leg(self, next_client: str = UNKNOWN_CLIENT) -> Link:
        return replace(super().first_leg(next_client), timeout_after_s=TIMEOUT_AFTER_S)

    async def advance(self) -> None:
        await trio.sleep(0.4)

    async def send(self, next_client: str, value: bytes, timeout_s: int) -> None:
        data = SEND_FORWARDED.encode(self.alpha.client, next_client, self.receiver, value, timeout_s)
        receipt = await self.alpha.deployer.send(self.alpha.mailbox, data)
        await wait_final(self.alpha.chain, receipt.height)


@asynccontextmanager
async def running_ethereum_lane(home, pace: BeaconPace = PACE) -> AsyncIterator[EthereumLane]:
    async with AsyncExitStack() as stack:
        hub = await stack.enter_async_context(running_hub(home))
        alpha = await join_ethereum(stack, hub, "alpha", 1001, pace)
        beta = await join(stack, hub, "beta", 1002)
        await deployment.set_forwarded_peer(beta.deployer, beta.mailbox, alpha.hub_client, "alpha")
        await deployment.set_forwarded_peer(alpha.deployer, alpha.mailbox, beta.hub_client, "beta")
        yield EthereumLane(hub, alpha, beta)
