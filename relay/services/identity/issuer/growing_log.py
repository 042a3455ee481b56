"""The tree of an issuance log (RFC 6962 §2.1) with its complete nodes kept, so that roots and proofs of a million leaves are quick.

64 bytes of memory a leaf. It can be rebuilt from the entries at any time.
"""

from hutong.light_clients.proofs.merkle import EMPTY_ROOT, inner_hash, leaf_hash

_HASH_BYTES = 32


class GrowingLog:
    """Leaves are only added."""

    def __init__(self) -> None:
        self._levels: list[bytearray] = [bytearray()]

    @property
    def size(self) -> int:
        """How many leaves there are."""
        return len(self._levels[0]) // _HASH_BYTES

    def append(self, entry: bytes) -> None:
        """One entry more, by its bytes."""
        node, level = leaf_hash(entry), 0
        while True:
            if level == len(self._levels):
                self._levels.append(bytearray())
            nodes = self._levels[level]
            nodes += node
            count = len(nodes) // _HASH_BYTES
            if count % 2:
                return
            node = inner_hash(self._node(level, count - 2), node)
            level += 1

    def root(self, size: int | None = None) -> bytes:
        """Of the first `size` leaves, or of all.

        Raises:
            IndexError: there are not so many.
        """
        count = self.size if size is None else size
        if not 0 <= count <= self.size:
            raise IndexError(count)
        return EMPTY_ROOT if count == 0 else self._range_root(0, count)

    def consistency(self, first: int) -> tuple[bytes, ...]:
        """That the first `first` leaves are the beginning of all, for `verify_consistency`; nothing to show for 0 and for all.

        Raises:
            IndexError: there are not so many.
        """
        if not 0 <= first <= self.size:
            raise IndexError(first)
        return tuple(self._subproof(first, 0, self.size, is_whole=True)) if 0 < first < self.size else ()

    def inclusion(self, index: int, size: int) -> tuple[bytes, ...]:
        """The aunts of a leaf in the tree of the first `size` leaves, the lowest first.

        Raises:
            IndexError: there is no such leaf.
        """
        if not 0 <= index < size <= self.size:
            raise IndexError(index, size)
        low, high, aunts = 0, size, []
        while high - low > 1:
            split = low + (1 << (high - low - 1).bit_length() - 1)
            if index < split:
                aunts.append(self._range_root(split, high))
                high = split
            else:
                aunts.append(self._range_root(low, split))
                low = split
        return tuple(reversed(aunts))

    def _node(self, level: int, index: int) -> bytes:
        return bytes(self._levels[level][index * _HASH_BYTES : (index + 1) * _HASH_BYTES])

    def _range_root(self, low: int, high: int) -> bytes:
        """Of leaves `low` to `high`, which begin where a subtree of their width does."""
        width = high - low
        if width & (width - 1) == 0:
            level = width.bit_length() - 1
            return self._node(level, low >> level)
        split = low + (1 << (width - 1).bit_length() - 1)
        return inner_hash(self._range_root(low, split), self._range_root(split, high))

    def _subproof(self, first: int, low: int, high: int, *, is_whole: bool) -> list[bytes]:
        """RFC 6962 §2.1.2 over leaves `low` to `high`; `first` counts from `low`."""
        if first == high - low:
            return [] if is_whole else [self._range_root(low, high)]
        split = 1 << (high - low - 1).bit_length() - 1
        if first <= split:
            nodes = self._subproof(first, low, low + split, is_whole=is_whole)
            return [*nodes, self._range_root(low + split, high)]
        nodes = self._subproof(first - split, low + split, high, is_whole=False)
        return [*nodes, self._range_root(low, low + split)]
