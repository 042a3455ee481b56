"""Records of the hub are brought to a HubReader: newer ones, once, and what takes them away."""

import pytest
import trio

from hutong.adapters.evm.hub_reader import encode_keep
from hutong.adapters.evm.reader_calls import keep_gas
from hutong.adapters.ics26.batch import intrinsic_gas
from hutong.light_clients.records import MAX_STORE_VALUE_BYTES, ObservationKey, StorePlace
from hutong.relay.core.observing.to_readers import MAX_RECORDS
from tests.contracts.evm import Reverted
from tests.contracts.records.reader_lane import OTHER_SOURCE, SOURCE, slot_key
from tests.relay.core.observing.memory_world import SECOND
from tests.relay.core.observing.reader_world import ReaderWorld
from tests.relay.core.test_crash import EVERY, STARTS, Step
from tests.relay.core.world import making_blocks

BLOCKS = 8
"""A record is in a header, the client is updated, and the record is kept, in so many blocks of a second each."""


def test_the_bound_of_a_call_s_gas_is_enough_for_the_largest(world):
    """MAX_RECORDS of them, one of the longest value, with both clients' epochs, and nothing is kept yet."""
    lane, reader = world.lane, world.lane.reader.address
    lane.set_epoch(OTHER_SOURCE)
    store_key = ObservationKey.of(OTHER_SOURCE, StorePlace(b"bank", b"key")).to_bytes()
    longest = lane.observed(b"\xff" * MAX_STORE_VALUE_BYTES)
    records = {slot_key(number): lane.observed() for number in range(1, MAX_RECORDS)} | {store_key: longest}
    height = lane.publish(records)
    for keys in ([slot_key(1)], list(records)):
        data = encode_keep(shown := lane.shown(keys, height, (SOURCE, OTHER_SOURCE)))
        bound = keep_gas(shown, len(data)) - intrinsic_gas(data)
        lane.evm.send(reader, data, gas=bound, keep=False)


@pytest.fixture
def world(tmp_path):
    return ReaderWorld(tmp_path)


@pytest.mark.long
async def test_a_newer_record_is_kept_by_the_reader_within_a_bounded_number_of_blocks(world, autojump_clock):
    async with making_blocks(world), world.process().running():
        for number in range(1, 5):
            assert await world.has(world.put(number, number)) <= BLOCKS
        assert world.cached().source_height.revision_height == 4
        await trio.sleep(5)
        paid = world.paid()
        await trio.sleep(60)
        assert world.paid() == paid, "nothing is newer, and nothing was paid"
        assert paid == 8, "an update and a call each"
    assert world.included_at[::2] == world.included_at[1::2], "each call is in the block of its update"
    assert len(world.kept_by) == 4 and all(reverted is None for reverted in world.included.values())


@pytest.mark.long
async def test_attack_J7_an_epoch_that_ends_is_brought_and_what_is_kept_is_refused(world, autojump_clock):
    async with making_blocks(world), world.process().running():
        await world.has(world.put(1, 1))
        world.lane.set_epoch(SOURCE, 2, readable=False)
        with trio.fail_after(30):
            while True:
                try:
                    world.cached(10**6)
                except Reverted as reverted:
                    assert reverted.name in ("ObservedClientClosed", "EpochRevoked")
                    break
                await trio.sleep(0.2)
        paid = world.paid()
        world.put(2, 2)
        await trio.sleep(60)
        assert world.paid() == paid, "a record of an earlier epoch is not pushed"
        world.lane.set_epoch(SOURCE, 3)
        await world.has(world.put(3, 3, epoch=3))


@pytest.mark.long
async def test_two_relays_push_a_record_once(world, autojump_clock):
    async with making_blocks(world), world.process().running(), world.process(signer=SECOND).running():
        for number in range(1, 6):
            await world.has(world.put(number, number))
            await trio.sleep(8)
    assert len(world.kept_by) <= 6, "they may meet at the first, when neither has pushed"


@pytest.mark.long
@pytest.mark.parametrize("first", STARTS)
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
async def test_attack_G3_killed_at_every_await_a_record_is_pushed_once(tmp_path, autojump_clock, after, first):
    at, killed = first, True
    while killed and at < 400:
        world = ReaderWorld(tmp_path / str(at))
        word = world.put(1, 1)
        step = Step(at, after=after)
        async with making_blocks(world):
            killed = False
            with trio.move_on_after(15):
                killed = await world.process(around=step.around).run_until_killed()
            async with world.process().running():
                await world.has(word)
                await trio.sleep(5)
        assert len(world.kept_by) == 1, f"killed at {at}: the record was paid for {len(world.kept_by)} times"
        assert all(reverted is None for reverted in world.included.values())
        at += EVERY
    assert at > EVERY
