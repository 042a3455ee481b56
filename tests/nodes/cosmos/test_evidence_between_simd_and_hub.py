"""Evidence between a real simd and a hub, each way: by hand from files as their nodes answer, and by a relay's own watch."""

from functools import partial
from pathlib import Path

import pytest
import trio

from hutong.adapters.cosmos.administration import register_counterparty
from hutong.adapters.interface import UpdateClient
from hutong.light_clients.interface import ClientStatus
from hutong.light_clients.tendermint.codec import encode_tendermint_header
from hutong.light_clients.tendermint.types import KeyType
from hutong.relay.hub.home.home import load_validator_key
from hutong.relay.keys import Signer as AccountSigner
from hutong.relay.local.processes import run_daemon
from tests.adapters.conformance.evidence_files import private, submit_evidence, url_of, write_answers, write_keystore
from tests.adapters.conformance.lane import CHAIN_ID, RELAYER
from tests.light_clients.tendermint.double_signing import twin
from tests.light_clients.tendermint.simulated_chain import Signer
from tests.nodes.cosmos.followed_simd import SimdAndHub, simd_and_hub
from tests.nodes.cosmos.simd_chain import GAS_PRICE, SimdChain, running_simd

pytestmark = pytest.mark.nodes

RELAYER_SECRET = bytes(31) + b"\x71"
STRANGER_SECRET = bytes(31) + b"\x72"
WINDOW_S = 90
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

[[paths]]
a = {{ chain = "simd", client = "{on_simd}" }}
b = {{ chain = "hub", client = "{on_hub}" }}
"""


def write_config(folder: Path, both: SimdAndHub, on_simd: str, on_hub: str) -> None:
    write_keystore(folder, RELAYER_SECRET)
    config = CONFIG.format(
        hub_chain_id=CHAIN_ID,
        hub=url_of(both.hub.execution.client),
        comet=url_of(both.hub.comet.client),
        simd_chain_id=both.simd.chain_id,
        simd=both.simd.rpc,
        gas_price=GAS_PRICE,
        on_simd=on_simd,
        on_hub=on_hub,
    )
    private(folder / "relay.toml", config)


def validator_keys(folder: Path, simd: SimdChain) -> dict[str, Signer]:
    """Of the chain that is followed, by the chain that hosts the client."""
    return {
        "simd": Signer(KeyType.SECP256K1, load_validator_key(folder / "hub").private_key),
        "hub": Signer(KeyType.ED25519, simd.node.validator_secret()),
    }


async def test_two_answers_freeze_either_client_and_honest_ones_neither(tmp_path):
    with running_simd(tmp_path / "simd", {"relayer": RELAYER_SECRET}) as simd:
        async with simd_and_hub(tmp_path / "hub", simd) as both:
            on_simd, on_hub = await both.client_on_simd(), await both.client_on_hub()
            write_config(tmp_path, both, on_simd.client, on_hub.client)
            keys = validator_keys(tmp_path, simd)
            for chain, follower in (("simd", on_simd), ("hub", on_hub)):
                submitted = partial(trio.to_thread.run_sync, submit_evidence, tmp_path, chain, follower.client)
                real = await follower.real_header()
                honest = write_answers(tmp_path / "honest.json", real)
                forked = write_answers(tmp_path / "forked.json", twin(real, [keys[chain]]))
                code, said = await submitted(honest, honest)
                assert (code, "both headers are the same block" in said) == (1, True), said
                assert await follower.status() is ClientStatus.ACTIVE
                code, said = await submitted(honest, forked)
                assert (code, said) == (0, f"{chain} {follower.client} is Frozen: two blocks at height {real.height}")
                assert await follower.status() is ClientStatus.FROZEN
            assert await trio.to_thread.run_sync(simd.client_status, on_simd.client) == "Frozen"


async def test_attack_G11_a_running_relay_freezes_a_client_that_was_shown_a_fork(tmp_path):
    with running_simd(tmp_path / "simd", {"relayer": RELAYER_SECRET, "stranger": STRANGER_SECRET}) as simd:
        async with simd_and_hub(tmp_path / "hub", simd) as both, trio.open_nursery() as nursery:
            on_simd, on_hub = await both.client_on_simd(), await both.client_on_hub()
            await register_counterparty(both.cosmos, RELAYER, on_simd.client, on_hub.client, both.hub.merkle_prefix)
            await both.register_on_hub(on_hub.client, on_simd.client)
            write_config(tmp_path, both, on_simd.client, on_hub.client)
            keys = validator_keys(tmp_path, simd)
            log = tmp_path / "relay.log"
            await nursery.start(run_daemon, "relay", ["relay", "run", "--config", str(tmp_path / "relay.toml")], log)
            for follower in (on_simd, on_hub):
                follower.signer = AccountSigner.in_memory(STRANGER_SECRET)
                await follower.refresh()
                assert await follower.status() is ClientStatus.ACTIVE
                forked = twin(await follower.real_header(), [keys[follower.host.name]])
                await follower.submit(UpdateClient(follower.client, encode_tendermint_header(forked)))
                with trio.fail_after(WINDOW_S):
                    while await follower.status() is not ClientStatus.FROZEN:  # noqa: ASYNC110  chains raise no event for it
                        await trio.sleep(1)
            assert log.read_text().count("the client was shown a history that its chain does not have") == 2
            nursery.cancel_scope.cancel()
