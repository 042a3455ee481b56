"""The tree of a log in memory: entries, and the hashes that its tiles consist of."""

from collections.abc import Iterable

from hutong.light_clients.proofs.merkle import Frontier, leaf_hash, root_of_leaves
from hutong.light_clients.tlog.tiles import (
    TILE_WIDTH,
    Tile,
    consistency_ranges,
    encode_bundle,
    inclusion_ranges,
    range_root,
    tile_at,
    tiles_for,
)


class LogTree:
    """Grows at its end. Of level n it keeps the roots of the complete subtrees of 256^n entries."""

    def __init__(self, entries: Iterable[bytes] = ()) -> None:
        self.entries: list[bytes] = []
        self._levels: list[list[bytes]] = [[]]
        self._frontier = Frontier()
        for entry in entries:
            self.append(entry)

    @property
    def size(self) -> int:
        """How many entries there are."""
        return len(self.entries)

    def append(self, entry: bytes) -> None:
        """One entry more at the end; its length is not judged."""
        self.entries.append(entry)
        node = leaf_hash(entry)
        self._frontier.append(node)
        for level in range(len(self._levels)):
            self._levels[level].append(node)
            if len(self._levels[level]) % TILE_WIDTH:
                return
            node = root_of_leaves(self._levels[level][-TILE_WIDTH:])
        self._levels.append([node])

    def root(self) -> bytes:
        """Of all entries, 32 bytes."""
        return self._frontier.root()

    def root_at(self, size: int) -> bytes:
        """The root that the tree had with its first `size` entries, at least one.

        Raises:
            ValueError: there were never so many, or none.
        """
        if not 0 < size <= self.size:
            raise ValueError("the tree never had that size")
        return self._roots([(0, size)], size)[0]

    def tile(self, tile: Tile) -> bytes | None:
        """The hashes of a tile; None where the tree does not have all of them."""
        if tile.level >= len(self._levels):
            return None
        first = tile.index * TILE_WIDTH
        hashes = self._levels[tile.level][first : first + tile.width]
        return b"".join(hashes) if len(hashes) == tile.width else None

    def bundle(self, index: int, width: int) -> bytes | None:
        """The entries under the tile of level 0 with that index and width; None where there are not so many."""
        entries = self.entries[index * TILE_WIDTH : index * TILE_WIDTH + width]
        return encode_bundle(entries) if len(entries) == width else None

    def consistency(self, first_size: int) -> tuple[bytes, ...]:
        """The nodes that lead from the tree's first `first_size` entries to all of them.

        Raises:
            ValueError: `first_size` is zero, or there are not so many.
        """
        return self._roots(consistency_ranges(first_size, self.size), self.size)

    def inclusion(self, index: int) -> tuple[bytes, ...]:
        """The siblings of the entry at `index`, from the leaf up.

        Raises:
            ValueError: there is no such entry.
        """
        return self._roots(inclusion_ranges(index, self.size), self.size)

    def _roots(self, ranges: list[tuple[int, int]], size: int) -> tuple[bytes, ...]:
        held = {}
        for wanted in tiles_for(ranges, size):
            data = self.tile(tile_at(wanted.level, wanted.index, size))
            if data is None:
                raise RuntimeError(f"the tree lacks {wanted}")
            held[wanted] = data
        return tuple(range_root(*one, size, held) for one in ranges)
