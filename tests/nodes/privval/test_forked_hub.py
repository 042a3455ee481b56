"""Row 29: one key in two homes, each with a stock signer of its own. Neither can see the other; clients of the hub freeze.

The second home is a copy, as one that was restored from a backup: both go on from there, and every block after it is one of two.
"""

import json
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
import trio

from hutong.adapters.evm.administration.deploy import add_client, deploy_hub_client
from hutong.adapters.interface import UpdateClient
from hutong.light_clients.interface import ClientStatus, Height
from hutong.relay.devnet import Pace
from hutong.relay.keys import Signer
from hutong.relay.local.processes import run_daemon
from tests.adapters.conformance.evidence_files import private, submit_evidence, url_of, write_keystore
from tests.adapters.conformance.lane import CHAIN_ID, DEPLOYER, PARAMETERS, UNKNOWN_CLIENT, EvmMember, join
from tests.adapters.conformance.suite import submit_alone
from tests.nodes.cosmos.followed_simd import Follower, SimdAndHub, first_block, open_simd
from tests.nodes.cosmos.simd_chain import GAS_PRICE, SimdChain, running_simd
from tests.nodes.privval.followed_hub import made_hub, opened
from tests.nodes.privval.signed_hub import STOCK_SIGNERS, SignedHub
from tests.nodes.privval.tapped_socket import double_signs

pytestmark = pytest.mark.nodes

LIMIT_S = 1_200
RELAYER_SECRET, STRANGER_SECRET = bytes(31) + b"\x71", bytes(31) + b"\x72"
ALPHA_PACE = Pace(1_000, 150)
SIMD_BLOCK_S = 2.0
BLOCKS_AFTER_COPY = 3
CONFIG = """
[relay]
home = "state"

[[chains]]
name = "hub"
kind = "hub"
chain_id = "{hub_chain_id}"
rpc = ["{hub}"]
consensus_rpc = ["{comet}"]
key = {{ keystore = "relayer.json", password_file = "password" }}

[[chains]]
name = "simd"
kind = "cosmos"
chain_id = "{simd_chain_id}"
rpc = ["{simd}"]
bech32_prefix = "cosmos"
gas_price = "{gas_price}"
key = {{ keystore = "relayer.json", password_file = "password" }}

[[chains]]
name = "alpha"
kind = "evm"
chain_id = 1001
consensus = "qbft"
rpc = ["{alpha}"]
router = "{router}"
key = {{ keystore = "relayer.json", password_file = "password" }}

[[paths]]
a = {{ chain = "simd", client = "{on_simd}" }}
b = {{ chain = "hub", client = "{of_simd}" }}

[[paths]]
a = {{ chain = "alpha", client = "{on_alpha}" }}
b = {{ chain = "hub", client = "{of_alpha}" }}
"""


@pytest.fixture(scope="module")
def simd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimdChain]:
    accounts = {"relayer": RELAYER_SECRET, "stranger": STRANGER_SECRET}
    with running_simd(tmp_path_factory.mktemp("simd"), accounts, block_time_s=SIMD_BLOCK_S) as chain:
        yield chain


@dataclass
class Followed:
    """Clients of the hub, made while it was one. Of each pair a relay watches the first, and an operator has evidence for the second."""

    both: SimdAndHub
    alpha: EvmMember
    on_simd: tuple[Follower, Follower]
    on_alpha: tuple[Follower, Follower]
    of_simd: str

    @property
    def pairs(self) -> dict[str, tuple[Follower, Follower]]:
        return {"simd": self.on_simd, "alpha": self.on_alpha}


async def followed(stack: AsyncExitStack, hub, simd: SimdChain) -> Followed:
    """All clients at a height of the hub that both of its futures have."""
    cosmos = await stack.enter_async_context(open_simd(simd))
    both = SimdAndHub(simd, cosmos, hub)
    alpha = await join(stack, hub, "alpha", 1001, pace=ALPHA_PACE)
    shown, second = await both.client_on_simd(), await both.client_on_simd()
    of_simd = (await both.client_on_hub()).client
    await both.register_on_hub(of_simd, shown.client)
    await both.register_on_simd(shown.client, of_simd)
    contract = await deploy_hub_client(alpha.deployer, await hub.initial_states("07-tendermint", PARAMETERS))
    router = bytes.fromhex(alpha.contracts.router[2:])
    other = await add_client(alpha.deployer, router, contract, UNKNOWN_CLIENT, hub.merkle_prefix)
    on_alpha = tuple(Follower(alpha.chain, hub, client, DEPLOYER) for client in (alpha.client, other))
    for follower in (shown, second, *on_alpha):
        await follower.refresh()
    return Followed(both, alpha, (shown, second), on_alpha, of_simd)


def write_config(folder: Path, hub: SignedHub, found: Followed, which: int) -> None:
    """A relay's file whose paths end in the first or the second client of each pair."""
    folder.mkdir()
    write_keystore(folder, RELAYER_SECRET)
    config = CONFIG.format(
        hub_chain_id=CHAIN_ID,
        hub=hub.node.eth_url,
        comet=hub.node.cometbft_url,
        simd_chain_id=found.both.simd.chain_id,
        simd=found.both.simd.rpc,
        gas_price=GAS_PRICE,
        alpha=url_of(found.alpha.chain.execution.client),
        router=found.alpha.contracts.router,
        on_simd=found.on_simd[which].client,
        of_simd=found.of_simd,
        on_alpha=found.on_alpha[which].client,
        of_alpha=found.alpha.hub_client,
    )
    private(folder / "relay.toml", config)


def answers(node: SignedHub, height: int, path: Path) -> Path:
    """What this node's RPC says of a height, as an operator saves it."""
    said = [
        node.node.cometbft(f"commit?height={height}"),
        node.node.cometbft(f"validators?height={height}&per_page=100"),
    ]
    path.write_text(json.dumps([{"jsonrpc": "2.0", "id": -1, "result": result} for result in said]))
    return path


async def show(follower: Follower, source, height: Height) -> int:
    """Give a client the header of one of the two futures; the block of its chain that took it."""
    header = (await Follower(follower.host, source, follower.client).headers(height))[-1]
    _, _, outcome = await submit_alone(follower.host, follower.signer, [UpdateClient(follower.client, header)])
    assert outcome.failure_of(0) is None
    return outcome.height


async def said_by_relay(log: Path, chain: str, event: str) -> dict[str, str]:
    """The relay's line of that event about its client on a chain, once it is there."""
    while True:
        for said in records(log):
            if said.get("chain") == chain and said["event"].startswith(event):
                return said
        await trio.sleep(0.1)


def records(log: Path) -> list[dict[str, str]]:
    """What the relay logged, without a line that is not whole, and the one that says that it is ready."""
    lines = log.read_text().splitlines(keepends=True)
    return [json.loads(line) for line in lines if line.startswith("{") and line.endswith("\n")]


@pytest.mark.parametrize("name", STOCK_SIGNERS)
async def test_row_29_two_stock_signers_of_one_key_fork_the_hub_and_every_client_freezes(
    short_path, tmp_path, simd, name
):
    first = made_hub(short_path)
    hubs = [first]
    try:
        with trio.fail_after(LIMIT_S):
            async with AsyncExitStack() as stack:
                first.signer(name).start()
                await trio.to_thread.run_sync(first.node.start)
                # Left open, as whatever is opened by it: of the ports before the restart it says nothing more.
                hub = await stack.enter_async_context(opened(first.node))
                await first_block(hub)
                found = await followed(stack, hub, simd)
                await trio.to_thread.run_sync(first.stop)
                second = first.restored(short_path.parent / "copy")
                hubs.append(second)
                for one in hubs:
                    one.signer(name).start()
                    await trio.to_thread.run_sync(one.node.start)
                await forked(stack, tmp_path, found, first, second)
            for one in hubs:
                await trio.to_thread.run_sync(one.stop)
    finally:
        for one in hubs:
            one.close()
    assert [double_signs(one.tap.signed) for one in hubs] == [[], []], "neither signs twice by itself"
    twice = double_signs([*first.tap.signed, *second.tap.signed])
    print(f"{name}: {len(twice)} places signed with two contents by two signers of one key")
    assert twice


async def forked(stack: AsyncExitStack, folder: Path, found: Followed, first: SignedHub, second: SignedHub) -> None:
    """Both futures go on; clients are shown the second one, and the relay and the operator know the first."""
    ours, theirs = [await stack.enter_async_context(opened(one.node)) for one in (first, second)]
    height = Height(1, max([(await one.head()).height for one in (ours, theirs)]) + BLOCKS_AFTER_COPY)
    for one in (ours, theirs):
        await one.wait_for_height(height.revision_height + 1)
    relay, operator = folder / "relay", folder / "operator"
    for which, config_folder in enumerate((relay, operator)):
        write_config(config_folder, first, found, which)
    log = folder / "relay.log"
    async with trio.open_nursery() as nursery:
        await nursery.start(run_daemon, "relay", ["relay", "run", "--config", str(relay / "relay.toml")], log)
        while "relay ready" not in log.read_text():  # noqa: ASYNC110  a file raises no event
            await trio.sleep(0.3)
        for chain, (watched, other) in found.pairs.items():
            if chain == "simd":
                watched.signer = Signer.in_memory(STRANGER_SECRET)
            shown_at = await show(watched, theirs, height)
            await said_by_relay(log, chain, "the client was shown a history")
            seen_at = (await watched.host.head()).height
            frozen_by = await said_by_relay(log, chain, "the client is frozen")
            outcome = await watched.host.outcome(bytes.fromhex(frozen_by["transaction"].removeprefix("0x")))
            assert outcome is not None
            print(
                f"{chain}: shown the other history in block {shown_at}, seen by the relay at block {seen_at}, frozen in block"
                f" {outcome.height}"
            )
            assert await watched.status() is ClientStatus.FROZEN

            files = [
                answers(one, height.revision_height, folder / f"{n}.json") for n, one in enumerate((first, second))
            ]
            assert await other.status() is ClientStatus.ACTIVE
            submitted = partial(trio.to_thread.run_sync, submit_evidence, operator, chain, other.client)
            code, said = await submitted(files[0], files[0])
            assert (code, "both headers are the same block" in said) == (1, True), said
            code, said = await submitted(*files)
            assert (code, said) == (0, f"{chain} {other.client} is Frozen: two blocks at height {height}")
            assert await other.status() is ClientStatus.FROZEN
        nursery.cancel_scope.cancel()
