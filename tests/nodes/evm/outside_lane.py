"""A chain whose nodes are not ours at one end of the lane: over the hub to a dev chain, brought up by the commands that an
operator types."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import trio

from hutong.relay.local.chain import DemoChain, denom_on_hub, packets_in_flight, until, voucher
from hutong.relay.local.config_file import path_table, relay_table, write_private
from hutong.relay.local.hub import EmbeddedEngine, start_hub
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
from hutong.relay.local.network import direct, evm_table, hub_tables, start_relay
from hutong.relay.local.processes import Daemon, run_command, run_daemon, wait_until_serving
from hutong.relay.local.traffic import User
from tests.nodes.evm.geth_network import GethNetwork

OUTSIDE_CHAIN_ID, DEV_CHAIN_ID = 7_301, 7_001
START_LIMIT_S = 600
SETTLE_S = 900
POLL_S = 0.5
AMOUNT = 10**18
LARGE = "x" * 6_000

MakeNetwork = Callable[[Path, int, int, Sequence[str]], GethNetwork]
"""Of a folder, a chain id, the first node's port and who is funded."""


@dataclass(frozen=True)
class OutsideLane:
    """Both chains as their users see them."""

    administration: Path
    network: GethNetwork
    outside: DemoChain
    dev: DemoChain
    outside_user: User
    dev_user: User
    start_relay: Callable[[], Awaitable[Daemon]]

    @property
    def chains(self) -> tuple[DemoChain, DemoChain]:
        return self.outside, self.dev

    @property
    def ends(self) -> tuple[tuple[User, User], tuple[User, User]]:
        """(sender, receiver) in both directions."""
        return (self.outside_user, self.dev_user), (self.dev_user, self.outside_user)

    def send_out(self, messages: int, amount: int) -> None:
        """Both ways: some messages, and tokens that leave their chain."""
        for sender, receiver in self.ends:
            for number in range(messages):
                sender.send_message(receiver.chain, f"message {number}")
            self._send(sender, receiver, sender.chain.token_address, amount)

    def send_large(self, messages: int) -> None:
        """From the dev chain, so that they are more than a transaction of 64 KiB holds before the relay starts."""
        for _ in range(messages):
            self.dev_user.send_message(self.outside, LARGE)

    def send_home(self, amount: int) -> None:
        """Both ways: vouchers go home."""
        for sender, receiver in self.ends:
            self._send(sender, receiver, self.voucher_of(receiver.chain, sender.chain), amount)

    @staticmethod
    def _send(sender: User, receiver: User, token: str, amount: int) -> None:
        sender.send_tokens(receiver.chain, receiver.receiver, token, amount, sender.timeout_s())

    @staticmethod
    def voucher_of(origin: DemoChain, here: DemoChain) -> str:
        return voucher(here, denom_on_hub(origin))

    def vouchers(self) -> tuple[int, int]:
        """Supplies of the vouchers on the outside chain and on the dev chain."""
        return (
            self.outside.token_supply(self.voucher_of(self.dev, self.outside)),
            self.dev.token_supply(self.voucher_of(self.outside, self.dev)),
        )

    def delivered(self) -> tuple[int, int]:
        """Messages that reached the outside chain and the dev chain."""
        return tuple(
            sum(1 for _ in chain.events(chain.mailbox, "MessageDelivered", chain.head())) for chain in self.chains
        )

    async def settled(self, sent: int) -> None:
        """So many packets were sent, since the beginning, and none is in flight."""

        def holds() -> bool:
            return sum(chain.sent() for chain in self.chains) >= sent and packets_in_flight(self.chains) == 0

        with trio.fail_after(SETTLE_S):
            await until(holds, POLL_S)

    async def hutong_json(self, *words: str, options: Sequence[str] = ()) -> Any:
        return json.loads(await run_command([*words, "--config", str(self.administration), *options, "--json"]))

    async def client_of_outside(self) -> Any:
        """The hub's client of it, as `hutong client status` shows it."""
        options = ["--chain", "hub", "--client", self.outside.client_on_hub]
        return await self.hutong_json("client", "status", options=options)


def outside_table(plan: EvmPlan, network: GethNetwork, deployment: dict[str, str], rules: str) -> str:
    """`[[chains]]` with every node an endpoint; `rules` are lines that say how the chain is believed."""
    http = ", ".join(f'"{node.url}"' for node in network.nodes)
    ws = ", ".join(f'"ws://127.0.0.1:{node.http}"' for node in network.nodes)
    return (
        f'\n[[chains]]\nname = "{plan.name}"\nkind = "evm"\nchain_id = {plan.chain_id}\n{rules}'
        f'rpc = [{http}]\nws = [{ws}]\nrouter = "{deployment["router"]}"\n'
        f"start_height = {deployment['height']}\npoll_interval_ms = 200\nkey = {plan.relayer.toml}\n"
    )


@asynccontextmanager
async def outside_lane(home: Path, make: MakeNetwork, rules: str) -> AsyncIterator[OutsideLane]:
    """Everything but the relay runs and is connected; a user on each chain has its token. `rules` as for `outside_table`."""
    async with trio.open_nursery() as nursery:
        outside = EvmPlan.of(home, "outside", OUTSIDE_CHAIN_ID)
        dev = EvmPlan.of(home, "dev", DEV_CHAIN_ID)
        funded = [outside.owner.address, outside.relayer.address, outside.user.address]
        network = make(home, outside.chain_id, outside.port, funded)
        await network.start(nursery)
        await nursery.start(run_daemon, dev.name, dev.start(home), home / "dev.log")
        hub = await start_hub(nursery, home, EmbeddedEngine())
        with trio.fail_after(START_LIMIT_S):
            await wait_until_serving(has_a_block, ask_for_height(dev.url))
        plans = [outside, dev]
        deployments = await each(deploy, plans)
        tables = (
            outside_table(outside, network, deployments[0], rules)
            + await evm_table(dev, deployments[1], direct)
            + await hub_tables(hub, direct)
        )
        administration = home / "administration.toml"
        write_private(administration, relay_table(home) + tables)
        paths = []
        for plan, deployment in zip(plans, deployments, strict=True):
            paths.append(
                await connect(administration, plan.name, plan.owner, hub.admins, *contract_options(deployment))
            )
        tables += "".join(map(path_table, paths))
        write_private(administration, relay_table(home) + tables)
        chains = [member(*parts) for parts in zip(plans, deployments, paths, strict=True)]
        await each(lambda pair: introduce(administration, *pair, chains), list(zip(plans, chains, strict=True)))
        chains = await each(equip, list(zip(chains, plans, strict=True)))
        users = [
            await trio.to_thread.run_sync(User, *pair) for pair in zip(chains, (outside.user, dev.user), strict=True)
        ]
        relay = partial(start_relay, nursery, home, tables, print, clear_interval_s=5)
        yield OutsideLane(administration, network, *chains, *users, relay)
        nursery.cancel_scope.cancel()


async def carried_across_changes(lane: OutsideLane, large: int = 0) -> tuple[int, int]:
    """Messages, so many large ones, and tokens both ways; one more sealer, and again while another stands still; one sealer
    less, and every token goes home. Returns between which heights one stood still."""
    network = lane.network
    first, idle = network.listed(), network.sealers[2]
    await trio.to_thread.run_sync(lane.send_out, 2, 3 * AMOUNT)
    await trio.to_thread.run_sync(lane.send_large, large)
    await lane.start_relay()
    await lane.settled(6 + large)
    assert lane.delivered() == (2 + large, 2)
    assert lane.vouchers() == (3 * AMOUNT, 3 * AMOUNT)

    await network.vote(network.candidate, add=True)
    with network.standing_still(idle):
        begin = network.height()
        await trio.to_thread.run_sync(lane.send_out, 2, AMOUNT)
        await lane.settled(12 + large)
        end = network.height()
    out = await network.vote(network.sealers[1], add=False)
    await trio.to_thread.run_sync(lane.send_home, 4 * AMOUNT)
    await lane.settled(14 + large)

    assert network.listed() == first - {network.sealers[1].address.lower()} | {network.candidate.address.lower()}
    assert lane.delivered() == (4 + large, 4)
    assert lane.vouchers() == (0, 0)
    client = await lane.client_of_outside()
    assert client["status"] == "Active", client
    assert int(client["latest_height"].rpartition("-")[2]) > out, client
    return begin, end
