"""What only a relay that runs for months meets: late finality, long pauses, narrow nodes, transactions that hang."""

import pytest
import trio

from hutong.adapters.interface import EndpointUnavailable, RpcRefused
from hutong.adapters.simulated import ChainTraits
from hutong.relay.core.clients.keeper import Condition
from hutong.relay.dispatch import Route
from tests.relay.core.world import CLIENT, World, making_blocks

TO_BETA = Route("alpha", "beta", CLIENT)
TO_ALPHA = Route("beta", "alpha", CLIENT)


@pytest.fixture
def world(tmp_path, valkey):
    return World(tmp_path, valkey.url)


@pytest.mark.long
async def test_attack_G4_transaction_in_a_block_that_is_not_final_yet_is_neither_lost_nor_paid_again(
    tmp_path, valkey, autojump_clock
):
    """A chain whose blocks are final minutes after they are made: `finalized` on a proof-of-stake chain."""
    world = World(tmp_path, valkey.url, traits=ChainTraits(finality_depth=30))
    async with making_blocks(world):
        await trio.sleep(40)
        async with world.relay().running():
            world.send("alpha", 3)
            await world.all_settled(3, at_most_s=400)
    for name in world.chains:
        assert len(world.transactions(name)) == 1


@pytest.mark.long
async def test_attack_G6_refund_that_an_app_refused_for_long_goes_on_when_it_does_not(world, autojump_clock):
    """A paused Transfer refuses acknowledgements and timeouts while its router is not paused."""
    world.refuse_all("alpha")
    async with making_blocks(world), world.relay(clear_interval_s=60).running() as process:
        world.send("alpha", 3)
        with trio.fail_after(600):
            while len(await process.queue.dead_letters(TO_ALPHA)) < 3:  # noqa: ASYNC110  the server raises no event
                await trio.sleep(1)
        assert world.unsettled() == [1, 2, 3]
        world.refuse_all("alpha", refuse=False)
        await world.all_settled(3, at_most_s=60)
        assert await process.queue.dead_letters(TO_ALPHA) == []


async def test_attack_G6_packets_that_expire_together_all_time_out_where_others_settle_some(world, autojump_clock):
    """One is settled while another is looked at: the rest must still be remembered."""
    process = world.relay()
    scheduler = process.relay.timeouts
    async with making_blocks(world):
        world.send("alpha", 12, timeout_s=5)
        await trio.sleep(3)
        for chain in process.relay.chains.values():
            chain.heads.publish(await chain.adapter.head())
        events = await process.relay.adapters["alpha"].packet_events(0, world.chains["alpha"].final_height)
        jobs = await process.relay.watchers["alpha"].confirm(events, world.chains["alpha"].final_height)
        for job in jobs:
            scheduler.watch(job)
        await trio.sleep(10)
        honest = process.relay.discovery.next_job

        async def another_relay_is_quicker(end, sequence):
            scheduler.forget("beta", jobs[10].packet_id)
            return await honest(end, sequence)

        process.relay.discovery.next_job = another_relay_is_quicker
        await process.queue.open(TO_ALPHA)
        await scheduler.expire("alpha", "beta", await process.relay.adapters["beta"].head())
        assert not any(scheduler.watches("beta", job.packet_id) for job in jobs)
        found = {one.job.packet_id for one in await process.queue.take(TO_ALPHA, 20)}
        # packets are looked at side by side: the settled one may have been the first of them
        everyone = {job.packet_id for job in jobs}
        assert everyone - {jobs[10].packet_id} <= found <= everyone
    process.close()


async def test_expired_packets_are_remembered_when_the_queue_fails(world, autojump_clock):
    process = world.relay()
    scheduler = process.relay.timeouts
    async with making_blocks(world):
        world.send("alpha", 3, timeout_s=5)
        await trio.sleep(3)
        final_height = world.chains["alpha"].final_height
        for chain in process.relay.chains.values():
            chain.heads.publish(await chain.adapter.head())
        events = await process.relay.adapters["alpha"].packet_events(0, final_height)
        for job in await process.relay.watchers["alpha"].confirm(events, final_height):
            scheduler.watch(job)
        await trio.sleep(10)
        honest = process.queue.enqueue

        async def broken(jobs):
            raise RuntimeError("the server has no memory left")

        process.queue.enqueue = broken
        head = await process.relay.adapters["beta"].head()
        with pytest.raises(RuntimeError):
            await scheduler.expire("alpha", "beta", head)
        process.queue.enqueue = honest
        await process.queue.open(TO_ALPHA)
        await scheduler.expire("alpha", "beta", head)
        assert len(await process.queue.take(TO_ALPHA, 20)) == 3
    process.close()


@pytest.mark.long
@pytest.mark.parametrize("refusal", ["range", "size"])
async def test_attack_G1_node_that_answers_only_narrow_ranges_does_not_stop_the_watcher(world, autojump_clock, refusal):
    """After an outage the cursor is far behind, and each try of a thousand blocks fails alike."""
    error = {
        "range": RpcRefused("eth_getLogs", -32000, "range over 20 blocks"),
        "size": EndpointUnavailable("alpha", "eth_getLogs", (("node", "more than 16777216 bytes"),)),
    }[refusal]
    async with making_blocks(world):
        async with world.relay().running():
            await trio.sleep(5)
        await trio.sleep(250)
        process = world.relay(clear_interval_s=80_000)
        alpha = process.relay.adapters["alpha"]
        honest, asked = alpha.packet_events, []

        async def narrow(first, last):
            asked.append(last - first + 1)
            if last - first >= 20:
                raise error
            return await honest(first, last)

        alpha.packet_events = narrow
        async with process.running():
            await trio.sleep(60)
            world.send("alpha", 1)
            await world.all_settled(1, at_most_s=60)
    assert max(asked) > 200 and len([width for width in asked if width > 20]) < 15


@pytest.mark.long
async def test_attack_G10_client_whose_refresh_hangs_in_the_pool_is_alarmed_all_the_same(
    tmp_path, valkey, autojump_clock
):
    world = World(tmp_path, valkey.url, trusting_period_s=200)
    world.faults["beta"].lost_broadcast = 1.0
    async with making_blocks(world), world.relay().running() as process:
        alarm = {f"beta:{CLIENT}": Condition.NEAR_EXPIRY}
        await world.until(lambda: process.relay.health()["clients_in_trouble"] == alarm, at_most_s=180)
        assert len(next(iter(process.relay.accounts["beta"])).pending) == 1, "one refresh, not one a look"
        world.faults["beta"].lost_broadcast = 0.0
        await world.until(lambda: process.relay.health()["clients_in_trouble"] == {}, at_most_s=20)
