"""A shard's leaves and nodes in two files that grow with it: reads and writes of one person take some microseconds.

Nothing in them is believed: their root is compared with the hub's record, and they are made again from the hub's blocks.
A file is sparse: 2^21 nodes of 32 bytes, lowest level first, and 2^20 openings; what was never written reads as zeros.
"""

from collections.abc import Iterator, Sequence
from hashlib import sha256
from mmap import mmap
from pathlib import Path
from typing import Final

from hutong.light_clients.proofs.ssz.roots import ZERO_HASHES
from hutong.relay.services.identity.rules.persons.person import (
    LEAF_DOMAIN,
    OPENING_BYTES,
    Person,
    decode_opening,
    encode_opening,
)
from hutong.relay.services.identity.rules.persons.shard_tree import DEPTH
from hutong.relay.services.identity.rules.records.encoding import HASH_BYTES
from hutong.relay.services.identity.rules.records.shard_record import MAX_LEAVES

NODES_BYTES: Final = 2 * MAX_LEAVES * HASH_BYTES
PEOPLE_BYTES: Final = MAX_LEAVES * OPENING_BYTES
LEVEL_STARTS: Final = tuple((2 * MAX_LEAVES - (2 * MAX_LEAVES >> height)) * HASH_BYTES for height in range(DEPTH + 1))
"""Of each level in the file, the leaves first: each level is half as long as the one below."""
NO_NODE: Final = bytes(HASH_BYTES)


class ShardFile:
    """Shard `number` in a folder, open until `close`. Whoever has it open is alone: the folder's owner sees to that.

    `count` is how many persons it has; who opens it knows that, for the files do not say what is not yet complete.
    """

    def __init__(self, folder: Path, number: int, count: int = 0) -> None:
        self.count = count
        self._files = [
            _mapped(folder / f"{number}.nodes", NODES_BYTES),
            _mapped(folder / f"{number}.people", PEOPLE_BYTES),
        ]
        self._nodes, self._people = self._files

    def close(self) -> None:
        """Give the files back; what was not flushed is written when the system likes."""
        for mapped in self._files:
            mapped.close()

    def flush(self) -> None:
        """Everything that was changed is on the disk when it returns."""
        for mapped in self._files:
            mapped.flush()

    # --- reads

    def _node(self, height: int, number: int) -> bytes:
        at = LEVEL_STARTS[height] + number * HASH_BYTES
        found = self._nodes[at : at + HASH_BYTES]
        return ZERO_HASHES[height] if found == NO_NODE else found

    @property
    def root(self) -> bytes:
        """The root over everybody."""
        return self._node(DEPTH, 0)

    def person(self, index: int) -> Person:
        """Who stands at an index.

        Raises:
            IndexError: nobody does.
        """
        if not 0 <= index < self.count:
            raise IndexError(f"the shard has {self.count} persons, and none of index {index}")
        return decode_opening(self._people[index * OPENING_BYTES : (index + 1) * OPENING_BYTES])

    def edge(self) -> list[bytes]:
        """The nodes left of the next leaf, by level from the leaves up: what an append shows."""
        count = self.count
        return [self._node(height, (count >> height) - 1) for height in range(DEPTH + 1) if count >> height & 1]

    def path(self, index: int) -> list[bytes]:
        """The 20 nodes beside the way of one leaf."""
        return [self._node(height, index >> height ^ 1) for height in range(DEPTH)]

    def siblings(self, indices: Sequence[int]) -> list[bytes]:
        """What changes of some leaves, ascending, show together."""
        known, found = list(indices), []
        for height in range(DEPTH):
            held = set(known)
            found += [self._node(height, number ^ 1) for number in known if number ^ 1 not in held]
            known = list(dict.fromkeys(number >> 1 for number in known))
        return found

    # --- writes

    def append(self, openings: bytes) -> None:
        """Append persons by their openings, one after the other, 112 bytes each; they fit, which the hub has judged."""
        first = self.count
        self._people[first * OPENING_BYTES : first * OPENING_BYTES + len(openings)] = openings
        starts = range(0, len(openings), OPENING_BYTES)
        layer = [sha256(LEAF_DOMAIN + openings[at : at + OPENING_BYTES]).digest() for at in starts]
        self.count = first + len(layer)
        for height in range(DEPTH + 1):
            at = LEVEL_STARTS[height] + first * HASH_BYTES
            self._nodes[at : at + len(layer) * HASH_BYTES] = b"".join(layer)
            if height == DEPTH:
                return
            if first & 1:
                layer.insert(0, self._node(height, first - 1))
            if len(layer) & 1:
                layer.append(ZERO_HASHES[height])
            layer = [sha256(layer[at] + layer[at + 1]).digest() for at in range(0, len(layer), 2)]
            first >>= 1

    def put(self, index: int, person: Person) -> None:
        """Let a person be another one at its index."""
        opening = encode_opening(person)
        self._people[index * OPENING_BYTES : (index + 1) * OPENING_BYTES] = opening
        node = sha256(LEAF_DOMAIN + opening).digest()
        for height in range(DEPTH + 1):
            number = index >> height
            at = LEVEL_STARTS[height] + number * HASH_BYTES
            self._nodes[at : at + HASH_BYTES] = node
            if height < DEPTH:
                sibling = self._node(height, number ^ 1)
                node = sha256(sibling + node if number & 1 else node + sibling).digest()

    def people(self) -> Iterator[Person]:
        """Everybody, in order."""
        return (self.person(index) for index in range(self.count))


def _mapped(path: Path, size: int) -> mmap:
    with path.open("a+b") as file:
        path.chmod(0o600)
        if file.seek(0, 2) < size:
            file.truncate(size)
        return mmap(file.fileno(), size)
