"""One job of the queue and its stored form, version 1 (docs/spec/queue-record.md)."""

import json
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeVar

from hutong.light_clients.ibc.packet import (
    MAX_ACKNOWLEDGEMENT_BYTES,
    MAX_PACKET_BYTES,
    Acknowledgement,
    Packet,
    decode_acknowledgement,
    decode_packet,
    encode_acknowledgement,
    encode_packet,
)
from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.interface.document import Document
from hutong.light_clients.interface.json_text import parse_json
from hutong.relay.dispatch.errors import RecordRefused

RECORD_VERSION = 1
MAX_RECORD_BYTES = (MAX_PACKET_BYTES + 2 * MAX_ACKNOWLEDGEMENT_BYTES) * 4 // 3 + 4096
MAX_CHAIN_NAME_CHARS = 32
_MAX_INT64 = 2**63 - 1
Decoded = TypeVar("Decoded")


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
    _record: bytes | None = field(default=None, init=False, repr=False, compare=False)

    @property
    def record(self) -> bytes:
        """Its stored form, as `encode_job` gives it, made once: the ledger keeps it, and the queue gets it."""
        made = self._record
        if made is None:
            made = encode_job(self)
            object.__setattr__(self, "_record", made)
        return made

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
        """The direction of the path that the job travels: its client is the one on `destination`, whichever end sent
        the packet.
        """
        client = self.packet.destination_client if self.kind is JobKind.RECEIVE else self.packet.source_client
        return Route(self.source, self.destination, client)


def encode_job(job: Job) -> bytes:
    """Canonical JSON: sorted keys, no spaces, ASCII; packet and acknowledgement as base64 of canonical protobuf.

    Nothing is checked: `decode_job` refuses what is out of bounds (docs/spec/queue-record.md).
    """
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
        parsed = parse_json(data, "record", MAX_RECORD_BYTES)
    except MalformedInput as error:
        raise RecordRefused("bytes", error.reason) from None
    with Document(parsed, "", _refusal).members() as fields:
        version = fields["version"]
        version.exactly(RECORD_VERSION, f"is {str(version.value)[:20]}, this relay reads {RECORD_VERSION}")
        kind = fields["kind"].choice(JobKind)
        acknowledgement = fields["acknowledgement"].nullable()
        job = Job(
            kind=kind,
            source=fields["source"].ascii(MAX_CHAIN_NAME_CHARS, least=1),
            destination=fields["destination"].ascii(MAX_CHAIN_NAME_CHARS, least=1),
            packet=_decoded(fields["packet"], decode_packet),
            acknowledgement=None if acknowledgement is None else _decoded(acknowledgement, decode_acknowledgement),
            event_height=fields["event_height"].integer(0, _MAX_INT64),
            event_time_ns=fields["event_time_ns"].integer(0, _MAX_INT64),
            seen_at_ns=fields["seen_at_ns"].integer(0, _MAX_INT64),
        )
    if (job.acknowledgement is not None) != (kind is JobKind.ACKNOWLEDGE):
        raise RecordRefused("acknowledgement", "is there if and only if the job acknowledges")
    if job.record != data:
        raise RecordRefused("bytes", "are not the canonical encoding")
    return job


def _refusal(field: str, reason: str, _got: Any, _expected: Any) -> RecordRefused:
    """Without what was got: a packet may be large, and the letter keeps the record."""
    return RecordRefused(field or "bytes", reason)


def _decoded(document: Document, decode: Callable[[bytes], Decoded]) -> Decoded:
    data = document.base64(MAX_RECORD_BYTES)
    try:
        return decode(data)
    except MalformedInput as error:
        raise document.refused(str(error)) from None
