"""The operator beside the hub's own module: its part is taken, its answers pass, its removal is believed, and a lost leaf is missed."""

from hashlib import sha256

import pytest

from hutong.relay.hub.application.storage import interface
from hutong.relay.services.storage.hub.refusals import HubRefused, HubSilent
from hutong.relay.services.storage.operator.answering import ProbeLost
from hutong.relay.services.storage.operator.desk import OperatorId
from hutong.relay.services.storage.operator.hub_door import Logged, LoggedUpTo
from hutong.relay.services.storage.operator.index import ShardKey
from hutong.relay.services.storage.operator.leaving import drain_on_hub
from hutong.relay.services.storage.operator.shelf import object_name
from hutong.relay.services.storage.rules.calls import STORAGE_ADDRESS
from hutong.relay.services.storage.rules.commitments.entries import decode_log_entry
from hutong.relay.services.storage.rules.operator_api.documents import decode_part
from hutong.relay.services.storage.rules.records.members import OperatorState
from hutong.relay.services.storage.rules.records.rounds import Phase
from hutong.relay.services.storage.rules.records.values import Outcome
from tests.relay.hub.application.storage.storage_hub import HUB, WRITER, Batch, StorageHub, abi_values, account_of
from tests.relay.services.storage.operator.running import NOW, RunningOperator, path_of, running, token
from tests.relay.services.storage.operator.test_operator_puts import code_of

pytestmark = [pytest.mark.trio, pytest.mark.long]


class ModuleDoor:
    """See `HubDoor`: the simulated hub, whose blocks run the module itself."""

    def __init__(self, world: StorageHub, operator: bytes) -> None:
        self.world, self.operator = world, operator

    async def record(self, key: bytes) -> bytes | None:
        return self.world.get(key)

    async def logged(self, after_height: int) -> LoggedUpTo:
        hub, found = self.world.hub, []
        for height in range(max(after_height + 1, 2), hub.height + 1):
            for outcome in hub.outcomes(height):
                for log in outcome.logs:
                    if log.topics[0] == interface.LOGGED_EVENT.topic and log.topics[1] == self.operator:
                        position, entry = abi_values(interface.LOGGED_EVENT, log)
                        found.append(Logged(position, decode_log_entry(entry)))
        return LoggedUpTo(hub.height, tuple(found))

    async def send(self, call: bytes) -> None:
        outcome = self.world.hub.send(STORAGE_ADDRESS, call, account_of(self.operator))
        if not outcome.ok:
            raise HubRefused(outcome.log)


def running_in(world: StorageHub, operator: bytes, home):
    key = bytes(account_of(operator).key)
    identity = OperatorId(HUB, operator)
    return running(
        home, hub=ModuleDoor(world, operator), identity=identity, key=key, writers=(WRITER,), now_s=world.hub.time_s
    )


def writers_token(world: StorageHub, operator: bytes) -> str:
    identity, key = OperatorId(HUB, operator), bytes(account_of(WRITER).key)
    return token(WRITER, not_after_s=world.hub.time_s + 3_600, identity=identity, key=key)


async def stored_with(world: StorageHub, running_one: RunningOperator, operator: bytes, batch: Batch) -> None:
    """All others sign as the simulation does; ours by its own interface."""
    shards = batch.shards[operator]
    for shard in shards:
        answer = await running_one.put(shard)
        assert answer.status_code == 201, answer.text
    signed = decode_part((await running_one.sign_part(batch.sequence, *shards)).content)
    assert signed.part in batch.parts
    given = [(*row[:4], signed.signature if row[0] == operator else row[4]) for row in batch.given()]
    assert world.store(batch, given=given).ok
    await running_one.work.follow()


async def test_an_operators_life_on_the_hub(tmp_path):
    world = StorageHub()
    batch = world.batch(0, heights=(7, 1, 0))
    operator = sorted(batch.shards)[1]
    async with running_in(world, operator, tmp_path) as running_one:
        running_one.token = writers_token(world, operator)
        await stored_with(world, running_one, operator, batch)
        shard = batch.shards[operator][0]
        assert (await running_one.ask("GET", path_of(shard))).json()["state"] == "placed"

        world.seeded(1)
        audited = await running_one.work.answer()
        assert (audited.verdict, world.verdict(operator, 1).outcome) == ("passed", Outcome.PASSED)

        placed = (await running_one.ask("GET", f"{path_of(shard)}/placed?size=1")).content
        number = running_one.desk.parts.log.entries(0, 1)[0].batch
        shown = [(operator, 1, placed)]
        assert code_of(await running_one.ask("DELETE", path_of(shard))) == "retained"
        assert world.send(interface.REMOVE_SHARDS, number, shard.pack, shown, account=account_of(WRITER)).ok
        assert (await running_one.ask("DELETE", path_of(shard))).status_code == 200

        world.seeded(2)
        await running_one.work.answer()
        verdict = world.verdict(operator, 2)
        assert verdict.outcome is Outcome.PASSED and verdict.removed > 0

        assert await drain_on_hub(running_one.hub, operator) is OperatorState.DRAINING
        assert world.record(operator).state is OperatorState.DRAINING
        assert await drain_on_hub(running_one.hub, operator) is OperatorState.DRAINING


async def test_a_lost_shard_is_missed_and_put_again_it_passes(tmp_path):
    world = StorageHub()
    batch = world.batch(0, heights=(7,))
    operator = sorted(batch.shards)[0]
    async with running_in(world, operator, tmp_path) as running_one:
        running_one.token = writers_token(world, operator)
        await stored_with(world, running_one, operator, batch)
        (shard,) = batch.shards[operator]
        name = object_name(ShardKey(WRITER, shard.pack, shard.shard))
        running_one.engine.delete(name)
        world.seeded(1)
        with pytest.raises(ProbeLost, match=shard.pack.hex()):
            await running_one.work.answer()
        world.until(Phase.COMMITTING, 2)
        assert world.verdict(operator, 1).outcome is Outcome.MISSED
        running_one.index.mark_damaged(ShardKey(WRITER, shard.pack, shard.shard), NOW)
        assert (await running_one.put(shard)).status_code == 200
        world.seeded(2)
        await running_one.work.answer()
        assert world.verdict(operator, 2).outcome is Outcome.PASSED


async def test_calls_that_the_hub_refuses_are_said(tmp_path):
    world = StorageHub()
    batch = world.batch(0)
    operator = sorted(batch.shards)[0]
    async with running_in(world, operator, tmp_path) as running_one:
        with pytest.raises(HubRefused):
            await running_one.hub.send(sha256(b"no call").digest())
        assert not issubclass(HubRefused, HubSilent)
