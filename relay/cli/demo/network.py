"""The demo's network: its files, its keys, and the commands that bring it up. Nothing here reaches into a process."""

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
from relay.cli.demo.processes import (
    RunningProcess,
    free_port,
    run_command,
    run_daemon,
    wait_until_serving,
)
from relay.keys import create_keystore

HUB_CHAIN_ID = "hutong-1"
HUB_EVM_CHAIN_ID = 47_001
HUB_ADMINS = 3
HUB_THRESHOLD = 2
HUB_ROUTER = "0x0000000000000000000000000000000000001000"
SCRYPT_ITERATIONS = 4096
"""The demo's keys live for minutes; the library's default would cost every command a second."""
FORWARD_MARGIN_S = 5
START_LIMIT_S = 60
Say = Callable[[str], None]
Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Key:
    """A keystore on disk with its password file."""

    keystore: Path
    password_file: Path
    address: str

    @property
    def options(self) -> list[str]:
        return ["--keystore", str(self.keystore), "--password-file", str(self.password_file)]

    @property
    def toml(self) -> str:
        return f'{{ keystore = "{self.keystore}", password_file = "{self.password_file}" }}'


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
    """Everything that runs, with the chains as their users see them."""

    home: Path
    config: Path
    chains: tuple[DemoChain, DemoChain]
    hub: DemoChain
    users: dict[str, LocalAccount]
    relayers: dict[str, str]
    processes: tuple[RunningProcess, ...]


def make_key(home: Path, name: str) -> Key:
    """A new key with a random password of its own."""
    folder = home / "keys"
    folder.mkdir(mode=0o700, exist_ok=True)
    password = os.urandom(24).hex().encode()
    password_file = folder / f"{name}.password"
    descriptor = os.open(password_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(password)
    keystore = folder / f"{name}.json"
    address = create_keystore(keystore, os.urandom(32), password, SCRYPT_ITERATIONS)
    return Key(keystore, password_file, address)


async def bring_up(nursery: trio.Nursery, home: Path, say: Say) -> Network:
    """Start three chains, deploy, connect, start the relay; return when the relay says that it is ready."""
    plans = tuple(_plan(home, name, 7_001 + index) for index, name in enumerate(("alpha", "beta")))
    hub_ports = free_port(), free_port()
    admins = [make_key(home, f"hub-admin-{number}") for number in range(HUB_ADMINS)]
    hub_relayer = make_key(home, "relayer-hub")
    say("starting the hub and two consortium chains")
    hub = DemoChain("hub", f"http://127.0.0.1:{hub_ports[0]}", HUB_EVM_CHAIN_ID, HUB_ROUTER)
    chain_processes = [await nursery.start(run_daemon, p.name, _devnet(home, p), home / f"{p.name}.log") for p in plans]
    await run_command(
        [
            *("hub", "init", "--home", str(home / "hub"), "--chain-id", HUB_CHAIN_ID),
            *("--evm-chain-id", str(HUB_EVM_CHAIN_ID), "--threshold", str(HUB_THRESHOLD)),
            *(part for admin in admins for part in ("--admin", admin.address)),
        ]
    )
    hub_process = await nursery.start(
        run_daemon,
        "hub",
        [
            "hub",
            "start",
            "--home",
            str(home / "hub"),
            "--port",
            str(hub_ports[0]),
            "--cometbft-port",
            str(hub_ports[1]),
        ],
        home / "hub.log",
    )
    with trio.fail_after(START_LIMIT_S):
        for url in (hub.rpc_url, *(plan.url for plan in plans)):
            await wait_until_serving(_has_a_block, _ask(url, "eth_blockNumber"))

    say("deploying router and Mailbox onto both chains")
    deployments = await _both(_deploy, plans)
    config = home / "relay.toml"
    entries = _relay_table(home) + "".join(map(_chain_table, plans, deployments))
    entries += _hub_table(hub_ports, hub_relayer)
    _write_private(config, entries)

    say("creating light clients: of each chain on the hub, of the hub on each chain")
    paths = []
    for plan, deployment in zip(plans, deployments, strict=True):
        paths.append(await _connect(config, plan, deployment, admins))
    _write_private(config, entries + "".join(map(_path_table, paths)))
    chains = tuple(
        DemoChain(
            plan.name,
            plan.url,
            plan.chain_id,
            deployment["router"],
            deployment["mailbox"],
            hub_client=path["a"]["client"],
            client_on_hub=path["b"]["client"],
        )
        for plan, deployment, path in zip(plans, deployments, paths, strict=True)
    )
    await _introduce(config, plans, chains)
    say("deploying a receiving contract onto each chain")
    chains = tuple(await _both(_with_receiver, list(zip(chains, plans, strict=True))))

    say("starting the relay")
    http_port = free_port()
    _write_private(config, _relay_table(home, http_port) + config.read_text().removeprefix(_relay_table(home)))
    relay = await nursery.start(run_daemon, "relay", ["relay", "run", "--config", str(config)], home / "relay.log")
    with trio.fail_after(START_LIMIT_S):
        health = httpx.Request("GET", f"http://127.0.0.1:{http_port}/healthz")
        await wait_until_serving(lambda response: response.status_code == httpx.codes.OK, health)
    return Network(
        home,
        config,
        (chains[0], chains[1]),
        hub,
        {plan.name: plan.user for plan in plans},
        {**{plan.name: plan.relayer.address for plan in plans}, "hub": hub_relayer.address},
        (hub_process, *chain_processes, relay),
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


async def _deploy(plan: EvmPlan) -> dict[str, str]:
    printed = await run_command(
        [
            *("deploy", "--rpc", plan.url, "--chain-id", str(plan.chain_id), *plan.owner.options),
            *("--forward-margin-s", str(FORWARD_MARGIN_S), "--json"),
        ]
    )
    deployment: dict[str, str] = json.loads(printed)
    return deployment


async def _connect(
    config: Path, plan: EvmPlan, deployment: dict[str, str], admins: list[Key]
) -> dict[str, dict[str, str]]:
    voting = admins[:HUB_THRESHOLD]
    printed = await run_command(
        [
            *("path", "create", "--config", str(config), "--chain", plan.name, *plan.owner.options),
            *(part for admin in voting for part in ("--hub-admin", str(admin.keystore))),
            *(part for admin in voting for part in ("--hub-admin-password-file", str(admin.password_file))),
            *("--mailbox", deployment["mailbox"], "--json"),
        ]
    )
    path: dict[str, dict[str, str]] = json.loads(printed)
    return path


async def _introduce(config: Path, plans: tuple[EvmPlan, ...], chains: tuple[DemoChain, ...]) -> None:
    async with trio.open_nursery() as nursery:
        for plan, here, there in zip(plans, chains, reversed(chains), strict=True):
            nursery.start_soon(
                run_command,
                [
                    *("peer", "add", "--config", str(config), "--chain", here.name, "--mailbox", here.mailbox_address),
                    *("--hub-client", there.client_on_hub, "--name", there.name, *plan.owner.options),
                ],
            )


async def _with_receiver(pair: tuple[DemoChain, EvmPlan]) -> DemoChain:
    chain, plan = pair
    address = await trio.to_thread.run_sync(chain.deploy, plan.user, "ExampleReceiver", chain.mailbox_address)
    return chain.with_receiver(address)


async def _both(step: Callable[[Item], Awaitable[Result]], items: Sequence[Item]) -> list[Result]:
    """Run a step for each item at once; results in the order of the items."""
    results: dict[int, Result] = {}

    async def one(index: int, item: Item) -> None:
        results[index] = await step(item)

    async with trio.open_nursery() as nursery:
        for index, item in enumerate(items):
            nursery.start_soon(one, index, item)
    return [results[index] for index in range(len(items))]


def _relay_table(home: Path, http_port: int | None = None) -> str:
    http = "" if http_port is None else f'http = "127.0.0.1:{http_port}"\n'
    return f'[relay]\nhome = "{home / "relay"}"\n{http}'


def _chain_table(plan: EvmPlan, deployment: dict[str, str]) -> str:
    return (
        f'\n[[chains]]\nname = "{plan.name}"\nkind = "evm"\nchain_id = {plan.chain_id}\nconsensus = "qbft"\n'
        f'rpc = ["{plan.url}"]\nws = ["ws://127.0.0.1:{plan.port}"]\nrouter = "{deployment["router"]}"\n'
        f"start_height = {deployment['height']}\npoll_interval_ms = 200\nkey = {plan.relayer.toml}\n"
    )


def _hub_table(ports: tuple[int, int], relayer: Key) -> str:
    return (
        f'\n[[chains]]\nname = "hub"\nkind = "hub"\nchain_id = "{HUB_CHAIN_ID}"\n'
        f'rpc = ["http://127.0.0.1:{ports[0]}"]\nws = ["ws://127.0.0.1:{ports[0]}"]\n'
        f'consensus_rpc = ["http://127.0.0.1:{ports[1]}"]\npoll_interval_ms = 200\nkey = {relayer.toml}\n'
    )


def _path_table(path: dict[str, dict[str, str]]) -> str:
    ends = "".join(
        f'{side} = {{ chain = "{path[side]["chain"]}", client = "{path[side]["client"]}" }}\n' for side in ("a", "b")
    )
    return f"\n[[paths]]\n{ends}"


def _write_private(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text)


def _ask(url: str, method: str) -> httpx.Request:
    return httpx.Request("POST", url, json={"jsonrpc": "2.0", "id": 1, "method": method, "params": []})


def _has_a_block(response: httpx.Response) -> bool:
    return response.status_code == httpx.codes.OK and int(response.json().get("result", "0x0"), 16) > 0
