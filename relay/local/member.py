"""An EVM member of the demo's network: a dev chain, its contracts, and the commands that connect it with the hub."""

import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import httpx
import trio
from eth_account.signers.local import LocalAccount

from hutong.relay.local.chain import DemoChain
from hutong.relay.local.config_file import Paths
from hutong.relay.local.keys import Key, make_key
from hutong.relay.local.ports import free_port
from hutong.relay.local.processes import run_command

FORWARD_MARGIN_S = 5
TOKEN_SUPPLY = 10**24
Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class ChainPlan:
    """An EVM chain of this machine before it runs."""

    name: str
    chain_id: int
    port: int
    owner: Key
    """Decides over the chain's contracts."""
    relayer: Key

    @property
    def url(self) -> str:
        """The chain's JSON-RPC, on this host alone."""
        return f"http://127.0.0.1:{self.port}"

    def start_funding(self, home: Path, others: Sequence[str]) -> list[str]:
        """Arguments of the `hutong` command that runs it as a dev chain; owner, relayer and `others` have funds."""
        funded = (self.owner.address, self.relayer.address, *others)
        return [
            *("devnet", "start", "--home", str(home / self.name), "--chain-id", str(self.chain_id)),
            *("--port", str(self.port)),
            *(part for address in funded for part in ("--fund", address)),
        ]


@dataclass(frozen=True, slots=True)
class EvmPlan(ChainPlan):
    """A dev chain with one user, before it runs."""

    user_key: Key
    user: LocalAccount
    """Of that key."""

    @classmethod
    def of(cls, home: Path, name: str, chain_id: int) -> "EvmPlan":
        """A plan with new keys and a free port.

        Raises:
            DemoFailed: there are no free ports.
            FileExistsError: `home` has keys of a chain of this name.
        """
        owner, relayer, user = (make_key(home, f"{role}-{name}") for role in ("owner", "relayer", "user"))
        return cls(name, chain_id, free_port(), owner, relayer, user, user.account())

    def start(self, home: Path) -> list[str]:
        """Arguments of the `hutong` command that runs the chain, its accounts funded."""
        return self.start_funding(home, (self.user.address,))


async def deploy(plan: ChainPlan, apps: Sequence[str] = ()) -> dict[str, str]:
    """Router, Mailbox and Transfer: addresses by name, and the height, as `hutong deploy --json` prints them.

    Args:
        apps: further applications by the names of `hutong deploy --app`.

    Raises:
        DemoFailed: the command failed.
    """
    printed = await run_command(
        [
            *("deploy", "--rpc", plan.url, "--chain-id", str(plan.chain_id), *plan.owner.options),
            *("--development", "--forward-margin-s", str(FORWARD_MARGIN_S), "--json"),
            *(part for app in apps for part in ("--app", app)),
        ]
    )
    deployment: dict[str, str] = json.loads(printed)
    return deployment


async def connect(config: Path, chain: str, owner: Key, admins: Sequence[Key], *contracts: str) -> Paths:
    """Create the pair of light clients; returns what `hutong path create --json` prints.

    Args:
        config: the configuration file that names the chain and the hub.
        admins: as many as the hub's threshold asks for.
        contracts: options that name what shall listen to the hub's client.

    Raises:
        DemoFailed: the command failed.
    """
    printed = await run_command(
        [
            *("path", "create", "--config", str(config), "--chain", chain, *owner.options),
            *(*admin_options(admins), *contracts, "--yes", "--json"),
        ]
    )
    path: Paths = json.loads(printed)
    return path


def contract_options(deployment: dict[str, str]) -> tuple[str, ...]:
    """For `connect`: what shall listen to the hub's client."""
    listening = [name for name in ("mailbox", "transfer", "title", "swap") if name in deployment]
    return tuple(part for name in listening for part in (f"--{name}", deployment[name]))


def member(plan: ChainPlan, deployment: dict[str, str], path: Paths) -> DemoChain:
    """The chain as its users see it, before it has a receiver and a token."""
    return DemoChain(
        plan.name,
        plan.url,
        plan.chain_id,
        deployment["router"],
        deployment["mailbox"],
        deployment["transfer"],
        hub_client=path["a"]["client"],
        client_on_hub=path["b"]["client"],
    )


async def introduce(config: Path, plan: ChainPlan, here: DemoChain, chains: Sequence[DemoChain]) -> None:
    """Name the other chains to its Mailbox; one command after another, since they sign with the same key.

    Raises:
        DemoFailed: a command failed.
    """
    for there in chains:
        if there.name != here.name:
            await run_command(
                [
                    *("peer", "add", "--config", str(config), "--chain", here.name, "--mailbox", here.mailbox_address),
                    *("--hub-client", there.client_on_hub, "--name", there.name, *plan.owner.options),
                ]
            )


async def equip(pair: tuple[DemoChain, EvmPlan]) -> DemoChain:
    """Give the chain's user a receiving contract and TOKEN_SUPPLY of a token, which Transfer may take.

    Raises:
        RuntimeError, web3.exceptions.TimeExhausted: as `DemoChain.deploy`.
    """
    chain, plan = pair

    def transact() -> DemoChain:
        receiver = chain.deploy(plan.user, "ExampleReceiver", chain.mailbox_address)
        token = chain.deploy(plan.user, "ExampleToken", f"{plan.name} token", plan.name.upper(), TOKEN_SUPPLY)
        equipped = chain.with_contracts(receiver, token)
        equipped.approve_transfer(plan.user, equipped.token_address)
        return equipped

    return await trio.to_thread.run_sync(transact)


def admin_options(admins: Sequence[Key]) -> list[str]:
    """For commands that hub admins decide together: each one's keystore, then each one's password file."""
    return [
        *(part for admin in admins for part in ("--hub-admin", str(admin.keystore))),
        *(part for admin in admins for part in ("--hub-admin-password-file", str(admin.password_file))),
    ]


async def each(step: Callable[[Item], Awaitable[Result]], items: Sequence[Item]) -> list[Result]:
    """Run a step for each item at once; results in the order of the items. The first that fails cancels the others."""
    results: dict[int, Result] = {}

    async def one(index: int, item: Item) -> None:
        results[index] = await step(item)

    async with trio.open_nursery() as nursery:
        for index, item in enumerate(items):
            nursery.start_soon(one, index, item)
    return [results[index] for index in range(len(items))]


def ask_for_height(url: str) -> httpx.Request:
    """The request whose answer `has_a_block` judges."""
    return httpx.Request("POST", url, json={"jsonrpc": "2.0", "id": 1, "method": "eth_blockNumber", "params": []})


def has_a_block(response: httpx.Response) -> bool:
    """Whether an Ethereum endpoint serves a chain that has begun: its newest block is not the first.

    An answer that has no height, such as that of another program at the port, is not ready.
    """
    if response.status_code != httpx.codes.OK:
        return False
    try:
        return int(response.json()["result"], 16) > 0
    except (ValueError, KeyError, TypeError):
        return False
