"""What holds an observation up, in one sentence, whichever chain says it."""

from dataclasses import replace

import pytest

from hutong.relay.core.observing.explaining import explain
from hutong.relay.core.observing.explaining_caches import explain_caches
from hutong.relay.core.observing.issuers import PushedIssuer
from hutong.relay.services.identity.rules.seals.issuer_records import Flaw
from tests.contracts.identity.gate_lane import ISSUER, Shown
from tests.contracts.lane import LOCAL_CLIENT
from tests.relay.core.observing.cache_world import CacheWorld
from tests.relay.core.observing.memory_world import FIRST, MemoryHub, MemorySource, MemoryWorld
from tests.relay.core.observing.reader_world import HubSource, ReaderChain
from tests.relay.core.world import making_blocks


@pytest.fixture
def world(tmp_path):
    return MemoryWorld(tmp_path)


async def explained(world, *accounts, **watched):
    (one,) = await explain(
        MemorySource(world), MemoryHub(world), world.client, [world.watched(**watched)], accounts or (FIRST.address,)
    )
    return one


async def test_the_life_of_an_observation_in_sentences(world, autojump_clock):
    world.remote.seal()
    one = await explained(world)
    assert (one.record, one.is_current, one.due_because) == (None, False, "never observed")
    assert one.held_up_by == "it is not written yet: does the relay run?"
    world.name_writer(FIRST, 0)
    assert "may open no more keys on the hub: hutong hub name-writer" in (await explained(world)).held_up_by
    world.name_writer(FIRST, 1)
    async with making_blocks(world), world.process().running():
        word = world.change(1)
        await world.recorded(word)
    one = await explained(world)
    assert (one.held_up_by, one.due_because, one.is_current) == (None, None, True)
    assert (one.record.value, one.value_now, one.is_read) == (word, word, True)
    later = world.change(2)
    world.remote.seal()
    one = await explained(world)
    assert (one.record.value, one.value_now) == (word, later)
    assert one.held_up_by == "changed, and it is not written yet: does the relay run?"
    world.silent.add("alpha")
    one = await explained(world)
    assert (one.is_read, one.is_current, one.record.value) == (False, True, word)
    assert "alpha: anything failed on every endpoint" in one.held_up_by
    world.silent = {"hub"}
    assert (await explained(world)).record is None
    world.silent = set()
    world.remote.freeze()
    one = await explained(world)
    assert one.is_current is False
    assert one.held_up_by == f"client {world.client} is Frozen: the hub's members recover it"


async def test_the_life_of_an_issuer_at_a_cache_in_sentences(tmp_path, autojump_clock):
    world = CacheWorld(tmp_path)
    hub, chain = HubSource(world), ReaderChain(world)
    pushed = PushedIssuer("clinic", ISSUER, (0,), 10)

    async def said(cache=world.contract, of=pushed):
        (one,) = await explain_caches(hub, chain, LOCAL_CLIENT, cache, [of])
        return one

    world.lane.lane.advance()
    one = await said()
    assert (one.epoch_on_hub, one.standing_on_hub, one.epoch) == (1, Flaw.NONE, None)
    assert one.held_up_by == "it is not brought yet: does the relay run?"
    async with making_blocks(world), world.process(interval_s=10).running():
        await world.says("accepted", Shown())
        one = await said()
        assert (one.held_up_by, one.due_because, one.epoch) == (None, None, 1)
    world.revoke(1)
    world.lane.lane.advance()
    one = await said()
    assert (one.epoch_on_hub, one.epoch) == (2, 1)
    assert one.held_up_by == "of an earlier epoch, and it is not brought yet: does the relay run?"
    assert (await said(of=replace(pushed, lists=(0, 5)))).held_up_by == "the issuer has not opened list 5"
    nobody = await said(cache=b"\x11" * 20)
    assert nobody.epoch is None and nobody.held_up_by
