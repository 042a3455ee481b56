"""How many bytes and records a sealed object has (docs/spec/storage-manifest.md)."""

from typing import Final

RECORD_BYTES: Final = 65_536
TAG_BYTES: Final = 16
SEALED_RECORD_BYTES: Final = RECORD_BYTES + TAG_BYTES


def records_of(size: int) -> int:
    """Records of an object of `size` bytes: one at least."""
    return max(1, -(-size // RECORD_BYTES))


def stored_size(size: int, *, sealed: bool) -> int:
    """Bytes that extents of an object of `size` bytes cover."""
    return size + TAG_BYTES * records_of(size) if sealed else size
