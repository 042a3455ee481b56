"""An operator joins a chain of consensus `ethereum` to a hub: every command and daemon as a process."""

import os

import pytest
import trio
from eth_account import Account

from hutong.relay.local.chain import DemoChain
from hutong.relay.local.keys import make_key
from hutong.relay.local.ports import free_port
from hutong.relay.local.processes import run_command, run_daemon
from hutong.relay.local.traffic import User
from tests.nodes.operator_commands import (
    HUB_EVM_ID,
    HUB_ID,
    LIMIT_S,
    connect,
    count_settled,
    deploy,
    private,
    send_messages,
    serving,
)

ALPHA, BETA = 7_001, 7_002
ASK = {"jsonrpc": "2.0", "id": 1, "method": "eth_blockNumber", "params": []}
DEPLOYMENT_BLOCKS = 5
"""At most, from the first contract to the last."""
FINALITY = "/eth/v1/beacon/light_client/finality_update"


def final_block(answer) -> int:
    return int(answer.json()["data"]["finalized_header"]["execution"]["block_number"])


@pytest.mark.long
async def test_ethereum_over_the_hub_to_a_dev_chain_and_back(tmp_path):
    home = tmp_path
    names = ("owner", "relayer", *(f"admin-{n}" for n in range(3)))
    keys = {name: make_key(home, name) for name in names}
    owner, relayer = keys["owner"], keys["relayer"]
    admins = [keys[f"admin-{number}"] for number in range(3)]
    user = Account.from_key(os.urandom(32))
    urls = {name: f"http://127.0.0.1:{free_port()}" for name in ("hub", "comet", "alpha", "beta", "relay")}
    port = {name: url.rpartition(":")[2] for name, url in urls.items()}
    funded = [part for address in (owner.address, relayer.address, user.address) for part in ("--fund", address)]
    async with trio.open_nursery() as nursery:
        alpha = ["devnet", "beacon", "--network-file", str(home / "network.json"), "--chain-id", str(ALPHA)]
        alpha += ["--port", port["alpha"], "--seconds-per-slot", "1", "--slots-per-epoch", "2"]
        beta = ["devnet", "start", "--home", str(home / "beta"), "--chain-id", str(BETA), "--port", port["beta"]]
        hub = ["hub", "start", "--home", str(home / "hub"), "--port", port["hub"], "--cometbft-port", port["comet"]]
        await run_command(
            [
                *("hub", "init", "--home", str(home / "hub"), "--chain-id", HUB_ID),
                *("--evm-chain-id", str(HUB_EVM_ID), "--threshold", "2"),
                *(part for admin in admins for part in ("--admin", admin.address)),
            ]
        )
        for name, command in (("alpha", alpha + funded), ("beta", beta + funded), ("hub", hub)):
            await nursery.start(run_daemon, name, command, home / f"{name}.log")
        for name in ("hub", "alpha", "beta"):
            await serving(urls[name], "POST", lambda answer: int(answer.json().get("result", "0x0"), 16) > 0, json=ASK)
        deployed = {name: await deploy(urls[name], chain, owner) for name, chain in (("alpha", ALPHA), ("beta", BETA))}
        tables = (
            f'[relay]\nhome = "relay"\nhttp = "127.0.0.1:{port["relay"]}"\n'
            f'\n[[chains]]\nname = "alpha"\nkind = "evm"\nchain_id = {ALPHA}\nconsensus = "ethereum"\n'
            f'beacon = ["{urls["alpha"]}"]\nnetwork = "network.json"\nrpc = ["{urls["alpha"]}"]\n'
            f'router = "{deployed["alpha"]["router"]}"\nkey = {relayer.toml}\n'
            f'\n[[chains]]\nname = "beta"\nkind = "evm"\nchain_id = {BETA}\nconsensus = "qbft"\n'
            f'rpc = ["{urls["beta"]}"]\nrouter = "{deployed["beta"]["router"]}"\nkey = {relayer.toml}\n'
            f'\n[[chains]]\nname = "hub"\nkind = "hub"\nchain_id = "{HUB_ID}"\nrpc = ["{urls["hub"]}"]\n'
            f'consensus_rpc = ["{urls["comet"]}"]\nkey = {relayer.toml}\n'
        )
        config = private(home / "relay.toml", tables)
        router_at = deployed["alpha"]["height"] + DEPLOYMENT_BLOCKS
        await serving(urls["alpha"] + FINALITY, ready=lambda answer: final_block(answer) >= router_at)
        paths = {name: await connect(config, name, owner, admins, deployed[name]["mailbox"]) for name in deployed}
        assert paths["alpha"]["b"]["client"] == "ethereum-0"
        for path in paths.values():
            ends = "".join(f'{s} = {{ chain = "{path[s]["chain"]}", client = "{path[s]["client"]}" }}\n' for s in "ab")
            tables += f"\n[[paths]]\n{ends}"
        private(config, tables)
        chains = {}
        for name, chain_id in (("alpha", ALPHA), ("beta", BETA)):
            router, mailbox = deployed[name]["router"], deployed[name]["mailbox"]
            ends = {"hub_client": paths[name]["a"]["client"], "client_on_hub": paths[name]["b"]["client"]}
            chain = DemoChain(name, urls[name], chain_id, router, mailbox, **ends)
            receiver = await trio.to_thread.run_sync(chain.deploy, user, "ExampleReceiver", chain.mailbox_address)
            chains[name] = chain.with_contracts(receiver, "")
        for here, there in (("alpha", "beta"), ("beta", "alpha")):
            await run_command(
                [
                    *("peer", "add", "--config", str(config), "--chain", here, *owner.options),
                    *("--mailbox", chains[here].mailbox_address),
                    *("--hub-client", chains[there].client_on_hub, "--name", there),
                ]
            )
        await nursery.start(run_daemon, "relay", ["relay", "run", "--config", str(config)], home / "relay.log")
        await serving(urls["relay"] + "/readyz")
        for source, destination in ((chains["alpha"], chains["beta"]), (chains["beta"], chains["alpha"])):
            await trio.to_thread.run_sync(send_messages, User(source, user), destination)
        with trio.fail_after(LIMIT_S):
            while (counts := await trio.to_thread.run_sync(count_settled, tuple(chains.values()))) != (6, 6):
                assert max(counts) <= 6
                await trio.sleep(0.5)
        nursery.cancel_scope.cancel()
