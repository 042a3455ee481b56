"""How large a pack is and in how many shards it is cut (docs/spec/storage-pack.md)."""

from dataclasses import dataclass
from typing import Final

from hutong.light_clients.interface import MalformedInput

SPEC: Final = "docs/spec/storage-pack.md"
LEAF_BYTES: Final = 1_024
"""What one probe asks for."""
MAX_HEIGHT: Final = 13
"""Of a shard's leaf tree: 8 192 leaves are 8 MiB."""
MAX_PACK_SHARDS: Final = 64
"""Data and parity; a removal names a pack's shards by the bits of 64."""
MAX_BODY_BYTES: Final = 80 * 2**20


@dataclass(frozen=True, slots=True)
class PackShape:
    """`data` shards and `parity` more, each of 2^`height` leaves."""

    data: int
    parity: int
    height: int

    def __post_init__(self) -> None:
        if self.data < 1 or self.parity < 1 or self.data + self.parity > MAX_PACK_SHARDS:
            raise MalformedInput("pack.code", f"2 to {MAX_PACK_SHARDS} shards of both kinds", (self.data, self.parity))
        if not 0 <= self.height <= MAX_HEIGHT or self.body_bytes > MAX_BODY_BYTES:
            raise MalformedInput("pack.height", f"0 to {MAX_HEIGHT}, and no more than 80 MiB of body", self.height)

    @property
    def shards(self) -> int:
        """Of both kinds."""
        return self.data + self.parity

    @property
    def leaves(self) -> int:
        """Of one shard."""
        return 1 << self.height

    @property
    def shard_bytes(self) -> int:
        """1 KiB to 8 MiB."""
        return LEAF_BYTES << self.height

    @property
    def body_bytes(self) -> int:
        """Of all data shards, which are the body cut in order."""
        return self.data * (LEAF_BYTES << self.height)


def smallest_shape(data: int, parity: int, size: int) -> PackShape:
    """The lowest shape of this code that holds `size` bytes.

    Raises:
        MalformedInput: no pack of this code is so large, or there is no such code.
    """
    leaves = -(-size // (max(data, 1) * LEAF_BYTES))
    return PackShape(data, parity, max(0, leaves - 1).bit_length())
