"""A lane whose first chain is finalized by a simulated beacon chain: what `path create` makes of consensus `ethereum`."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from random import Random

import trio

from hutong.adapters.evm import EvmSettings, open_evm_chain
from hutong.adapters.evm.administration import deploy as deployment
from hutong.adapters.hub import HubChain, admin
from hutong.adapters.ics26.chain import RouterSettings
from hutong.adapters.ics26.transactor import Transactor
from hutong.adapters.interface import ClientParameters
from hutong.relay.devnet import Genesis
from hutong.relay.devnet.beacon_node import BeaconDevnet, BeaconNode, BeaconPace, running_beacon_devnet
from tests.adapters.conformance.lane import (
    ADMIN,
    CHAIN_ID,
    DEPLOYER,
    HUB_EVM_CHAIN_ID,
    PARAMETERS,
    POLL_S,
    QUICK,
    RELAYER,
    SEND_FORWARDED,
    UNKNOWN_CLIENT,
    EvmMember,
    Lane,
    address_bytes,
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


async def join_ethereum(stack: AsyncExitStack, hub: HubChain, name: str, chain_id: int, pace: BeaconPace) -> EvmMember:
    """As `join`, with an `ethereum` client on the hub."""
    funds = {address_bytes(signer): 10**24 for signer in (DEPLOYER, RELAYER)}
    chains = BeaconDevnet(Genesis(chain_id, funds_wei=funds), pace, seed=bytes(31) + b"\x05", absent_members=3)
    node = await stack.enter_async_context(running_beacon_devnet(chains))
    async with open_evm_chain(ethereum_settings(name, chain_id, node, "0x" + "11" * 20), Random(2)) as bare:
        deployer = Transactor(bare.execution, chain_id, DEPLOYER)
        contracts = await deployment.deploy(deployer, forward_margin_s=5, open_relaying=True)
    settings = ethereum_settings(name, chain_id, node, contracts.router, contracts.height)
    chain = await stack.enter_async_context(open_evm_chain(settings, Random(2)))
    deployer = Transactor(chain.execution, chain_id, DEPLOYER)
    administrator = Transactor(hub.execution, HUB_EVM_CHAIN_ID, ADMIN)
    await wait_final(chain, contracts.height)
    states = await chain.initial_states("ethereum", PARAMETERS)
    action = admin.create_client(1, "ethereum", states.client_state, states.consensus_state)
    hub_client = admin.created_client(await admin.approve_and_execute([administrator], CHAIN_ID, action))
    hub_states = await hub.initial_states("07-tendermint", BEHIND)
    contract = await deployment.deploy_hub_client(deployer, hub_states)
    router = bytes.fromhex(contracts.router[2:])
    client = await deployment.add_client(deployer, router, contract, hub_client, hub.merkle_prefix)
    action = admin.register_counterparty(2, hub_client, client, chain.merkle_prefix)
    await admin.approve_and_execute([administrator], CHAIN_ID, action)
    member = EvmMember(chain, deployer, contracts, client, hub_client)
    await deployment.set_hub_client(deployer, member.mailbox, client)
    return member


async def wait_final(chain, block_number: int) -> None:
    """Until an execution block is final."""
    with trio.fail_after(60):
        _, time_ns = await chain._consensus.facts(block_number)
        await chain.wait_for_height(chain._beacon.blocks.slot_of(time_ns // 10**9))


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
