"""Shards on an engine: each with its outboard before it, in one object, so that one range brings both."""

from dataclasses import dataclass
from hashlib import sha256

from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.proofs.merkle import leaf_hash, root_of
from hutong.relay.services.storage.engines.durability import created_or_replaced
from hutong.relay.services.storage.engines.engine import Engine, EngineUnavailable, NotThere
from hutong.relay.services.storage.operator.index import HeldShard, ShardKey
from hutong.relay.services.storage.rules.operator_api.spans import SpanRange, span_bytes, spans_of
from hutong.relay.services.storage.rules.packs.leaf_tree import outboard, prove_shard_leaf, root_of_outboard, span_roots
from hutong.relay.services.storage.rules.packs.shape import LEAF_BYTES

HASH_BYTES = 32
NO_TAG = bytes(HASH_BYTES)


class BytesLost(Exception):
    """What the engine gives is not the shard that was receipted; one sentence."""


@dataclass(frozen=True, slots=True)
class ShownLeaf:
    """1 KiB of a shard and its path under the shard's root, from below."""

    octets: bytes
    path: tuple[bytes, ...]


def object_name(key: ShardKey) -> str:
    """What an engine calls a shard: by writer and pack, in 65 536 folders."""
    pack = key.pack.hex()
    return f"{key.writer.hex()}/{pack[:2]}/{pack[2:4]}/{pack}-{key.shard:02d}"


def key_of_object(name: str) -> ShardKey | None:
    """Inverse of `object_name`; None for what no operator wrote."""
    try:
        writer, _, _, last = name.split("/")
        pack, _, shard = last.partition("-")
        key = ShardKey(bytes.fromhex(writer), bytes.fromhex(pack), int(shard))
    except ValueError:
        return None
    is_ours = len(key.writer) == len(key.pack) == HASH_BYTES and object_name(key) == name
    return key if is_ours else None


class Shelf:
    """One engine. Calls block; `EngineUnavailable` leaves as it is."""

    def __init__(self, engine: Engine) -> None:
        """The engine must be durable.

        Raises:
            ValueError: it is not, so that no receipt could rest on it.
        """
        if not engine.is_durable:
            raise ValueError("an engine that answers before it syncs needs a journal")
        self.engine = engine

    def keep(self, key: ShardKey, shard: bytes, hashes: bytes) -> bytes:
        """Write a shard and its outboard, and read both back. Returns the SHA-256 of the engine's tag, zero for none.

        Raises:
            EngineUnavailable: the engine, or what it read back are other bytes.
        """
        octets, name = hashes + shard, object_name(key)
        tag = created_or_replaced(self.engine, name, octets)
        try:
            is_same = self.engine.read_back(name) == octets
        except NotThere:
            is_same = False
        if not is_same:
            raise EngineUnavailable(f"{self.engine.location} read back other bytes than it was given")
        return sha256(tag.encode()).digest() if tag else NO_TAG

    def spans(self, held: HeldShard, asked: SpanRange) -> bytes:
        """What `GET spans` answers. Nothing is judged: who reads it does.

        Raises:
            BytesLost: the engine does not have them all.
        """
        name, ahead = object_name(held.key), HASH_BYTES * spans_of(held.height)
        wanted = asked.count * span_bytes(held.height)
        try:
            if asked.with_outboard and asked.first == 0:
                found = self.engine.read(name, 0, ahead + wanted)
            else:
                before = self.engine.read(name, 0, ahead) if asked.with_outboard else b""
                found = before + self.engine.read(name, ahead + asked.start, wanted)
        except NotThere:
            raise BytesLost(f"the engine does not have shard {held.key.shard} of pack {held.key.pack.hex()}") from None
        if len(found) != asked.body_bytes:
            raise BytesLost(f"the engine has a part of shard {held.key.shard} of pack {held.key.pack.hex()}")
        return found

    def leaf(self, held: HeldShard, number: int) -> ShownLeaf:
        """One leaf and its path, judged by the shard's root: an operator does not sign what is wrong.

        Raises:
            BytesLost: the engine does not have the leaf, or something else in its place.
        """
        size = span_bytes(held.height)
        within, span = number * LEAF_BYTES % size, number * LEAF_BYTES // size
        found = self.spans(held, SpanRange(held.height, span, 1))
        ahead = HASH_BYTES * spans_of(held.height)
        hashes, octets = span_roots(held.height, found[:ahead]), found[ahead:]
        shown = octets[within : within + LEAF_BYTES]
        proof = prove_shard_leaf(hashes, octets, number)
        if proof.leaf_hash != leaf_hash(shown) or root_of(proof) != held.root:
            raise BytesLost(f"leaf {number} of shard {held.key.shard} of pack {held.key.pack.hex()} is not what it was")
        return ShownLeaf(shown, proof.aunts)

    def damage(self, held: HeldShard) -> str | None:
        """Read a whole shard and its outboard, and say in a sentence what is wrong; None where nothing is."""
        try:
            found = self.engine.read_back(object_name(held.key))
        except NotThere:
            return "the engine does not have it"
        ahead = HASH_BYTES * spans_of(held.height)
        if len(found) != ahead + held.bytes:
            return f"the engine has {len(found)} bytes of {ahead + held.bytes}"
        hashes = outboard(memoryview(found)[ahead:])
        if root_of_outboard(held.height, hashes) != held.root:
            return f"span {_first_other(hashes, found[:ahead])} has other bytes"
        return (
            None
            if found[:ahead] == hashes
            else f"hash {_first_other(hashes, found[:ahead])} of its outboard is another"
        )

    def drop(self, key: ShardKey) -> None:
        """Delete a shard; one that is gone is as good as deleted."""
        self.engine.delete(object_name(key))


def hashed_shard(shard: bytes, height: int) -> tuple[bytes, bytes]:
    """Outboard and root of a shard that arrived.

    Raises:
        MalformedInput: it is not of this height.
    """
    if len(shard) != LEAF_BYTES << height:
        raise MalformedInput("shard", "another length", got=len(shard), expected=LEAF_BYTES << height)
    hashes = outboard(shard)
    return hashes, root_of_outboard(height, hashes)


def _first_other(one: bytes, two: bytes) -> str:
    """The number of the first hash in which they differ; of bytes that rotted together with their hash, nobody can tell."""
    for at in range(0, len(one), HASH_BYTES):
        if one[at : at + HASH_BYTES] != two[at : at + HASH_BYTES]:
            return str(at // HASH_BYTES)
    return "unknown"
