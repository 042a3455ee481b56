"""Packs made where they lie are those of the plain rules, byte for byte."""

from hashlib import sha256

import pytest

from hutong.light_clients.interface import MalformedInput, Verify
from hutong.relay.services.storage.pipeline.pieces import Piece, SealedRun, largest_shape, sealed_length, sealed_room
from hutong.relay.services.storage.pipeline.pool import open_pipeline
from hutong.relay.services.storage.pipeline.slots import SharedSlots, write_plain
from hutong.relay.services.storage.pipeline.work import make_pack
from hutong.relay.services.storage.rules.objects.seal import open_object, seal_object
from hutong.relay.services.storage.rules.packs.body import SectionKind, build_body
from hutong.relay.services.storage.rules.packs.coding import code_pack, decode_pack
from hutong.relay.services.storage.rules.packs.mask import masked, pack_mask_key, shard_mask_key, unmask_run
from hutong.relay.services.storage.rules.packs.shape import PackShape

KEY, ROOT = sha256(b"data key").digest(), sha256(b"repair root").digest()


def content(size: int) -> bytes:
    return (sha256(str(size).encode()).digest() * (size // 32 + 1))[:size]


def filled(slot: memoryview, octets: bytes) -> tuple[Piece, ...]:
    run = SealedRun(KEY, 0, len(octets), is_end=True)
    for at in range(0, len(octets), 50_000):  # as a network brings them: not in records
        write_plain(slot, 0, at, octets[at : at + 50_000])
    length = sealed_length(run)
    slot[length : length + 8] = b"manifest"
    return Piece(SectionKind.OBJECT, length, run), Piece(SectionKind.MANIFEST, 8)


@pytest.mark.parametrize("size", [0, 1, 65_536, 65_537, 200_000, 900_000])
def test_pack_in_place_is_the_pack_of_the_rules(size: int) -> None:
    octets = content(size)
    slot = memoryview(bytearray(14 * 2**20))
    made = make_pack(slot, filled(slot, octets), 10, 4, ROOT)
    sealed = seal_object(KEY, octets)
    index, body = build_body(10, 4, [(SectionKind.OBJECT, sealed), (SectionKind.MANIFEST, b"manifest")])
    coded = code_pack(index.shape, body, ROOT)
    assert made.index == index
    assert (made.placed.name, made.placed.roots) == (coded.name, tuple(shard.root for shard in coded.shards))
    assert made.placed.outboards == tuple(shard.outboard for shard in coded.shards)
    assert slot[: 14 * index.shape.shard_bytes] == b"".join(bytes(shard.octets) for shard in coded.shards)
    assert open_object(KEY, sealed) == octets


def test_slot_used_before_gives_the_same_pack() -> None:
    slot = memoryview(bytearray(b"\xaa" * 14 * 2**20))
    dirty = make_pack(slot, filled(slot, content(70_000)), 10, 4, ROOT)
    clean_slot = memoryview(bytearray(14 * 2**20))
    assert make_pack(clean_slot, filled(clean_slot, content(70_000)), 10, 4, ROOT) == dirty


def test_runs_of_two_packs_are_one_object() -> None:
    octets = content(3 * 65_536 + 5)
    slot = memoryview(bytearray(2 * 2**20))
    bodies = []
    for first, part, is_end in ((0, octets[: 2 * 65_536], False), (2, octets[2 * 65_536 :], True)):
        run = SealedRun(KEY, first, len(part), is_end=is_end)
        write_plain(slot, 0, 0, part)
        made = make_pack(slot, (Piece(SectionKind.OBJECT, sealed_length(run), run),), 2, 1, ROOT)
        shape = made.placed.shape
        shards = {n: bytes(slot[n * shape.shard_bytes : (n + 1) * shape.shard_bytes]) for n in range(3)}
        key = pack_mask_key(ROOT, made.placed.name)
        _, body = decode_pack(Verify(), (made.placed.name, shape, made.placed.roots), shards, key)
        bodies.append(bytes(body[: sealed_length(run)]))
    assert open_object(KEY, b"".join(bodies)) == octets


def test_run_of_a_shard_is_unmasked_at_its_place() -> None:
    key = shard_mask_key(pack_mask_key(ROOT, KEY), 3)
    hidden = masked(key, content(5_000))
    assert unmask_run(key, 1_024, hidden[1_024:3_000]) == content(5_000)[1_024:3_000]
    with pytest.raises(MalformedInput, match="mask.offset"):
        unmask_run(key, 1_025, hidden)


def test_room_is_of_whole_records() -> None:
    shape = largest_shape(10, 4)
    assert shape == PackShape(10, 4, 13)
    room = sealed_room(shape, 0, 0)
    assert room == 1_279 * 65_536
    assert sealed_room(shape, shape.body_bytes - 100, 1) == 0


def test_slots_of_another_process_are_the_same_memory() -> None:
    with SharedSlots(2, PackShape(2, 1, 0)) as slots, SharedSlots(2, slots.largest, slots.path) as other:
        slots.view(1)[:3] = b"abc"
        assert bytes(other.view(1)[:3]) == b"abc"
        assert bytes(other.view(0)[:3]) == b"\0\0\0"


@pytest.mark.long
async def test_workers_make_packs_of_lent_slots() -> None:
    octets = content(200_000)
    with open_pipeline(ROOT, (4, 2), workers=1, in_flight=2) as pipeline:
        async with pipeline.slot() as lease:
            made = await pipeline.make(lease, filled(lease.view, octets))
        alone = memoryview(bytearray(2**20))
        assert made == make_pack(alone, filled(alone, octets), 4, 2, ROOT)
