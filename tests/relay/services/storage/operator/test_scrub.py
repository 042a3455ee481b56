"""Scrub: rot of any byte of any shard is named, and nothing else is; what nobody receipted is found."""

import random

import pytest

from hutong.relay.services.storage.operator.index import ShardKey
from hutong.relay.services.storage.operator.scrub import orphans, remove_orphans, scrub_steps
from hutong.relay.services.storage.operator.shelf import key_of_object, object_name
from tests.relay.services.storage.operator.running import NOW, WRITER, RunningOperator, drawn_shard, path_of, running
from tests.relay.services.storage.rules.held import named

pytestmark = pytest.mark.trio


def scrubbed(operator: RunningOperator) -> dict[tuple[bytes, int], str]:
    steps = scrub_steps(operator.index, operator.desk.parts.shelf, lambda: NOW)
    return {(step.held.key.pack, step.held.key.shard): step.damage.reason for step in steps if step.damage is not None}


def flip(operator: RunningOperator, name: str, at: int) -> None:
    octets = bytearray(operator.engine.read_back(name))
    octets[at] ^= 1 << at % 8
    operator.engine.replace(name, bytes(octets))


async def test_attack_S43_one_flipped_bit_anywhere_is_named_and_mended_by_a_put(tmp_path):
    """Shards and their outboards: each in its first, last and drawn bytes."""
    drawn = random.Random(7)  # noqa: S311  a seed of a test
    shards = [drawn_shard(f"shard {number}", height=height) for number, height in enumerate((0, 3, 7, 8) * 2)]
    async with running(tmp_path) as operator:
        receipts = await operator.stored(*shards)
        assert scrubbed(operator) == {}
        rotten = {}
        for number, shard in enumerate(shards):
            name = object_name(ShardKey(WRITER, shard.pack, shard.shard))
            size = len(operator.engine.read_back(name))
            if number % 4 != 3:
                flip(operator, name, (0, size - 1, drawn.randrange(size))[number % 3])
                rotten[shard.pack, shard.shard] = shard
        found = scrubbed(operator)
        assert set(found) == set(rotten) and operator.index.totals().damaged == len(rotten)
        assert all("span" in reason or "outboard" in reason for reason in found.values())
        assert await operator.stored(*shards) == receipts
        assert scrubbed(operator) == {} and operator.index.totals().damaged == 0


async def test_attack_S43_another_shard_in_its_place_is_named(tmp_path):
    """With its own outboard, so that nothing in the object contradicts itself."""
    one, two = drawn_shard("one"), drawn_shard("two")
    async with running(tmp_path) as operator:
        await operator.stored(one, two)
        first, second = (object_name(ShardKey(WRITER, shard.pack, shard.shard)) for shard in (one, two))
        octets = operator.engine.read_back(first)
        operator.engine.replace(first, operator.engine.read_back(second))
        assert list(scrubbed(operator)) == [(one.pack, one.shard)]
        operator.engine.replace(first, octets)
        assert scrubbed(operator) == {}


async def test_what_is_missing_or_cut_is_named(tmp_path):
    shards = [drawn_shard(f"shard {number}") for number in range(3)]
    async with running(tmp_path) as operator:
        await operator.stored(*shards)
        first, second, _ = (object_name(ShardKey(WRITER, shard.pack, shard.shard)) for shard in shards)
        operator.engine.delete(first)
        operator.engine.replace(second, operator.engine.read_back(second)[:-1])
        found = scrubbed(operator)
        assert found[shards[0].pack, 3] == "the engine does not have it"
        assert "bytes of" in found[shards[1].pack, 3] and len(found) == 2


async def test_a_span_that_rotted_is_numbered(tmp_path):
    shard = drawn_shard("four spans", height=8)
    async with running(tmp_path) as operator:
        await operator.stored(shard)
        name = object_name(ShardKey(WRITER, shard.pack, shard.shard))
        flip(operator, name, 128 + 2 * 65_536)
        assert scrubbed(operator) == {(shard.pack, 3): "span 2 has other bytes"}


async def test_a_shard_that_came_back_is_whole_again(tmp_path):
    shard = drawn_shard("one")
    async with running(tmp_path) as operator:
        await operator.stored(shard)
        name = object_name(ShardKey(WRITER, shard.pack, shard.shard))
        octets = operator.engine.read_back(name)
        operator.engine.delete(name)
        assert len(scrubbed(operator)) == 1
        operator.engine.create(name, octets)
        assert scrubbed(operator) == {} and operator.index.damaged(9) == []


async def test_orphans_are_what_nobody_receipted(tmp_path):
    shard, removed = drawn_shard("one"), drawn_shard("two")
    async with running(tmp_path) as operator:
        await operator.stored(shard, removed)
        octets = operator.engine.read_back(object_name(ShardKey(WRITER, removed.pack, removed.shard)))
        await operator.ask("DELETE", path_of(removed))
        killed = [ShardKey(WRITER, named("killed"), 5), ShardKey(WRITER, removed.pack, removed.shard)]
        for key in killed:
            operator.engine.create(object_name(key), octets)
        operator.engine.create("strangers/file", b"x")
        shelf = operator.desk.parts.shelf
        assert set(orphans(operator.index, shelf)) == set(map(object_name, killed))
        assert remove_orphans(operator.index, shelf) == 2 and list(orphans(operator.index, shelf)) == []
        assert scrubbed(operator) == {} and "strangers/file" in set(operator.engine.names(""))


@pytest.mark.parametrize("name", ["", "a/b", "x/y/z/w", "58/ab/cd/abcd-03"])
async def test_names_of_strangers_are_no_shards(name):
    assert key_of_object(name) is None
    key = ShardKey(WRITER, named("p"), 7)
    assert key_of_object(object_name(key)) == key
