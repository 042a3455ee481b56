"""The hub's Tendermint client of a real ed25519 chain through its life: refreshed, new validators, frozen by real evidence, recovered.

The chain is an unmodified simd; evidence is signed with its validators' own keys.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import pytest
import trio

from hutong.adapters.interface import RefusedByChain, UpdateClient
from hutong.light_clients.interface import ClientStatus
from hutong.light_clients.tendermint.codec import (
    decode_consensus_state,
    encode_tendermint_header,
)
from hutong.light_clients.tendermint.types import KeyType
from tests.adapters.conformance.lane import PARAMETERS
from tests.light_clients.tendermint.double_signing import twin
from tests.light_clients.tendermint.simulated_chain import Signer
from tests.nodes.cosmos.followed_simd import Follower, evidence, simd_and_hub, unproven_packet, unsigned
from tests.nodes.cosmos.simd_chain import SimdChain, running_simd

pytestmark = pytest.mark.nodes

COUNTERPARTY = "07-tendermint-0"
NOT_ACTIVE = "IBCClientNotActive"


@pytest.fixture(scope="module")
def simd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimdChain]:
    with running_simd(tmp_path_factory.mktemp("simd"), {"relayer": bytes(31) + b"\x71"}, block_time_s=0.3) as chain:
        yield chain


def validator_keys(simd: SimdChain) -> list[Signer]:
    return [Signer(KeyType.ED25519, node.validator_secret()) for node in simd.nodes]


async def freeze(simd: SimdChain, follower: Follower) -> None:
    real = await follower.real_header()
    assert await follower.submit(evidence(follower, real, twin(real, validator_keys(simd)))) is None
    assert await follower.status() is ClientStatus.FROZEN


async def test_the_client_is_refreshed_and_follows_a_second_validator(tmp_path, simd):
    async with simd_and_hub(tmp_path, simd) as both:
        follower = await both.client_on_hub()
        created = await follower.latest_height()
        before = await follower.refresh()
        assert before > created
        # 60 of 160: from here on no block is committed without the new validator
        await trio.to_thread.run_sync(partial(simd.add_validator, power=60))
        header = await follower.real_header()
        assert len(header.trusted_validators.validators) == 1
        assert len(header.validator_set.validators) == 2
        after = await follower.refresh()
        states = [decode_consensus_state(await both.hub.consensus_state(follower.client, h)) for h in (before, after)]
        assert states[0].next_validators_hash != states[1].next_validators_hash
        assert states[1].next_validators_hash == header.signed_header.header.validators_hash
        assert await follower.refresh() > after
        assert await follower.status() is ClientStatus.ACTIVE


async def test_attack_C17_a_real_double_signing_freezes_the_client_until_an_admin_recovers_it(tmp_path, simd):
    async with simd_and_hub(tmp_path, simd) as both:
        follower = await both.client_on_hub()
        bystander = await both.client_on_hub()
        real = await follower.real_header()
        proof_of_guilt = evidence(follower, real, twin(real, validator_keys(simd)))
        await both.register_on_hub(follower.client, COUNTERPARTY)
        assert NOT_ACTIVE not in await follower.submit(unproven_packet(follower, COUNTERPARTY))
        assert await follower.submit(proof_of_guilt) is None
        assert await follower.status() is ClientStatus.FROZEN
        assert await bystander.status() is ClientStatus.ACTIVE

        update = UpdateClient(follower.client, encode_tendermint_header(real))
        for message in (update, unproven_packet(follower, COUNTERPARTY), proof_of_guilt):
            assert NOT_ACTIVE in await follower.submit(message)

        with pytest.raises(RefusedByChain):
            await both.recover_on_hub(bystander.client, follower.client)
        substitute = await both.client_on_hub()
        await both.recover_on_hub(follower.client, substitute.client)
        assert await follower.status() is ClientStatus.ACTIVE
        assert await follower.latest_height() == await substitute.latest_height()
        await follower.refresh()
        # the state that the evidence leans on went with the fork
        assert await follower.submit(proof_of_guilt) is not None
        assert await follower.status() is ClientStatus.ACTIVE


async def test_attack_C15_a_second_block_at_a_stored_height_freezes_and_the_same_block_changes_nothing(tmp_path, simd):
    async with simd_and_hub(tmp_path, simd) as both:
        follower = await both.client_on_hub()
        real = await follower.real_header()
        update = UpdateClient(follower.client, encode_tendermint_header(real))
        assert await follower.submit(update) is None
        assert await follower.submit(update) is None
        assert await follower.status() is ClientStatus.ACTIVE
        forked = twin(real, validator_keys(simd))
        assert await follower.submit(UpdateClient(follower.client, encode_tendermint_header(forked))) is None
        assert await follower.status() is ClientStatus.FROZEN


async def test_attack_C16_evidence_that_proves_nothing_freezes_nothing(tmp_path, simd):
    async with simd_and_hub(tmp_path, simd) as both:
        follower = await both.client_on_hub()
        keys = validator_keys(simd)
        lower, higher = await follower.real_header(), await follower.real_header(ahead=4)
        stranger = [Signer.numbered(1, KeyType.ED25519)]
        foreign = twin(lower, keys, chain_id="other-1", app_hash=lower.signed_header.header.app_hash)
        wrong = {
            "headers_conflict": [(lower, lower), (higher, lower)],
            "evidence_heights_in_order": [(lower, higher), (lower, foreign)],
            "chain_id_matches": [(foreign, twin(lower, keys, chain_id="other-1"))],
            "trusted_power_signed": [(lower, twin(lower, stranger)), (lower, twin(lower, []))],
            "signature": [(lower, unsigned(twin(lower, keys))), (unsigned(lower), twin(lower, keys))],
        }
        for rule, pairs in wrong.items():
            for one, two in pairs:
                assert rule in (await follower.submit(evidence(follower, one, two)) or "")
        assert await follower.status() is ClientStatus.ACTIVE
        await freeze(simd, follower)


async def test_attack_C18_a_client_is_recovered_by_a_like_client_only(tmp_path, simd):
    async with simd_and_hub(tmp_path, simd) as both:
        follower, frozen = await both.client_on_hub(), await both.client_on_hub()
        other = await both.client_on_hub(replace(PARAMETERS, max_clock_drift_s=PARAMETERS.max_clock_drift_s + 1))
        for client in (follower, frozen):
            await freeze(simd, client)
        for substitute in (other, frozen, follower):
            with pytest.raises(RefusedByChain):
                await both.recover_on_hub(follower.client, substitute.client)
            assert await follower.status() is ClientStatus.FROZEN
        await both.recover_on_hub(follower.client, (await both.client_on_hub()).client)
        assert await follower.status() is ClientStatus.ACTIVE
