"""What happened to a tenant's objects, as sections of kind *catalogue* in packs say it, sealed (docs/spec/storage-catalogue.md).

Such a section stands right after the manifest that it is about. All of a gateway's database is made again from them.
The danger: whoever reads packs reads names of objects and keys. So a section is sealed under a key of the tenant, of which no operator,
auditor or repairer has anything.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from hutong.light_clients.interface import MalformedInput
from hutong.relay.services.storage.rules.objects.dag_cbor import Node, decode_node, encode_node
from hutong.relay.services.storage.rules.objects.seal import open_object, seal_object

SPEC: Final = "docs/spec/storage-catalogue.md"
VERSION: Final = 1
MOVED_VERSION: Final = 2
"""Of the put of an object that compaction moved, which has one member more."""
KEY_BYTES: Final = 32
SALT_BYTES: Final = 32
MAX_SEGMENTS: Final = 10_000
MAX_EVENT_BYTES: Final = 2 * 2**20
_ROOTS: Final = {"repair": b"hutong/storage/tenant repair/1", "catalogue": b"hutong/storage/tenant catalogue/1"}
_EVENT_INFO: Final = b"hutong/storage/catalogue event/1"
_KEYS: Final = frozenset({"v", "n", "t", "b", "k", "s", "m", "r", "d", "i", "g", "u", "p"})
_MOVED_KEYS: Final = _KEYS | {"o"}
_VERSIONS: Final = ((_KEYS, VERSION), (_MOVED_KEYS, MOVED_VERSION))


class EventKind(StrEnum):
    """What happened."""

    PUT = "put"
    PART = "part"
    """A part of an upload that has not ended is stored."""
    DELETE = "delete"
    BUCKET = "bucket"
    UNBUCKET = "unbucket"


@dataclass(frozen=True, slots=True)
class Segment:
    """Some bytes of an object under one manifest: where that lies, and the key that opens them.

    `pack` is the name of the pack that holds the manifest; empty where it is the pack of the event itself.
    """

    pack: bytes
    offset: int
    manifest_bytes: int
    size: int
    data_key: bytes


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened; `number` counts a tenant's events, and the highest one of a key is what holds.

    An event that compaction carried into another pack keeps its number.
    """

    number: int
    kind: EventKind
    bucket: str
    key: bytes = b""
    size: int = 0
    modified_ms: int = 0
    retain_until_s: int = 0
    digest: bytes = b""
    note: bytes = b""
    segments: tuple[Segment, ...] = ()
    upload: str = ""
    part: int = 0
    moved: bytes = b""
    """Of an object that compaction moved the digest in the id of the manifest that it has now; `digest` stays what it was."""

    @property
    def own_digest(self) -> bytes:
        """In the id of the manifest that stands right before the event, where one does."""
        return self.moved or self.digest


@dataclass(frozen=True, slots=True)
class TenantKeys:
    """What is derived from a tenant's secret."""

    repair_root: bytes
    """Given to repairers as well."""
    catalogue_root: bytes
    """The gateway's alone."""

    @classmethod
    def of(cls, secret: bytes) -> "TenantKeys":
        """`secret`: 32 random bytes.

        Raises:
            MalformedInput: another length.
        """
        if len(secret) != KEY_BYTES:
            raise MalformedInput("tenant.secret", f"has {KEY_BYTES} bytes", got=len(secret))
        return cls(*(_derived(secret, b"", info) for info in _ROOTS.values()))


def encode_event(event: Event) -> bytes:
    """Canonical DAG-CBOR.

    Raises:
        MalformedInput: more than `MAX_EVENT_BYTES`.
    """
    segments: list[Node] = [
        [one.pack, one.offset, one.manifest_bytes, one.size, one.data_key] for one in event.segments
    ]
    version: dict[str, Node] = {"v": MOVED_VERSION, "o": event.moved} if event.moved else {"v": VERSION}
    octets = encode_node(
        version
        | {
            "n": event.number,
            "t": event.kind.value,
            "b": event.bucket,
            "k": event.key,
            "s": event.size,
            "m": event.modified_ms,
            "r": event.retain_until_s,
            "d": event.digest,
            "i": event.note,
            "g": segments,
            "u": event.upload,
            "p": event.part,
        }
    )
    if len(octets) > MAX_EVENT_BYTES:
        raise MalformedInput("event", f"at most {MAX_EVENT_BYTES} bytes", got=len(octets))
    return octets


def decode_event(octets: bytes) -> Event:
    """Inverse of `encode_event`.

    Raises:
        MalformedInput: anything else.
    """
    if len(octets) > MAX_EVENT_BYTES:
        raise MalformedInput("event", f"at most {MAX_EVENT_BYTES} bytes", got=len(octets))
    node = decode_node(octets)
    if not isinstance(node, dict) or (frozenset(node), node.get("v")) not in _VERSIONS:
        raise MalformedInput("event", "has not the members of an event of this version")
    kind = node["t"]
    if kind not in list(EventKind):
        raise MalformedInput("event.t", "is unknown", got=kind)
    numbers = {name: _number(node[name], name) for name in ("n", "s", "m", "r", "p")}
    octets_of = {name: _bytes(node[name], name) for name in ("k", "d", "i")}
    moved = _moved(node) if _number(node["v"], "v") == MOVED_VERSION else b""
    return Event(
        numbers["n"],
        EventKind(str(kind)),
        _text(node["b"], "b"),
        octets_of["k"],
        numbers["s"],
        numbers["m"],
        numbers["r"],
        octets_of["d"],
        octets_of["i"],
        _segments(node["g"]),
        _text(node["u"], "u"),
        numbers["p"],
        moved,
    )


def encode_segment(segment: Segment) -> bytes:
    """Of a part, as the catalogue keeps it until its upload ends."""
    return encode_node([segment.pack, segment.offset, segment.manifest_bytes, segment.size, segment.data_key])


def decode_segment(octets: bytes) -> Segment:
    """Inverse of `encode_segment`.

    Raises:
        MalformedInput: anything else.
    """
    (segment,) = _segments([decode_node(octets)])
    return segment


def seal_page(catalogue_root: bytes, octets: bytes) -> bytes:
    """Bytes of the catalogue under a key of their own: salt of 32 bytes, then records as of a sealed object."""
    salt = os.urandom(SALT_BYTES)
    return salt + seal_object(_derived(catalogue_root, salt, _EVENT_INFO), octets)


def open_page(catalogue_root: bytes, sealed: bytes) -> bytes:
    """Inverse of `seal_page`.

    Raises:
        PredicateFailed: of another tenant, or changed.
        MalformedInput: too short.
    """
    return open_object(_derived(catalogue_root, sealed[:SALT_BYTES], _EVENT_INFO), sealed[SALT_BYTES:])


def _derived(secret: bytes, salt: bytes, info: bytes) -> bytes:
    return HKDF(SHA256(), KEY_BYTES, salt=salt or None, info=info).derive(secret)


def _segments(node: Node) -> tuple[Segment, ...]:
    if not isinstance(node, list) or len(node) > MAX_SEGMENTS:
        raise MalformedInput("event.g", f"is not a list of at most {MAX_SEGMENTS}")
    found = []
    for one in node:
        if not isinstance(one, list) or len(one) != 5:
            raise MalformedInput("event.g", "is not of segments")
        pack, offset, manifest_bytes, size, data_key = one
        found.append(
            Segment(
                _bytes(pack, "g"),
                _number(offset, "g"),
                _number(manifest_bytes, "g"),
                _number(size, "g"),
                _bytes(data_key, "g"),
            )
        )
    return tuple(found)


def _moved(node: Mapping[str, Node]) -> bytes:
    moved = _bytes(node["o"], "o")
    if len(moved) != KEY_BYTES or node["t"] != EventKind.PUT:
        raise MalformedInput("event.o", f"has {KEY_BYTES} bytes, and is of a put")
    return moved


def _number(node: Node, field: str) -> int:
    if type(node) is not int or node < 0:
        raise MalformedInput(f"event.{field}", "is not a number from 0", got=type(node).__name__)
    return node


def _bytes(node: Node, field: str) -> bytes:
    if not isinstance(node, bytes):
        raise MalformedInput(f"event.{field}", "is not bytes", got=type(node).__name__)
    return node


def _text(node: Node, field: str) -> str:
    if not isinstance(node, str):
        raise MalformedInput(f"event.{field}", "is not text", got=type(node).__name__)
    return node
