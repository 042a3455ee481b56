"""What stands under `identity/did/`: the state of a DID, and how many records belong to it."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from hutong.light_clients.interface import MalformedInput
from hutong.relay.services.identity.rules.records.encoding import (
    HASH_BYTES,
    MAX_UINT32,
    check_bytes,
    check_number,
    decode_value,
    encode_value,
)

STRUCT: Final = "(bytes32,uint64,bytes32,uint8,uint64,uint32,uint32,uint32,uint32,uint32,uint64,uint64,uint64,uint64)"


class DidState(IntEnum):
    """A deactivated DID never becomes active again."""

    ACTIVE = 1
    DEACTIVATED = 2


@dataclass(frozen=True, slots=True)
class Document:
    """Hashes of what is kept off chain; zero where there is none.

    `document_hash` is the SHA-256 of the supplement of the DID document (docs/spec/identity-records.md). `webvh_head` is the
    SHA-256 of the newest line of a did:webvh log, and `webvh_version` the number of that line, which only rises.
    """

    document_hash: bytes = bytes(HASH_BYTES)
    webvh_version: int = 0
    webvh_head: bytes = bytes(HASH_BYTES)

    def __post_init__(self) -> None:
        check_bytes("did.document_hash", self.document_hash)
        check_bytes("did.webvh_head", self.webvh_head)
        check_number("did.webvh_version", self.webvh_version)
        if (self.webvh_version == 0) != (self.webvh_head == bytes(HASH_BYTES)):
            raise MalformedInput("did.webvh_version", "zero if and only if no head is anchored", got=self.webvh_version)


@dataclass(frozen=True, slots=True)
class Counts:
    """How many records belong to a DID, so that whoever leaves one out is caught."""

    keys: int = 0
    """Active, retired and compromised ones."""
    active_keys: int = 0
    lists: int = 0
    schemas: int = 0
    accreditations: int = 0
    """That it has granted and that still have a record, revoked ones included."""

    def __post_init__(self) -> None:
        for name in ("keys", "lists", "schemas", "accreditations"):
            check_number(f"did.{name}", getattr(self, name), most=MAX_UINT32)
        check_number("did.active_keys", self.active_keys, most=self.keys)


@dataclass(frozen=True, slots=True)
class Moment:
    """A block of the hub: its height and its time in Unix seconds, rounded down."""

    height: int
    time_s: int

    def __post_init__(self) -> None:
        check_number("record.height", self.height)
        check_number("record.time_s", self.time_s)


@dataclass(frozen=True, slots=True)
class DidRecord:
    """`sequence` counts what the DID's controllers and guardians have approved, and is part of what they sign."""

    document: Document
    state: DidState
    sequence: int
    counts: Counts
    registered: Moment
    changed: Moment

    def __post_init__(self) -> None:
        check_number("did.sequence", self.sequence)

    @property
    def is_active(self) -> bool:
        """Whether it is not deactivated."""
        return self.state is DidState.ACTIVE


def encode_did_record(record: DidRecord) -> bytes:
    """Inverse of `decode_did_record`."""
    document, counts = record.document, record.counts
    return encode_value(
        STRUCT,
        (
            document.document_hash,
            document.webvh_version,
            document.webvh_head,
            record.state,
            record.sequence,
            counts.keys,
            counts.active_keys,
            counts.lists,
            counts.schemas,
            counts.accreditations,
            record.registered.height,
            record.registered.time_s,
            record.changed.height,
            record.changed.time_s,
        ),
    )


def decode_did_record(data: bytes) -> DidRecord:
    """The record of a DID.

    Raises:
        MalformedInput: an unknown version, another encoding, or a member out of its rule.
    """
    values = decode_value(STRUCT, data, "did")
    if values[3] not in tuple(DidState):
        raise MalformedInput("did.state", "1 active, 2 deactivated", got=values[3])
    return DidRecord(
        Document(*values[:3]),
        DidState(values[3]),
        values[4],
        Counts(*values[5:10]),
        Moment(*values[10:12]),
        Moment(*values[12:14]),
    )
