"""All levels of an RFC 6962 tree, so that any path costs as many look-ups as the tree has levels."""

from collections.abc import Sequence

from hutong.light_clients.proofs.merkle import inner_hash


class TreeLevels:
    """Of at least one leaf hash. An unpaired last node goes up as it is, which is the tree of RFC 6962, section 2.1."""

    __slots__ = ("_levels",)

    def __init__(self, leaves: Sequence[bytes]) -> None:
        """Hash all levels: as many hashes as there are leaves.

        Raises:
            ValueError: no leaves.
        """
        if not leaves:
            raise ValueError("a tree has at least one leaf")
        self._levels = [list(leaves)]
        while len(below := self._levels[-1]) > 1:
            above = [inner_hash(below[at], below[at + 1]) for at in range(0, len(below) - 1, 2)]
            self._levels.append(above + below[len(above) * 2 :])

    @property
    def root(self) -> bytes:
        """32 bytes."""
        return self._levels[-1][0]

    def path(self, index: int) -> tuple[bytes, ...]:
        """The nodes that lead from a leaf to the root, from below.

        Raises:
            IndexError: there is no such leaf.
        """
        if not 0 <= index < len(self._levels[0]):
            raise IndexError(index)
        found = []
        for level in self._levels[:-1]:
            if index ^ 1 < len(level):
                found.append(level[index ^ 1])
            index //= 2
        return tuple(found)
