"""Receipts, deletions, parts and states as JSON; bytes as lower-case hex (docs/spec/storage-operator-api.md)."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from hutong.light_clients.interface.document import Document, Members
from hutong.light_clients.interface.height import MAX_UINT64
from hutong.relay.services.identity.rules.seals.signatures import SIGNATURE_BYTES
from hutong.relay.services.storage.rules.commitments.entries import (
    MAX_BATCH_ENTRIES,
    SHARD_ENTRY_BYTES,
    BatchPart,
    ShardEntry,
    decode_shard_entry,
    encode_shard_entry,
)
from hutong.relay.services.storage.rules.commitments.fields import HASH_BYTES
from hutong.relay.services.storage.rules.lifecycle.signed import (
    MAX_BATCH_PARTS,
    DeletionReceipt,
    OperatorPart,
    ShardReceipt,
)
from hutong.relay.services.storage.rules.packs.shape import MAX_HEIGHT, MAX_PACK_SHARDS
from hutong.relay.services.storage.rules.repairing import RepairedPart

MAX_JSON_BYTES: Final = 256 * 1_024
MAX_ANSWER_JSON_BYTES: Final = 2 * 2**20
MAX_LISTED: Final = 1_000


class ShardState(StrEnum):
    """What an operator says of a shard."""

    PENDING = "pending"
    SIGNED = "signed"
    PLACED = "placed"
    DAMAGED = "damaged"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class SignedReceipt:
    """A receipt and the operator's signature under it, 65 bytes."""

    receipt: ShardReceipt
    signature: bytes


@dataclass(frozen=True, slots=True)
class SignedDeletion:
    """A deletion receipt and the operator's signature under it, 65 bytes."""

    deletion: DeletionReceipt
    signature: bytes


@dataclass(frozen=True, slots=True)
class SignedPart:
    """A part of a batch and the operator's signature under it, 65 bytes."""

    part: OperatorPart
    signature: bytes


@dataclass(frozen=True, slots=True)
class PartAsked:
    """Which part a writer wants signed: batch `sequence` of its own, and its entries in order."""

    sequence: int
    entries: tuple[ShardEntry, ...]
    repairs: RepairedPart | None = None
    """Of a repairer: the part that was lost."""


def encode_receipt(signed: SignedReceipt) -> bytes:
    """As `PUT /v1/shards` answers."""
    return _json(receipt_members(signed))


def receipt_members(signed: SignedReceipt) -> dict[str, Any]:
    """The members of the JSON object."""
    one = signed.receipt
    return {
        "hub": one.hub.hex(),
        "operator": one.operator.hex(),
        "pack": one.pack.hex(),
        "shard": one.shard,
        "height": one.height,
        "root": one.root.hex(),
        "retain_until": one.retain_until_s,
        "engine_tag": one.engine_tag.hex(),
        "stored_at": one.stored_at_s,
        "signature": signed.signature.hex(),
    }


def decode_receipt(octets: bytes) -> SignedReceipt:
    """Inverse of `encode_receipt`. Whose it is, and whether it is signed, `judge_receipt` says.

    Raises:
        MalformedInput: not this document, or a member out of its bounds.
    """
    with Document.parse(octets, "receipt", MAX_JSON_BYTES).members() as fields:
        return SignedReceipt(
            ShardReceipt(
                fields["hub"].hex(HASH_BYTES),
                fields["operator"].hex(HASH_BYTES),
                fields["pack"].hex(HASH_BYTES),
                fields["shard"].integer(0, MAX_PACK_SHARDS - 1),
                fields["height"].integer(0, MAX_HEIGHT),
                fields["root"].hex(HASH_BYTES),
                fields["retain_until"].integer(0, MAX_UINT64),
                fields["engine_tag"].hex(HASH_BYTES),
                fields["stored_at"].integer(0, MAX_UINT64),
            ),
            _signature(fields),
        )


def encode_deletion(signed: SignedDeletion) -> bytes:
    """As `DELETE /v1/shards` answers."""
    return _json(deletion_members(signed))


def deletion_members(signed: SignedDeletion) -> dict[str, Any]:
    """The members of the JSON object."""
    one = signed.deletion
    return {
        "hub": one.hub.hex(),
        "operator": one.operator.hex(),
        "pack": one.pack.hex(),
        "shard": one.shard,
        "root": one.root.hex(),
        "deleted_at": one.deleted_at_s,
        "signature": signed.signature.hex(),
    }


def decode_deletion(octets: bytes) -> SignedDeletion:
    """Inverse of `encode_deletion`.

    Raises:
        MalformedInput: not this document, or a member out of its bounds.
    """
    with Document.parse(octets, "deletion", MAX_JSON_BYTES).members() as fields:
        return SignedDeletion(
            DeletionReceipt(
                fields["hub"].hex(HASH_BYTES),
                fields["operator"].hex(HASH_BYTES),
                fields["pack"].hex(HASH_BYTES),
                fields["shard"].integer(0, MAX_PACK_SHARDS - 1),
                fields["root"].hex(HASH_BYTES),
                fields["deleted_at"].integer(0, MAX_UINT64),
            ),
            _signature(fields),
        )


def encode_part_asked(sequence: int, entries: Sequence[ShardEntry], repairs: RepairedPart | None = None) -> bytes:
    """As `POST /v1/parts` takes it."""
    asked: dict[str, Any] = {"sequence": sequence, "entries": [encode_shard_entry(entry).hex() for entry in entries]}
    if repairs is not None:
        asked["repairs"] = {
            "batch": repairs.batch,
            "index": repairs.index,
            "operator": repairs.operator.hex(),
            "hashes": [hashed.hex() for hashed in repairs.hashes],
        }
    return _json(asked)


def decode_part_asked(octets: bytes) -> PartAsked:
    """Inverse of `encode_part_asked`. The rules of a part are not judged here.

    Raises:
        MalformedInput: not this document, an entry out of its bounds, none or too many.
    """
    with Document.parse(octets, "part", MAX_JSON_BYTES).members() as fields:
        sequence = fields["sequence"].integer(0, MAX_UINT64)
        entries = [entry.hex(SHARD_ENTRY_BYTES) for entry in fields["entries"].items(MAX_BATCH_ENTRIES, least=1)]
        repairs = _repairs(fields)
    return PartAsked(sequence, tuple(map(decode_shard_entry, entries)), repairs)


def _repairs(fields: Members) -> RepairedPart | None:
    found = fields.optional("repairs")
    if found is None:
        return None
    with found.members() as members:
        hashes = tuple(one.hex(HASH_BYTES) for one in members["hashes"].items(MAX_BATCH_PARTS, least=1))
        index = members["index"].integer(0, MAX_BATCH_PARTS - 1)
        return RepairedPart(members["batch"].integer(0, MAX_UINT64), index, members["operator"].hex(HASH_BYTES), hashes)


def encode_part(signed: SignedPart) -> bytes:
    """As `POST /v1/parts` answers."""
    one = signed.part
    return _json(
        {
            "hub": one.hub.hex(),
            "writer": one.writer.hex(),
            "sequence": one.sequence,
            "operator": one.operator.hex(),
            "leaves": one.part.leaves,
            "entries": one.part.entries,
            "root": one.part.root.hex(),
            "signature": signed.signature.hex(),
        }
    )


def decode_part(octets: bytes) -> SignedPart:
    """Inverse of `encode_part`. Whether it is the part that was asked for, and signed, is for the reader to judge.

    Raises:
        MalformedInput: not this document, or a member out of its bounds.
    """
    with Document.parse(octets, "part", MAX_JSON_BYTES).members() as fields:
        hub, writer = fields["hub"].hex(HASH_BYTES), fields["writer"].hex(HASH_BYTES)
        sequence, operator = fields["sequence"].integer(0, MAX_UINT64), fields["operator"].hex(HASH_BYTES)
        leaves = fields["leaves"].integer(1, MAX_BATCH_ENTRIES << MAX_HEIGHT)
        entries = fields["entries"].integer(1, MAX_BATCH_ENTRIES)
        part = BatchPart(leaves, entries, fields["root"].hex(HASH_BYTES))
        return SignedPart(OperatorPart(hub, writer, sequence, operator, part), _signature(fields))


def _signature(fields: Members) -> bytes:
    return fields["signature"].hex(SIGNATURE_BYTES)


def _json(members: dict[str, Any]) -> bytes:
    return json.dumps(members, separators=(",", ":")).encode()
