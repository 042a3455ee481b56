"""Observing over a whole hub in memory: in time, once, and never for nothing; killed at every await."""

from dataclasses import replace

import pytest
import trio

from hutong.light_clients.interface import Height
from hutong.relay.core.route import following
from hutong.relay.hub.application.observations import interface
from tests.relay.core.observing.memory_world import FIRST, OBSERVATIONS_ADDRESS, SECOND, MemoryWorld
from tests.relay.core.test_crash import EVERY, STARTS, Step
from tests.relay.core.world import Killed, making_blocks

BLOCKS = 6
"""A change is final, seen, shown and written in so many blocks of a second each."""


@pytest.fixture
def world(tmp_path):
    return MemoryWorld(tmp_path)


@pytest.mark.long
async def test_a_changed_value_is_a_record_within_a_bounded_number_of_blocks(world, autojump_clock):
    async with making_blocks(world), world.process().running():
        await world.recorded(world.change(1), 12)
        for number in range(2, 8):
            assert await world.recorded(world.change(number), 30) <= BLOCKS
            await trio.sleep(number)
        count = world.paid()
        await trio.sleep(60)
        assert world.paid() == count, "nothing changed, and nothing was paid"
    assert world.ended("written") == 7 and world.ended("superseded") == world.ended("failed") == 0
    assert world.gauge("hutong_observation_due_seconds") == 0


async def test_a_renewal_is_in_the_block_of_its_update(world, autojump_clock):
    """The first opens the key, which takes a right, so it is simulated after its update; renewals follow at once."""
    async with making_blocks(world), world.process().running():
        for number in range(1, 4):
            await world.recorded(world.change(number))
            await trio.sleep(5)
    heights = [height for height, _ in world.included.values()]
    assert len(heights) == 6 and heights[0] < heights[1]
    assert heights[2] == heights[3] < heights[4] == heights[5]
    assert all(outcome.ok for _, outcome in world.included.values())


@pytest.mark.long
async def test_after_a_call_that_failed_calls_are_simulated_for_a_while(world, autojump_clock, monkeypatch):
    """Renewals name a height that the client does not have: one is paid for in vain, and one after each such while."""
    monkeypatch.setattr(following, "SIMULATED_S", 15.0)
    asked = []

    class Mistaken:
        def __init__(self, hub) -> None:
            self._hub = hub

        def __getattr__(self, name):
            return getattr(self._hub, name)

        async def prepare_observations_after_update(self, call, sender):
            asked.append(call)
            wrong = replace(call, height=Height(0, 10**6))
            return await self._hub.prepare_observations_after_update(wrong, sender)

    process = world.process(around=lambda name, one: Mistaken(one) if name == "hub" else one)
    async with making_blocks(world), process.running():
        await world.recorded(world.change(1))
        for number, while_s in ((2, 0), (4, 15)):
            await trio.sleep(while_s)
            world.change(number)
            with trio.fail_after(60):
                while world.ended("failed") < number // 2:  # noqa: ASYNC110
                    await trio.sleep(0.1)
            await world.recorded(world.change(number + 1))
    assert len(asked) == world.ended("failed") == 2
    assert [outcome.ok for _, outcome in world.included.values()].count(False) == 2


async def test_a_value_that_goes_is_a_record_of_nothing(world, autojump_clock):
    async with making_blocks(world), world.process().running():
        await world.recorded(world.change(1))
        world.remote.chain.delete(b"balance of somebody")
        await world.recorded(None)


async def test_an_interval_renews_without_a_change(world, autojump_clock):
    watched = world.watched(interval_s=20, on_change=False)
    async with making_blocks(world), world.process(watched=watched).running():
        await world.recorded(world.change(1))
        first = world.record()
        world.change(2)
        await trio.sleep(10)
        assert world.record() == first, "changes alone are not asked for"
        await trio.sleep(60)
    second = world.record()
    assert second.value == (2).to_bytes(32, "big")
    assert 3 <= world.ended("written") <= 5
    assert (world.now_ns() - second.source_time_ns) / 1e9 < 20 + 2 * BLOCKS


@pytest.mark.long
async def test_an_update_that_packets_brought_is_used(world, autojump_clock):
    """The client moves by another's hand each time: the relay pays for observations alone."""
    async with making_blocks(world), world.process().running():
        await world.recorded(world.change(1))
        await trio.sleep(5)
        paid = world.paid()
        for number in (2, 3, 4):
            world.change(number)
            await trio.sleep(1.05)
            world.remote.update()
            await world.recorded(number.to_bytes(32, "big"))
            await trio.sleep(6)
        assert world.paid() == paid + 3


@pytest.mark.long
async def test_attack_J7_over_a_frozen_client_nothing_is_paid_and_it_is_said_once(world, autojump_clock, capsys):
    async with making_blocks(world), world.process().running():
        await world.recorded(world.change(1))
        paid = world.paid()
        world.remote.freeze()
        world.change(2)
        await trio.sleep(120)
        assert world.paid() == paid
        assert world.failed("client_inactive") > 2
        assert world.gauge("hutong_observation_age_seconds") > 100
        assert world.hub.read(OBSERVATIONS_ADDRESS, interface.GET_EPOCH, world.client) == (2, False)
    assert capsys.readouterr().out.count("observations wait") == 1


@pytest.mark.long
async def test_a_chain_that_is_down_is_said_once_and_taken_up_again(world, autojump_clock, capsys):
    async with making_blocks(world), world.process().running():
        await world.recorded(world.change(1))
        for chain in ("alpha", "hub"):
            world.silent.add(chain)
            world.change(2)
            await trio.sleep(90)
            assert world.record().value == (1).to_bytes(32, "big")
            world.silent.clear()
            await world.recorded(world.change(3), 90)
            await world.recorded(world.change(1), 90)
    assert world.failed("endpoint") > 2
    said = capsys.readouterr().out
    assert said.count("observations wait") == said.count("observations go on") == 2


async def test_attack_J8_who_may_not_open_keys_pays_nothing(world, autojump_clock):
    world.name_writer(FIRST, 0)
    async with making_blocks(world), world.process().running():
        word = world.change(1)
        await trio.sleep(30)
        assert world.record() is None
        assert world.failed("would_fail") >= 1
        assert not world.calls() and world.ended("failed") == 0
        assert all(outcome.ok for _, outcome in world.included.values())
        world.name_writer(FIRST, 1)
        await world.recorded(word, 1_200)


@pytest.mark.long
async def test_attack_J6_two_relays_do_not_pay_twice_where_one_is_enough(world, autojump_clock):
    async with making_blocks(world), world.process().running(), world.process(signer=SECOND).running():
        for number in range(1, 11):
            await world.recorded(world.change(number))
            await trio.sleep(10)
    assert world.ended("written") == len(world.calls()) == 10
    assert world.ended("superseded") <= 1, "they may meet at the first, when neither has written"
    assert world.ended("failed") == 0


async def test_a_relay_that_falls_silent_is_relieved(world, autojump_clock):
    async with making_blocks(world), world.process(signer=SECOND).running():
        async with world.process().running():
            await world.recorded(world.change(1))
            await world.recorded(world.change(2))
        assert await world.recorded(world.change(3), 30) <= BLOCKS + 3


@pytest.mark.long
async def test_attack_J5_a_source_that_shows_another_value_is_not_paid_for(world, autojump_clock):
    """Its nodes prove one word and it says another."""

    def lying(name, one):
        return Lying(one) if name == "alpha" else one

    async with making_blocks(world), world.process(around=lying).running():
        world.change(1)
        await trio.sleep(60)
        assert world.paid() == 0
        assert world.failed("proof_refused") >= 1


class Lying:
    def __init__(self, source) -> None:
        self._source = source

    def __getattr__(self, name):
        return getattr(self._source, name)

    async def read_places(self, places, height):
        read = await self._source.read_places(places, height)
        return type(read)(tuple(b"\x66" * 32 for _ in read.values), read.nodes)


async def test_attack_G3_what_was_sent_before_a_kill_is_waited_for_and_not_sent_again(world, autojump_clock):
    """Killed with the observation in the pool, while the hub makes no block."""
    word = world.change(1)

    class Stopping:
        def __init__(self, hub) -> None:
            self._hub = hub

        def __getattr__(self, name):
            return getattr(self._hub, name)

        async def broadcast(self, signed) -> None:
            await self._hub.broadcast(signed)
            if signed.prepared.to == self._hub.observations_address:
                world.is_paused = True
                raise Killed

    async with making_blocks(world):
        killing = world.process(around=lambda name, one: Stopping(one) if name == "hub" else one)
        with trio.fail_after(60):
            assert await killing.run_until_killed()
        async with world.process().running():
            await trio.sleep(20)
            world.is_paused = False
            await world.recorded(word)
            await trio.sleep(5)
    assert len(world.calls()) == 1


@pytest.mark.long
@pytest.mark.parametrize("first", STARTS)
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
async def test_attack_G3_killed_at_every_await_one_change_is_one_record_and_one_fee(
    tmp_path, autojump_clock, after, first
):
    """A key that is opened is paid for after its update has ended; one that is renewed is sent with it.

    They take turns: killed after one step and before the next, each is killed between all of them.
    """
    at, killed = first, True
    while killed and at < 400:
        stood = (at if len(STARTS) > 1 else at // EVERY) % 2
        world = MemoryWorld(tmp_path / str(at))
        step = Step(at, after=after)
        async with making_blocks(world):
            if stood:
                async with world.process().running():
                    await world.recorded(world.change(1))
            paid, word = world.paid(), world.change(2)
            killed = False
            with trio.move_on_after(15):
                killed = await world.process(around=step.around).run_until_killed()
            async with world.process().running():
                await world.recorded(word)
                await trio.sleep(5)
        calls = len(world.calls()) - stood
        assert calls == 1, f"killed at {at}: the observation was paid for {calls} times"
        assert all(outcome.ok for _, outcome in world.included.values())
        assert world.paid() - paid <= 3, f"killed at {at}: an update was paid for in vain more than once"
        assert not world.pool
        at += EVERY
    assert at > 30
