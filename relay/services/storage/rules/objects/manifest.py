"""The manifest of an object: what it is, where its bytes lie, and what must hold of the places (docs/spec/storage-manifest.md).

Its id is the CID of its bytes, so a manifest has one spelling: the encoding is canonical, nothing in it is optional, extents that
could be one are one, and packs stand in the order in which extents need them.
"""

from dataclasses import dataclass
from typing import Final

from hutong.light_clients.crypto.hashes import HASH_BYTES
from hutong.light_clients.interface import MalformedInput
from hutong.relay.services.identity.rules.records.encoding import check_bytes, check_number, check_some_hash
from hutong.relay.services.storage.rules.objects.cid import Cid
from hutong.relay.services.storage.rules.objects.dag_cbor import Node, decode_node, encode_node
from hutong.relay.services.storage.rules.objects.sizes import stored_size
from hutong.relay.services.storage.rules.packs.body import ROW_BYTES, TRAILER_BYTES
from hutong.relay.services.storage.rules.packs.shape import MAX_PACK_SHARDS, PackShape

SPEC: Final = "docs/spec/storage-manifest.md"
VERSION: Final = 1
MAX_MANIFEST_BYTES: Final = 2 * 2**20
MAX_PACKS: Final = 2_048
MAX_EXTENTS: Final = 4_096
MAX_ENGINE_KINDS: Final = 8
MAX_VALUES: Final = 12 + 6 * MAX_PACKS + 4 * MAX_EXTENTS
"""Of DAG-CBOR, as the largest manifest has: the map, its eight, the policy's three, and each list of a pack or extent."""
_KEYS: Final = frozenset({"v", "hash", "seal", "size", "packs", "policy", "retain", "extents"})


@dataclass(frozen=True, slots=True)
class PlacementPolicy:
    """How a pack's shards are spread: most for one organisation, most at one site, and kinds of engines at least."""

    most_of_organisation: int
    most_of_site: int
    engine_kinds: int

    def __post_init__(self) -> None:
        for field, value in (("organisation", self.most_of_organisation), ("site", self.most_of_site)):
            check_number(f"manifest.policy.{field}", value, least=1, most=MAX_PACK_SHARDS)
        check_number("manifest.policy.engines", self.engine_kinds, least=1, most=MAX_ENGINE_KINDS)


@dataclass(frozen=True, slots=True)
class ManifestPack:
    """A pack that holds some of the object: its name, shape, and the root of each masked shard."""

    name: bytes
    shape: PackShape
    roots: tuple[bytes, ...]

    def __post_init__(self) -> None:
        check_some_hash("manifest.pack.name", self.name)
        if len(self.roots) != self.shape.shards:
            raise MalformedInput("manifest.pack.roots", "not one of each shard", len(self.roots), self.shape.shards)
        for root in self.roots:
            check_bytes("manifest.pack.root", root)


@dataclass(frozen=True, slots=True)
class Extent:
    """`length` bytes from `offset` on, in the body of pack number `pack` of the manifest."""

    pack: int
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """An object of `size` bytes; `content_hash` is its BLAKE3, keyed where it is sealed."""

    size: int
    is_sealed: bool
    content_hash: bytes
    packs: tuple[ManifestPack, ...]
    extents: tuple[Extent, ...]
    retain_until_s: int
    policy: PlacementPolicy

    def __post_init__(self) -> None:
        check_number("manifest.size", self.size)
        check_bytes("manifest.hash", self.content_hash)
        check_number("manifest.retain", self.retain_until_s)
        if len(self.packs) > MAX_PACKS or len(self.extents) > MAX_EXTENTS:
            raise MalformedInput("manifest", "more packs or extents than there may be", len(self.extents), MAX_EXTENTS)
        if len({pack.name for pack in self.packs}) != len(self.packs):
            raise MalformedInput("manifest.packs", "a pack stands twice")
        self._check_extents()

    def _check_extents(self) -> None:
        needed = 0
        before = Extent(-1, 0, 0)
        for number, extent in enumerate(self.extents):
            field = f"manifest.extents[{number}]"
            if not 0 <= extent.pack <= needed or extent.pack >= len(self.packs):
                raise MalformedInput(f"{field}.pack", "packs do not stand in the order of need", got=extent.pack)
            needed = max(needed, extent.pack + 1)
            room = self.packs[extent.pack].shape.body_bytes - TRAILER_BYTES - ROW_BYTES
            if extent.offset < 0 or extent.length < 1 or extent.offset + extent.length > room:
                raise MalformedInput(
                    field, "does not lie in its pack", got=extent.offset + extent.length, expected=room
                )
            if extent.pack == before.pack and extent.offset == before.offset + before.length:
                raise MalformedInput(field, "goes on where the one before ends: they are one")
            before = extent
        if needed != len(self.packs):
            raise MalformedInput("manifest.packs", "a pack is not needed", got=len(self.packs), expected=needed)
        held, stored = sum(extent.length for extent in self.extents), stored_size(self.size, sealed=self.is_sealed)
        if held != stored:
            raise MalformedInput("manifest.extents", "cover another number of bytes", got=held, expected=stored)


def encode_manifest(manifest: Manifest) -> bytes:
    """Canonical DAG-CBOR.

    Raises:
        MalformedInput: longer than `MAX_MANIFEST_BYTES`.
    """
    packs: list[Node] = [
        [pack.name, pack.shape.data, pack.shape.parity, pack.shape.height, b"".join(pack.roots)]
        for pack in manifest.packs
    ]
    extents: list[Node] = [[extent.pack, extent.offset, extent.length] for extent in manifest.extents]
    policy = manifest.policy
    octets = encode_node(
        {
            "v": VERSION,
            "hash": manifest.content_hash,
            "seal": int(manifest.is_sealed),
            "size": manifest.size,
            "packs": packs,
            "policy": [policy.most_of_organisation, policy.most_of_site, policy.engine_kinds],
            "retain": manifest.retain_until_s,
            "extents": extents,
        }
    )
    if len(octets) > MAX_MANIFEST_BYTES:
        raise MalformedInput("manifest", f"more than {MAX_MANIFEST_BYTES} bytes", got=len(octets))
    return octets


def manifest_id(octets: bytes) -> Cid:
    """The object's id: version 1, dag-cbor, sha2-256."""
    return Cid.of(octets)


def decode_manifest(octets: bytes) -> Manifest:
    """Inverse of `encode_manifest`.

    Raises:
        MalformedInput: too long, another encoding, another version, unknown or missing members, or one out of its bounds.
    """
    if len(octets) > MAX_MANIFEST_BYTES:
        raise MalformedInput("manifest", f"more than {MAX_MANIFEST_BYTES} bytes", got=len(octets))
    node = decode_node(octets, MAX_VALUES)
    if not isinstance(node, dict) or frozenset(node) != _KEYS:
        raise MalformedInput("manifest", "has not the members of a manifest")
    if _number(node["v"], "v") != VERSION:
        raise MalformedInput("manifest.v", "is unknown", got=_number(node["v"], "v"), expected=VERSION)
    seal = _number(node["seal"], "seal")
    if seal not in (0, 1):
        raise MalformedInput("manifest.seal", "is not 0 or 1", got=seal)
    extents = (_numbers(one, "extents", 3) for one in _list(node["extents"], "extents", MAX_EXTENTS))
    return Manifest(
        size=_number(node["size"], "size"),
        is_sealed=seal == 1,
        content_hash=_bytes(node["hash"], "hash"),
        packs=tuple(map(_pack, _list(node["packs"], "packs", MAX_PACKS))),
        extents=tuple(Extent(*numbers) for numbers in extents),
        retain_until_s=_number(node["retain"], "retain"),
        policy=PlacementPolicy(*_numbers(node["policy"], "policy", 3)),
    )


def _pack(node: Node) -> ManifestPack:
    members = _list(node, "packs", 5)
    if len(members) != 5:
        raise MalformedInput("manifest.packs", "has five members", got=len(members))
    name, *numbers, roots = members
    shape = PackShape(*(_number(number, "packs") for number in numbers))
    joined = _bytes(roots, "packs.roots")
    if len(joined) != shape.shards * HASH_BYTES:
        raise MalformedInput("manifest.packs.roots", "not one of each shard", len(joined), shape.shards * HASH_BYTES)
    cuts = tuple(joined[at : at + HASH_BYTES] for at in range(0, len(joined), HASH_BYTES))
    return ManifestPack(_bytes(name, "packs.name"), shape, cuts)


def _number(node: Node, field: str) -> int:
    if type(node) is not int:
        raise MalformedInput(f"manifest.{field}", "is not a whole number", got=type(node).__name__)
    return node


def _bytes(node: Node, field: str) -> bytes:
    if not isinstance(node, bytes):
        raise MalformedInput(f"manifest.{field}", "is not bytes", got=type(node).__name__)
    return node


def _list(node: Node, field: str, most: int) -> list[Node]:
    if not isinstance(node, list) or len(node) > most:
        raise MalformedInput(f"manifest.{field}", f"is not a list of at most {most}", got=type(node).__name__)
    return node


def _numbers(node: Node, field: str, count: int) -> tuple[int, ...]:
    members = _list(node, field, count)
    if len(members) != count:
        raise MalformedInput(f"manifest.{field}", f"has {count} members", got=len(members))
    return tuple(_number(member, field) for member in members)
