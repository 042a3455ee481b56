"""Stock code's client of the hub: frozen by evidence signed with the hub validator's key and by nothing less, recovered by a vote."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
import trio

from hutong.adapters.cosmos.administration import register_counterparty
from hutong.adapters.cosmos.transactions.fees import Coin
from hutong.adapters.cosmos.transfer import CosmosTransfer, send_transfer
from hutong.adapters.interface import RefusedByChain, UpdateClient
from hutong.light_clients.interface import ClientStatus
from hutong.light_clients.tendermint.codec import encode_tendermint_header
from hutong.light_clients.tendermint.types import KeyType
from hutong.relay.hub.home.home import load_validator_key
from tests.adapters.conformance.lane import PARAMETERS, RELAYER
from tests.light_clients.tendermint.double_signing import twin
from tests.light_clients.tendermint.simulated_chain import Signer
from tests.nodes import provision
from tests.nodes.cosmos.followed_simd import SimdAndHub, evidence, simd_and_hub, unproven_packet, unsigned
from tests.nodes.cosmos.simd_chain import TOKEN_DENOM, SimdChain, running_simd
from tests.nodes.cosmos.simd_node import NodeFailed

pytestmark = pytest.mark.nodes

NOT_ACTIVE = "not active"
HUB_S_CLIENT = "07-tendermint-7"


@pytest.fixture(scope="module", params=[provision.simd, provision.simd11], ids=["ibc-go-v10", "ibc-go-v11"])
def simd(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[SimdChain]:
    home, relayer = tmp_path_factory.mktemp("simd"), {"relayer": bytes(31) + b"\x71"}
    with running_simd(home, relayer, block_time_s=0.3, program=request.param()) as chain:
        yield chain


def hub_key(home) -> list[Signer]:
    return [Signer(KeyType.SECP256K1, load_validator_key(home).private_key)]


async def stock_status(both: SimdAndHub, client: str) -> str:
    return await trio.to_thread.run_sync(both.simd.client_status, client)


async def send_token(both: SimdAndHub, client: str) -> None:
    timeout_s = (await both.hub.head()).time_ns // 10**9 + 600
    await send_transfer(
        both.cosmos, RELAYER, CosmosTransfer(client, Coin(1, TOKEN_DENOM), RELAYER.address, timeout_s, "")
    )


async def test_attack_C17_the_hub_s_double_signing_freezes_its_client_on_simd_until_a_vote_recovers_it(tmp_path, simd):
    async with simd_and_hub(tmp_path, simd) as both:
        follower, bystander = await both.client_on_simd(), await both.client_on_simd()
        await register_counterparty(both.cosmos, RELAYER, follower.client, HUB_S_CLIENT, both.hub.merkle_prefix)
        await follower.refresh()
        assert await stock_status(both, follower.client) == "Active"
        await send_token(both, follower.client)
        assert NOT_ACTIVE not in await follower.submit(unproven_packet(follower, HUB_S_CLIENT))
        real = await follower.real_header()
        proof_of_guilt = evidence(follower, real, twin(real, hub_key(tmp_path)))
        assert await follower.submit(proof_of_guilt) is None
        assert await stock_status(both, follower.client) == "Frozen"
        assert await follower.status() is ClientStatus.FROZEN
        assert await stock_status(both, bystander.client) == "Active"

        update = UpdateClient(follower.client, encode_tendermint_header(real))
        for message in (update, proof_of_guilt, unproven_packet(follower, HUB_S_CLIENT)):
            assert NOT_ACTIVE in await follower.submit(message)
        with pytest.raises(RefusedByChain, match=NOT_ACTIVE):
            await send_token(both, follower.client)

        substitute = await both.client_on_simd()
        await trio.to_thread.run_sync(simd.recover_client, follower.client, substitute.client)
        assert await stock_status(both, follower.client) == "Active"
        assert await follower.latest_height() == await substitute.latest_height()
        await follower.refresh()
        await send_token(both, follower.client)
        assert await stock_status(both, follower.client) == "Active"


async def test_attack_C15_simd_freezes_at_a_second_block_and_takes_the_same_one_again(tmp_path, simd):
    async with simd_and_hub(tmp_path, simd) as both:
        follower = await both.client_on_simd()
        real = await follower.real_header()
        update = UpdateClient(follower.client, encode_tendermint_header(real))
        assert await follower.submit(update) is None
        assert await stock_status(both, follower.client) == "Active"
        forked = encode_tendermint_header(twin(real, hub_key(tmp_path)))
        assert await follower.submit(UpdateClient(follower.client, forked)) is None
        assert await stock_status(both, follower.client) == "Frozen"


async def test_attack_C16_simd_is_frozen_by_no_evidence_that_proves_nothing(tmp_path, simd):
    async with simd_and_hub(tmp_path, simd) as both:
        follower = await both.client_on_simd()
        key = hub_key(tmp_path)
        lower, higher = await follower.real_header(), await follower.real_header(ahead=4)
        foreign = twin(lower, key, chain_id="other-1", app_hash=lower.signed_header.header.app_hash)
        # Honest headers are no contradiction: stock code takes the message and changes nothing.
        for one, two in ((lower, lower), (higher, lower)):
            assert await follower.submit(evidence(follower, one, two)) is None
            assert await stock_status(both, follower.client) == "Active"
        assert await follower.latest_height() < lower.height
        for one, two in (
            (lower, higher),
            (lower, foreign),
            (foreign, twin(lower, key, chain_id="other-1")),
            (lower, twin(lower, [Signer.numbered(1)])),
            (lower, twin(lower, [])),
            (lower, unsigned(twin(lower, key))),
            (unsigned(lower), twin(lower, key)),
        ):
            assert await follower.submit(evidence(follower, one, two)) is not None
        assert await stock_status(both, follower.client) == "Active"
        # the same headers, rightly signed, do
        assert await follower.submit(evidence(follower, lower, twin(lower, key))) is None
        assert await stock_status(both, follower.client) == "Frozen"


async def test_attack_C18_simd_recovers_a_client_by_a_like_one_only(tmp_path, simd):
    async with simd_and_hub(tmp_path, simd) as both:
        follower = await both.client_on_simd()
        other = await both.client_on_simd(replace(PARAMETERS, max_clock_drift_s=PARAMETERS.max_clock_drift_s + 1))
        real = await follower.real_header()
        assert await follower.submit(evidence(follower, real, twin(real, hub_key(tmp_path)))) is None
        await other.refresh()
        with pytest.raises(NodeFailed, match="proposal_failed"):
            await trio.to_thread.run_sync(simd.recover_client, follower.client, other.client)
        assert await stock_status(both, follower.client) == "Frozen"


async def test_attack_C15_a_client_that_was_shown_a_fork_freezes_at_its_chain_s_own_block(tmp_path, simd):
    """What the relay's fork watch submits."""
    async with simd_and_hub(tmp_path, simd) as both:
        keys = {"simd": hub_key(tmp_path), "hub": [Signer(KeyType.ED25519, simd.node.validator_secret())]}
        for follower in (await both.client_on_simd(), await both.client_on_hub()):
            real = await follower.real_header()
            forked = twin(real, keys[follower.host.name])
            assert await follower.submit(UpdateClient(follower.client, encode_tendermint_header(forked))) is None
            assert await follower.status() is ClientStatus.ACTIVE
            assert await follower.submit(UpdateClient(follower.client, encode_tendermint_header(real))) is None
            assert await follower.status() is ClientStatus.FROZEN
