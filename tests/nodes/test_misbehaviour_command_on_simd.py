"""`hutong client misbehaviour` between a real simd and a hub, each way: files as their nodes answer."""

from functools import partial

import pytest
import trio
from evidence_files import private, submit_evidence, url_of, write_answers, write_keystore
from lane import CHAIN_ID

from light_clients.interface import ClientStatus
from light_clients.tendermint.types import KeyType
from relay.hub.node.home import load_validator_key
from tests.light_clients.tendermint.double_signing import twin
from tests.light_clients.tendermint.simulated_chain import Signer
from tests.nodes.followed_simd import simd_and_hub
from tests.nodes.simd_chain import GAS_PRICE, running_simd

pytestmark = pytest.mark.nodes

RELAYER_SECRET = bytes(31) + b"\x71"
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


async def test_two_answers_freeze_either_client_and_honest_ones_neither(tmp_path):
    with running_simd(tmp_path / "simd", {"relayer": RELAYER_SECRET}) as simd:
        async with simd_and_hub(tmp_path / "hub", simd) as both:
            on_simd, on_hub = await both.client_on_simd(), await both.client_on_hub()
            write_keystore(tmp_path, RELAYER_SECRET)
            config = CONFIG.format(
                hub_chain_id=CHAIN_ID,
                hub=url_of(both.hub.execution.client),
                comet=url_of(both.hub.comet.client),
                simd_chain_id=simd.chain_id,
                simd=simd.rpc,
                gas_price=GAS_PRICE,
                on_simd=on_simd.client,
                on_hub=on_hub.client,
            )
            private(tmp_path / "relay.toml", config)
            keys = {
                "simd": Signer(KeyType.SECP256K1, load_validator_key(tmp_path / "hub").private_key),
                "hub": Signer(KeyType.ED25519, simd.node.validator_secret()),
            }
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
