"""anvil joins through attestors: the conformance suite, two anvils directly, and one over the hub to a dev chain."""

import os
import time
from contextlib import ExitStack

import pytest
import trio
from eth_account import Account

from bench.direct_lane import direct_lane
from hutong.relay.local.chain import DemoChain
from hutong.relay.local.keys import make_key
from hutong.relay.local.ports import free_port
from hutong.relay.local.processes import run_command, run_daemon
from hutong.relay.local.traffic import User
from tests.adapters.conformance.attested_pair import DEPLOYER, RELAYER, Node, attested_pair
from tests.adapters.conformance.suite import CHECKS
from tests.nodes.evm.running_anvil import running_anvil
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

pytestmark = pytest.mark.nodes

DRIFT_S = 86_400


async def test_conformance_of_two_anvils(tmp_path):
    with ExitStack() as stack:
        anvils = [stack.enter_context(running_anvil(chain_id)) for chain_id in (31_341, 31_342)]
        for anvil in anvils:
            for signer in (DEPLOYER, RELAYER):
                anvil.fund(signer.address)
        nodes = [Node(name, anvil.chain_id, anvil.url, anvil.ws) for name, anvil in zip("ab", anvils, strict=True)]

        async def advance():
            for anvil in anvils:
                await trio.to_thread.run_sync(anvil.mine)

        async with attested_pair(tmp_path, *nodes) as pair:
            link = pair.link(advance)
            for check in CHECKS:
                try:
                    await check(link)
                except BaseException as error:
                    error.add_note(f"in {check.__name__}")
                    raise
            assert pair.a.alerts == [] and pair.b.alerts == []


@pytest.mark.parametrize(
    ("origin_block_s", "poll_ms"), [(0, 1_000), (1, 100)], ids=["block-a-message", "block-a-second"]
)
def test_two_anvils_without_a_hub(tmp_path, origin_block_s, poll_ms):
    """`hutong path direct`, `attest run`, `relay run` as processes: every message is delivered and settled once, also
    where each one makes a block and tens of blocks come between two looks."""
    with direct_lane(tmp_path, origin_block_s=origin_block_s, poll_ms=poll_ms) as lane:
        lane.sign(60)
        lane.dispatch(60)
        with_limit(lambda: lane.settled() >= 60)
        assert (lane.delivered(), lane.settled()) == (60, 60)


def with_limit(done):
    deadline = time.monotonic() + LIMIT_S
    while not done():
        assert time.monotonic() < deadline, "not settled in time"
        time.sleep(0.2)


async def test_anvil_over_the_hub_to_a_dev_chain_and_back(tmp_path):
    """Every process of an operator: hub, dev chain with QBFT, anvil with its attestor, relay."""
    home = tmp_path
    keys = {name: make_key(home, name) for name in ("owner", "relayer", "attestor", *(f"admin-{n}" for n in range(3)))}
    owner, relayer, attestor = (keys[name] for name in ("owner", "relayer", "attestor"))
    admins = [keys[f"admin-{number}"] for number in range(3)]
    user = Account.from_key(os.urandom(32))
    ports = {name: free_port() for name in ("hub", "comet", "beta", "attestor", "relay")}
    urls = {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}
    ask = {"jsonrpc": "2.0", "id": 1, "method": "eth_blockNumber", "params": []}
    with running_anvil(31_337) as anvil:
        for address in (owner.address, relayer.address, user.address):
            anvil.fund(address)
        async with trio.open_nursery() as nursery:
            funded = [
                part for address in (owner.address, relayer.address, user.address) for part in ("--fund", address)
            ]
            beta = ["devnet", "start", "--home", str(home / "beta"), "--chain-id", "7002", "--port", str(ports["beta"])]
            await nursery.start(run_daemon, "beta", [*beta, *funded], home / "beta.log")
            await run_command(
                [
                    *("hub", "init", "--home", str(home / "hub"), "--chain-id", HUB_ID),
                    *("--evm-chain-id", str(HUB_EVM_ID), "--threshold", "2"),
                    *(part for admin in admins for part in ("--admin", admin.address)),
                ]
            )
            hub = ["hub", "start", "--home", str(home / "hub"), "--port", str(ports["hub"])]
            hub += ["--cometbft-port", str(ports["comet"])]
            await nursery.start(run_daemon, "hub", hub, home / "hub.log")
            for name in ("hub", "beta"):
                await serving(
                    urls[name], "POST", lambda answer: int(answer.json().get("result", "0x0"), 16) > 0, json=ask
                )
            deployed = {
                "alpha": await deploy(anvil.url, anvil.chain_id, owner),
                "beta": await deploy(urls["beta"], 7002, owner),
            }
            tables = (
                f'[relay]\nhome = "{home / "relay"}"\nhttp = "127.0.0.1:{ports["relay"]}"\n'
                f'\n[[chains]]\nname = "alpha"\nkind = "evm"\nchain_id = {anvil.chain_id}\nconsensus = "attested"\n'
                f'attestors = ["{urls["attestor"]}"]\nconfirmations = 0\nrpc = ["{anvil.url}"]\n'
                f'router = "{deployed["alpha"]["router"]}"\npoll_interval_ms = 100\nkey = {relayer.toml}\n'
                f'\n[[chains]]\nname = "beta"\nkind = "evm"\nchain_id = 7002\nconsensus = "qbft"\n'
                f'rpc = ["{urls["beta"]}"]\nrouter = "{deployed["beta"]["router"]}"\nkey = {relayer.toml}\n'
                f'\n[[chains]]\nname = "hub"\nkind = "hub"\nchain_id = "{HUB_ID}"\nrpc = ["{urls["hub"]}"]\n'
                f'consensus_rpc = ["{urls["comet"]}"]\npoll_interval_ms = 200\nkey = {relayer.toml}\n'
            )
            config = private(home / "relay.toml", tables)
            drift = ("--max-clock-drift-s", str(DRIFT_S), "--attestor", attestor.address)
            alpha_path = await connect(config, "alpha", owner, admins, deployed["alpha"]["mailbox"], *drift)
            beta_path = await connect(config, "beta", owner, admins, deployed["beta"]["mailbox"])
            assert alpha_path["b"]["client"] == "attestation-0" and beta_path["b"]["client"] == "bft-evm-0"
            (to,) = alpha_path["destinations"]
            await start_attestor(nursery, home, ports["attestor"], attestor, anvil, deployed["alpha"]["router"], to)
            await serving(urls["attestor"] + "/healthz")
            for path in (alpha_path, beta_path):
                ends = "".join(
                    f'{s} = {{ chain = "{path[s]["chain"]}", client = "{path[s]["client"]}" }}\n' for s in "ab"
                )
                tables += f"\n[[paths]]\n{ends}"
            private(config, tables)
            chains = {}
            for name, path, url, chain_id in (
                ("alpha", alpha_path, anvil.url, anvil.chain_id),
                ("beta", beta_path, urls["beta"], 7002),
            ):
                chain = DemoChain(
                    name,
                    url,
                    chain_id,
                    deployed[name]["router"],
                    deployed[name]["mailbox"],
                    hub_client=path["a"]["client"],
                    client_on_hub=path["b"]["client"],
                )
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
            alpha, beta_chain = chains["alpha"], chains["beta"]
            for source, destination in ((alpha, beta_chain), (beta_chain, alpha)):
                await trio.to_thread.run_sync(send_messages, User(source, user), destination)
            with trio.fail_after(LIMIT_S):
                while (counts := await trio.to_thread.run_sync(count_settled, (alpha, beta_chain))) != (6, 6):
                    assert max(counts) <= 6
                    await trio.sleep(0.5)
            log = (home / "relay.log").read_text()
            assert "attestor_disagrees" not in log and "attestors_contradict_node" not in log
            nursery.cancel_scope.cancel()


async def start_attestor(nursery, home, port, key, anvil, router, destination):
    text = (
        f'[attestor]\nhome = "{home / "attestor"}"\nhttp = "127.0.0.1:{port}"\nkey = {key.toml}\n'
        f'\n[source]\nchain_id = {anvil.chain_id}\nrpc = ["{anvil.url}"]\nrouter = "{router}"\nconfirmations = 0\n'
        f'poll_interval_ms = 100\n\n[[destinations]]\nchain_id = "{destination["chain_id"]}"\n'
        f'router = "{destination["router"]}"\nclient = "{destination["client"]}"\n'
    )
    file = private(home / "attestor.toml", text)
    await nursery.start(run_daemon, "attestor", ["attest", "run", "--config", str(file)], home / "attestor.log")
