"""The root of a tree that grows leaf by leaf, without its leaves."""

from collections.abc import Iterable, Sequence

from hutong.light_clients.proofs.merkle.tree import EMPTY_ROOT, inner_hash


class Frontier:
    """The complete subtrees of a tree (RFC 6962, 2.1), at most one a level: what is needed to add leaves."""

    def __init__(self, leaf_hashes: Iterable[bytes] = ()) -> None:
        self.size = 0
        self._peaks: list[bytes | None] = []
        for leaf in leaf_hashes:
            self.append(leaf)

    @staticmethod
    def of(size: int, peaks: Sequence[bytes]) -> "Frontier":
        """One of `size` leaves by the roots of its complete subtrees, the largest first: one for each bit of `size`.

        Raises:
            ValueError: there are more or fewer.
        """
        frontier, rest = Frontier(), list(peaks)
        if len(rest) != size.bit_count():
            raise ValueError(f"{size} leaves have {size.bit_count()} complete subtrees, not {len(rest)}")
        frontier.size = size
        frontier._peaks = [rest.pop() if size >> level & 1 else None for level in range(size.bit_length())]
        return frontier

    def peaks(self) -> tuple[bytes, ...]:
        """The roots of the complete subtrees, the largest first."""
        return tuple(peak for peak in reversed(self._peaks) if peak is not None)

    def append(self, leaf_hash: bytes) -> None:
        """One leaf more at the end; `leaf_hash` is 32 bytes, as `tree.leaf_hash` gives it."""
        node = leaf_hash
        for level, peak in enumerate(self._peaks):
            if peak is None:
                self._peaks[level] = node
                break
            self._peaks[level] = None
            node = inner_hash(peak, node)
        else:
            self._peaks.append(node)
        self.size += 1

    def copy(self) -> "Frontier":
        """One that grows by itself."""
        other = Frontier()
        other.size, other._peaks = self.size, list(self._peaks)
        return other

    def root(self) -> bytes:
        """Of all leaves so far, 32 bytes; `EMPTY_ROOT` for none."""
        node: bytes | None = None
        for peak in self._peaks:
            if peak is not None:
                node = peak if node is None else inner_hash(peak, node)
        return EMPTY_ROOT if node is None else node
