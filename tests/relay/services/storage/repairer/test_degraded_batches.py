"""A batch that was repaired is told as degraded no more: by what the hub has, and by nobody's word."""

from dataclasses import replace

import pytest

from hutong.relay.services.storage.catalogue import packs
from hutong.relay.services.storage.catalogue.database import open_catalogue
from hutong.relay.services.storage.catalogue.rows import BatchRow, PackRow
from hutong.relay.services.storage.gateway.upkeep.degraded import DegradedBatches
from hutong.relay.services.storage.rules.commitments.entries import encode_shard_entry
from hutong.relay.services.storage.rules.packs.shape import PackShape
from tests.relay.hub.application.storage.storage_hub import WRITER
from tests.relay.services.storage.repairer.world import DATA, PARITY, open_world

pytestmark = [pytest.mark.trio, pytest.mark.long]


async def test_attack_S66_a_batch_is_degraded_until_its_repair_is_on_the_hub(tmp_path):
    async with open_world(tmp_path) as world:
        batch = await world.stored(0, (1, 0), unsigned=1)
        group = world.hub.group(WRITER, 0)
        shards = [batch.shards[operator][1] for operator in group]
        roots = tuple(shard.entry_at(0).root for shard in shards)
        pack = PackRow(shards[0].pack, PackShape(DATA, PARITY, 0), roots, tuple(group))
        row = BatchRow(0, 0, 2, (group[-1],))
        links = {operator: world.link(operator) for operator in world.running}

        async def look(name: str, pack: PackRow, row: BatchRow) -> tuple[int, list[tuple[bytes, ...]]]:
            """How many are whole now, and who lacks what of the others."""
            (tmp_path / name).mkdir()
            with open_catalogue(tmp_path / name) as catalogue:
                catalogue.run_now(lambda one: packs.add_pack(one, pack))
                catalogue.run_now(lambda one: packs.add_batch(one, row))
                whole = await DegradedBatches(catalogue, world.door, links).look()
                return whole, [one.unsigned for one in catalogue.run_now(lambda one: packs.degraded_batches(one, 9))]

        assert await look("before", pack, row) == (0, [row.unsigned])
        assert (await world.passed()).is_whole
        other = replace(pack, roots=(*roots[:-1], bytes(32)))
        assert await look("other-root", other, row) == (0, [row.unsigned])
        assert await look("part-of-it", pack, replace(row, packs=3)) == (0, [row.unsigned])
        assert await look("after", pack, row) == (1, [])


async def test_attack_S66_a_pack_of_another_batch_makes_no_batch_whole(tmp_path):
    """One operator lists a pack of a batch that everybody holds in the place of one of the batch that lacks."""
    async with open_world(tmp_path) as world:
        batch = await world.stored(0, (1, 0), unsigned=1)
        lacking = world.hub.group(WRITER, 0)[-1]
        sequence = next(one for one in range(1, 1_000) if lacking in world.hub.group(WRITER, one))
        other = await world.stored(sequence, (1, 0))
        group = world.hub.group(WRITER, sequence)
        liar = next(one for one in group if one in batch.shards and one != lacking)
        told = (encode_shard_entry(one.shards[liar][0].entry_at(0)).hex() for one in (batch, other))
        world.ways[liar].lists = (next(told), next(told))
        shards = [other.shards[operator][0] for operator in group]
        roots = tuple(shard.entry_at(0).root for shard in shards)
        row = BatchRow(0, 0, 2, (lacking,))
        links = {operator: world.link(operator) for operator in (liar, *world.running)}
        with open_catalogue(tmp_path) as catalogue:
            catalogue.run_now(
                lambda one: packs.add_pack(
                    one, PackRow(shards[0].pack, PackShape(DATA, PARITY, 1), roots, tuple(group))
                )
            )
            catalogue.run_now(lambda one: packs.add_batch(one, row))
            assert await DegradedBatches(catalogue, world.door, links).look() == 0
            (left,) = catalogue.run_now(lambda one: packs.degraded_batches(one, 9))
            assert left.unsigned == (lacking,)
