"""Checkpoint, tiles and entries of a log, of bounded size. What is made of them is judged before it leaves this package."""

from collections.abc import Iterable

from hutong.adapters.interface import BadAnswer
from hutong.adapters.rpc import Attempt
from hutong.light_clients.crypto.hashes import HASH_BYTES
from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.tlog import Checkpoint, decode_checkpoint
from hutong.light_clients.tlog.notes import MAX_NOTE_BYTES
from hutong.light_clients.tlog.tiles import (
    MAX_BUNDLE_BYTES,
    MAX_TILE_BYTES,
    TILE_WIDTH,
    Tile,
    bundle_path,
    decode_bundle,
    decode_tile,
    range_root,
    tiles_for,
)


async def read_checkpoint(attempt: Attempt) -> Checkpoint:
    """The newest checkpoint of an endpoint; nobody's signature is judged.

    Raises:
        AttemptFailed, BadAnswer: no answer, or not a checkpoint.
    """
    data = await attempt.get_bytes("/checkpoint", "checkpoint", MAX_NOTE_BYTES)
    try:
        return decode_checkpoint(data)
    except MalformedInput as error:
        raise BadAnswer("checkpoint", error.field, error.reason, error.got) from None


async def read_roots(attempt: Attempt, ranges: Iterable[tuple[int, int]], size: int) -> tuple[bytes, ...]:
    """The hashes of ranges of leaves in a tree of `size`, by the endpoint's tiles.

    Raises:
        AttemptFailed, BadAnswer: a tile is missing or of another length.
    """
    wanted = list(ranges)
    held = {tile: await _tile(attempt, tile) for tile in tiles_for(wanted, size)}
    return tuple(range_root(*one, size, held) for one in wanted)


async def _tile(attempt: Attempt, tile: Tile) -> bytes:
    """A partial tile may be gone once the full one is there (C2SP tlog-tiles, "Partial Tiles")."""
    try:
        return await _exact_tile(attempt, tile)
    except BadAnswer:
        if tile.width == TILE_WIDTH:
            raise
        full = await _exact_tile(attempt, Tile(tile.level, tile.index, TILE_WIDTH))
        return full[: tile.width * HASH_BYTES]


async def _exact_tile(attempt: Attempt, tile: Tile) -> bytes:
    data = await attempt.get_bytes(f"/{tile.path}", "tile", MAX_TILE_BYTES)
    try:
        return decode_tile(data, tile.width)
    except MalformedInput as error:
        raise BadAnswer("tile", tile.path, error.reason, error.got) from None


async def read_bundle(attempt: Attempt, index: int, width: int) -> tuple[bytes, ...]:
    """The first `width` entries of the bundle at `index`.

    Raises:
        AttemptFailed, BadAnswer: it is missing, or has fewer.
    """
    try:
        return await _exact_bundle(attempt, index, width)
    except BadAnswer:
        if width == TILE_WIDTH:
            raise
        return (await _exact_bundle(attempt, index, TILE_WIDTH))[:width]


async def _exact_bundle(attempt: Attempt, index: int, width: int) -> tuple[bytes, ...]:
    path = bundle_path(index, width)
    data = await attempt.get_bytes(f"/{path}", "entries", MAX_BUNDLE_BYTES)
    try:
        return decode_bundle(data, width)
    except MalformedInput as error:
        raise BadAnswer("entries", path, error.reason, error.got) from None
