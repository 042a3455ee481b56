"""Status lists in memory: which indices are taken, which bits are set, and the next index, which nobody can foretell.

An index says nothing of when or to whom a credential was issued: it is drawn among all that are free, and a list has as many
that whoever fetches it tells nobody which one is looked at.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from hutong.relay.services.identity.rules.status.statuses import Statuses

FULL_OF_EIGHT = 7
"""Eighths of a list that are taken before the next one is used: drawing stays quick, and the last indices stay free."""


class NoFreeIndex(Exception):
    """Every open list is full; the next one has to be opened first."""


@dataclass(slots=True)
class ListState:
    """One list of one bit an entry."""

    number: int
    size: int
    is_open: bool
    taken: bytearray = field(repr=False)
    octets: bytearray = field(repr=False)
    """Status bits, as verifiers read them."""
    used: int = 0
    version: int = 0
    """Raised when a bit is."""

    @property
    def has_room(self) -> bool:
        """Whether something can be issued over it."""
        return self.is_open and self.used * 8 < self.size * FULL_OF_EIGHT


class ListBook:
    """All lists of an issuer. `random_bytes` draws indices."""

    def __init__(self, random_bytes: Callable[[int], bytes]) -> None:
        self._random_bytes = random_bytes
        self._lists: dict[int, ListState] = {}

    def __iter__(self) -> Iterator[ListState]:
        return iter(self._lists.values())

    def __len__(self) -> int:
        return len(self._lists)

    def add(self, number: int, size: int, *, is_open: bool) -> None:
        """A list without an issuance.

        Args:
            size: a power of two, at least 32.
        """
        self._lists[number] = ListState(number, size, is_open, bytearray(size // 8), bytearray(size // 8))

    def close(self, number: int) -> None:
        """Nothing more is drawn from it."""
        self._lists[number].is_open = False

    def is_open(self, number: int) -> bool:
        """Whether something may be issued over it."""
        return self._lists[number].is_open

    def take(self, number: int, index: int) -> None:
        """An index that was issued earlier."""
        found = self._lists[number]
        found.taken[index >> 3] |= 1 << (index & 7)
        found.used += 1

    def draw(self) -> tuple[int, int]:
        """List and index for one credential; nobody draws the same again.

        Raises:
            NoFreeIndex: every open list is full.
        """
        found = next((one for one in self._lists.values() if one.has_room), None)
        if found is None:
            raise NoFreeIndex
        while True:
            index = int.from_bytes(self._random_bytes(4), "big") % found.size  # a power of two: no index is likelier
            if not found.taken[index >> 3] >> (index & 7) & 1:
                self.take(found.number, index)
                return found.number, index

    def release(self, number: int, index: int) -> None:
        """An index that was drawn for a credential that was never made: it may be drawn again."""
        found = self._lists[number]
        found.taken[index >> 3] &= ~(1 << (index & 7))
        found.used -= 1

    def needs_another(self) -> bool:
        """Whether the last list with room is half full: the next one is opened before it is needed."""
        rooms = [one for one in self._lists.values() if one.has_room]
        return not rooms or (len(rooms) == 1 and rooms[0].used * 2 >= rooms[0].size)

    def set_status(self, number: int, index: int) -> None:
        """Revoked; bits only rise."""
        found = self._lists[number]
        before = found.octets[index >> 3]
        found.octets[index >> 3] = before | 1 << (index & 7)
        found.version += found.octets[index >> 3] != before

    def version(self, number: int) -> int:
        """Raised with each bit."""
        return self._lists[number].version

    def statuses(self, number: int) -> Statuses:
        """As they are now.

        Raises:
            KeyError: there is no such list.
        """
        return Statuses(1, bytes(self._lists[number].octets))
