"""The demo's network: the commands that bring it up, in order. Nothing here reaches into a process."""

import json
import os
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import httpx
import trio
from eth_account import Account
from eth_account.signers.local import LocalAccount

from relay.cli.demo.chain import DemoChain
from relay.cli.demo.config_file import chain_table, hub_table, path_table, relay_table, write_private
from relay.cli.demo.keys import Key, make_key
from relay.cli.demo.processes import (
    Daemon,
    RunningProcess,
    free_port,
    run_command,
    run_daemon,
    wait_until_serving,
)

HUB_CHAIN_ID = "hutong-1"
HUB_EVM_CHAIN_ID = 47_001
HUB_ADMINS = 3
HUB_THRESHOLD = 2
HUB_ROUTER = "0x0000000000000000000000000000000000001000"
FORWARD_MARGIN_S = 5
START_LIMIT_S = 60
CHAIN_NAMES = ("alpha", "beta", "gamma")
FIRST_CHAIN_ID = 7_001
TOKEN_SUPPLY = 10**24
CLEAR_INTERVAL_S = 5
"""In chaos: the queue is wiped and packets are hidden from the relay, so the chains are read again often."""
Say = Callable[[str], None]
Through = Callable[[int], Awaitable[int]]
"""Port of an endpoint to the port at which the relay is to find it: itself, or a proxy before it."""
Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class EvmPlan:
    """A dev chain before it runs."""

    name: str
    chain_id: int
    port: int
    owner: Key
    relayer: Key
    user: LocalAccount

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


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
    owners: dict[str, LocalAccount]
    admins: tuple[Key, ...]
    relayers: dict[str, str]
    processes: tuple[RunningProcess, ...]
    relay: Daemon


async def direct(port: int) -> int:
    """Nothing in between."""
    return port


async def bring_up(nursery: trio.Nursery, home: Path, say: Say, through: Through = direct) -> Network:
    """Start the hub and its chains, deploy, connect, start the relay; return when the relay says that it is ready."""
    plans = tuple(_plan(home, name, FIRST_CHAIN_ID + index) for index, name in enumerate(CHAIN_NAMES))
    hub_ports = free_port(), free_port()
    admins = [make_key(home, f"hub-admin-{number}") for number in range(HUB_ADMINS)]
    hub_relayer = make_key(home, "relayer-hub")
    say(f"starting the hub and {len(plans)} consortium chains")
    hub = DemoChain("hub", f"http://127.0.0.1:{hub_ports[0]}", HUB_EVM_CHAIN_ID, HUB_ROUTER)
    processes = [await nursery.start(run_daemon, p.name, _devnet(home, p), home / f"{p.name}.log") for p in plans]
    processes.append(await _start_hub(nursery, home, hub_ports, admins))
    with trio.fail_after(START_LIMIT_S):
        for url in (hub.rpc_url, *(plan.url for plan in plans)):
            await wait_until_serving(_has_a_block, _ask(url, "eth_blockNumber"))

    say("deploying router, Mailbox and Transfer onto each chain")
    deployments = await _each(_deploy, plans)
    administration, config = home / "administration.toml", home / "relay.toml"
    write_private(administration, await _config(home, plans, deployments, hub_ports, hub_relayer, direct))

    say("creating light clients: of each chain on the hub, of the hub on each chain")
    paths = []
    for plan, deployment in zip(plans, deployments, strict=True):
        paths.append(await _connect(administration, plan, deployment, admins))
    write_private(administration, administration.read_text() + "".join(map(path_table, paths)))
    chains = tuple(
        DemoChain(
            plan.name,
            plan.url,
            plan.chain_id,
            deployment["router"],
            deployment["mailbox"],
            deployment["transfer"],
            hub_client=path["a"]["client"],
            client_on_hub=path["b"]["client"],
        )
        for plan, deployment, path in zip(plans, deployments, paths, strict=True)
    )
    say("deploying a receiving contract and a token onto each chain, and naming its peers")
    await _each(lambda pair: _introduce(administration, *pair, chains), list(zip(plans, chains, strict=True)))
    chains = tuple(await _each(_equip, list(zip(chains, plans, strict=True))))

    say("starting the relay")
    http_port = free_port()
    chaos = through is not direct
    text = await _config(home, plans, deployments, hub_ports, hub_relayer, through)
    table = relay_table(home, http_port, CLEAR_INTERVAL_S if chaos else None)
    write_private(config, table + text.removeprefix(relay_table(home)) + "".join(map(path_table, paths)))
    health = httpx.Request("GET", f"http://127.0.0.1:{http_port}/healthz")
    relay = Daemon("relay", ["relay", "run", "--config", str(config)], home / "relay.log", health, START_LIMIT_S)
    await nursery.start(relay.run)
    return Network(
        home,
        config,
        administration,
        chains,
        hub,
        {plan.name: plan.user for plan in plans},
        {plan.name: plan.owner.account() for plan in plans},
        tuple(admins[:HUB_THRESHOLD]),
        {**{plan.name: plan.relayer.address for plan in plans}, "hub": hub_relayer.address},
        tuple(processes),
        relay,
    )


def _plan(home: Path, name: str, chain_id: int) -> EvmPlan:
    user: LocalAccount = Account.from_key(os.urandom(32))
    return EvmPlan(
        name, chain_id, free_port(), make_key(home, f"owner-{name}"), make_key(home, f"relayer-{name}"), user
    )


def _devnet(home: Path, plan: EvmPlan) -> list[str]:
    funded = (plan.owner.address, plan.relayer.address, plan.user.address)
    return [
        *("devnet", "start", "--home", str(home / plan.name), "--chain-id", str(plan.chain_id)),
        *("--port", str(plan.port)),
        *(part for address in funded for part in ("--fund", address)),
    ]


async def _start_hub(nursery: trio.Nursery, home: Path, ports: tuple[int, int], admins: list[Key]) -> RunningProcess:
    await run_command(
        [
            *("hub", "init", "--home", str(home / "hub"), "--chain-id", HUB_CHAIN_ID),
            *("--evm-chain-id", str(HUB_EVM_CHAIN_ID), "--threshold", str(HUB_THRESHOLD)),
            *(part for admin in admins for part in ("--admin", admin.address)),
        ]
    )
    start = ["hub", "start", "--home", str(home / "hub"), "--port", str(ports[0]), "--cometbft-port", str(ports[1])]
    process: RunningProcess = await nursery.start(run_daemon, "hub", start, home / "hub.log")
    return process


async def _deploy(plan: EvmPlan) -> dict[str, str]:
    printed = await run_command(
        [
            *("deploy", "--rpc", plan.url, "--chain-id", str(plan.chain_id), *plan.owner.options),
            *("--forward-margin-s", str(FORWARD_MARGIN_S), "--json"),
        ]
    )
    deployment: dict[str, str] = json.loads(printed)
    return deployment


async def _config(
    home: Path,
    plans: Sequence[EvmPlan],
    deployments: Sequence[dict[str, str]],
    hub_ports: tuple[int, int],
    hub_relayer: Key,
    through: Through,
) -> str:
    chains = [
        chain_table(
            plan.name,
            plan.chain_id,
            await through(plan.port),
            deployment["router"],
            int(deployment["height"]),
            plan.relayer,
        )
        for plan, deployment in zip(plans, deployments, strict=True)
    ]
    hub = hub_table(HUB_CHAIN_ID, (await through(hub_ports[0]), await through(hub_ports[1])), hub_relayer)
    return relay_table(home) + "".join(chains) + hub


async def _connect(
    config: Path, plan: EvmPlan, deployment: dict[str, str], admins: list[Key]
) -> dict[str, dict[str, str]]:
    printed = await run_command(
        [
            *("path", "create", "--config", str(config), "--chain", plan.name, *plan.owner.options),
            *admin_options(admins[:HUB_THRESHOLD]),
            *("--mailbox", deployment["mailbox"], "--transfer", deployment["transfer"], "--json"),
        ]
    )
    path: dict[str, dict[str, str]] = json.loads(printed)
    return path


def admin_options(admins: Sequence[Key]) -> list[str]:
    """For commands that hub admins decide together."""
    return [
        *(part for admin in admins for part in ("--hub-admin", str(admin.keystore))),
        *(part for admin in admins for part in ("--hub-admin-password-file", str(admin.password_file))),
    ]


async def _introduce(config: Path, plan: EvmPlan, here: DemoChain, chains: Sequence[DemoChain]) -> None:
    """One command after another: they sign with the same key."""
    for there in chains:
        if there.name != here.name:
            await run_command(
                [
                    *("peer", "add", "--config", str(config), "--chain", here.name, "--mailbox", here.mailbox_address),
                    *("--hub-client", there.client_on_hub, "--name", there.name, *plan.owner.options),
                ]
            )


async def _equip(pair: tuple[DemoChain, EvmPlan]) -> DemoChain:
    chain, plan = pair

    def deploy() -> DemoChain:
        receiver = chain.deploy(plan.user, "ExampleReceiver", chain.mailbox_address)
        token = chain.deploy(plan.user, "ExampleToken", f"{plan.name} token", plan.name.upper(), TOKEN_SUPPLY)
        equipped = chain.with_contracts(receiver, token)
        equipped.approve_transfer(plan.user, equipped.token_address)
        return equipped

    return await trio.to_thread.run_sync(deploy)


async def _each(step: Callable[[Item], Awaitable[Result]], items: Sequence[Item]) -> list[Result]:
    """Run a step for each item at once; results in the order of the items."""
    results: dict[int, Result] = {}

    async def one(index: int, item: Item) -> None:
        results[index] = await step(item)

    async with trio.open_nursery() as nursery:
        for index, item in enumerate(items):
            nursery.start_soon(one, index, item)
    return [results[index] for index in range(len(items))]


def _ask(url: str, method: str) -> httpx.Request:
    return httpx.Request("POST", url, json={"jsonrpc": "2.0", "id": 1, "method": method, "params": []})


def _has_a_block(response: httpx.Response) -> bool:
    return response.status_code == httpx.codes.OK and int(response.json().get("result", "0x0"), 16) > 0
