"""Tiles of a log (C2SP tlog-tiles): their names, which of them a proof needs, and the proof once they are there.

Nothing here judges: what is made of tiles is compared with a root that is believed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from hutong.light_clients.crypto.hashes import HASH_BYTES
from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.proofs.merkle import inner_hash
from hutong.light_clients.tlog.types import MAX_ENTRY_BYTES

TILE_LEVELS = 8
"""Levels of the tree in a tile."""
TILE_WIDTH = 1 << TILE_LEVELS
MAX_TILE_BYTES = TILE_WIDTH * HASH_BYTES
MAX_BUNDLE_BYTES = TILE_WIDTH * (2 + MAX_ENTRY_BYTES)


@dataclass(frozen=True, slots=True, order=True)
class Tile:
    """`width` hashes of tile level `level` (0 to 7) from index `index` * 256 on; a full tile has 256."""

    level: int
    index: int
    width: int

    @property
    def path(self) -> str:
        """Below the log's prefix, such as `tile/0/x001/x234/067.p/12`."""
        return f"tile/{self.level}/{_tile_name(self.index, self.width)}"


def bundle_path(index: int, width: int) -> str:
    """Below the log's prefix: the entries of the tile of level 0 with that index and width."""
    return f"tile/entries/{_tile_name(index, width)}"


def _tile_name(index: int, width: int) -> str:
    parts = [f"{index % 1000:03}"]
    while index >= 1000:
        index //= 1000
        parts.append(f"x{index % 1000:03}")
    name = "/".join(reversed(parts))
    return name if width == TILE_WIDTH else f"{name}.p/{width}"


def tile_at(level: int, index: int, size: int) -> Tile:
    """The tile of that level and index in a tree of `size` leaves: full, or as wide as the tree makes it.

    Raises:
        ValueError: such a tree has no hash in it.
    """
    width = min(TILE_WIDTH, (size >> TILE_LEVELS * level) - index * TILE_WIDTH)
    if width <= 0:
        raise ValueError("the tree has no such tile")
    return Tile(level, index, width)


Node = tuple[int, int]
"""Level and index of the root of a complete subtree: of the leaves from index * 2^level on, 2^level of them."""


def range_nodes(first: int, end: int) -> list[Node]:
    """The complete subtrees that leaves `first` to `end` (not included) consist of, left to right.

    `first` is a multiple of the least power of two that is not below their number, as in every proof of RFC 6962.
    """
    nodes: list[Node] = []
    while first < end:
        level = (end - first).bit_length() - 1
        nodes.append((level, first >> level))
        first += 1 << level
    return nodes


def inclusion_ranges(index: int, size: int) -> list[tuple[int, int]]:
    """Leaves under each sibling on the way from leaf `index` to the root of `size` leaves, from the leaf up.

    Raises:
        ValueError: there is no such leaf.
    """
    if not 0 <= index < size:
        raise ValueError("no leaf has this index")
    ranges: list[tuple[int, int]] = []
    first, end = 0, size
    while end - first > 1:
        middle = first + (1 << (end - first - 1).bit_length() - 1)
        if index < middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((first, middle))
            first = middle
    return ranges[::-1]


def consistency_ranges(first_size: int, second_size: int) -> list[tuple[int, int]]:
    """Leaves under each node of the proof from `first_size` to `second_size` (RFC 6962, section 2.1.2), lowest first.

    Raises:
        ValueError: the first tree is empty or larger.
    """
    if not 0 < first_size <= second_size:
        raise ValueError("the first tree is empty, or larger than the second")
    ranges: list[tuple[int, int]] = []
    first, end, is_whole = 0, second_size, True
    while end != first_size:
        middle = first + (1 << (end - first - 1).bit_length() - 1)
        if first_size <= middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((first, middle))
            first, is_whole = middle, False
    if not is_whole:
        ranges.append((first, end))
    return ranges[::-1]


def tiles_for(ranges: Iterable[tuple[int, int]], size: int) -> list[Tile]:
    """The tiles that hold, or give by hashing, the roots of these ranges of leaves, in a tree of `size` leaves."""
    return sorted({_tile_of(node, size) for one in ranges for node in range_nodes(*one)})


def _tile_of(node: Node, size: int) -> Tile:
    level, index = node
    tile_level, above = divmod(level, TILE_LEVELS)
    return tile_at(tile_level, (index << above) // TILE_WIDTH, size)


def range_root(first: int, end: int, size: int, tiles: Mapping[Tile, bytes]) -> bytes:
    """The Merkle tree hash of leaves `first` to `end` (not included), by tiles of a tree of `size` leaves.

    Raises:
        KeyError: a tile that `tiles_for` names is missing.
        ValueError: the range is empty.
    """
    roots = [_node_hash(node, size, tiles) for node in range_nodes(first, end)]
    if not roots:
        raise ValueError("no leaves")
    root = roots.pop()
    while roots:
        root = inner_hash(roots.pop(), root)
    return root


def _node_hash(node: Node, size: int, tiles: Mapping[Tile, bytes]) -> bytes:
    level, index = node
    above = level % TILE_LEVELS
    data = tiles[_tile_of(node, size)]
    start = (index << above) % TILE_WIDTH
    row = [data[at * HASH_BYTES : (at + 1) * HASH_BYTES] for at in range(start, start + (1 << above))]
    while len(row) > 1:
        row = [inner_hash(row[at], row[at + 1]) for at in range(0, len(row), 2)]
    return row[0]


def decode_tile(data: bytes, width: int, field: str = "tile") -> bytes:
    """A tile of exactly `width` hashes.

    Raises:
        MalformedInput: another length.
    """
    if len(data) != width * HASH_BYTES:
        raise MalformedInput(field, f"a tile of {width} hashes", got=len(data), expected=width * HASH_BYTES)
    return data


def decode_bundle(data: bytes, width: int, field: str = "entries") -> tuple[bytes, ...]:
    """The `width` entries of a bundle, each after its length in two bytes, big-endian.

    Raises:
        MalformedInput: fewer or more of them, or one that is cut.
    """
    entries: list[bytes] = []
    at = 0
    for _ in range(width):
        size = int.from_bytes(data[at : at + 2], "big")
        if len(data) < at + 2 + size:
            raise MalformedInput(field, f"has fewer than {width} entries", got=len(entries))
        entries.append(data[at + 2 : at + 2 + size])
        at += 2 + size
    if at != len(data):
        raise MalformedInput(field, f"has bytes after {width} entries", got=len(data) - at)
    return tuple(entries)


def encode_bundle(entries: Iterable[bytes]) -> bytes:
    """Inverse of `decode_bundle`, for logs.

    Raises:
        OverflowError: an entry has more than `MAX_ENTRY_BYTES` bytes.
    """
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)
