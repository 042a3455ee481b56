"""The whole core over two simulated chains: delivery, acknowledgement, latency, costs, evidence."""

import pytest

from hutong.relay.archive import Evidence
from tests.relay.core.world import CLIENT, World, making_blocks


@pytest.fixture
def world(tmp_path, valkey):
    return World(tmp_path, valkey.url)


async def test_packet_is_delivered_and_acknowledged(world, autojump_clock):
    process = world.relay()
    async with making_blocks(world), process.running():
        world.send()
        assert await world.all_settled(1) < 6
        assert world.received() == 1
        deliveries = await process.ledger.deliveries(f"alpha/{CLIENT}/1")
        assert [(one.kind, one.chain, one.batch_size) for one in deliveries] == [
            ("receive", "beta", 1),
            ("acknowledge", "alpha", 1),
        ]
        assert all(one.fee_wei > 0 and one.gas_used > 0 for one in deliveries)
        evidence = await process.archive.read("alpha", CLIENT, 1, "receive")
        assert isinstance(evidence, Evidence) and evidence.transaction_hash == deliveries[0].transaction_hash
        assert (await process.archive.read("alpha", CLIENT, 1, "acknowledge")).acknowledgement is not None
    assert len(world.transactions("beta")) == len(world.transactions("alpha")) == 1


@pytest.mark.long
async def test_many_packets_both_ways_travel_in_batches(world, autojump_clock):
    async with making_blocks(world), world.relay().running():
        world.send("alpha", 60)
        world.send("beta", 40)
        await world.all_settled(60, "alpha")
        await world.all_settled(40, "beta")
    assert world.received("beta") == 60 and world.received("alpha") == 40
    assert len(world.transactions("alpha")) + len(world.transactions("beta")) < 30


async def test_packets_sent_before_the_relay_ran_are_found_by_the_clearer(world, autojump_clock):
    world.send("alpha", 3)
    async with making_blocks(world):
        await world.until(lambda: world.unsettled() == [1, 2, 3])
        async with world.relay().running():
            await world.all_settled(3)
    assert world.received() == 3
