"""Objects over fourteen real operators: stored at twelve, read from any ten, and nothing wrong is ever read."""

import pytest
import trio

from hutong.light_clients.interface import MalformedInput
from hutong.relay.services.storage.catalogue import objects
from hutong.relay.services.storage.catalogue.packs import degraded_batches, totals
from hutong.relay.services.storage.catalogue.rows import BucketTaken
from hutong.relay.services.storage.gateway.committing import Change, Unavailable
from hutong.relay.services.storage.gateway.events import MAX_EVENT_BYTES, Event, EventKind
from hutong.relay.services.storage.gateway.pack_reading import Unreadable
from hutong.relay.services.storage.gateway.store import Condition, ConditionFailed
from tests.relay.services.storage.gateway.door import ask, code_of
from tests.relay.services.storage.gateway.network import drawn, open_network, shard_files
from tests.relay.services.storage.rules.test_s3_signatures import AT, signed


@pytest.fixture(autouse=True)
def asked_again_at_once(monkeypatch):
    monkeypatch.setattr("hutong.relay.services.storage.gateway.operators.RETRY_S", 0.001)


async def test_any_four_of_fourteen_may_go_and_a_fifth_is_a_clear_error(tmp_path):
    octets = drawn(300_000)
    async with open_network(tmp_path) as network:
        await network.store.make_bucket("ward-3")
        row = await network.put(b"scan", octets)
        assert row.size == len(octets)
        assert await network.get(b"scan") == octets
        assert await network.get(b"scan", 65_530, 131_080) == octets[65_530:131_080]
        network.gone(0, 3, 7, 11)
        assert await network.get(b"scan") == octets
        network.gone(0, 3, 7, 11, 12)
        with pytest.raises(Unreadable, match="9 of 14 shards can be read, 10 are needed"):
            await network.get(b"scan")


async def test_object_whose_operators_go_after_its_first_bytes_is_an_error_and_not_a_cut_answer(tmp_path, monkeypatch):
    """Its event and manifest were read by then, so it is its records that fail, after the answer's headers are known."""
    octets = drawn(90_000)
    async with open_network(tmp_path, 2, 1) as network:
        await network.store.make_bucket("ward-3")
        await network.put(b"scan", octets)
        request = signed("GET", "/ward-3/scan", b"")
        assert (await ask(network.s3, request))[::2] == (200, octets)
        opened = network.reader.open

        async def open_and_go(row):
            found = await opened(row)
            network.gone(0, 1)
            return found

        monkeypatch.setattr(network.reader, "open", open_and_go)
        status, _, body = await ask(network.s3, request)
        assert (status, code_of(body)) == (503, "ServiceUnavailable")
        assert b"1 of 3 shards can be read, 2 are needed" in body


async def test_attack_S63_a_change_that_cannot_be_told_or_made_fails_alone(tmp_path):
    """All of one batch: each good put is stored, and each bad change's own caller has its error."""

    def tell(number, _staged):
        return Event(number, EventKind.PUT, "ward-3", b"k" * MAX_EVENT_BYTES)

    def make(statements, _stored):
        objects.add_bucket(statements, "half-made", AT)
        raise BucketTaken("there is one")

    def take(statements, stored):
        for _ in range(2):
            statements.run("INSERT INTO storage_counters (name, value) VALUES ('twice', ?)", (stored.event.number,))

    bad = [
        (Change(tell, lambda *_: None), MalformedInput),
        (Change(lambda number, _: Event(number, EventKind.PART, ""), make), BucketTaken),
        (Change(lambda number, _: Event(number, EventKind.PART, ""), take), Unavailable),
    ]
    async with open_network(tmp_path, 2, 1) as network:
        await network.store.make_bucket("ward-3")
        network.committer.window_s, network.committer.most_at_once = 300, 5
        failed = []

        async def change(one, error) -> None:
            with pytest.raises(error):
                await network.committer.change(one)
            failed.append(error)

        async with trio.open_nursery() as nursery:
            for one, error in bad:
                nursery.start_soon(change, one, error)
            for key in (b"a", b"b"):
                nursery.start_soon(network.put, key, key * 9)
        assert len(failed) == 3
        assert (await network.get(b"a"), await network.get(b"b")) == (b"a" * 9, b"b" * 9)
        assert (await network.catalogue.run(totals)).batches == 2
        assert [one.name for one in await network.store.buckets()] == ["ward-3"]


async def test_put_is_stored_at_twelve_and_not_at_eleven(tmp_path):
    async with open_network(tmp_path) as network:
        await network.store.make_bucket("ward-3")
        network.gone(1, 2)
        await network.put(b"a", b"content")
        (degraded,) = await network.catalogue.run(lambda one: degraded_batches(one, 10))
        assert len(degraded.unsigned) == 2
        network.gone(1, 2, 3)
        with pytest.raises(Unavailable, match="11 of 14 operators took the shards, 12 are needed"):
            await network.put(b"b", b"content")
        assert await network.store.find("ward-3", b"b") is None
        network.gone()
        assert await network.get(b"a") == b"content"


async def test_attack_S13_wrong_span_is_an_erasure_and_never_decoded(tmp_path):
    octets = drawn(200_000)
    async with open_network(tmp_path, 4, 2) as network:
        await network.store.make_bucket("ward-3")
        await network.put(b"scan", octets)
        network.switches[0].flips = network.switches[1].flips = True
        assert await network.get(b"scan") == octets
        network.switches[2].flips = True
        with pytest.raises(Unreadable, match="has other bytes"):
            await network.get(b"scan")


async def test_silent_operator_is_passed_by(tmp_path):
    octets = drawn(1_000)
    async with open_network(tmp_path, 4, 2, hedge_s=0.02) as network:
        await network.store.make_bucket("ward-3")
        await network.put(b"scan", octets)
        network.switches[0].is_silent = True
        assert await network.get(b"scan") == octets


async def test_names_and_bytes_are_in_no_shard(tmp_path):
    marker = b"patient Jane Doe, ward 3, scan of 2026-11-30 "
    async with open_network(tmp_path, 4, 2) as network:
        await network.store.make_bucket("ward-3")
        await network.put(marker, marker * 100)
        files = shard_files(tmp_path)
        assert len(files) >= 18  # three packs: of the bucket, of the object, of its manifest
        assert not any(marker[:16] in file.read_bytes() for file in files)


async def test_one_of_many_puts_if_absent_wins(tmp_path):
    outcomes = []
    async with open_network(tmp_path, 2, 1) as network:
        await network.store.make_bucket("ward-3")

        async def put(number: int) -> None:
            try:
                await network.put(b"key", b"%d" % number, condition=Condition(must_be_absent=True))
            except ConditionFailed:
                return
            outcomes.append(b"%d" % number)

        async with trio.open_nursery() as nursery:
            for number in range(8):
                nursery.start_soon(put, number)
        assert [await network.get(b"key")] == outcomes
        found = await network.catalogue.run(totals)
        assert (found.objects, found.bytes) == (1, 1)


@pytest.mark.long
async def test_small_objects_share_a_batch(tmp_path):
    async with open_network(tmp_path, 2, 1) as network:
        await network.store.make_bucket("ward-3")
        async with trio.open_nursery() as nursery:
            for number in range(40):
                nursery.start_soon(network.put, b"k%d" % number, b"content %d" % number)
        assert (await network.catalogue.run(totals)).batches < 20
        for number in (0, 17, 39):
            assert await network.get(b"k%d" % number) == b"content %d" % number


@pytest.mark.long
async def test_what_was_stored_is_there_after_a_new_start(tmp_path):
    octets = drawn(50_000)
    async with open_network(tmp_path, 2, 1) as network:
        await network.store.make_bucket("ward-3")
        await network.put(b"key", octets)
    async with open_network(tmp_path, 2, 1) as network:
        assert await network.get(b"key") == octets
        assert await network.store.remove("ward-3", b"key")
        assert await network.store.find("ward-3", b"key") is None
        assert not await network.store.remove("ward-3", b"key")


@pytest.mark.long
async def test_object_of_many_packs_is_read_by_ranges(tmp_path):
    octets = drawn(18 * 2**20)
    async with open_network(tmp_path, 1, 1) as network:
        await network.store.make_bucket("ward-3")
        await network.put(b"large", octets)
        row = await network.store.find("ward-3", b"large")
        assert len((await network.reader.open(row)).segments[0].sources) == 3
        assert await network.get(b"large") == octets
        cut = 8 * 2**20
        assert await network.get(b"large", cut - 70_000, cut + 70_000) == octets[cut - 70_000 : cut + 70_000]
        assert await network.get(b"large", len(octets) - 3) == octets[-3:]
