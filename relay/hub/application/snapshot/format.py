"""Bytes of snapshot format 1 (docs/spec/hub-snapshot.md). Frozen.

A snapshot is a sequence of records packed into chunks, and a manifest that names each chunk by its hash. There is no
compression: a chunk costs a receiver what it weighs.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from hashlib import sha256

from hutong.light_clients.interface import MalformedInput, PredicateFailed
from hutong.relay.evm.vm.state_traversal import MAX_CODE_BYTES
from hutong.relay.hub.state.keys import MAX_KEY_BYTES, MAX_VALUE_BYTES

FORMAT = 1
MAGIC = b"hutong-snapshot\x01"
MAX_CHUNK_BYTES = 2 * 1024 * 1024
"""Four at a time pass a CometBFT peer connection (5 MB/s) well within its chunk timeout (10 s)."""
MAX_CHUNKS = 16_384
"""32 GiB; the manifest then has half a MiB, an eighth of what CometBFT lets a snapshot message have."""
MAX_LEAVES = 2**26
"""Leaves are stored before their root is known, and small ones take 300 bytes each: a liar gets 20 GB of disk at most."""
MAX_HEADER_BYTES = 4_096
MAX_LEAF_BYTES = 2 + MAX_KEY_BYTES + MAX_VALUE_BYTES
ANCESTORS = 256
"""BLOCKHASH in block h+1 reaches down to h-255."""
_FIXED_BYTES = len(MAGIC) + 8 + 32 + 4 + 4 + 8 + 8 + 4
_RECORD_HEAD_BYTES = 5


class RecordKind(IntEnum):
    """In this order in the sequence."""

    HEADER = 1
    LEAF = 2
    EVM = 3


_BOUNDS = {
    RecordKind.HEADER: MAX_HEADER_BYTES,
    RecordKind.LEAF: MAX_LEAF_BYTES,
    RecordKind.EVM: MAX_CODE_BYTES,
}


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a snapshot holds. `headers`, `leaves` and `evm_records` count records."""

    height: int
    genesis_digest: bytes
    rules_version: int
    headers: int
    leaves: int
    evm_records: int
    chunk_hashes: tuple[bytes, ...]


def first_header(height: int) -> int:
    """The lowest header in a snapshot of `height`, which reaches over ANCESTORS blocks or from block 1 on."""
    return max(1, height - ANCESTORS + 1)


def header_count(height: int) -> int:
    """How many headers a snapshot of `height` has: from the first one up to `height` + 1."""
    return height + 2 - first_header(height)


def encode_manifest(manifest: Manifest) -> bytes:
    """Magic, numbers big-endian, then 32 bytes a chunk. Bounds are not checked."""
    return (
        MAGIC
        + manifest.height.to_bytes(8, "big")
        + manifest.genesis_digest
        + manifest.rules_version.to_bytes(4, "big")
        + manifest.headers.to_bytes(4, "big")
        + manifest.leaves.to_bytes(8, "big")
        + manifest.evm_records.to_bytes(8, "big")
        + len(manifest.chunk_hashes).to_bytes(4, "big")
        + b"".join(manifest.chunk_hashes)
    )


def decode_manifest(data: bytes) -> Manifest:
    """Inverse of `encode_manifest`, within bounds.

    Raises:
        MalformedInput: another length, or a number out of its bounds.
    """
    if len(data) < _FIXED_BYTES:
        raise MalformedInput("manifest", f"has at least {_FIXED_BYTES} bytes", got=len(data))
    if data[: len(MAGIC)] != MAGIC:
        raise MalformedInput("manifest.magic", "is of no snapshot of format 1", data[: len(MAGIC)], MAGIC)
    rest = memoryview(data)[len(MAGIC) :]
    height, chunks = int.from_bytes(rest[:8], "big"), int.from_bytes(rest[64:68], "big")
    if not 1 <= height < 2**63 - 1:
        raise MalformedInput("manifest.height", "not a block height", got=height)
    if not 1 <= chunks <= MAX_CHUNKS:
        raise MalformedInput("manifest.chunks", f"1 to {MAX_CHUNKS}", got=chunks)
    if len(data) != _FIXED_BYTES + 32 * chunks:
        raise MalformedInput("manifest", "32 bytes a chunk", len(data), _FIXED_BYTES + 32 * chunks)
    headers = int.from_bytes(rest[44:48], "big")
    if headers != header_count(height):
        raise MalformedInput("manifest.headers", "not the number for this height", headers, header_count(height))
    leaves = int.from_bytes(rest[48:56], "big")
    if leaves > MAX_LEAVES:
        raise MalformedInput("manifest.leaves", f"above {MAX_LEAVES}", got=leaves)
    return Manifest(
        height,
        bytes(rest[8:40]),
        int.from_bytes(rest[40:44], "big"),
        headers,
        leaves,
        int.from_bytes(rest[56:64], "big"),
        tuple(bytes(rest[at : at + 32]) for at in range(68, 68 + 32 * chunks, 32)),
    )


def check_chunk(manifest: Manifest, index: int, chunk: bytes) -> None:
    """Whether these are the bytes that the manifest names for chunk `index`, from 0.

    Raises:
        PredicateFailed: `chunk_in_manifest`, `chunk_within_bounds`, `chunk_is_the_manifests`.
    """
    if not 0 <= index < len(manifest.chunk_hashes):
        raise PredicateFailed("chunk_in_manifest", "no such chunk", index, len(manifest.chunk_hashes))
    if not 0 < len(chunk) <= MAX_CHUNK_BYTES:
        raise PredicateFailed("chunk_within_bounds", f"chunk {index} has a wrong size", len(chunk), MAX_CHUNK_BYTES)
    got = sha256(chunk).digest()
    if got != manifest.chunk_hashes[index]:
        raise PredicateFailed(
            "chunk_is_the_manifests", f"chunk {index} has other bytes", got, manifest.chunk_hashes[index]
        )


def encode_record(kind: RecordKind, body: bytes) -> bytes:
    """Kind (1 byte), length (4 bytes, big-endian), body. The kind's bound is not checked."""
    return bytes([kind]) + len(body).to_bytes(4, "big") + body


def records_of(chunk: bytes) -> Iterator[tuple[RecordKind, bytes]]:
    """The records of one chunk, none of which reaches into the next; yielded as they are parsed.

    Raises:
        MalformedInput: an unknown kind, a length above the kind's bound, or one that reaches over the end.
    """
    at = 0
    while at < len(chunk):
        if chunk[at] not in _BOUNDS:
            raise MalformedInput("chunk.record.kind", "1, 2 or 3", got=chunk[at])
        kind = RecordKind(chunk[at])
        start = at + _RECORD_HEAD_BYTES
        size = int.from_bytes(chunk[at + 1 : start], "big")
        if size > _BOUNDS[kind]:
            raise MalformedInput("chunk.record.size", f"above {_BOUNDS[kind]}", got=size)
        if start + size > len(chunk):
            raise MalformedInput("chunk.record", "is cut off", got=len(chunk) - at)
        yield kind, chunk[start : start + size]
        at = start + size


def encode_leaf(key: bytes, value: bytes) -> bytes:
    """Length of the key (2 bytes, big-endian), key, value."""
    return len(key).to_bytes(2, "big") + key + value


def decode_leaf(body: bytes) -> tuple[bytes, bytes]:
    """Key and value, each at least one byte and within the state's bounds.

    Raises:
        MalformedInput: a length is out of its bounds.
    """
    end = 2 + int.from_bytes(body[:2], "big")
    key, value = body[2:end], body[end:]
    if not 3 <= end <= 2 + MAX_KEY_BYTES or len(key) != end - 2:
        raise MalformedInput("chunk.leaf.key", f"1 to {MAX_KEY_BYTES} bytes", got=end - 2)
    if not 0 < len(value) <= MAX_VALUE_BYTES:
        raise MalformedInput("chunk.leaf.value", f"1 to {MAX_VALUE_BYTES} bytes", got=len(value))
    return key, value
