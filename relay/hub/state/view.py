"""A writable view of one version: an overlay with a journal, so that reverted calls leave nothing."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator, Mapping

from hutong.relay.hub.state.store import OrderedReader

MAX_KEPT_READS = 2_048
MAX_KEPT_VALUE_BYTES = 16 * 1024


class StateView:
    """Reads through to `base`; writes stay here until the block is committed.

    `snapshot`, `revert` and `commit` follow py-evm's journal: identifiers nest, reverting undoes every write after the
    snapshot, committing keeps them.
    """

    def __init__(self, base: OrderedReader) -> None:
        self._base = base
        self._overlay: dict[bytes, bytes | None] = {}
        self._keys: list[bytes] = []
        self._journal: list[tuple[bytes, bytes | None, bool]] = []
        self._kept: dict[bytes, bytes | None] = {}

    def get(self, key: bytes) -> bytes | None:
        """The value under a key, None where there is none; writes of this view included."""
        if key in self._overlay:
            return self._overlay[key]
        return self._base_value(key)

    def _base_value(self, key: bytes) -> bytes | None:
        """A version never changes, and each packet of a batch reads its client and counterparty several times."""
        if key in self._kept:
            return self._kept[key]
        value = self._base.get(key)
        if len(self._kept) < MAX_KEPT_READS and (value is None or len(value) <= MAX_KEPT_VALUE_BYTES):
            self._kept[key] = value
        return value

    def set(self, key: bytes, value: bytes) -> None:
        """Write a value, which is never empty. Bounds of keys and values are checked at the block's commit.

        Raises:
            ValueError: the value is empty.
        """
        if not value:
            raise ValueError("a state value is never empty")
        self._put(key, value)

    def delete(self, key: bytes) -> None:
        """Take a key out; an absent one is no error."""
        self._put(key, None)

    def _put(self, key: bytes, value: bytes | None) -> None:
        known = key in self._overlay
        self._journal.append((key, self._overlay.get(key), known))
        if not known:
            insort(self._keys, key)
        self._overlay[key] = value

    def snapshot(self) -> int:
        """An identifier to revert to or commit."""
        return len(self._journal)

    def revert(self, snapshot: int) -> None:
        """Undo every write after `snapshot`."""
        while len(self._journal) > snapshot:
            key, value, known = self._journal.pop()
            if known:
                self._overlay[key] = value
            else:
                del self._overlay[key]
                del self._keys[bisect_left(self._keys, key)]

    def commit(self, snapshot: int) -> None:
        """Keep the writes after `snapshot`; an outer snapshot may still undo them.

        Raises:
            ValueError: the snapshot was reverted before.
        """
        if snapshot > len(self._journal):
            raise ValueError("the snapshot was already reverted")

    def next(self, key: bytes) -> tuple[bytes, bytes] | None:
        """The row with the smallest key strictly above `key`, writes of this view included; None at the end."""
        return self._neighbour(key, forward=True)

    def previous(self, key: bytes) -> tuple[bytes, bytes] | None:
        """The row with the greatest key strictly below `key`, writes of this view included; None at the beginning."""
        return self._neighbour(key, forward=False)

    def _neighbour(self, key: bytes, *, forward: bool) -> tuple[bytes, bytes] | None:
        step = self._base.next if forward else self._base.previous
        below = step(key)
        while below is not None and below[0] in self._overlay:
            below = step(below[0])
        above = self._overlay_neighbour(key, forward=forward)
        if below is None or above is None:
            return below if above is None else above
        return (min if forward else max)(below, above, key=lambda row: row[0])

    def _overlay_neighbour(self, key: bytes, *, forward: bool) -> tuple[bytes, bytes] | None:
        index = bisect_right(self._keys, key) if forward else bisect_left(self._keys, key) - 1
        while 0 <= index < len(self._keys):
            value = self._overlay[self._keys[index]]
            if value is not None:
                return self._keys[index], value
            index += 1 if forward else -1
        return None

    def with_prefix(self, prefix: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Rows under `prefix` in byte order, a key that is the prefix itself included."""
        exact = self.get(prefix)
        if exact is not None:
            yield prefix, exact
        row = self.next(prefix)
        while row is not None and row[0].startswith(prefix):
            yield row
            row = self.next(row[0])

    def changes(self) -> Mapping[bytes, bytes | None]:
        """Keys whose value differs from the base, in byte order; None for a deleted one.

        For `VersionedState.commit`.
        """
        return {key: self._overlay[key] for key in self._keys if self._overlay[key] != self._base_value(key)}
