"""What was deleted goes: from every operator, with its receipt, after its retention; what stands beside it stays."""

import json
from functools import partial
from pathlib import Path

import pytest
import trio

from hutong.relay.services.storage.catalogue.digest import catalogue_digest
from hutong.relay.services.storage.catalogue.packs import pack_of, totals
from hutong.relay.services.storage.catalogue.rows import PackRow
from hutong.relay.services.storage.gateway.listed_packs import listed_packs
from hutong.relay.services.storage.gateway.operators import OperatorFailed
from hutong.relay.services.storage.gateway.pack_reading import PackSource, Unreadable
from hutong.relay.services.storage.gateway.reindexing import reindex
from hutong.relay.services.storage.gateway.store import etag_of
from hutong.relay.services.storage.gateway.upkeep.heads import read_head
from hutong.relay.services.storage.gateway.upkeep.removing import Remover
from hutong.relay.services.storage.rules.operator_api.refusals import RefusalCode
from tests.relay.hub.application.storage.storage_hub import StorageHub
from tests.relay.services.storage.gateway.network import KEYS, Network, drawn, shard_files
from tests.relay.services.storage.gateway.test_put_and_get import asked_again_at_once  # noqa: F401  a fixture
from tests.relay.services.storage.gateway.upkeep.hub_network import GatewayDoor, compacted, open_hub_network

pytestmark = pytest.mark.long
CODE = (2, 2)


def world_of(data: int, parity: int) -> StorageHub:
    """As many operators as the code has shards, so that a batch lies with all of them."""
    return StorageHub(data + parity, data=data, parity=parity)


async def together(network: Network, contents: dict[bytes, bytes], retained: dict[bytes, int] | None = None) -> None:
    """Put in one batch, so that they share a pack."""
    committer = network.committer
    window_s, most = committer.window_s, committer.most_at_once
    committer.window_s, committer.most_at_once = 600, len(contents)
    async with trio.open_nursery() as nursery:
        for key, octets in contents.items():
            nursery.start_soon(partial(network.put, key, octets, retain_until_s=(retained or {}).get(key, 0)))
    committer.window_s, committer.most_at_once = window_s, most


async def packs_of(network: Network, key: bytes) -> list[PackSource]:
    """The pack of an object's event, and those of its bytes."""
    row = await network.store.find("ward-3", key)
    found = await network.reader.open(row)
    pack = await network.catalogue.run(lambda one: packs_row(one, row.place.pack))
    return [pack, *(source for segment in found.segments for source in segment.sources)]


def packs_row(statements, number: int) -> PackSource:
    row = pack_of(statements, number)
    return PackSource(row.name, row.shape, row.roots, row.operators)


async def rebuilt(network: Network):
    return await reindex(
        network.desk.links, network.reader, network.catalogue, KEYS.catalogue_root, CODE, lambda _: None
    )


def receipts_in(home: Path) -> dict[str, list[dict]]:
    """By pack."""
    files = sorted(home.glob("deletions/*/*.jsonl"))
    return {path.stem: [json.loads(line) for line in path.read_text().splitlines()] for path in files}


@pytest.mark.parametrize("code", [(2, 2), (10, 4)])
async def test_deleted_object_goes_from_every_operator_and_its_neighbours_stay(tmp_path, code):
    shards = sum(code)
    async with open_hub_network(tmp_path, world_of(*code), *code) as (network, door):
        await network.store.make_bucket("ward-3")
        contents = {b"k%d" % number: drawn(20_000 + number) for number in range(5)}
        await together(network, contents)
        rows = {key: await network.store.find("ward-3", key) for key in contents}
        old = await packs_of(network, b"k0")
        key_of_deleted = (await network.reader.open(rows[b"k0"])).segments[0].data_key
        await network.store.remove("ward-3", b"k0")

        waits = await compacted(network, door)
        assert (waits.objects_moved, waits.packs_emptied, waits.packs_removed, waits.receipts) == (4, 2, 0, 0)
        assert len(waits.waiting) == 2 and "epoch" in waits.waiting[0]
        door.next_epoch()
        done = await compacted(network, door)
        assert (done.objects_moved, done.packs_removed, done.receipts, done.waiting) == (0, 2, 2 * shards, [])

        receipts = receipts_in(tmp_path)
        assert sorted(receipts) == sorted(source.name.hex() for source in old)
        assert all(len({one["operator"] for one in lines}) == shards for lines in receipts.values())
        for source in old:
            with pytest.raises(Unreadable):
                await network.reader.section(source, 0, 100)
        for key in list(contents)[1:]:
            assert await network.get(key) == contents[key]
            moved = await network.store.find("ward-3", key)
            assert etag_of(moved) == etag_of(rows[key]) and moved.modified_ms == rows[key].modified_ms
            assert moved.place != rows[key].place
        keys = [segment.data_key for event in await events_of(network, code) for segment in event.segments]
        assert len(keys) == 4 and key_of_deleted not in keys
        again = await compacted(network, door)
        assert (again.packs_emptied, again.packs_removed, again.receipts) == (0, 0, 0)


async def events_of(network: Network, code: tuple[int, int]) -> list:
    """Every event that can still be read at operators."""
    found = []
    for source in await listed_packs(network.desk.links, code, lambda _: None):
        try:
            found += [one.event for one in await read_head(network.reader, source, KEYS.catalogue_root)]
        except Unreadable:
            continue
    return found


async def test_nothing_goes_before_its_retention_whoever_asks(tmp_path):
    async with open_hub_network(tmp_path, world_of(*CODE), *CODE) as (network, door):
        await network.store.make_bucket("ward-3")
        hub = door.world.hub
        until = hub.time_s + 150
        await together(network, {b"kept": drawn(3_000), b"free": drawn(3_000)}, {b"kept": until})
        old = await packs_of(network, b"free")
        await network.store.remove("ward-3", b"free")
        door.next_epoch()
        done = await compacted(network, door)
        assert (done.packs_emptied, len(done.kept)) == (0, 1) and f"retained until {until}" in done.kept[0]
        # The twin: who does not look at the retention is refused by the hub, and then by every operator.
        removal = await remover_of(network, door).remove(row_of(old[0]), ())
        assert len(removal.waiting) == sum(CODE) and "retention" in removal.waiting[0]
        for link in network.desk.links.values():
            with pytest.raises(OperatorFailed) as refused:
                await link.delete_shard(old[0].name, old[0].operators.index(link.known.operator), b"")
            assert refused.value.code is RefusalCode.RETAINED
        while hub.time_s <= until:
            hub.advance()
        done = await compacted(network, door)
        assert (done.objects_moved, done.packs_removed, done.waiting) == (1, 2, [])
        assert len(await network.get(b"kept")) == 3_000


async def test_catalogue_made_again_says_the_same_after_compaction(tmp_path):
    async with open_hub_network(tmp_path, world_of(*CODE), *CODE) as (network, door):
        for name in ("ward-3", "ward-4"):
            await network.store.make_bucket(name)
        contents = {b"k%d" % number: drawn(2_000) for number in range(6)}
        await together(network, contents)
        await network.put(b"k1", b"another")
        await network.store.remove("ward-3", b"k0")
        await network.store.remove_bucket("ward-4")
        before = await network.catalogue.run(catalogue_digest)
        assert (await compacted(network, door)).objects_moved == 4
        assert await network.catalogue.run(catalogue_digest) == before
        both = await rebuilt(network)  # the old packs are there, and the new ones
        assert (both.digest, both.objects) == before
        door.next_epoch()
        assert (await compacted(network, door)).waiting == []
        after = await rebuilt(network)
        assert (after.digest, after.objects, after.unreadable) == (*before, ())
        assert [one.name for one in await network.store.buckets()] == ["ward-3"]
        for key, octets in ({**contents, b"k1": b"another"}).items():
            if key != b"k0":
                assert await network.get(key) == octets
        assert (await compacted(network, door)).packs_emptied == 0


async def test_an_operator_that_is_away_lets_go_when_it_is_back(tmp_path):
    async with open_hub_network(tmp_path, world_of(*CODE), *CODE) as (network, door):
        await network.store.make_bucket("ward-3")
        await network.put(b"k", drawn(3_000))
        await network.store.remove("ward-3", b"k")
        door.next_epoch()
        network.gone(1)
        done = await compacted(network, door)
        assert (done.packs_removed, done.receipts, len(done.waiting)) == (0, 6, 2)
        assert "3 of 4 operators let it go" in done.waiting[0]
        assert (await network.catalogue.run(totals)).removals == 2
        network.gone()
        done = await compacted(network, door)
        assert (done.packs_removed, done.receipts) == (2, 2)
        assert (await network.catalogue.run(totals)).removals == 0
        assert all(len(lines) == 4 for lines in receipts_in(tmp_path).values())


async def test_attack_S60_a_pack_that_is_to_go_stays_once_reindex_names_it(tmp_path):
    """What was moved is lost by its operators, and reindex finds the copy of before, in a pack that waits to be let go."""
    async with open_hub_network(tmp_path, world_of(*CODE), *CODE) as (network, door):
        await network.store.make_bucket("ward-3")
        contents = {b"gone": drawn(3_000), b"kept": drawn(90_000)}
        await together(network, contents)
        await network.store.remove("ward-3", b"gone")
        before = set(shard_files(network.home))
        assert (await compacted(network, door)).objects_moved == 1
        for path in set(shard_files(network.home)) - before:
            if "operator-0/" not in str(path):
                path.unlink()
        await rebuilt(network)
        assert await network.get(b"kept") == contents[b"kept"]
        for _ in range(2):
            door.next_epoch()
            await compacted(network, door, percent=50)
        assert await network.get(b"kept") == contents[b"kept"]


def remover_of(network: Network, door: GatewayDoor) -> Remover:
    return Remover(door, network.desk.links)


def row_of(source: PackSource) -> PackRow:
    return PackRow(source.name, source.shape, source.roots, source.operators)
