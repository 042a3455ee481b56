"""Removals after retention and hold, whoever asks; and answers that call a shard removed."""

import pytest

from hutong.relay.hub.application.storage import interface
from hutong.relay.services.storage.rules.audits.answers import RemovedAnswer
from hutong.relay.services.storage.rules.commitments.placed import encode_placed
from hutong.relay.services.storage.rules.records.rounds import Phase
from hutong.relay.services.storage.rules.records.values import Outcome
from tests.relay.hub.application.storage.storage_hub import (
    HOLDER,
    OTHER_WRITER,
    OUTSIDER,
    REPAIRER,
    WRITER,
    Batch,
    HeldShard,
    StorageHub,
    account_of,
)
from tests.relay.hub.application.storage.test_storage_batches import refused, reverts
from tests.relay.hub.simulated_hub import ADMINS
from tests.relay.services.storage.rules.held import named, octets

RETAINED_S = 30


@pytest.fixture
def world() -> StorageHub:
    """A batch of two packs, the second retained a while, in the sets of epoch 1."""
    made = StorageHub()
    batch = made.batch(0, heights=(0, 0))
    until = made.hub.time_s + RETAINED_S
    for operator, (free, kept) in batch.shards.items():
        batch.shards[operator] = [free, HeldShard(kept.pack, kept.shard, kept.octets, until)]
    assert made.store(batch).ok
    made.until(Phase.COMMITTING)
    made.batch_sent, made.retained_until = batch, until
    return made


def shown(world, entry: int, batch: int = 0, operators=None) -> list[tuple]:
    """Placed entries of one pack, shard by shard."""
    holders = [one for one in world.operators.values() if one.log] if operators is None else operators
    rows = []
    for one in sorted(holders, key=lambda holder: holder.batches[batch][entry].shard):
        held = one.as_of(world.set_of(one.id).operator_set.size)
        rows.append((one.id, 1, encode_placed(held.placed(batch, entry))))
    return rows


def remove(world, pack: bytes, rows, account=None, batch: int = 0):
    return world.send(interface.REMOVE_SHARDS, batch, pack, rows, account=account or account_of(WRITER))


def packs(world) -> tuple[bytes, bytes]:
    free, kept = next(iter(world.batch_sent.shards.values()))
    return free.pack, kept.pack


def test_an_owner_removes_and_operators_answer_by_the_record(world):
    free, _ = packs(world)
    done = remove(world, free, shown(world, 0))
    assert done.ok and int.from_bytes(done.data, "big") == 0b111111
    assert world.removal(0, free).shards == 0b111111
    world.seeded()
    one = next(operator for operator in world.operators.values() if operator.log)
    answers = [
        RemovedAnswer(answer.placed) if answer.placed.entry.pack == free else answer for answer in world.answers(one)
    ]
    removed = sum(isinstance(answer, RemovedAnswer) for answer in answers)
    assert removed and world.answer(one, answers=answers).ok
    verdict = world.verdict(one.id)
    assert (verdict.outcome, verdict.held, verdict.removed) == (Outcome.PASSED, 8 - removed, removed)


def test_shards_are_removed_one_by_one_and_stay_removed(world):
    free, _ = packs(world)
    rows = shown(world, 0)
    assert remove(world, free, rows[1:2]).ok and world.removal(0, free).shards == 0b10
    assert remove(world, free, rows[:1]).ok and world.removal(0, free).shards == 0b11
    refused(remove(world, free, []), "shards_are_of_the_pack")
    refused(remove(world, free, rows[::-1]), "shards_are_of_the_pack")
    refused(remove(world, free, [rows[0], rows[0]]), "shards_are_of_the_pack")
    refused(remove(world, free, shown(world, 1)), "shards_are_of_the_pack")
    reverts(remove(world, free, [(rows[0][0], 9, rows[0][2])]), interface.UNKNOWN_EPOCH)
    refused(remove(world, free, [(rows[1][0], 1, rows[0][2])]), "batch_stands_in_log")


def test_attack_S7_no_removal_before_retention_whoever_asks(world):
    """The owner, another writer, the holder, an admin and anybody; after the time the owner alone."""
    _, kept = packs(world)
    rows = shown(world, 1)
    refused(remove(world, kept, rows), "retention_is_over")
    for account in (account_of(OTHER_WRITER), account_of(HOLDER), ADMINS[0], OUTSIDER):
        reverts(remove(world, kept, rows, account), interface.NOT_THE_NAMED_ACCOUNT)
    while world.hub.time_s < world.retained_until:
        world.hub.advance()
    refused(remove(world, kept, rows), "retention_is_over")
    world.hub.advance()
    for account in (account_of(OTHER_WRITER), ADMINS[0]):
        reverts(remove(world, kept, rows, account), interface.NOT_THE_NAMED_ACCOUNT)
    assert remove(world, kept, rows).ok


def test_attack_S7_a_hold_is_longer_than_retention_and_only_becomes_longer(world):
    free, _ = packs(world)
    rows, now = shown(world, 0), world.hub.time_s

    def hold(until_s, account=account_of(HOLDER)):
        return world.send(interface.HOLD_PACK, HOLDER, free, until_s, account=account)

    reverts(hold(now + 90, OUTSIDER), interface.NOT_THE_NAMED_ACCOUNT)
    reverts(world.send(interface.HOLD_PACK, WRITER, free, now + 90), interface.UNKNOWN_PARTY)
    refused(hold(now), "hold_becomes_later")
    assert hold(now + 20).ok
    refused(hold(now + 19), "hold_becomes_later")
    refused(hold(now + 20), "hold_becomes_later")
    assert hold(now + 25).ok
    refused(remove(world, free, rows), "retention_is_over")
    while world.hub.time_s <= now + 25:
        world.hub.advance()
    assert remove(world, free, rows).ok


def test_attack_S7_another_writers_pack_of_the_same_name_removes_nothing(world):
    """A writer and an operator of one mind store the victim's shard again, without retention, and remove that."""
    _, kept = packs(world)
    forged = world.batch(0, heights=(0,), writer=OTHER_WRITER)
    for operator, (shard,) in forged.shards.items():
        forged.shards[operator] = [HeldShard(kept, shard.shard, octets("forged", 1_024), 0)]
    assert world.store(forged).ok and world.batch_of(1).owner == OTHER_WRITER
    world.until(Phase.CLOSED, 1)
    world.until(Phase.COMMITTING, 2)
    rows = []
    for one in sorted(
        (world.operators[operator] for operator in forged.shards), key=lambda holder: forged.shards[holder.id][0].shard
    ):
        held = one.as_of(world.set_of(one.id, 2).operator_set.size)
        rows.append((one.id, 2, encode_placed(held.placed(len(held.log) - 1, 0))))
    refused(remove(world, kept, rows, batch=0), "entries_are_of_the_batch")
    reverts(remove(world, kept, rows, batch=1), interface.NOT_THE_NAMED_ACCOUNT)
    assert remove(world, kept, rows, account_of(OTHER_WRITER), batch=1).ok
    assert world.removal(1, kept) is not None and world.removal(0, kept) is None
    world.seeded(2)
    one = next(operator for operator in world.operators.values() if operator.log and len(operator.batches[0]) == 2)
    lying = [
        RemovedAnswer(answer.placed) if answer.placed.entry.pack == kept else answer for answer in world.answers(one, 2)
    ]
    assert any(isinstance(answer, RemovedAnswer) and answer.placed.log_entry.batch == 0 for answer in lying)
    assert world.answer(one, 2, answers=lying).ok and world.verdict(one.id, 2).outcome is Outcome.FAILED


def test_attack_S7_a_repairer_removes_nothing_and_the_owner_removes_what_was_rebuilt(world):
    free, _ = packs(world)
    lost = next(one for one in world.operators.values() if one.log)
    other = next(one for one in world.operators.values() if not one.log)
    repair = Batch(REPAIRER, 0, {other.id: [lost.batches[0][0]]})
    done = world.send(interface.REPAIR_BATCH, REPAIRER, 0, WRITER, repair.given(), account=account_of(REPAIRER))
    assert done.ok
    world.held(repair, done)
    world.until(Phase.CLOSED, 1)
    world.until(Phase.COMMITTING, 2)
    rows = [(other.id, 2, encode_placed(other.placed(0, 0)))]
    reverts(remove(world, free, rows, account_of(REPAIRER), batch=1), interface.NOT_THE_NAMED_ACCOUNT)
    assert remove(world, free, rows, batch=1).ok
    assert world.removal(1, free).shards == 1 << lost.batches[0][0].shard


def test_a_writer_that_is_named_no_longer_removes_nothing(world):
    free, _ = packs(world)
    assert world.decide(world.party(1, WRITER, account=bytes(20)))[0].ok
    reverts(remove(world, free, shown(world, 0)), interface.UNKNOWN_PARTY)
    reverts(world.send(interface.REMOVE_SHARDS, 7, named("x"), []), interface.UNKNOWN_BATCH)
