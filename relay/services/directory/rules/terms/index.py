"""The authenticated index: for each term and block the hash of its postings, as leaves of one sorted tree, under a digest D(n) of the first n operations.

Whoever has the log makes the same digest: the index is a function of the entries alone. Built entry by entry or at once, it is the same.
"""

from array import array
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from hutong.light_clients.crypto import sha256
from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.proofs.merkle import EMPTY_ROOT, RangeProof, leaf_hash, levels_of_leaves, prove_range_in
from hutong.relay.services.directory.rules.terms.postings import BLOCK, encode_postings, postings_hash

DIGEST_DOMAIN: Final = b"hutong/dir/terms/1"
MAX_TERM_BYTES: Final = 1_024
MAX_BLOCKS: Final = 2**32
MAX_LEAVES: Final = 2**48
_BLOCK_BYTES: Final = 4


@dataclass(frozen=True, slots=True)
class TermsHead:
    """The index over the operations 0 to `size - 1` of the log: how many leaves, and the RFC 6962 root over them, 32 bytes."""

    size: int
    leaves: int
    root: bytes

    @property
    def digest(self) -> bytes:
        """D(size), 32 bytes: what keepers sign. It binds the sizes as well, which a root does not say."""
        return sha256(DIGEST_DOMAIN + self.size.to_bytes(8, "big") + self.leaves.to_bytes(8, "big") + self.root)


def leaf_key(term: str, block: int) -> bytes:
    """The place of a leaf in the order of the tree: the term in UTF-8, a zero byte, which no term has, and the block in 4 bytes."""
    return term.encode() + b"\0" + block.to_bytes(_BLOCK_BYTES, "big")


def term_of_key(key: bytes) -> tuple[str, int]:
    """Term and block of a key of any origin.

    Raises:
        MalformedInput: it is not one.
    """
    raw, rest = key[: -_BLOCK_BYTES - 1], key[-_BLOCK_BYTES - 1 :]
    try:
        term = raw.decode()
    except UnicodeDecodeError:
        term = ""
    if not term or len(raw) > MAX_TERM_BYTES or b"\0" in raw or len(rest) != _BLOCK_BYTES + 1 or rest[0]:
        raise MalformedInput("leaf", "is not a term and a block", got=key[:64])
    return term, int.from_bytes(rest[1:], "big")


def leaf_of(key: bytes, hashed: bytes) -> bytes:
    """The bytes of a leaf: the key after its length in two bytes, then the hash of its postings."""
    return len(key).to_bytes(2, "big") + key + hashed


class TermIndex:
    """What a keeper holds: it grows with the log, and a `ProvableIndex` is taken from it whenever a digest is due."""

    def __init__(self) -> None:
        self.size = 0
        self._full: dict[bytes, bytes] = {}
        self._open: dict[str, array[int]] = {}

    def add(self, sequence: int, terms: Iterable[str]) -> None:
        """The operation `sequence` of the log has these terms. Operations between the last one and it have none, such as withdrawals.

        Raises:
            ValueError: it does not come after the last one.
        """
        if sequence < self.size:
            raise ValueError(f"operation {sequence} comes after {self.size} operations")
        if sequence // BLOCK != (self.size - 1) // BLOCK:
            self._close()
        opened = self._open
        for term in terms:
            postings = opened.get(term)
            if postings is None:
                opened[term] = array("Q", (sequence,))
            else:
                postings.append(sequence)
        self.size = sequence + 1

    def grow(self, size: int) -> None:
        """The log has `size` operations; those after the last one with terms have none.

        Raises:
            ValueError: it has had more.
        """
        if size < self.size:
            raise ValueError(f"{size} operations after {self.size}")
        if (size - 1) // BLOCK != (self.size - 1) // BLOCK:
            self._close()
        self.size = size

    def _close(self) -> None:
        for term, sequences in self._open.items():
            self._full[leaf_key(term, sequences[0] // BLOCK)] = encode_postings(sequences)
        self._open = {}

    def provable(self) -> "ProvableIndex":
        """As it stands now; what is added later does not change it."""
        postings = dict(self._full)
        for term, sequences in self._open.items():
            postings[leaf_key(term, sequences[0] // BLOCK)] = encode_postings(sequences)
        return ProvableIndex(self.size, postings)


class ProvableIndex:
    """Every leaf under one digest, with its postings."""

    def __init__(self, size: int, postings: dict[bytes, bytes]) -> None:
        """`postings` by key, encoded; not copied."""
        self.size = size
        self.postings = postings
        self.keys = sorted(postings)

    @cached_property
    def _levels(self) -> list[list[bytes]]:
        return levels_of_leaves([leaf_hash(leaf_of(key, postings_hash(self.postings[key]))) for key in self.keys])

    @cached_property
    def head(self) -> TermsHead:
        """What a keeper publishes."""
        return TermsHead(self.size, len(self.keys), self._levels[-1][0] if self.keys else EMPTY_ROOT)

    def places(self, low: bytes, high: bytes) -> tuple[int, int]:
        """Of the keys from `low` to `high`, the place of the first and the one after the last."""
        return bisect_left(self.keys, low), bisect_left(self.keys, high + b"\0")

    def range_proof(self, first: int, count: int) -> RangeProof:
        """That these leaves follow one another, of the tree under `head`.

        Raises:
            IndexError: there are no such leaves.
        """
        return prove_range_in(self._levels, first, count)
