"""The body of a pack: sections, zeros, an index and a trailer, so that what packs hold is found again from packs alone.

The danger: a body is read again after its shards were rebuilt. Each section is judged by its hash, and nothing in a body may be
spelled in two ways, since its name is the hash of all of it (docs/spec/storage-pack.md).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from hashlib import sha256
from typing import Final

from hutong.light_clients.crypto.hashes import HASH_BYTES
from hutong.light_clients.interface import MalformedInput
from hutong.relay.services.storage.rules.packs.shape import PackShape, smallest_shape

MAGIC: Final = b"HUTPACK\x01"
TRAILER_BYTES: Final = 16
ROW_BYTES: Final = 41
MAX_SECTIONS: Final = 65_536
_NUMBER_BYTES: Final = 4


class SectionKind(IntEnum):
    """What the bytes of a section are; the gateway's to say."""

    OBJECT = 1
    """Bytes of an object, plain or sealed: what extents of a manifest name."""
    MANIFEST = 2
    """One manifest (docs/spec/storage-manifest.md), whose id has the section's hash."""
    CATALOGUE = 3
    """A sealed page of a tenant's catalogue."""


@dataclass(frozen=True, slots=True)
class Section:
    """Where a section lies in the body, and the SHA-256 of its bytes."""

    kind: SectionKind
    offset: int
    length: int
    digest: bytes


@dataclass(frozen=True, slots=True)
class PackIndex:
    """What a body says of itself."""

    shape: PackShape
    sections: tuple[Section, ...]


def body_size(lengths: Sequence[int]) -> int:
    """Bytes that sections of these lengths take in a body, with index and trailer."""
    return sum(lengths) + len(lengths) * ROW_BYTES + TRAILER_BYTES


def build_body(data: int, parity: int, sections: Sequence[tuple[SectionKind, bytes]]) -> tuple[PackIndex, bytearray]:
    """The body of these sections in the smallest pack of this code that holds them.

    Raises:
        MalformedInput: no section or too many, an empty one, or more than a pack of this code holds.
    """
    if any(not octets for _, octets in sections):
        raise MalformedInput("pack.sections", "one has no bytes")
    shape = shape_of(data, parity, [len(octets) for _, octets in sections])
    body = bytearray(shape.body_bytes)
    at = 0
    for _, octets in sections:
        body[at : at + len(octets)] = octets
        at += len(octets)
    return index_body(shape, body, [(kind, len(octets)) for kind, octets in sections]), body


def shape_of(data: int, parity: int, lengths: Sequence[int]) -> PackShape:
    """Of the smallest pack of this code that holds sections of these lengths.

    Raises:
        MalformedInput: no section or too many, or more than a pack of this code holds.
    """
    if not 1 <= len(lengths) <= MAX_SECTIONS:
        raise MalformedInput("pack.sections", f"1 to {MAX_SECTIONS}", got=len(lengths))
    return smallest_shape(data, parity, body_size(lengths))


def index_body(
    shape: PackShape, body: bytearray | memoryview, sections: Sequence[tuple[SectionKind, int]]
) -> PackIndex:
    """Write zeros, rows and trailer after sections that stand in the body already, one after the other from its first byte.

    Args:
        shape: see `shape_of`.
        body: of the shape's size.
        sections: kind and length of each.

    Raises:
        MalformedInput: a section without bytes, another size or shape than that of these sections.
    """
    lengths = [length for _, length in sections]
    if len(body) != shape.body_bytes or shape_of(shape.data, shape.parity, lengths) != shape:
        raise MalformedInput("pack", "is not of these sections", got=len(body), expected=shape.body_bytes)
    places: list[Section] = []
    at = 0
    with memoryview(body) as view:
        for number, (kind, length) in enumerate(sections):
            if length < 1:
                raise MalformedInput(f"pack.sections[{number}]", "has no bytes")
            places.append(Section(kind, at, length, sha256(view[at : at + length]).digest()))
            at += length
        rows = b"".join(map(_row, places))
        index_at = shape.body_bytes - TRAILER_BYTES - len(rows)
        view[at:index_at] = bytes(index_at - at)
        view[index_at:] = rows + _trailer(shape, len(sections))
    return PackIndex(shape, tuple(places))


def read_body(body: bytes | bytearray | memoryview) -> PackIndex:
    """The index of a body, each section judged by its hash.

    Raises:
        MalformedInput: another trailer, size or shape than the format has, sections that do not follow one another from the
            first byte on, bytes other than zero between them and the index, or a section of another hash.
    """
    view = memoryview(body)
    if len(view) < TRAILER_BYTES:
        raise MalformedInput("pack", "is shorter than a trailer", got=len(view))
    shape, count = _read_trailer(bytes(view[-TRAILER_BYTES:]))
    if len(view) != shape.body_bytes:
        raise MalformedInput("pack", "has another size than its trailer says", got=len(view), expected=shape.body_bytes)
    index_at = shape.body_bytes - TRAILER_BYTES - count * ROW_BYTES
    if index_at < count:
        raise MalformedInput("pack.count", "more sections than there is room for", got=count)
    rows = bytes(view[index_at:-TRAILER_BYTES])
    sections: list[Section] = []
    end = 0
    for number in range(count):
        section = _read_row(rows[number * ROW_BYTES : (number + 1) * ROW_BYTES], f"pack.sections[{number}]")
        if section.offset != end or not 1 <= section.length <= index_at - end:
            raise MalformedInput(
                f"pack.sections[{number}]", "does not follow the one before within the body", got=section.offset
            )
        end += section.length
        digest = sha256(view[section.offset : end]).digest()
        if digest != section.digest:
            raise MalformedInput(f"pack.sections[{number}].digest", "other bytes", got=digest, expected=section.digest)
        sections.append(section)
    if bytes(view[end:index_at]).count(0) != index_at - end:
        raise MalformedInput("pack.padding", "is not zero")
    if smallest_shape(shape.data, shape.parity, end + count * ROW_BYTES + TRAILER_BYTES) != shape:
        raise MalformedInput("pack.height", "a lower pack holds these sections", got=shape.height)
    return PackIndex(shape, tuple(sections))


def data_shards(shape: PackShape, body: bytearray | memoryview) -> tuple[memoryview, ...]:
    """The body cut in data shards, where it lies.

    Raises:
        MalformedInput: another size than the shape has.
    """
    if len(body) != shape.body_bytes:
        raise MalformedInput("pack", "has another size", got=len(body), expected=shape.body_bytes)
    view = memoryview(body)
    return tuple(view[at : at + shape.shard_bytes] for at in range(0, shape.body_bytes, shape.shard_bytes))


def _trailer(shape: PackShape, count: int) -> bytes:
    return MAGIC + bytes([shape.data, shape.parity, shape.height, 0]) + count.to_bytes(_NUMBER_BYTES, "big")


def _read_trailer(octets: bytes) -> tuple[PackShape, int]:
    if octets[: len(MAGIC)] != MAGIC:
        raise MalformedInput("pack.magic", "is not a pack of this version", got=octets[: len(MAGIC)], expected=MAGIC)
    data, parity, height, spare = octets[len(MAGIC) : len(MAGIC) + 4]
    count = int.from_bytes(octets[-_NUMBER_BYTES:], "big")
    if spare:
        raise MalformedInput("pack.trailer", "a byte that is not used is not zero", got=spare)
    if not 1 <= count <= MAX_SECTIONS:
        raise MalformedInput("pack.count", f"1 to {MAX_SECTIONS} sections", got=count)
    return PackShape(data, parity, height), count


def _row(section: Section) -> bytes:
    numbers = (number.to_bytes(_NUMBER_BYTES, "big") for number in (section.offset, section.length))
    return bytes([section.kind]) + b"".join(numbers) + section.digest


def _read_row(octets: bytes, field: str) -> Section:
    try:
        kind = SectionKind(octets[0])
    except ValueError:
        raise MalformedInput(f"{field}.kind", "is unknown", got=octets[0]) from None
    offset, length = (int.from_bytes(octets[at : at + _NUMBER_BYTES], "big") for at in (1, 1 + _NUMBER_BYTES))
    return Section(kind, offset, length, octets[-HASH_BYTES:])
