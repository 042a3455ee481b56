"""One job of the queue and its stored form, version 1 (docs/spec/queue-record.md)."""

import json
from base64 import b64decode, b64encode
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from light_clients.ibc.packet import (
    MAX_ACKNOWLEDGEMENT_BYTES,
    MAX_PACKET_BYTES,
    Acknowledgement,
    Packet,
    decode_acknowledgement,
    decode_packet,
    encode_acknowledgement,
    encode_packet,
)
from light_clients.interface import MalformedInput
from light_clients.interface.json_text import parse_json
from relay.dispatch.errors import RecordRefused

RECORD_VERSION = 1
MAX_RECORD_BYTES = (MAX_PACKET_BYTES + 2 * MAX_ACKNOWLEDGEMENT_BYTES) * 4 // 3 + 4096
MAX_CHAIN_NAME_CHARS = 32
_MAX_INT64 = 2**63 - 1
_FIELDS = {
    "version",
    "kind",
    "source",
    "destination",
    "packet",
    "acknowledgement",
    "event_height",
    "event_time_ns",
    "seen_at_ns",
}


class JobKind(StrEnum):
    """What is proven: a commitment to the packet's destination, or its outcome back to its source."""

    RECEIVE = "receive"
    ACKNOWLEDGE = "acknowledge"
    TIMEOUT = "timeout"


@dataclass(frozen=True, slots=True)
class Route:
    """One direction of a path: what is proven on `source` is submitted on `destination`, to its client `client`."""

    source: str
    destination: str
    client: str

    @property
    def name(self) -> str:
        """As logs and metrics show it."""
        return f"{self.destination}:{self.client}"


@dataclass(frozen=True, slots=True)
class Job:
    """Prove an event of chain `source` on chain `destination` (names of the configuration).

    `event_height` and `event_time_ns` are the block of the event on `source`; `seen_at_ns` is the relay's clock.
    """

    kind: JobKind
    source: str
    destination: str
    packet: Packet
    acknowledgement: Acknowledgement | None
    event_height: int
    event_time_ns: int
    seen_at_ns: int

    @property
    def packet_id(self) -> str:
        """`chain/client/sequence` of the sending end: one id from start to end."""
        chain = self.source if self.kind is JobKind.RECEIVE else self.destination
        return f"{chain}/{self.packet.source_client}/{self.packet.sequence}"

    @property
    def id(self) -> str:
        """Two jobs with one id do the same work."""
        return f"{self.kind}:{self.packet_id}"

    @property
    def route(self) -> Route:
        client = self.packet.destination_client if self.kind is JobKind.RECEIVE else self.packet.source_client
        return Route(self.source, self.destination, client)


def encode_job(job: Job) -> bytes:
    """Canonical JSON: sorted keys, no spaces, ASCII; packet and acknowledgement as base64 of canonical protobuf."""
    acknowledgement = job.acknowledgement
    document = {
        "version": RECORD_VERSION,
        "kind": job.kind.value,
        "source": job.source,
        "destination": job.destination,
        "packet": b64encode(encode_packet(job.packet)).decode(),
        "acknowledgement": None
        if acknowledgement is None
        else b64encode(encode_acknowledgement(acknowledgement)).decode(),
        "event_height": job.event_height,
        "event_time_ns": job.event_time_ns,
        "seen_at_ns": job.seen_at_ns,
    }
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


def decode_job(data: bytes) -> Job:
    """Inverse of `encode_job`.

    Raises:
        RecordRefused: anything else than the canonical bytes of a version 1 record.
    """
    try:
        document = parse_json(data, "record", MAX_RECORD_BYTES)
    except MalformedInput as error:
        raise RecordRefused("bytes", error.reason) from None
    if not isinstance(document, dict):
        raise RecordRefused("bytes", "is not a JSON object")
    version = document.get("version")
    if isinstance(version, bool) or version != RECORD_VERSION:
        raise RecordRefused("version", f"is {str(version)[:20]}, this relay reads {RECORD_VERSION}")
    if set(document) != _FIELDS:
        raise RecordRefused("fields", "are not those of version 1")
    try:
        kind = JobKind(document["kind"])
    except ValueError:
        raise RecordRefused("kind", "is unknown") from None
    job = Job(
        kind=kind,
        source=_name(document, "source"),
        destination=_name(document, "destination"),
        packet=_packet(document["packet"]),
        acknowledgement=_acknowledgement(document["acknowledgement"]),
        event_height=_integer(document, "event_height"),
        event_time_ns=_integer(document, "event_time_ns"),
        seen_at_ns=_integer(document, "seen_at_ns"),
    )
    if (job.acknowledgement is not None) != (kind is JobKind.ACKNOWLEDGE):
        raise RecordRefused("acknowledgement", "is there if and only if the job acknowledges")
    if encode_job(job) != data:
        raise RecordRefused("bytes", "are not the canonical encoding")
    return job


def _name(document: dict[str, Any], field: str) -> str:
    value = document[field]
    if not isinstance(value, str) or not 1 <= len(value) <= MAX_CHAIN_NAME_CHARS or not value.isascii():
        raise RecordRefused(field, "is not a chain name")
    return value


def _integer(document: dict[str, Any], field: str) -> int:
    value = document[field]
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _MAX_INT64:
        raise RecordRefused(field, "is not a non-negative int64")
    return value


def _bytes(value: Any, field: str) -> bytes:
    if not isinstance(value, str):
        raise RecordRefused(field, "is not base64 text")
    try:
        return b64decode(value, validate=True)
    except ValueError:
        raise RecordRefused(field, "is not base64 text") from None


def _packet(value: Any) -> Packet:
    try:
        return decode_packet(_bytes(value, "packet"))
    except MalformedInput as error:
        raise RecordRefused("packet", str(error)) from None


def _acknowledgement(value: Any) -> Acknowledgement | None:
    if value is None:
        return None
    try:
        return decode_acknowledgement(_bytes(value, "acknowledgement"))
    except MalformedInput as error:
        raise RecordRefused("acknowledgement", str(error)) from None
