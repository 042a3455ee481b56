"""The relay feeds its archive: what has settled, once, and never at the cost of a packet."""

import threading
from functools import partial

import pytest
import trio

from hutong.adapters.interface import EndpointUnavailable
from hutong.light_clients.ibc.packet import Payload
from hutong.light_clients.ibc.transfer import ABI_ENCODING, TransferData, encode_transfer
from hutong.relay.archive import Archive
from hutong.relay.archive.bundle import encode_bundle
from hutong.relay.archive.legs import was_sent_on
from hutong.relay.archive.store import BundleArchive, Directory, open_source, verify
from hutong.relay.audit import Auditor
from hutong.relay.base.threads import abandoning_thread
from hutong.relay.config import ArchiveConfig
from hutong.relay.core.archiving.archive_context import ArchiveContext
from hutong.relay.core.archiving.archiver import Archiver
from hutong.relay.core.archiving.bundling import Exporter, read_checkpoint
from hutong.relay.core.topology.paths import Paths
from tests.relay.core.world import CLIENT, World, in_line, making_blocks


@pytest.fixture
def world(tmp_path, valkey):
    return World(tmp_path, valkey.url)


def archiver(world: World, evidence: Archive, location: str) -> Archiver:
    adapters = {name: world.adapter(name) for name in world.chains}
    make = partial(Exporter, adapters, Paths.of(world.config().paths), evidence, ())
    return Archiver(ArchiveContext(location, in_line, world.metrics), adapters, make, evidence, world.now_ns)


def metric(world: World, name: str, **labels) -> float:
    return world.figure(name, **labels)


@pytest.mark.long
async def test_a_running_relay_archives_what_has_settled(world, autojump_clock):
    roots = []
    for name, other in (("alpha", "beta"), ("beta", "alpha")):
        follower = await world.adapter(other).client(CLIENT)
        roots.append(await read_checkpoint(world.adapter(name), [CLIENT], [follower], None))
    plain = world.config
    world.config = lambda **options: plain(**options).model_copy(update={"archive": ArchiveConfig(interval_s=5)})
    place = world.directory / "archive"
    async with making_blocks(world), world.relay().running():
        world.send(count=3)
        await world.all_settled(3)
        with trio.fail_after(60):
            while not place.is_dir() or len(BundleArchive(Directory(place)).newest) < 3:  # noqa: ASYNC110
                await trio.sleep(1)
        size = BundleArchive(Directory(place)).head.size
        await trio.sleep(60)
    archive = BundleArchive(Directory(place))
    assert archive.head.size == size == 3 and verify(archive).is_whole
    source, auditor = open_source(str(place)), Auditor(roots, world.now_ns())
    assert sorted(source.names()) == [f"1001/{CLIENT}/{sequence}" for sequence in (1, 2, 3)]
    for name in source.names():
        report = auditor.audit(source.read(name))
        assert report.is_valid and "settled" in report.outcome
    assert metric(world, "hutong_archive_entries") == 3 and metric(world, "hutong_archive_waiting") == 0


async def test_a_place_that_is_away_stops_no_packet_and_is_caught_up_with(world, autojump_clock):
    place = world.directory / "kept"
    place.write_bytes(b"in the way")
    process = world.relay()
    keeper = archiver(world, process.archive, str(place))
    async with making_blocks(world), process.running():
        world.send(count=2)
        await world.all_settled(2)
        await trio.sleep(5)
        assert await keeper.round() == 0
        assert metric(world, "hutong_archive_failures_total", what="append") == 1
        place.unlink()
        assert await keeper.round() == 2
        assert await keeper.round() == 0
        world.send()
        await world.all_settled(3)
        await trio.sleep(5)
        assert await keeper.round() == 1


async def test_a_place_that_was_unmounted_stays_away_until_it_is_back(world, autojump_clock):
    place, mounted = world.directory / "kept", world.directory / "disk"
    process = world.relay()
    keeper = archiver(world, process.archive, str(place))
    async with making_blocks(world), process.running():
        world.send()
        await world.all_settled(1)
        await trio.sleep(5)
        assert await keeper.round() == 1
        place.rename(mounted)
        place.mkdir()
        world.send()
        await world.all_settled(2)
        await trio.sleep(5)
        for failures in (1, 2):
            assert await keeper.round() == 0
            assert metric(world, "hutong_archive_failures_total", what="append") == failures
        assert not any(path.is_file() for path in place.rglob("[!.]*"))
        for path in place.iterdir():
            path.unlink()
        place.rmdir()
        mounted.rename(place)
        assert await keeper.round() == 1
    assert BundleArchive(Directory(place)).head.size == 2


async def test_a_log_that_was_rewritten_while_it_was_away_takes_nothing(world, autojump_clock):
    place = world.directory / "kept"
    process = world.relay()
    keeper = archiver(world, process.archive, str(place))
    async with making_blocks(world), process.running():
        world.send(count=2)
        await world.all_settled(2)
        await trio.sleep(5)
        assert await keeper.round() == 2
        place.rename(world.directory / "genuine")
        world.send()
        await world.all_settled(3)
        await trio.sleep(5)
        assert await keeper.round() == 0
        forged = BundleArchive.create(Directory(place))
        for failures in (2, 3):
            assert await keeper.round() == 0
            assert metric(world, "hutong_archive_failures_total", what="append") == failures
    assert BundleArchive(Directory(place)).head == forged.head


async def test_one_chain_that_does_not_answer_costs_no_other_its_bundles(world, autojump_clock):
    process, asked = world.relay(), []
    adapters = {name: world.adapter(name) for name in world.chains}

    class Silent(Exporter):
        async def export(self, source, sequence):
            asked.append((source.chain, sequence))
            if asked.count(("alpha", 2)) == 1 and asked[-1] == ("alpha", 2):
                raise EndpointUnavailable("alpha", "eth_getProof", ())
            return await super().export(source, sequence)

    make = partial(Silent, adapters, Paths.of(world.config().paths), process.archive, ())
    place = ArchiveContext(str(world.directory / "kept"), in_line, world.metrics)
    keeper = Archiver(place, adapters, make, process.archive, world.now_ns)
    async with making_blocks(world), process.running():
        world.send(count=3)
        world.send("beta")
        await world.all_settled(3)
        await trio.sleep(5)
        assert await keeper.round() == 2
        assert asked == [("alpha", 1), ("alpha", 2), ("beta", 1)]
        assert metric(world, "hutong_archive_waiting") == 2
        assert await keeper.round() == 1, "the silent one waits, the one after it does not"
        await trio.sleep(10)
        assert await keeper.round() == 1


async def test_a_bundle_that_the_archive_refuses_is_not_made_anew_each_round(world, autojump_clock, monkeypatch):
    process = world.relay()
    keeper = archiver(world, process.archive, str(world.directory / "kept"))
    encoded = []

    def too_long(bundle):
        encoded.append(bundle.packet_id)
        return encode_bundle(bundle) if bundle.packet_id.endswith("/2") else bytes(100)

    monkeypatch.setattr("hutong.relay.core.archiving.archiver.encode_bundle", too_long)
    async with making_blocks(world), process.running():
        world.send(count=2)
        await world.all_settled(2)
        await trio.sleep(5)
        assert [await keeper.round(), await keeper.round()] == [1, 0]
        assert encoded == [f"1001/{CLIENT}/1", f"1001/{CLIENT}/2"]
        assert metric(world, "hutong_archive_waiting") == 0


async def test_a_stray_folder_among_the_evidence_ends_no_round(world, autojump_clock):
    process = world.relay()
    keeper = archiver(world, process.archive, str(world.directory / "kept"))
    async with making_blocks(world), process.running():
        world.send()
        await world.all_settled(1)
        await trio.sleep(5)
        kept = await process.archive.file_of("alpha", CLIENT, 1, "acknowledge")
        stray = kept.parents[2] / "backup of monday" / "000000" / kept.name
        stray.parent.mkdir(parents=True)
        stray.write_bytes(kept.read_bytes())
        assert await keeper.round() == 1


@pytest.mark.long
async def test_what_is_under_way_waits_and_old_bundles_are_pruned(world, autojump_clock):
    place = str(world.directory / "kept")
    process = world.relay()
    keeper = archiver(world, process.archive, place)
    async with making_blocks(world), process.running(), trio.open_nursery() as nursery:
        world.refuse_all("alpha")
        world.send()
        nursery.start_soon(keeper.run, 30, 1)
        await trio.sleep(20)
        assert BundleArchive(Directory(world.directory / "kept")).head.size == 0
        world.refuse_all("alpha", refuse=False)
        await world.all_settled(1)
        await trio.sleep(200)
        assert BundleArchive(Directory(world.directory / "kept")).head.size == 1
        nursery.cancel_scope.cancel()
    assert await keeper.round() == 0
    await keeper._prune(-1)
    archive = BundleArchive(Directory(world.directory / "kept"))
    assert archive.pruned == {f"1001/{CLIENT}/1"} and archive.newest == {}
    assert await keeper.round() == 0, "what was pruned does not come back"


def test_packets_that_a_hub_made_of_others_are_known_by_their_stamp_or_sender():
    from tests.relay.relay_values import packet

    def tokens(sender: str):
        data = TransferData("0x" + "11" * 20, sender, "receiver", 1)
        return packet(
            payloads=(Payload("transfer", "transfer", "ics20-1", ABI_ENCODING, encode_transfer(data, ABI_ENCODING)),)
        )

    assert not was_sent_on(packet()) and not was_sent_on(tokens("0xaa")) and was_sent_on(tokens("bft-evm-0/0xaa"))
    assert was_sent_on(packet(payloads=(Payload("forward", "gmpport", "v", "e", b"x"),)))
    assert not was_sent_on(packet(payloads=(Payload("transfer", "transfer", "ics20-1", ABI_ENCODING, b"?"),)))


async def test_nobody_waits_at_the_end_for_a_store_that_hangs():
    release = threading.Event()
    run = abandoning_thread()
    with trio.move_on_after(0.1) as scope:
        await run(lambda: release.wait(30))
    release.set()
    assert scope.cancelled_caught
