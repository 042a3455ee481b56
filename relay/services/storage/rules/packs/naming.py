"""The name of a pack: the BLAKE3 of its body, which also salts the keys of its masks (docs/spec/storage-pack.md)."""

from collections.abc import Iterable
from typing import Final

from blake3 import blake3

NAME_CONTEXT: Final = "hutong storage 2026-11-30 pack name v1"


def pack_name(body: bytes | bytearray | memoryview) -> bytes:
    """32 bytes. The body says its own shape, so no other pack, and none of another code, has this name."""
    name: bytes = blake3(body, derive_key_context=NAME_CONTEXT).digest()
    return name


def pack_name_of(pieces: Iterable[bytes | bytearray | memoryview]) -> bytes:
    """As `pack_name`, of a body that lies in pieces, which are not joined."""
    hashing = blake3(derive_key_context=NAME_CONTEXT)
    for piece in pieces:
        hashing.update(piece)
    name: bytes = hashing.digest()
    return name
