"""Sources that need no program of others: dev chains under each consensus, and one under a simulated beacon chain."""

import json
from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import trio

from hutong.adapters.hub import HubChain
from hutong.relay.devnet.beacon_node import BeaconPace
from hutong.relay.devnet.settings import Consensus
from tests.adapters.conformance.ethereum_lane import join_ethereum, wait_final
from tests.adapters.conformance.evidence_files import url_of
from tests.adapters.conformance.lane import CALM_PACE, EvmMember, join
from tests.adapters.conformance.reading.evm_places import evm_watches
from tests.adapters.conformance.reading.read_lane import ALPHA, Source, Start

ALPHA_CHAIN_ID = 1_001
ASK_LIMIT_S = 300
BEACON_PACE = BeaconPace(
    seconds_per_slot=1, slots_per_epoch=4, epochs_per_period=8, slot_interval_ms=300, head_start_s=300
)
SECOND_PERIOD = 4 * 8
"""Its committee is in the update of the first period, for a relay that starts later; that of the first is in none."""


async def newest_number(member: EvmMember) -> int:
    """Of its newest block, which need not be final."""
    return await member.chain.execution.client.call("eth_blockNumber", [], lambda fields: fields.quantity())


async def evm_source(member: EvmMember, rules: str, trust: int = 255) -> Source:
    """`rules` are the lines of its `[[chains]]` that say how it is believed."""
    table = (
        f'kind = "evm"\nchain_id = {member.chain.chain_id}\nrouter = "{member.contracts.router}"\n'
        f"start_height = {member.contracts.height}\n"
        f'rpc = ["{url_of(member.chain.execution.client)}"]\n{rules}'
    )
    return Source(member.chain, table, member.client, member.hub_client, await evm_watches(member), trust)


def dev_chain(consensus: Consensus) -> Start:
    """A dev chain that seals by `consensus`, one of those that a `bft-evm` client follows."""

    async def start(stack: AsyncExitStack, _nursery: trio.Nursery, hub: HubChain, _home: Path) -> Source:
        member = await join(stack, hub, ALPHA, ALPHA_CHAIN_ID, consensus, pace=CALM_PACE)
        return await evm_source(member, f'consensus = "{consensus}"\n')

    return start


async def beacon_chain(stack: AsyncExitStack, _nursery: trio.Nursery, hub: HubChain, home: Path) -> Source:
    """A dev chain under a simulated beacon chain, which the hub's `ethereum` client follows."""
    member = await join_ethereum(stack, hub, ALPHA, ALPHA_CHAIN_ID, BEACON_PACE, SECOND_PERIOD)
    await wait_final(member.chain, await newest_number(member))
    url, network = url_of(member.chain.execution.client), home / "network.json"
    async with httpx.AsyncClient(timeout=ASK_LIMIT_S, trust_env=False) as http:
        answers = [(await http.get(f"{url}/eth/v1/{path}")).json() for path in ("config/spec", "beacon/genesis")]
    network.write_text(json.dumps(dict(zip(("spec", "genesis"), answers, strict=True))))
    return await evm_source(member, f'consensus = "ethereum"\nbeacon = ["{url}"]\nnetwork = "{network}"\n')
