"""What the demo of identity stands on: a hub, a dev chain that follows it, a cache of its issuers, and an employer's contract."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import trio

from hutong.relay.demo.identity.commands import Commands
from hutong.relay.local.chain import DemoChain
from hutong.relay.local.config_file import hub_table, path_table, relay_table, write_private
from hutong.relay.local.hub import CHAIN_ID, EVM_CHAIN_ID, EmbeddedEngine, Hub, start_hub
from hutong.relay.local.member import EvmPlan, ask_for_height, connect, contract_options, deploy, has_a_block
from hutong.relay.local.network import direct, evm_table
from hutong.relay.local.processes import require_serving, run_daemon

CHAIN_NAME, EVM_ID, HUB_NAME = "alpha", 7_001, "hub"


@dataclass(frozen=True, slots=True)
class Running:
    """Hub and dev chain, which make blocks. `config` names both, `clients` of each other once they are connected."""

    home: Path
    plan: EvmPlan
    hub: Hub
    config: Path

    @property
    def hub_url(self) -> str:
        """JSON-RPC of the hub."""
        return self.hub.chain.rpc_url

    @property
    def consensus_url(self) -> str:
        """CometBFT RPC of the hub."""
        return f"http://127.0.0.1:{self.hub.running.cometbft_ports[0]}"

    @property
    def hub_options(self) -> tuple[object, ...]:
        """Of commands that read the hub's records without a configuration."""
        return ("--hub-rpc", self.hub_url, "--hub-chain-id", EVM_CHAIN_ID)

    @property
    def chain_options(self) -> tuple[object, ...]:
        """Of commands that ask the dev chain without a configuration."""
        return ("--rpc", self.plan.url, "--chain-id", EVM_ID)


@dataclass(frozen=True, slots=True)
class Ground:
    """Connected: `chain` follows the hub, `cache` keeps what it is shown of issuers, `employer` accepts diplomas.

    `checkpoint` is what an auditor trusts of the hub.
    """

    running: Running
    chain: DemoChain
    cache: str
    employer: str
    checkpoint: Path


async def start(nursery: trio.Nursery, home: Path) -> Running:
    """Start a hub and a dev chain as processes; returns when both have made a block.

    Args:
        nursery: owns the processes.
        home: an empty folder.

    Raises:
        DemoFailed: a process ended, or made no block in time.
    """
    plan = EvmPlan.of(home, CHAIN_NAME, EVM_ID)
    process = await nursery.start(run_daemon, CHAIN_NAME, plan.start(home), home / f"{CHAIN_NAME}.log")
    hub = await start_hub(nursery, home, EmbeddedEngine())
    await require_serving(process, has_a_block, ask_for_height(plan.url))
    return Running(home, plan, hub, home / "relay.toml")


async def follow_hub(running: Running) -> tuple[DemoChain, Mapping[str, str]]:
    """Deploy a router and make the two light clients; the configuration names them. The chain, and what is deployed there.

    Raises:
        DemoFailed: a command failed.
    """
    plan, hub, config = running.plan, running.hub, running.config
    deployment = await deploy(plan)
    table = await evm_table(plan, deployment, direct)
    ports = hub.running
    tables = table + hub_table(CHAIN_ID, ports.ethereum_ports, ports.cometbft_ports, hub.relayer)
    write_private(config, relay_table(running.home) + tables)
    path = await connect(config, plan.name, plan.owner, hub.admins, *contract_options(deployment))
    write_private(config, config.read_text() + path_table(path))
    chain = DemoChain(plan.name, plan.url, EVM_ID, deployment["router"], hub_client=path["a"]["client"])
    return chain, deployment


async def connect_chain(running: Running, commands: Commands, schema: str, max_age_s: int) -> Ground:
    """Deploy a router, make the two light clients, and deploy cache and employer.

    Args:
        schema: SHA-256 of the diplomas' schema, 64 hexadecimal digits.
        max_age_s: so late the employer may learn of a revocation when nobody tells the chain.

    Raises:
        DemoFailed: a command failed.
    """
    plan, config = running.plan, running.config
    chain, deployment = await follow_hub(running)
    cache = await _deploy_cache(running, commands, deployment, chain.hub_client)
    arguments = (cache, max_age_s, bytes.fromhex(schema))
    employer = await trio.to_thread.run_sync(chain.deploy, plan.user, "ExampleEmployer", *arguments)
    checkpoint = running.home / "hub.checkpoint.json"
    await commands.run("audit", "checkpoint", "--config", config, "--chain", HUB_NAME, "-o", checkpoint)
    return Ground(running, chain, cache, employer, checkpoint)


async def _deploy_cache(running: Running, commands: Commands, deployment: Mapping[str, str], client: str) -> str:
    place = (*running.chain_options, "--router", deployment["router"], "--client", client)
    said = await commands.run("identity", "deploy-cache", *place, "--json", *running.plan.owner.options)
    return str(json.loads(said)["cache"])
