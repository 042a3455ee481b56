"""Bytes of objects into packs of a batch: many small ones share a pack, a large one spans many."""

import os
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import trio
from blake3 import blake3

from hutong.light_clients.interface import MalformedInput
from hutong.relay.services.storage.gateway.batches import Batch
from hutong.relay.services.storage.pipeline.pieces import Piece, SealedRun, sealed_length, sealed_room
from hutong.relay.services.storage.pipeline.pool import Lease, Pipeline
from hutong.relay.services.storage.pipeline.slots import write_plain
from hutong.relay.services.storage.pipeline.work import MadePack
from hutong.relay.services.storage.rules.objects.manifest import (
    MAX_EXTENTS,
    Extent,
    Manifest,
    ManifestPack,
    PlacementPolicy,
    encode_manifest,
)
from hutong.relay.services.storage.rules.objects.seal import ObjectKey
from hutong.relay.services.storage.rules.objects.sizes import RECORD_BYTES
from hutong.relay.services.storage.rules.packs.body import SectionKind
from hutong.relay.services.storage.rules.packs.columns import PlacedPack

SMALL_BYTES: Final = 2**20
"""An object up to this size shares a pack with others."""
MAX_OBJECT_BYTES: Final = 128 * 2**30
"""Of one manifest: 2 048 packs of 80 MiB hold a little more."""
_HASH_STEP: Final = 2**20

ReadSome = Callable[[], Awaitable[bytes]]
"""The next bytes of a body; none at its end."""


class TooLarge(Exception):
    """An object has more bytes than one manifest covers. One sentence."""


@dataclass(frozen=True, slots=True)
class Staged:
    """An object whose bytes lie in packs of a batch; its manifest is not stored yet."""

    data_key: bytes
    manifest: bytes
    size: int


@dataclass(slots=True)
class _Growing:
    """A large object while it comes in."""

    data_key: bytes
    hashing: "blake3"
    size: int = 0
    packs: dict[int, tuple[PlacedPack, int]] = field(default_factory=dict)
    """By order: the pack, and the bytes of its one section."""


def _manifest(
    parts: Sequence[tuple[PlacedPack, int, int]], size: int, content_hash: bytes, retain_until_s: int
) -> bytes:
    """Of (pack, offset, length), each of another pack."""
    packs = tuple(ManifestPack(placed.name, placed.shape, placed.roots) for placed, _, _ in parts)
    extents = tuple(Extent(number, offset, length) for number, (_, offset, length) in enumerate(parts))
    parity = parts[0][0].shape.parity
    policy = PlacementPolicy(parity, parity, 1)
    return encode_manifest(Manifest(size, True, content_hash, packs, extents, retain_until_s, policy))


async def stage_small(
    pipeline: Pipeline, batch: Batch, contents: Sequence[bytes], retain_until_s: int
) -> tuple[Staged, ...]:
    """Store small objects in one pack.

    Raises:
        MalformedInput: together they do not fit in a pack.
        NotStored: too few operators took it.
        PipelineBroken: a worker died.
    """
    keys = [os.urandom(32) for _ in contents]
    runs = [SealedRun(key, 0, len(octets), is_end=True) for key, octets in zip(keys, contents, strict=True)]
    pieces = tuple(Piece(SectionKind.OBJECT, sealed_length(run), run) for run in runs)
    async with pipeline.slot() as lease:
        at = 0
        for piece, octets in zip(pieces, contents, strict=True):
            if at + piece.length > len(lease.view):
                raise MalformedInput("pack", "more objects than fit in it", got=at + piece.length)
            write_plain(lease.view, at, 0, octets)
            at += piece.length
        made = await pipeline.make(lease, pieces)
        await batch.send(made.placed, lease.view, retain_until_s)
    staged = []
    for key, octets, section in zip(keys, contents, made.index.sections, strict=True):
        hashed = blake3(octets, key=ObjectKey(key).hash_key).digest()
        parts = ((made.placed, section.offset, section.length),)
        staged.append(Staged(key, _manifest(parts, len(octets), hashed, retain_until_s), len(octets)))
    return tuple(staged)


async def stage_large(pipeline: Pipeline, batch: Batch, read: ReadSome, begun: bytes, retain_until_s: int) -> Staged:
    """Store an object as it comes in: one pack is filled while others are made and sent, as many as there are slots.

    Args:
        begun: bytes of it that were read already.

    Raises:
        TooLarge: it has more bytes than one manifest covers.
        NotStored, PipelineBroken: see `stage_small`. And what `read` raises.
    """
    data_key = os.urandom(32)
    growing = _Growing(data_key, blake3(key=ObjectKey(data_key).hash_key))
    left = bytearray(begun)
    room = sealed_room(pipeline.shape, 0, 0)
    order = 0
    is_end = False

    async def one(number: int, task_status: trio.TaskStatus[bool] = trio.TASK_STATUS_IGNORED) -> None:
        async with pipeline.slot() as lease:
            run, ended = await _filled(lease, growing, read, left, (number * (room // RECORD_BYTES), room))
            task_status.started(ended)
            made = await pipeline.make(lease, (Piece(SectionKind.OBJECT, sealed_length(run), run),))
            await batch.send(made.placed, lease.view, retain_until_s)
            growing.packs[number] = (made.placed, sealed_length(run))

    async with trio.open_nursery() as nursery:
        while not is_end:
            if growing.size > MAX_OBJECT_BYTES or order == MAX_EXTENTS:
                raise TooLarge(f"an object has at most {MAX_OBJECT_BYTES} bytes; send larger ones in parts")
            is_end = await nursery.start(one, order)
            order += 1
    parts = [(growing.packs[number][0], 0, growing.packs[number][1]) for number in range(order)]
    manifest = _manifest(parts, growing.size, growing.hashing.digest(), retain_until_s)
    return Staged(data_key, manifest, growing.size)


async def _filled(
    lease: Lease, growing: _Growing, read: ReadSome, left: bytearray, place: tuple[int, int]
) -> tuple[SealedRun, bool]:
    """Fill a slot, up to its room or the end of the object. One byte more is read, to know whether it goes on."""
    first, room = place
    done = 0
    while True:
        take = bytes(left[: room - done])
        if take:
            write_plain(lease.view, 0, done, take)
            for at in range(0, len(take), _HASH_STEP):
                growing.hashing.update(take[at : at + _HASH_STEP])
            del left[: len(take)]
            done += len(take)
        if not left:
            some = await read()
            left += some
            if not some:
                growing.size += done
                return SealedRun(growing.data_key, first, done, is_end=True), True
        elif done == room:
            growing.size += done
            return SealedRun(growing.data_key, first, done, is_end=False), False


async def stage_sections(
    pipeline: Pipeline, batch: Batch, sections: Sequence[tuple[SectionKind, bytes]], retain_until_s: int
) -> MadePack:
    """Store sections as they are in one pack: manifests, and what the catalogue says.

    Raises:
        MalformedInput, NotStored, PipelineBroken: see `stage_small`.
    """
    async with pipeline.slot() as lease:
        at = 0
        for _, octets in sections:
            if at + len(octets) > len(lease.view):
                raise MalformedInput("pack", "more sections than fit in it", got=at + len(octets))
            lease.view[at : at + len(octets)] = octets
            at += len(octets)
        made = await pipeline.make(lease, tuple(Piece(kind, len(octets)) for kind, octets in sections))
        await batch.send(made.placed, lease.view, retain_until_s)
    return made
