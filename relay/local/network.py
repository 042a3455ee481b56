"""The demo's network: the commands that bring it up, in order. Nothing here reaches into a process."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx
import trio
from eth_account.signers.local import LocalAccount

from hutong.relay.local.chain import DemoChain
from hutong.relay.local.config_file import api_table, chain_table, hub_table, path_table, relay_table, write_private
from hutong.relay.local.hub import CHAIN_ID, EmbeddedEngine, Hub, HubEngine, start_hub
from hutong.relay.local.keys import Key
from hutong.relay.local.member import (
    EvmPlan,
    ask_for_height,
    connect,
    contract_options,
    deploy,
    each,
    equip,
    has_a_block,
    introduce,
    member,
)
from hutong.relay.local.ports import free_port
from hutong.relay.local.processes import Daemon, RunningProcess, require_serving, run_daemon

CHAIN_NAMES = ("alpha", "beta", "gamma")
FIRST_CHAIN_ID = 7_001
CLEAR_INTERVAL_S = 5
"""In chaos: the queue is wiped and packets are hidden from the relay, so the chains are read again often."""
Say = Callable[[str], None]
Through = Callable[[int], Awaitable[int]]
"""Port of an endpoint to the port at which the relay is to find it: itself, or a proxy before it."""


@dataclass(frozen=True, slots=True)
class Network:
    """Everything that runs, with the chains as their users see them. `owners` administer the routers, `admins` the hub.

    `administration` is a configuration that leads to the chains without detours.
    """

    home: Path
    config: Path
    administration: Path
    chains: tuple[DemoChain, ...]
    hub: DemoChain
    users: dict[str, LocalAccount]
    user_keys: dict[str, Key]
    owners: dict[str, LocalAccount]
    admins: tuple[Key, ...]
    relayers: dict[str, str]
    processes: tuple[RunningProcess | Daemon, ...]
    relay: Daemon


async def direct(port: int) -> int:
    """Nothing in between."""
    return port


async def bring_up(
    nursery: trio.Nursery, home: Path, say: Say, through: Through = direct, engine: HubEngine | None = None
) -> Network:
    """Start the hub and its chains, deploy, connect, start the relay; return when the relay says that it is ready.

    Args:
        nursery: owns every process.
        home: an empty folder for keys, files and logs.
        through: leads the relay, and it alone, to each endpoint; with another one than `direct` it clears every
            CLEAR_INTERVAL_S.
        engine: None is one validator that drives itself.

    Raises:
        DemoFailed: a command failed, or a process ended or was not ready in time.
    """
    plans = tuple(EvmPlan.of(home, name, FIRST_CHAIN_ID + index) for index, name in enumerate(CHAIN_NAMES))
    say(f"starting the hub and {len(plans)} consortium chains")
    processes = [await nursery.start(run_daemon, p.name, p.start(home), home / f"{p.name}.log") for p in plans]
    hub = await start_hub(nursery, home, engine or EmbeddedEngine())
    for plan, process in zip(plans, processes, strict=True):
        await require_serving(process, has_a_block, ask_for_height(plan.url))

    say("deploying router, Mailbox and Transfer onto each chain")
    deployments = await each(deploy, plans)
    administration, config = home / "administration.toml", home / "relay.toml"
    write_private(administration, relay_table(home) + await _chain_tables(plans, deployments, hub, direct))

    say("creating light clients: of each chain on the hub, of the hub on each chain")
    paths = []
    for plan, deployment in zip(plans, deployments, strict=True):
        paths.append(await connect(administration, plan.name, plan.owner, hub.admins, *contract_options(deployment)))
    write_private(administration, administration.read_text() + "".join(map(path_table, paths)))
    chains = tuple(member(*parts) for parts in zip(plans, deployments, paths, strict=True))
    say("deploying a receiving contract and a token onto each chain, and naming its peers")
    await each(lambda pair: introduce(administration, *pair, chains), list(zip(plans, chains, strict=True)))
    chains = tuple(await each(equip, list(zip(chains, plans, strict=True))))

    tables = await _chain_tables(plans, deployments, hub, through) + "".join(map(path_table, paths))
    relay = await start_relay(nursery, home, tables, say, None if through is direct else CLEAR_INTERVAL_S)
    return Network(
        home,
        config,
        administration,
        chains,
        hub.chain,
        {plan.name: plan.user for plan in plans},
        {plan.name: plan.user_key for plan in plans},
        {plan.name: plan.owner.account() for plan in plans},
        hub.admins,
        {**{plan.name: plan.relayer.address for plan in plans}, "hub": hub.relayer.address},
        (*processes, *hub.running.processes),
        relay,
    )


async def start_relay(
    nursery: trio.Nursery, home: Path, tables: str, say: Say, clear_interval_s: int | None = None
) -> Daemon:
    """Start the relay with a configuration of its own; returns when it says that it is ready.

    Args:
        tables: chains and paths, in TOML.
        clear_interval_s: None leaves the relay's default.

    Raises:
        DemoFailed: there are no free ports, or the relay ended or was not ready within START_LIMIT_S.
    """
    say("starting the relay")
    http_port = free_port()
    config = home / "relay.toml"
    write_private(config, relay_table(home, http_port, clear_interval_s) + api_table(free_port()) + tables)
    relay = relay_daemon(home, config, http_port)
    await nursery.start(relay.run)
    return relay


def relay_daemon(home: Path, config: Path, http_port: int) -> Daemon:
    """The relay of a configuration, not started yet; it serves when it says that it is ready."""
    ready = httpx.Request("GET", f"http://127.0.0.1:{http_port}/readyz")
    return Daemon("relay", ["relay", "run", "--config", str(config)], home / "relay.log", ready)


async def hub_tables(hub: Hub, through: Through) -> str:
    """The hub's entry, every validator an endpoint."""
    ethereum = [await through(port) for port in hub.running.ethereum_ports]
    cometbft = [await through(port) for port in hub.running.cometbft_ports]
    return hub_table(CHAIN_ID, ethereum, cometbft, hub.relayer)


async def evm_table(plan: EvmPlan, deployment: dict[str, str], through: Through, batch_items: int | None = None) -> str:
    """The entry of a dev chain.

    Args:
        deployment: as `deploy` returns it.
        batch_items: most packets in one transaction; None leaves the relay's default.
    """
    port, start_height = await through(plan.port), int(deployment["height"])
    router = deployment["router"]
    return chain_table(plan.name, plan.chain_id, port, router, start_height, plan.relayer, batch_items)


async def _chain_tables(
    plans: Sequence[EvmPlan], deployments: Sequence[dict[str, str]], hub: Hub, through: Through
) -> str:
    chains = [await evm_table(*pair, through) for pair in zip(plans, deployments, strict=True)]
    return "".join(chains) + await hub_tables(hub, through)
