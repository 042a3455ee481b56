"""Evidence of one delivery and its stored form, version 1 (docs/spec/evidence.md).

Everything that a reader needs to judge the delivery again with a light client, but for the trust: the trusted states in
it are what the destination held, and an auditor compares them with a checkpoint of their own.
"""

import json
import re
from base64 import b64encode
from dataclasses import dataclass

from hutong.light_clients.ibc.packet import (
    Acknowledgement,
    Packet,
    decode_acknowledgement,
    decode_packet,
    encode_acknowledgement,
    encode_packet,
)
from hutong.light_clients.interface import (
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
from hutong.light_clients.interface.document import Document, HexForm, Members

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
        """`chain/client/sequence` of the sending end, with the configured name of that chain."""
        chain = self.source_chain if self.kind == "receive" else self.destination_chain
        return f"{chain}/{self.packet.source_client}/{self.packet.sequence}"


def encode_evidence(evidence: Evidence) -> bytes:
    """Canonical JSON with a final line break: sorted keys, no spaces, ASCII; bytes as base64, heights as texts.

    Nothing is checked: see `check_evidence`.
    """
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
    document = Document.parse(data, "evidence", MAX_EVIDENCE_BYTES)
    with document.of_format("evidence", EVIDENCE_FORMAT, EVIDENCE_VERSION) as fields:
        fields.pass_over("packet_id")  # it follows from the rest, which the encodings are compared for
        evidence = _evidence(fields)
    check_evidence(evidence)
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


def _evidence(fields: Members) -> Evidence:
    acknowledgement, value = fields["acknowledgement"].nullable(), fields["value"].nullable()
    return Evidence(
        kind=fields["kind"].ascii(MAX_TEXT_CHARS),
        source_chain=fields["source_chain"].ascii(MAX_TEXT_CHARS),
        source_chain_id=fields["source_chain_id"].ascii(MAX_TEXT_CHARS),
        destination_chain=fields["destination_chain"].ascii(MAX_TEXT_CHARS),
        destination_chain_id=fields["destination_chain_id"].ascii(MAX_TEXT_CHARS),
        client_id=fields["client_id"].ascii(MAX_TEXT_CHARS),
        client_type=fields["client_type"].ascii(MAX_TEXT_CHARS),
        packet=decode_packet(fields["packet"].base64(MAX_EVIDENCE_BYTES)),
        acknowledgement=None
        if acknowledgement is None
        else decode_acknowledgement(acknowledgement.base64(MAX_EVIDENCE_BYTES)),
        event_height=fields["event_height"].integer(0, _MAX_INT64),
        trusted_height=Height.parse(fields["trusted_height"].ascii(MAX_TEXT_CHARS)),
        trusted_client_state=fields["trusted_client_state"].base64(MAX_CLIENT_STATE_BYTES),
        trusted_consensus_state=fields["trusted_consensus_state"].base64(MAX_CONSENSUS_STATE_BYTES),
        headers=tuple(header.base64(MAX_CLIENT_MESSAGE_BYTES) for header in fields["headers"].items(MAX_HEADERS)),
        proof_height=Height.parse(fields["proof_height"].ascii(MAX_TEXT_CHARS)),
        path=tuple(element.base64(MAX_PATH_ELEMENT_BYTES) for element in fields["path"].items(MAX_PATH_ELEMENTS, 1)),
        value=None if value is None else value.base64(MAX_VALUE_BYTES),
        proof=fields["proof"].base64(MAX_PROOF_BYTES),
        verified_at_ns=fields["verified_at_ns"].integer(0, _MAX_INT64),
        transaction_hash=fields["transaction_hash"].hex(32, HexForm.PREFIXED),
    )


def _text(data: bytes) -> str:
    return b64encode(data).decode()
