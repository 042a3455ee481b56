"""Evidence of one delivery and its stored form, version 1 (docs/spec/evidence.md).

Everything that a reader needs to judge the delivery again with a light client, but for the trust: the trusted states in
it are what the destination held, and an auditor compares them with a checkpoint of their own.
"""

import json
import re
from base64 import b64decode, b64encode
from dataclasses import dataclass
from typing import Any

from light_clients.ibc.packet import (
    Acknowledgement,
    Packet,
    decode_acknowledgement,
    decode_packet,
    encode_acknowledgement,
    encode_packet,
)
from light_clients.interface import (
    MAX_CLIENT_MESSAGE_BYTES,
    MAX_CLIENT_STATE_BYTES,
    MAX_CONSENSUS_STATE_BYTES,
    MAX_PATH_ELEMENT_BYTES,
    MAX_PATH_ELEMENTS,
    MAX_PROOF_BYTES,
    MAX_VALUE_BYTES,
    Height,
    MalformedInput,
)
from light_clients.interface.json_text import parse_json

EVIDENCE_FORMAT = "hutong-evidence"
EVIDENCE_VERSION = 1
MAX_HEADERS = 64
MAX_EVIDENCE_BYTES = 32 * 1024 * 1024
MAX_TEXT_CHARS = 128
KINDS = ("receive", "acknowledge", "timeout")

CHAIN_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?")
_MAX_INT64 = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was proven to a client on `destination_chain`, by which headers and proof.

    `headers` bring the client from `trusted_height` to `proof_height`, in order; none if they are equal.
    `value` None: the path was proven to hold nothing. `verified_at_ns` is the time with which the relay verified.
    """

    kind: str
    source_chain: str
    source_chain_id: str
    destination_chain: str
    destination_chain_id: str
    client_id: str
    client_type: str
    packet: Packet
    acknowledgement: Acknowledgement | None
    event_height: int
    trusted_height: Height
    trusted_client_state: bytes
    trusted_consensus_state: bytes
    headers: tuple[bytes, ...]
    proof_height: Height
    path: tuple[bytes, ...]
    value: bytes | None
    proof: bytes
    verified_at_ns: int
    transaction_hash: bytes

    @property
    def packet_id(self) -> str:
        """`chain/client/sequence` of the sending end."""
        chain = self.source_chain if self.kind == "receive" else self.destination_chain
        return f"{chain}/{self.packet.source_client}/{self.packet.sequence}"


_FIELDS = frozenset(Evidence.__dataclass_fields__) | {"format", "version", "packet_id"}


def encode_evidence(evidence: Evidence) -> bytes:
    """Canonical JSON with a final line break: sorted keys, no spaces, ASCII; bytes as base64, heights as texts."""
    acknowledgement = evidence.acknowledgement
    document = {
        "format": EVIDENCE_FORMAT,
        "version": EVIDENCE_VERSION,
        "packet_id": evidence.packet_id,
        "kind": evidence.kind,
        "source_chain": evidence.source_chain,
        "source_chain_id": evidence.source_chain_id,
        "destination_chain": evidence.destination_chain,
        "destination_chain_id": evidence.destination_chain_id,
        "client_id": evidence.client_id,
        "client_type": evidence.client_type,
        "packet": _text(encode_packet(evidence.packet)),
        "acknowledgement": None if acknowledgement is None else _text(encode_acknowledgement(acknowledgement)),
        "event_height": evidence.event_height,
        "trusted_height": str(evidence.trusted_height),
        "trusted_client_state": _text(evidence.trusted_client_state),
        "trusted_consensus_state": _text(evidence.trusted_consensus_state),
        "headers": [_text(header) for header in evidence.headers],
        "proof_height": str(evidence.proof_height),
        "path": [_text(element) for element in evidence.path],
        "value": None if evidence.value is None else _text(evidence.value),
        "proof": _text(evidence.proof),
        "verified_at_ns": evidence.verified_at_ns,
        "transaction_hash": "0x" + evidence.transaction_hash.hex(),
    }
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode() + b"\n"


def decode_evidence(data: bytes) -> Evidence:
    """Inverse of `encode_evidence`. Nothing is verified here.

    Raises:
        MalformedInput: anything else than the canonical bytes of version 1, or a value out of bounds.
    """
    document = parse_json(data, "evidence", MAX_EVIDENCE_BYTES)
    if not isinstance(document, dict) or document.get("format") != EVIDENCE_FORMAT:
        raise MalformedInput("evidence.format", "is not evidence", expected=EVIDENCE_FORMAT)
    version = document.get("version")
    if isinstance(version, bool) or version != EVIDENCE_VERSION:
        raise MalformedInput("evidence.version", "unknown", got=version, expected=EVIDENCE_VERSION)
    if set(document) != _FIELDS:
        raise MalformedInput("evidence", "does not have the fields of version 1")
    evidence = _evidence(document)
    if encode_evidence(evidence) != data:
        raise MalformedInput("evidence", "is not the canonical encoding")
    return evidence


def check_evidence(evidence: Evidence) -> None:
    """Bounds and names, so that a file name made of them stays inside the archive.

    Raises:
        MalformedInput: naming the field.
    """
    if evidence.kind not in KINDS:
        raise MalformedInput("evidence.kind", "unknown", got=evidence.kind)
    if (evidence.acknowledgement is not None) != (evidence.kind == "acknowledge"):
        raise MalformedInput("evidence.acknowledgement", "is there if and only if kind is acknowledge")
    if (evidence.value is None) != (evidence.kind == "timeout"):
        raise MalformedInput("evidence.value", "is absent if and only if kind is timeout")
    for name in ("source_chain", "destination_chain"):
        if CHAIN_NAME.fullmatch(getattr(evidence, name)) is None:
            raise MalformedInput(f"evidence.{name}", "is not a chain name", got=getattr(evidence, name))
    for name in ("event_height", "verified_at_ns"):
        if not 0 <= getattr(evidence, name) <= _MAX_INT64:
            raise MalformedInput(f"evidence.{name}", "is not a non-negative int64")
    if len(evidence.transaction_hash) != 32:
        raise MalformedInput("evidence.transaction_hash", "is not 32 bytes")
    if not 1 <= len(evidence.path) <= MAX_PATH_ELEMENTS or len(evidence.headers) > MAX_HEADERS:
        raise MalformedInput("evidence", "has too many headers or path elements, or no path")
    bounds = (
        ("trusted_client_state", MAX_CLIENT_STATE_BYTES, (evidence.trusted_client_state,)),
        ("trusted_consensus_state", MAX_CONSENSUS_STATE_BYTES, (evidence.trusted_consensus_state,)),
        ("headers", MAX_CLIENT_MESSAGE_BYTES, evidence.headers),
        ("path", MAX_PATH_ELEMENT_BYTES, evidence.path),
        ("value", MAX_VALUE_BYTES, () if evidence.value is None else (evidence.value,)),
        ("proof", MAX_PROOF_BYTES, (evidence.proof,)),
    )
    for name, limit, parts in bounds:
        if any(len(part) > limit for part in parts):
            raise MalformedInput(f"evidence.{name}", f"more than {limit} bytes")


def _evidence(document: dict[str, Any]) -> Evidence:
    acknowledgement = document["acknowledgement"]
    value = document["value"]
    transaction_hash = document["transaction_hash"]
    if not isinstance(transaction_hash, str) or re.fullmatch(r"0x[0-9a-f]{64}", transaction_hash) is None:
        raise MalformedInput("evidence.transaction_hash", "is not 0x and 64 hex digits")
    evidence = Evidence(
        kind=_string(document, "kind"),
        source_chain=_string(document, "source_chain"),
        source_chain_id=_string(document, "source_chain_id"),
        destination_chain=_string(document, "destination_chain"),
        destination_chain_id=_string(document, "destination_chain_id"),
        client_id=_string(document, "client_id"),
        client_type=_string(document, "client_type"),
        packet=decode_packet(_bytes(document["packet"], "packet")),
        acknowledgement=None
        if acknowledgement is None
        else decode_acknowledgement(_bytes(acknowledgement, "acknowledgement")),
        event_height=_integer(document, "event_height"),
        trusted_height=Height.parse(_string(document, "trusted_height")),
        trusted_client_state=_bytes(document["trusted_client_state"], "trusted_client_state"),
        trusted_consensus_state=_bytes(document["trusted_consensus_state"], "trusted_consensus_state"),
        headers=_list(document, "headers"),
        proof_height=Height.parse(_string(document, "proof_height")),
        path=_list(document, "path"),
        value=None if value is None else _bytes(value, "value"),
        proof=_bytes(document["proof"], "proof"),
        verified_at_ns=_integer(document, "verified_at_ns"),
        transaction_hash=bytes.fromhex(transaction_hash[2:]),
    )
    check_evidence(evidence)
    return evidence


def _text(data: bytes) -> str:
    return b64encode(data).decode()


def _string(document: dict[str, Any], field: str) -> str:
    value = document[field]
    if not isinstance(value, str) or len(value) > MAX_TEXT_CHARS or not value.isascii():
        raise MalformedInput(f"evidence.{field}", f"is not an ASCII text of at most {MAX_TEXT_CHARS} characters")
    return value


def _integer(document: dict[str, Any], field: str) -> int:
    value = document[field]
    if not isinstance(value, int) or isinstance(value, bool):
        raise MalformedInput(f"evidence.{field}", "is not an integer")
    return value


def _bytes(value: Any, field: str) -> bytes:
    if not isinstance(value, str):
        raise MalformedInput(f"evidence.{field}", "is not base64 text")
    try:
        return b64decode(value, validate=True)
    except ValueError:
        raise MalformedInput(f"evidence.{field}", "is not base64 text") from None


def _list(document: dict[str, Any], field: str) -> tuple[bytes, ...]:
    values = document[field]
    if not isinstance(values, list) or len(values) > max(MAX_HEADERS, MAX_PATH_ELEMENTS):
        raise MalformedInput(f"evidence.{field}", "is not a list within bounds")
    return tuple(_bytes(value, f"{field}[{index}]") for index, value in enumerate(values))
