"""A recording of a camera, as large as wanted and never whole in memory, and the tree over its pieces that is anchored."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256, shake_128

PIECE_BYTES = 16 * 1024
"""What one leaf of the tree is over."""
MIB = 2**20
_TITLE = b"hutong body camera, exhibit of the tests\n"


@dataclass(frozen=True)
class Recording:
    """`beacon` is what nobody knew before the recording began; it stands in the first piece."""

    beacon: bytes
    mib: int

    @property
    def size(self) -> int:
        """In bytes."""
        return self.mib * MIB

    @property
    def pieces(self) -> int:
        """How many."""
        return self.size // PIECE_BYTES

    def piece(self, number: int) -> bytes:
        """Of PIECE_BYTES; the first begins with a line and the beacon."""
        head = _TITLE + self.beacon if number == 0 else b""
        return head + shake_128(self.beacon + number.to_bytes(8, "big")).digest(PIECE_BYTES - len(head))

    def __iter__(self) -> Iterator[bytes]:
        return map(self.piece, range(self.pieces))


@dataclass
class PieceTree:
    """RFC 6962 over pieces and what else is appended: hashes alone are kept."""

    _leaves: list[bytes] = field(default_factory=list)
    _levels: list[list[bytes]] = field(default_factory=list)

    def append(self, leaf: bytes) -> None:
        """The next leaf."""
        self._leaves.append(sha256(b"\0" + leaf).digest())

    @property
    def count(self) -> int:
        """Of leaves."""
        return len(self._leaves)

    def root(self) -> bytes:
        """Over all leaves; none may be appended after it."""
        if not self._levels:
            self._levels = [self._leaves]
            while len(below := self._levels[-1]) > 1:
                above = [sha256(b"\1" + below[at] + below[at + 1]).digest() for at in range(0, len(below) - 1, 2)]
                self._levels.append(above if len(below) % 2 == 0 else [*above, below[-1]])
        return self._levels[-1][0]

    def path(self, place: int) -> list[bytes]:
        """Siblings of a leaf, the lowest first."""
        self.root()
        siblings = []
        for level in self._levels[:-1]:
            siblings += level[place ^ 1 : (place ^ 1) + 1]
            place //= 2
        return siblings


def tree_of(octets: Iterable[bytes], *also: bytes) -> tuple[PieceTree, bytes, int]:
    """Of what was read in pieces of any length, with `also` as the last leaves; its SHA-256, and its length."""
    tree, hashed, waiting, size = PieceTree(), sha256(), b"", 0
    for part in octets:
        hashed.update(part)
        size += len(part)
        waiting += part
        while len(waiting) >= PIECE_BYTES:
            tree.append(waiting[:PIECE_BYTES])
            waiting = waiting[PIECE_BYTES:]
    for leaf in (*([waiting] if waiting else []), *also):
        tree.append(leaf)
    return tree, hashed.digest(), size
