"""The network of the Cosmos demo: simd, the hub, one EVM chain, and a relay with three chains."""

from dataclasses import dataclass
from pathlib import Path

import trio
from eth_account.signers.local import LocalAccount

from hutong.adapters.cosmos.transactions.addresses import account_address
from hutong.relay.demo.cosmos.chain import CosmosChain
from hutong.relay.demo.cosmos.gate import Gate
from hutong.relay.local.chain import DemoChain
from hutong.relay.local.config_file import path_table, relay_table, write_private
from hutong.relay.local.hub import Hub, HubEngine, start_hub
from hutong.relay.local.keys import Key, make_key
from hutong.relay.local.member import (
    TOKEN_SUPPLY,
    EvmPlan,
    ask_for_height,
    connect,
    contract_options,
    deploy,
    equip,
    has_a_block,
    member,
)
from hutong.relay.local.network import FIRST_CHAIN_ID, Say, direct, evm_table, hub_tables, start_relay
from hutong.relay.local.processes import Daemon, RunningProcess, require_serving, run_daemon
from hutong.relay.local.simd import FEE_DENOM, FUNDS, PREFIX, TOKEN_DENOM, SimdPlan

BATCH_ITEMS = 20
"""Of the EVM chain: hundreds of packets wait at once, and simulating fifty of them takes its node seconds on a busy
machine."""


@dataclass(frozen=True, slots=True)
class CosmosNetwork:
    """Everything that runs. `gate` stands between the relay, and only it, and simd."""

    home: Path
    administration: Path
    simd: CosmosChain
    alpha: DemoChain
    hub: Hub
    simd_user: Key
    simd_user_address: str
    alpha_user: LocalAccount
    alpha_owner: LocalAccount
    relayers: dict[str, str]
    processes: tuple[RunningProcess | Daemon, ...]
    relay: Daemon
    gate: Gate


async def bring_up(nursery: trio.Nursery, home: Path, binary: Path, engine: HubEngine, say: Say) -> CosmosNetwork:
    """Return when the relay says that it is ready.

    Raises:
        DemoFailed: a command failed, or a process ended or was not ready in time.
    """
    plan, simd = EvmPlan.of(home, "alpha", FIRST_CHAIN_ID), SimdPlan.of(home, binary)
    relayer, user = make_key(home, "relayer-simd"), make_key(home, "user-simd")
    addresses = {key: account_address(PREFIX, key.signer().public_key) for key in (relayer, user)}
    gate = Gate(simd.rpc_port)
    await nursery.start(gate.serve)

    say("starting simd, the hub and one consortium chain")
    balances = {addresses[relayer]: {FEE_DENOM: FUNDS}, addresses[user]: {FEE_DENOM: FUNDS, TOKEN_DENOM: TOKEN_SUPPLY}}
    await simd.initialise(balances)
    dev_chain: RunningProcess = await nursery.start(run_daemon, plan.name, plan.start(home), home / "alpha.log")
    simd_node = await simd.start(nursery, home / "simd.log")
    hub = await start_hub(nursery, home, engine)
    await require_serving(dev_chain, has_a_block, ask_for_height(plan.url))
    await require_serving(simd_node, simd.serves, simd.ask_for_supply())

    say("deploying router, Mailbox and Transfer onto the consortium chain")
    deployment = await deploy(plan)
    administration = home / "administration.toml"
    evm_and_hub = await evm_table(plan, deployment, direct, BATCH_ITEMS) + await hub_tables(hub, direct)
    tables = evm_and_hub + simd.table(simd.rpc_port, relayer)
    write_private(administration, relay_table(home) + tables)

    say("creating light clients: of each chain on the hub, of the hub on each chain")
    alpha_path = await connect(administration, plan.name, plan.owner, hub.admins, *contract_options(deployment))
    simd_path = await connect(administration, simd.name, relayer, hub.admins)
    paths = path_table(alpha_path) + path_table(simd_path)
    write_private(administration, relay_table(home) + tables + paths)
    alpha = await equip((member(plan, deployment, alpha_path), plan))
    chain = CosmosChain(
        simd.name,
        simd.rpc_url,
        simd.rest_url,
        PREFIX,
        TOKEN_DENOM,
        hub_client=simd_path["a"]["client"],
        client_on_hub=simd_path["b"]["client"],
    )
    relay = await start_relay(nursery, home, evm_and_hub + simd.table(gate.port, relayer) + paths, say)
    return CosmosNetwork(
        home,
        administration,
        chain,
        alpha,
        hub,
        user,
        addresses[user],
        plan.user,
        plan.owner.account(),
        {"simd": addresses[relayer], "alpha": plan.relayer.address, "hub": hub.relayer.address},
        (dev_chain, simd_node, *hub.running.processes),
        relay,
        gate,
    )
