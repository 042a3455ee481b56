"""A memory of bounded size: the newest are kept."""

from collections import OrderedDict
from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class Recent(Generic[Key, Value]):
    """At most `most` entries; beyond it those written longest ago are forgotten."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._entries: OrderedDict[Key, Value] = OrderedDict()

    def __contains__(self, key: Key) -> bool:
        return key in self._entries

    def __len__(self) -> int:
        return len(self._entries)

    def put(self, key: Key, value: Value) -> None:
        """Write an entry, which is the newest now; at most one older entry is forgotten for it."""
        self._entries[key] = value
        self._entries.move_to_end(key)
        while len(self._entries) > self._most:
            self._entries.popitem(last=False)

    def get(self, key: Key) -> Value | None:
        """The value under `key`, or None. Reading makes no entry newer."""
        return self._entries.get(key)

    def first(self, key: Key, value: Value) -> Value:
        """What was put first under `key`: `value`, where nothing was."""
        known = self._entries.get(key)
        if known is None:
            self.put(key, value)
            return value
        return known

    def pop(self, key: Key) -> Value | None:
        """Forget the entry under `key`; returns its value, or None where there was none."""
        return self._entries.pop(key, None)

    def items(self) -> list[tuple[Key, Value]]:
        """The oldest first."""
        return list(self._entries.items())
