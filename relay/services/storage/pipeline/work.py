"""What a worker process does with a slot: seal, lay out, code, mask, hash."""

import os
import threading
import time
from dataclasses import dataclass
from typing import Final

from hutong.relay.services.storage.pipeline.pieces import Piece, SealedRun
from hutong.relay.services.storage.pipeline.slots import SharedSlots
from hutong.relay.services.storage.rules.objects.seal import ObjectKey
from hutong.relay.services.storage.rules.objects.sizes import (
    RECORD_BYTES,
    SEALED_RECORD_BYTES,
    TAG_BYTES,
    records_of,
)
from hutong.relay.services.storage.rules.packs.body import PackIndex, index_body, shape_of
from hutong.relay.services.storage.rules.packs.columns import PlacedPack, code_in_place
from hutong.relay.services.storage.rules.packs.shape import PackShape

PARENT_LOOK_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class MadePack:
    """A pack whose masked shards lie in a slot, one after the other from its first byte."""

    placed: PlacedPack
    index: PackIndex


def seal_run(slot: memoryview, begin: int, run: SealedRun) -> None:
    """Seal the records of a run where `write_plain` put them.

    Raises:
        MalformedInput: a run whose records no object has.
    """
    key = ObjectKey(run.data_key)
    count = records_of(run.size)
    for number in range(count):
        size = min(RECORD_BYTES, run.size - number * RECORD_BYTES)
        at = begin + number * SEALED_RECORD_BYTES
        is_last = run.is_end and number == count - 1
        key.seal_in_place(run.first + number, slot[at : at + size + TAG_BYTES], is_last=is_last)


def make_pack(slot: memoryview, pieces: tuple[Piece, ...], data: int, parity: int, repair_root: bytes) -> MadePack:
    """Make a pack of what stands in a slot.

    Args:
        slot: sections one after the other from its first byte; afterwards the masked shards.
        pieces: what they are, in order.
        repair_root: 32 secret bytes of the tenant.

    Raises:
        MalformedInput: sections that no pack of this code holds.
    """
    at = 0
    for piece in pieces:
        if piece.run is not None:
            seal_run(slot, at, piece.run)
        at += piece.length
    shape = shape_of(data, parity, [piece.length for piece in pieces])
    body, ends = slot[: shape.body_bytes], slot[shape.body_bytes : shape.shards * shape.shard_bytes]
    index = index_body(shape, body, [(piece.kind, piece.length) for piece in pieces])
    return MadePack(code_in_place(shape, body, ends, repair_root), index)


_SLOTS: list[SharedSlots] = []


def start_worker(path: str, count: int, largest: PackShape, parent: int | None = None) -> None:
    """Open the slots of the parent; the first thing that a worker process does.

    Args:
        parent: its process id; the worker ends when it is gone. A killed parent tells nobody, and the memory would stay taken.
    """
    _SLOTS.append(SharedSlots(count, largest, path))
    if parent is not None:
        threading.Thread(target=_end_after, args=(parent,), daemon=True).start()


def _end_after(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(PARENT_LOOK_S)
    os._exit(0)


def make_pack_of_slot(slot: int, pieces: tuple[Piece, ...], repair_root: bytes) -> MadePack:
    """`make_pack` in a worker process.

    Raises:
        MalformedInput: see `make_pack`.
    """
    slots = _SLOTS[-1]
    with slots.view(slot) as view:
        return make_pack(view, pieces, slots.largest.data, slots.largest.parity, repair_root)


def is_awake() -> bool:
    """Asked once of each worker, so that importing is not part of the first pack."""
    return bool(_SLOTS)
