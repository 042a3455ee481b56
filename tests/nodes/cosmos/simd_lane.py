"""simd, the hub, one dev chain and a relay, brought up by the commands that an operator types."""

import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

import trio
from eth_account.signers.local import LocalAccount

from hutong.adapters.cosmos.transactions.addresses import encode_address
from hutong.adapters.cosmos.transfer import send_transfers
from hutong.light_clients.crypto.hashes import sha256
from hutong.light_clients.ibc.denom import Denom
from hutong.relay.administration.cosmos_wish import CosmosWish, transfer_of
from hutong.relay.config import KeystoreConfig, load_config
from hutong.relay.core.topology.chains import open_chain
from hutong.relay.keys import load_signer
from hutong.relay.local.chain import DemoChain
from hutong.relay.local.config_file import path_table, relay_table, write_private
from hutong.relay.local.hub import EmbeddedEngine, Hub, start_hub
from hutong.relay.local.keys import Key, make_key
from hutong.relay.local.member import EvmPlan, admin_options, ask_for_height, deploy, equip, has_a_block, member
from hutong.relay.local.network import direct, evm_table, hub_tables, start_relay
from hutong.relay.local.processes import Daemon, run_command, run_daemon, wait_until_serving
from hutong.relay.local.traffic import User
from tests.nodes.cosmos.simd_chain import CHAIN_ID, FEE_DENOM, GAS_PRICE, TOKEN_DENOM, SimdChain, running_simd

START_LIMIT_S = 600
EVM_CHAIN_ID = 7_001
BLOCK_TIME_S = 0.7
POLL_S = 0.5


@dataclass(frozen=True)
class SimdLane:
    """`administration` leads to all chains; `user` is an account of simd, `holder` its address there."""

    home: Path
    administration: Path
    simd: SimdChain
    simd_client: str
    client_on_hub: str
    user: Key
    holder: str
    alpha: DemoChain
    alpha_user: LocalAccount
    alpha_owner: LocalAccount
    hub: Hub
    relay: Daemon

    def voucher_on_alpha(self, denom: str) -> str:
        """ERC-20 of a token of simd's."""
        path = Denom(denom).prefixed("transfer", self.client_on_hub).prefixed("transfer", self.alpha.hub_client).path
        return str(self.alpha.transfer.functions.voucherAddress(path).call())

    @property
    def voucher_on_simd(self) -> Denom:
        """Of alpha's token."""
        token = Denom(self.alpha.token_address.lower()).prefixed("transfer", self.alpha.client_on_hub)
        return token.prefixed("transfer", self.simd_client)

    @property
    def simd_escrow(self) -> str:
        """Account that holds what simd sent out (ibc-go GetEscrowAddress: a version, a zero byte, port and client)."""
        return encode_address("cosmos", sha256(b"ics20-1\0transfer/" + self.simd_client.encode())[:20])

    async def send_from_simd(
        self, amounts: list[int], token: str, *, timeout_s: int = 900, margin_s: int = 60, receiver: str | None = None
    ) -> None:
        """One transaction of the user's, a packet for each amount, over the hub to alpha."""
        wishes = [
            CosmosWish(
                self.simd_client,
                token,
                amount,
                receiver or self.alpha_user.address.lower(),
                self.alpha.client_on_hub,
                "",
                timeout_s,
                margin_s,
            )
            for amount in amounts
        ]
        signer = load_signer(KeystoreConfig(keystore=self.user.keystore, password_file=self.user.password_file))
        cosmos = load_config(self.administration).chain("simd")
        async with open_chain(cosmos, Random(1)) as chain:
            await send_transfers(chain, signer, [transfer_of(wish, int(time.time())) for wish in wishes])

    def send_from_alpha(self, amounts: list[int], token: str, *, lifetime_s: int = 900) -> None:
        user = User(self.alpha, self.alpha_user)
        to = replace(self.alpha, client_on_hub=self.client_on_hub)
        for amount in amounts:
            user.send_tokens(to, self.holder, token, amount, user.timeout_s(lifetime_s))

    def on_simd(self, denom: str) -> int:
        return self.simd.balance(self.holder, denom)

    def on_alpha(self, token: str) -> int:
        if not self.alpha.token_supply(token):
            return 0
        return int(self.alpha.token(token).functions.balanceOf(self.alpha_user.address).call())

    async def unsettled(self) -> list[str]:
        """Everything that any chain holds unsettled."""
        found = await self.hutong_json("pending", "--ask-chains")
        return [one["id"] for one in found["pending"]] + found["unknown_to_ledger"]

    async def until_unsettled(self, holds: Callable[[list[str]], bool]) -> None:
        """Ask until what is unsettled is as it should be; the caller sets the deadline."""
        while True:
            if holds(await self.unsettled()):
                return
            await trio.sleep(POLL_S)

    async def hutong(self, *arguments: str) -> str:
        """The configuration goes after the subcommands."""
        words = next((i for i, word in enumerate(arguments) if word.startswith("-") or "/" in word), len(arguments))
        return await run_command([*arguments[:words], "--config", str(self.administration), *arguments[words:]])

    async def hutong_json(self, *arguments: str) -> Any:
        return json.loads(await self.hutong(*arguments, "--json"))

    @property
    def admins(self) -> list[str]:
        return admin_options(self.hub.admins)


def cosmos_table(simd: SimdChain, relayer: Key) -> str:
    return (
        f'\n[[chains]]\nname = "simd"\nkind = "cosmos"\nchain_id = "{CHAIN_ID}"\n'
        f'rpc = ["{simd.rpc}"]\nws = ["{simd.ws}"]\nbech32_prefix = "cosmos"\n'
        f'gas_price = "{GAS_PRICE}"\npoll_interval_ms = 200\nkey = {relayer.toml}\n'
    )


def secret_of(key: Key) -> bytes:
    return bytes(key.account().key)


class EvmSide:
    """The EVM chain of the lane: a dev chain of ours."""

    async def start(self, nursery: trio.Nursery, plan: EvmPlan, home: Path) -> None:
        await nursery.start(run_daemon, plan.name, plan.start(home), home / f"{plan.name}.log")

    async def table(self, plan: EvmPlan, deployment: dict[str, str]) -> str:
        """`[[chains]]` of the relay's configuration."""
        return await evm_table(plan, deployment, direct)


@asynccontextmanager
async def simd_lane(
    home: Path, trusting_period_s: int | None = None, side: EvmSide | None = None
) -> AsyncIterator[SimdLane]:
    """Everything runs and is connected; the user of each chain has tokens. `trusting_period_s` is of simd's path."""
    side = side or EvmSide()
    with ExitStack() as stack:
        relayer, user = make_key(home, "relayer-simd"), make_key(home, "user-simd")
        secrets = {"relayer": secret_of(relayer), "user": secret_of(user)}
        simd = await trio.to_thread.run_sync(
            lambda: stack.enter_context(running_simd(home / "simd", secrets, block_time_s=BLOCK_TIME_S))
        )
        async with trio.open_nursery() as nursery:
            plan = EvmPlan.of(home, "alpha", EVM_CHAIN_ID)
            await side.start(nursery, plan, home)
            hub = await start_hub(nursery, home, EmbeddedEngine())
            with trio.fail_after(START_LIMIT_S):
                await wait_until_serving(has_a_block, ask_for_height(plan.url))
            deployment = await deploy(plan)
            tables = await side.table(plan, deployment) + await hub_tables(hub, direct)
            tables += cosmos_table(simd, relayer)
            administration = home / "administration.toml"
            write_private(administration, relay_table(home) + tables)
            create = ["path", "create", "--config", str(administration), *admin_options(hub.admins), "--yes", "--json"]
            contracts = ["--mailbox", deployment["mailbox"], "--transfer", deployment["transfer"]]
            of_alpha = json.loads(await run_command([*create, "--chain", "alpha", *plan.owner.options, *contracts]))
            trust = [] if trusting_period_s is None else ["--trusting-period-s", str(trusting_period_s)]
            of_simd = json.loads(await run_command([*create, "--chain", "simd", *relayer.options, *trust]))
            tables += path_table(of_alpha) + path_table(of_simd)
            write_private(administration, relay_table(home) + tables)
            alpha = await equip((member(plan, deployment, of_alpha), plan))
            relay = await start_relay(nursery, home, tables, print, clear_interval_s=5)
            yield SimdLane(
                home,
                administration,
                simd,
                of_simd["a"]["client"],
                of_simd["b"]["client"],
                user,
                simd.accounts["user"].address,
                alpha,
                plan.user,
                plan.owner.account(),
                hub,
                relay,
            )
            nursery.cancel_scope.cancel()


__all__ = ["FEE_DENOM", "TOKEN_DENOM", "SimdLane", "simd_lane"]
