"""What the catalogue keeps, as values.

A row of an object is small, because there are many: what it is, and where its manifest and head lie in a pack. All else is in the pack.
"""

from dataclasses import dataclass
from typing import Final

from hutong.light_clients.interface import MalformedInput
from hutong.relay.services.storage.rules.packs.shape import PackShape

MAX_RETAIN_UNTIL_S: Final = 253_402_300_799
"""9999-12-31T23:59:59Z: no answer could show a later time, and what is retained cannot be put again."""
MAX_KEY_BYTES: Final = 1_024
MAX_NOTE_BYTES: Final = 8_192
MAX_LISTED: Final = 1_000


class BucketMissing(Exception):
    """There is no bucket of this name. One sentence."""


class BucketTaken(Exception):
    """The bucket is there already. One sentence."""


class BucketNotEmpty(Exception):
    """The bucket has objects. One sentence."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """A name for a set of keys."""

    number: int
    name: str
    created_s: int


@dataclass(frozen=True, slots=True)
class PackRow:
    """A pack with manifests and heads: what judges its shards, and which operators have them, shard by shard."""

    name: bytes
    shape: PackShape
    roots: tuple[bytes, ...]
    operators: tuple[bytes, ...]

    def __post_init__(self) -> None:
        if not len(self.roots) == len(self.operators) == self.shape.shards:
            raise MalformedInput("catalogue.pack", "not a root and an operator for each shard", got=len(self.roots))


@dataclass(frozen=True, slots=True)
class HeadPlace:
    """Where an object's manifest lies in a pack, and right after it the sealed head."""

    pack: int
    """The pack's number in this catalogue."""
    offset: int
    manifest_bytes: int
    head_bytes: int


@dataclass(frozen=True, slots=True)
class ObjectRow:
    """One key of a bucket. `digest` is that of the object's id; `note` what HEAD answers besides, empty where nothing was said."""

    bucket: int
    key: bytes
    place: HeadPlace
    size: int
    modified_ms: int
    retain_until_s: int
    digest: bytes
    note: bytes

    def __post_init__(self) -> None:
        if not 1 <= len(self.key) <= MAX_KEY_BYTES:
            raise MalformedInput("object.key", f"1 to {MAX_KEY_BYTES} bytes", got=len(self.key))
        if len(self.note) > MAX_NOTE_BYTES:
            raise MalformedInput("object.note", f"at most {MAX_NOTE_BYTES} bytes", got=len(self.note))


@dataclass(frozen=True, slots=True)
class Upload:
    """An object that comes in parts."""

    id: str
    bucket: int
    key: bytes
    note: bytes
    retain_until_s: int
    began_s: int


@dataclass(frozen=True, slots=True)
class PartRow:
    """A part that is stored. `segment` is where, sealed, since it holds the part's key; `checksum` a word of the S3 door's, or empty."""

    upload: str
    number: int
    size: int
    digest: bytes
    segment: bytes
    modified_ms: int
    checksum: str = ""


@dataclass(frozen=True, slots=True)
class BatchRow:
    """A batch of this gateway on the hub. `unsigned` are operators that have not signed their part."""

    sequence: int
    number: int
    packs: int
    unsigned: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Totals:
    """What `status` says."""

    objects: int
    bytes: int
    packs: int
    batches: int
    degraded_batches: int
    uploads: int
    removals: int
    """Packs that some operator has still to let go."""
