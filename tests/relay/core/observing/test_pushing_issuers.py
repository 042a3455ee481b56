"""A hub's issuers are brought to an IdentityCache: at a change at once, at an interval, once, and what is taken back first."""

from dataclasses import replace

import pytest
import trio

from hutong.adapters.evm.cache_calls import SyncShape, sync_gas
from hutong.adapters.ics26.batch import intrinsic_gas
from hutong.relay.core.observing.issuers import MAX_LISTS
from hutong.relay.services.identity.rules.records import keys
from hutong.relay.services.identity.rules.records.accreditation_record import encode_accreditation_record
from hutong.relay.services.identity.rules.records.epoch_record import EpochRecord, encode_epoch_record
from hutong.relay.services.identity.rules.records.list_record import encode_list_record
from hutong.relay.services.identity.rules.seals.issuer_records import IssuerQuery
from tests.contracts.identity.gate_lane import (
    AT,
    INDEX,
    ISSUER,
    MAX_AGE_S,
    MIDDLE,
    PRINT,
    ROOT,
    SCHEMA,
    SEAL,
    Shown,
    accreditation,
    list_record,
)
from tests.relay.core.observing.cache_world import CacheWorld
from tests.relay.core.observing.memory_world import SECOND
from tests.relay.core.test_crash import EVERY, STARTS, Step
from tests.relay.core.world import making_blocks

BLOCKS = 8
"""A change is in a header, the client is updated, and the cache has it, in so many blocks of a second each."""
OTHER = INDEX + 1


@pytest.fixture
def world(tmp_path):
    return CacheWorld(tmp_path)


@pytest.mark.long
async def test_attack_N207_a_revocation_reaches_the_gate_by_push(world, autojump_clock):
    """Long before `maxAge`: a credential that is not revoked is accepted before, and with the newest list after it."""
    async with making_blocks(world), world.process(interval_s=10).running():
        await world.says("accepted", Shown())
        world.revoke(OTHER)
        assert await world.says("StatusNotProven", Shown()) <= BLOCKS < MAX_AGE_S
        assert world.verdict(Shown(revoked=world.revoked)) == "accepted"
        world.revoke(INDEX)
        assert await world.says("CredentialRevoked", Shown(revoked=(OTHER, INDEX))) <= BLOCKS
    assert all(reverted is None for reverted in world.included.values())


@pytest.mark.long
async def test_an_interval_keeps_gates_open_and_without_one_nothing_is_paid(world, autojump_clock):
    async with making_blocks(world):
        async with world.process(interval_s=10).running():
            await world.says("accepted", Shown())
            with trio.move_on_after(60):
                while True:
                    assert world.verdict(Shown()) == "accepted"
                    await trio.sleep(1)
            labels = {"chain": "beta", "issuer": "clinic"}
            assert world.sample("hutong_cached_issuer_due_seconds", **labels) <= BLOCKS
            assert 0 <= world.sample("hutong_cached_issuer_age_seconds", **labels) <= MAX_AGE_S
            assert world.sample("hutong_cached_issuer_interval_seconds", **labels) == 10
            written = world.sample("hutong_cached_issuers_total", chain="beta", client="client-0", outcome="written")
            assert 5 <= written <= len(world.kept_by) <= 8, "the first, and one each ten seconds"
        async with world.process(signer=SECOND).running():
            await trio.sleep(20)
            paid = world.paid()
            assert world.verdict(Shown()) == "StaleList"
            await trio.sleep(60)
            assert world.paid() == paid, "nothing changed, and nothing was paid"


@pytest.mark.long
async def test_a_revoked_accreditation_above_the_issuer_is_brought(world, autojump_clock):
    """It is no change of the issuer's epoch: what the cache thinks of the issuer is compared."""
    async with making_blocks(world), world.process().running():
        await world.says("accepted", Shown())
        withdrawn = encode_accreditation_record(accreditation(ROOT, 1, revoked_s=1))
        world.put_records({keys.accreditation_key(MIDDLE, SCHEMA): withdrawn})
        assert await world.says("AccreditationRevoked", Shown()) <= BLOCKS
        again = encode_accreditation_record(accreditation(ROOT, 1))
        world.put_records({keys.accreditation_key(MIDDLE, SCHEMA): again})
        assert await world.says("accepted", Shown()) <= BLOCKS


async def test_an_epoch_alone_is_news(world, autojump_clock):
    """The list is as it was: what was taken back is in no record that the cache keeps, and is over all the same."""
    async with making_blocks(world), world.process().running():
        await world.says("accepted", Shown())
        world.put_records({keys.epoch_key(ISSUER): encode_epoch_record(EpochRecord(2, AT))})
        with trio.fail_after(BLOCKS):
            while world.lane.cache.call("facts", ISSUER, 0)[1] != 2:  # noqa: ASYNC110
                await trio.sleep(0.2)
        assert world.verdict(Shown()) == "accepted"


@pytest.mark.long
async def test_lists_that_are_not_opened_hold_up_no_other(world, autojump_clock, capsys):
    async with making_blocks(world), world.process(lists=(0, 1)).running():
        await world.says("accepted", Shown())
        await trio.sleep(5)
        assert "lists are not there" in capsys.readouterr().out
        in_list_1 = replace(SEAL, list_number=1)
        assert world.verdict(Shown(in_list_1)) == "ListNotSynced"
        world.put_records({keys.list_key(ISSUER, 1): encode_list_record(list_record())})
        assert await world.says("accepted", Shown(in_list_1)) <= BLOCKS


@pytest.mark.long
async def test_two_relays_bring_a_change_once(world, autojump_clock):
    async with making_blocks(world), world.process().running(), world.process(signer=SECOND).running():
        await world.says("accepted", Shown())
        for number in range(4):
            world.revoke(OTHER + number)
            await world.says("accepted", Shown(revoked=world.revoked))
            await trio.sleep(8)
    assert len(world.kept_by) <= 6, "they may meet at the first, when neither has brought it"


@pytest.mark.long
@pytest.mark.parametrize("first", STARTS)
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
async def test_attack_G3_killed_at_every_await_an_issuer_is_brought_once(tmp_path, autojump_clock, after, first):
    at, killed = first, True
    while killed and at < 400:
        world = CacheWorld(tmp_path / str(at))
        step = Step(at, after=after)
        async with making_blocks(world):
            killed = False
            with trio.move_on_after(15):
                killed = await world.process(around=step.around).run_until_killed()
            async with world.process().running():
                await world.says("accepted", Shown())
                await trio.sleep(5)
        assert len(world.kept_by) == 1, f"killed at {at}: the issuer was paid for {len(world.kept_by)} times"
        assert all(reverted is None for reverted in world.included.values())
        at += EVERY
    assert at > EVERY


def test_the_bound_of_a_call_s_gas_is_enough_for_the_largest(world):
    """MAX_LISTS of them under three levels of accreditation, and nothing is kept yet."""
    lane = world.lane
    lists = {keys.list_key(ISSUER, number): encode_list_record(list_record()) for number in range(MAX_LISTS)}
    height = lane.publish(lists)
    for numbers in ((0,), tuple(range(MAX_LISTS))):
        query = IssuerQuery(ISSUER, SCHEMA, PRINT, numbers)
        data, _ = lane.sync_call(height, query)
        bound = sync_gas(SyncShape(len(numbers), 8 + len(numbers), 0), len(data)) - intrinsic_gas(data)
        lane.evm.send(lane.cache.address, data, gas=bound, keep=False)
