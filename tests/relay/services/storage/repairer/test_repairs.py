"""Shards that are lost come back at another operator, under the root that the hub has: through kills, lies and refusals."""

import json
from random import Random

import pytest

from hutong.light_clients.interface import VERIFY
from hutong.relay.hub.application.storage import interface
from hutong.relay.services.storage.gateway.operators import OperatorFailed
from hutong.relay.services.storage.operator.index import Holding, ShardKey
from hutong.relay.services.storage.operator.shelf import object_name
from hutong.relay.services.storage.rules.commitments.placed import decode_placed, place_entry, shown_set
from hutong.relay.services.storage.rules.lifecycle.removal import ShownEntry
from hutong.relay.services.storage.rules.lifecycle.repair import judge_repair
from hutong.relay.services.storage.rules.operator_api.refusals import RefusalCode
from hutong.relay.services.storage.rules.records.rounds import Phase
from hutong.relay.services.storage.rules.records.values import Outcome
from hutong.relay.services.storage.rules.repairing import RepairedPart, part_hashes
from tests.relay.hub.application.storage.storage_hub import OTHER_WRITER, REPAIRER, WRITER, account_of
from tests.relay.services.storage.repairer.world import Killed, open_world, spoilt
from tests.relay.services.storage.rules.held import entries_of

pytestmark = [pytest.mark.trio, pytest.mark.long]


async def test_what_an_operator_had_is_held_again_under_the_same_root(tmp_path):
    async with open_world(tmp_path) as world:
        batch = await world.stored(0, (2, 0, 1))
        lost = world.hub.group(WRITER, 0)[1]
        assert (await world.passed()).is_whole
        world.leaves(lost)
        passed = await world.passed()
        assert passed.is_whole, passed.not_mended
        (mended,) = passed.mended
        assert (mended.lost_operator, mended.shard, mended.shards) == (lost, 1, 3)
        old, new = world.log_of(lost)[-1], world.log_of(mended.operator)[-1]
        assert (old.root, old.leaves, old.entries) == (new.root, new.leaves, new.entries)
        assert new.batch == mended.repair
        for shard in batch.shards[lost]:
            held = await world.running[mended.operator].desk.held(ShardKey(WRITER, shard.pack, shard.shard))
            assert held.root == shard.entry_at(0).root
        again = await world.passed()
        assert (again.is_whole, again.mended, again.lost_parts) == (True, [], 0)
        (line,) = (tmp_path / "repairer" / "repairs.jsonl").read_text().splitlines()
        assert json.loads(line)["root"] == old.root.hex()


async def test_a_repair_is_shown_by_the_two_placed_entries(tmp_path):
    async with open_world(tmp_path) as world:
        batch = await world.stored(0, (1, 0))
        lost = world.hub.group(WRITER, 0)[4]
        world.leaves(lost)
        (mended,) = (await world.passed()).mended
        shard = batch.shards[lost][1]
        log = world.log_of(lost)
        before = ShownEntry(shown_set(log), place_entry(entries_of(batch.shards[lost]), 1, log, 0))
        link = world.link(mended.operator, REPAIRER, WRITER)
        octets = await link.octets(f"/v1/shards/{shard.pack.hex()}/{shard.shard}/placed", is_owned=True)
        now = world.hub.log(mended.operator).operator_set
        entry = judge_repair(VERIFY, before, ShownEntry(now, decode_placed(octets, now.size)))
        assert entry.root == shard.entry_at(0).root


async def test_a_repair_that_is_lost_is_repaired_again(tmp_path):
    async with open_world(tmp_path) as world:
        await world.stored(0)
        first = world.hub.group(WRITER, 0)[0]
        world.leaves(first)
        (one,) = (await world.passed()).mended
        world.leaves(one.operator)
        (two,) = (await world.passed()).mended
        assert (two.root, two.shard) == (one.root, one.shard)
        assert two.operator not in (first, one.operator)


async def test_an_audit_that_was_failed_is_reason_enough(tmp_path):
    async with open_world(tmp_path) as world:
        await world.stored(0)
        lost = world.hub.group(WRITER, 0)[2]
        world.hub.seeded(1)
        assert world.hub.answer(world.hub.operators[lost], octets=b"\1" * 200, count=1).ok
        assert world.hub.verdict(lost, 1).outcome is Outcome.FAILED
        passed = await world.passed()
        assert [one.lost_operator for one in passed.mended] == [lost]
        assert (await world.passed()).lost_parts == 0


async def test_audits_that_were_missed_in_a_row_are_reason_enough(tmp_path):
    async with open_world(tmp_path) as world:
        await world.stored(0)
        world.hub.until(Phase.COMMITTING, 2)
        assert (await world.passed(misses=2)).lost_parts == 0
        # All six missed it, and are read from still; two more are left who were never asked.
        passed = await world.passed(misses=1)
        assert (passed.lost_parts, len(passed.mended), passed.left_parts) == (6, 2, 4)
        assert "no operator is left" in passed.not_mended[0]


async def test_an_operator_that_never_signed_is_given_its_shards(tmp_path):
    async with open_world(tmp_path) as world:
        batch = await world.stored(0, unsigned=1)
        (late,) = batch.unsigned
        passed = await world.passed()
        assert [(one.operator, one.lost_operator) for one in passed.mended] == [(late, late)]
        assert (await world.passed()).lost_parts == 0


async def test_a_damaged_shard_is_put_again_in_its_place(tmp_path):
    async with open_world(tmp_path) as world:
        batch = await world.stored(0)
        operator = world.hub.group(WRITER, 0)[3]
        shard, one = batch.shards[operator][0], world.running[operator]
        key = ShardKey(WRITER, shard.pack, shard.shard)
        size = world.hub.log(operator).size
        one.engine.delete(object_name(key))
        one.index.mark_damaged(key, 1)
        passed = await world.passed()
        assert (passed.refilled, passed.mended, passed.is_whole) == (1, [], True)
        held = await one.desk.held(key)
        assert held.damaged_at_s is None
        assert one.desk.parts.shelf.damage(held) is None
        assert world.hub.log(operator).size == size


async def test_a_repairer_that_is_killed_twenty_times_ends_with_everything_held(tmp_path):
    drawn = Random(19)
    async with open_world(tmp_path) as world:
        await world.stored(0, (0, 1, 0, 0))
        await world.stored(1, (0,) * 5)
        lost = world.hub.group(WRITER, 0)[1]
        world.leaves(lost)
        kills = 0
        while kills < 20:
            world.dies_at = drawn.randrange(1, 40)
            try:
                await world.passed()
            except BaseExceptionGroup as group:
                assert group.subgroup(Killed) is not None
            except Killed:
                pass
            else:
                break
            finally:
                world.dies_at = None
            kills += 1
        passed = await world.passed()
        assert passed.is_whole, passed.not_mended
        assert (await world.passed()).lost_parts == 0
        roots = [entry.root for entry in world.log_of(lost)]
        everywhere = [entry.root for one in world.running if one != lost for entry in world.log_of(one)]
        assert all(everywhere.count(root) == 1 for root in roots)


async def test_attack_S44_a_repairer_that_writes_another_shard_is_refused(tmp_path):
    async with open_world(tmp_path) as world:
        batch = await world.stored(0)
        lost = world.hub.group(WRITER, 0)[0]
        target = next(one for one in world.running if one not in batch.shards)
        rogue, (true, *_) = world.link(target, REPAIRER, WRITER), batch.shards[lost]
        other = spoilt(batch, lost)
        with pytest.raises(OperatorFailed, match="wrong_root"):
            await rogue.put_shard(true.entry_at(0), memoryview(other.octets))
        # Bytes that fit the root which it says: they are pending, and no part of them is signed.
        rest = batch.shards[lost][1:]
        entries = entries_of((other, *rest))
        for entry, shard in zip(entries, (other, *rest), strict=True):
            await rogue.put_shard(entry, memoryview(shard.octets))
        index = [part.operator for part in batch.parts].index(lost)
        asked = RepairedPart(0, index, lost, part_hashes(batch.parts))
        with pytest.raises(OperatorFailed, match="wrong_root") as refused:
            await rogue.sign_part(7, entries, asked)
        assert refused.value.code is RefusalCode.WRONG_ROOT
        # Nor without saying what it repairs, nor of a part of its own making, nor as another owner's.
        with pytest.raises(OperatorFailed, match="forbidden"):
            await rogue.sign_part(7, entries)
        made_up = [*batch.parts[:index], *batch.parts[index + 1 :]]
        with pytest.raises(OperatorFailed, match="wrong_root"):
            await rogue.sign_part(7, entries, RepairedPart(0, 0, lost, part_hashes(made_up)))
        # The right bytes, in another owner's name.
        stranger, own = world.link(target, REPAIRER, OTHER_WRITER), entries_of(batch.shards[lost])
        for entry, shard in zip(own, batch.shards[lost], strict=True):
            await stranger.put_shard(entry, memoryview(shard.octets))
        with pytest.raises(OperatorFailed, match="repair_is_of_the_owners_batch"):
            await stranger.sign_part(7, own, asked)
        assert world.hub.log(target) is None


async def test_attack_S44_what_a_rogue_left_does_not_keep_the_right_shard_out(tmp_path):
    async with open_world(tmp_path, count=7) as world:
        batch = await world.stored(0)
        lost = world.hub.group(WRITER, 0)[5]
        (target,) = (one for one in world.running if one not in batch.shards)
        other = spoilt(batch, lost)
        await world.link(target, REPAIRER, WRITER).put_shard(other.entry_at(0), memoryview(other.octets))
        world.leaves(lost)
        first = await world.passed()
        # Roots of what was held already are believed until the part shows what they are worth: then all goes, and is built anew.
        assert [one.shard for one in first.mended] == [5] or "root" in first.not_mended[0]
        assert (await world.passed()).is_whole
        assert (await world.passed()).lost_parts == 0


@pytest.mark.parametrize("lie", ["flips", "gone"])
async def test_attack_S45_wrong_and_missing_shards_of_peers_are_passed_over(tmp_path, lie):
    async with open_world(tmp_path) as world:
        await world.stored(0)
        group = world.hub.group(WRITER, 0)
        world.leaves(group[0])
        setattr(world.ways[group[1]], "flips" if lie == "flips" else "is_gone", True)
        passed = await world.passed()
        assert passed.is_whole, passed.not_mended
        assert passed.read.refusals == (2 if lie == "flips" else 0)


async def test_attack_S45_a_peer_that_lists_other_shards_is_passed_over(tmp_path):
    async with open_world(tmp_path) as world:
        batch = await world.stored(0)
        group = world.hub.group(WRITER, 0)
        world.leaves(group[0])
        world.ways[group[1]].lists = (batch.shards[group[1]][0].pack.hex(), "ab" * 32)
        passed = await world.passed()
        assert passed.is_whole, passed.not_mended


async def test_too_few_that_can_be_read_is_said(tmp_path):
    async with open_world(tmp_path) as world:
        await world.stored(0)
        group = world.hub.group(WRITER, 0)
        world.leaves(group[0])
        for operator in group[1:4]:
            world.ways[operator].flips = True
        passed = await world.passed()
        assert not passed.is_whole
        assert "2 shards can be read of 3 needed" in passed.not_mended[0]
        assert not world.door.repairs


async def test_attack_S45_another_repair_root_builds_nothing(tmp_path):
    async with open_world(tmp_path) as world:
        await world.stored(0)
        world.leaves(world.hub.group(WRITER, 0)[0])
        passed = await world.passed(root=bytes([6]) * 32)
        assert "body_has_the_packs_name" in passed.not_mended[0]
        assert not any(one.startswith("PUT") and "repair" in one for one in world.asked[-20:])
        assert not world.door.repairs
        assert (await world.passed()).is_whole


async def test_attack_S45_a_part_whose_writer_coded_it_wrongly_is_reported_and_not_written(tmp_path):
    async with open_world(tmp_path) as world:
        batch = await world.stored(0, spoils=4)
        lost = world.hub.group(WRITER, 0)[4]
        world.leaves(lost)
        passed = await world.passed()
        assert "its writer coded a pack wrongly" in passed.not_mended[0]
        assert not world.door.repairs
        for operator, one in world.running.items():
            for shard in batch.shards[lost]:
                held = one.index.shard(ShardKey(WRITER, shard.pack, 4))
                assert held is None or operator == lost or held.holding is Holding.REMOVED


async def test_attack_S44_only_the_named_repairer_records_a_repair(tmp_path):
    async with open_world(tmp_path) as world:
        batch = await world.stored(0)
        lost = world.hub.group(WRITER, 0)[0]
        target = next(one for one in world.running if one not in batch.shards)
        part = next(one for one in batch.parts if one.operator == lost).part
        row = (target, part.leaves, part.entries, part.root, b"\1" * 65)
        said = (REPAIRER, 1, WRITER, [row])
        assert not world.hub.send(interface.REPAIR_BATCH, *said, account=account_of(WRITER)).ok
        assert not world.hub.send(interface.REPAIR_BATCH, *said, account=account_of(REPAIRER)).ok


async def test_writers_without_a_repair_root_are_named(tmp_path):
    async with open_world(tmp_path) as world:
        await world.stored(0)
        world.leaves(world.hub.group(WRITER, 0)[0])
        passed = await world.passed(root=None)
        assert "no repair root" in passed.not_mended[0]


async def test_parts_that_the_node_does_not_say_come_out_of_the_logs(tmp_path):
    async with open_world(tmp_path) as world:
        world.door.says_parts = False
        await world.stored(0)
        await world.stored(1, unsigned=1)
        world.leaves(world.hub.group(WRITER, 0)[0])
        passed = await world.passed()
        assert [one.batch for one in passed.mended] == [0]
        assert passed.not_mended == ["batch 1: the hub's node does not say its parts or its map"]
