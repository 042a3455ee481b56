"""Roots that a publisher has written into `Anchor` on a chain: where the contract keeps them (docs/spec/anchors.md)."""

from dataclasses import dataclass

from hutong.light_clients.crypto import keccak256
from hutong.light_clients.proofs.mpt import mapping_slot

WORD_BYTES = 32
_LISTS_SLOT = bytes(WORD_BYTES)
"""Slot 0, the first member of `Anchor` and of `ArchiveAnchor`: a list for each publisher, of items of two words."""
_MASK_64 = 2**64 - 1


def count_slot(publisher: bytes) -> bytes:
    """Where the length of a publisher's list is; publisher 20 bytes, slot 32."""
    return mapping_slot(publisher.rjust(WORD_BYTES, b"\0"), _LISTS_SLOT)


def item_slots(publisher: bytes, index: int) -> tuple[bytes, bytes]:
    """The two slots of an item of a publisher's list, 32 bytes each.

    Args:
        publisher: 20 bytes.
        index: of the item, from 0.
    """
    first = int.from_bytes(keccak256(count_slot(publisher)), "big") + 2 * index
    return word(first), word(first + 1)


def word(number: int) -> bytes:
    """32 bytes, big-endian, as the EVM counts: modulo 2**256."""
    return (number % 2**256).to_bytes(WORD_BYTES, "big")


@dataclass(frozen=True, slots=True)
class AnchoredRoot:
    """The root over `count` entries of a window: from `from_time_s` until before `to_time_s`, in a block of
    `anchored_at_s`, Unix seconds.
    """

    root: bytes
    count: int
    from_time_s: int
    to_time_s: int
    anchored_at_s: int

    @classmethod
    def of_words(cls, root: bytes, window: bytes) -> "AnchoredRoot":
        """Of the words at `item_slots`, 32 bytes each: the first member of a struct has the low bits (Solidity's layout).

        Nothing is checked: a root of zero and a count of 0 are what a list holds where it has no such item.
        """
        packed = int.from_bytes(window, "big")
        return cls(root, *(packed >> shift & _MASK_64 for shift in (0, 64, 128, 192)))

    @property
    def words(self) -> tuple[bytes, bytes]:
        """Inverse of `of_words`."""
        times = self.from_time_s << 64 | self.to_time_s << 128 | self.anchored_at_s << 192
        return self.root, word(self.count | times)
