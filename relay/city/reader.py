"""A contract on a chain of the city that reads the hub's records."""

import json

from hutong.relay.local.chain import DemoChain
from hutong.relay.local.member import ChainPlan
from hutong.relay.local.processes import run_command


async def deploy_reader(plan: ChainPlan, chain: DemoChain) -> str:
    """By `hutong reader deploy`; its address.

    Raises:
        DemoFailed: the command failed.
    """
    printed = await run_command(
        [
            *("reader", "deploy", "--rpc", plan.url, "--chain-id", str(plan.chain_id), *plan.owner.options),
            *("--router", chain.router_address, "--client", chain.hub_client, "--json"),
        ]
    )
    return str(json.loads(printed)["reader"])
