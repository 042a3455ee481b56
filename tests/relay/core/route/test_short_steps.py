"""Clients that need every header (Clique): kept near without traffic, brought up step by step, and packets wait for that."""

import pytest
import trio

from hutong.light_clients.bft_evm.codec import decode_client_state
from hutong.relay.core.clients.keeper import SHORT_STEPS_CHECK_S
from tests.relay.core.world import CLIENT, World, making_blocks

REACH = 24


@pytest.fixture
def world(tmp_path, valkey):
    return World(tmp_path, valkey.url)


def behind(world) -> int:
    """Blocks of alpha above its client on beta."""
    hosted = world.chains["beta"].newest.router.clients[CLIENT]
    latest = decode_client_state(hosted.client_state).latest_height.revision_height
    return world.chains["alpha"].newest.header.number - latest


def relay_of_short_steps(world):
    process = world.relay()
    process.relay.adapters["alpha"].blocks_per_update = REACH
    return process


@pytest.mark.long
async def test_client_is_kept_within_one_update_and_no_nearer(world, autojump_clock):
    furthest = 0
    async with making_blocks(world), relay_of_short_steps(world).running():
        for _ in range(4 * REACH):
            await trio.sleep(1)
            furthest = max(furthest, behind(world))
    assert REACH // 2 < furthest < REACH // 2 + 2 * SHORT_STEPS_CHECK_S
    assert 3 <= len(world.transactions("beta")) <= 10


async def test_client_that_fell_far_behind_is_brought_up_step_by_step_and_packets_then_pass(world, autojump_clock):
    async with making_blocks(world):
        await trio.sleep(5 * REACH)
        assert behind(world) > 4 * REACH
        world.send("alpha")
        async with relay_of_short_steps(world).running():
            await world.until(lambda: world.received("beta") == 1, at_most_s=REACH * 10)
    updates = [receipt for receipt in world.transactions("beta") if receipt.reverted is None]
    assert len(updates) >= 5, "no transaction brings the client further than it can"
    assert behind(world) < REACH * 2
