"""What an attestor is asked and answers over HTTP: JSON both ways (docs/spec/attestor-api.md)."""

import json
from dataclasses import dataclass
from typing import Any

from hutong.light_clients.attestation import ABSENT, Scope
from hutong.light_clients.attestation.types import MAX_ROUTER_BYTES, SIGNATURE_BYTES
from hutong.light_clients.crypto.hashes import HASH_BYTES
from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.interface.document import Document, HexForm, Members
from hutong.light_clients.interface.height import MAX_UINT64

PATH = "/v1/attestations"
MAX_PATHS = 128
"""Of one request; each is signed by itself, so that each packet's proof on a chain carries its own entry alone."""
MAX_WAIT_MS = 5_000
MAX_REQUEST_BYTES = 16 * 1024
MAX_ANSWER_BYTES = 64 * 1024
MAX_REASON_CHARS = 500
ERROR_CODES = ("bad_request", "not_configured", "not_final", "too_old", "contradiction", "unavailable")


@dataclass(frozen=True, slots=True)
class AttestationRequest:
    """Sign the state at `height`, and what it holds under each of `path_hashes`, for one client.

    `wait_ms`: how long the attestor may wait for the height to become final. `state_root`: sign that of the block too,
    for observations.
    """

    scope: Scope
    height: int
    path_hashes: tuple[bytes, ...]
    wait_ms: int = 0
    state_root: bool = False


@dataclass(frozen=True, slots=True)
class PacketSignature:
    """What is stored under one path (zero: nothing), with the signature over a packet attestation of this entry alone."""

    commitment: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class StateRootSignature:
    """The state root of the block, 32 bytes, with the signature over an attestation of kind 4."""

    state_root: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class AttestationAnswer:
    """`packets` are in the order of the request's paths; `root` is there where it was asked for."""

    height: int
    timestamp_s: int
    state_signature: bytes
    packets: tuple[PacketSignature, ...]
    root: StateRootSignature | None = None


@dataclass(eq=True)
class AttestorRefused(Exception):
    """An attestor's reason for not signing. `code` is one of ERROR_CODES."""

    code: str
    reason: str

    def __str__(self) -> str:
        return f"{self.code}: {self.reason}"


def encode_request(request: AttestationRequest) -> bytes:
    """The request's body, as docs/spec/attestor-api.md has it."""
    scope = request.scope
    document: dict[str, Any] = {
        "scope": {
            "source_chain_id": scope.source_chain_id,
            "source_router": _hex(scope.source_router),
            "destination_chain_id": scope.destination_chain_id,
            "destination_router": _hex(scope.destination_router),
            "destination_client_id": scope.destination_client_id,
        },
        "height": request.height,
        "paths": [_hex(path_hash) for path_hash in request.path_hashes],
        "wait_ms": request.wait_ms,
    }
    if request.state_root:
        document["state_root"] = True
    return json.dumps(document, separators=(",", ":")).encode()


def decode_request(data: bytes) -> AttestationRequest:
    """The request that an attestor received, of at most MAX_REQUEST_BYTES bytes and MAX_PATHS paths.

    Raises:
        MalformedInput: too long, a wrong or missing field, or a path that is named twice.
    """
    with Document.parse(data, "request", MAX_REQUEST_BYTES).members() as fields:
        scope = _scope(fields["scope"])
        paths = tuple(path.hex(HASH_BYTES, HexForm.PREFIXED) for path in fields["paths"].items(MAX_PATHS))
        if len(set(paths)) != len(paths):
            raise MalformedInput("request.paths", "repeats a path")
        asked = fields.optional("state_root")
        return AttestationRequest(
            scope,
            fields["height"].integer(0, MAX_UINT64),
            paths,
            fields["wait_ms"].integer(0, MAX_WAIT_MS),
            asked is not None and asked.flag(),
        )


def _scope(document: Document) -> Scope:
    with document.members() as fields:
        return Scope(
            fields["source_chain_id"].text(MAX_REQUEST_BYTES),
            fields["source_router"].hex_of_at_most(MAX_ROUTER_BYTES, HexForm.PREFIXED),
            fields["destination_chain_id"].text(MAX_REQUEST_BYTES),
            fields["destination_router"].hex_of_at_most(MAX_ROUTER_BYTES, HexForm.PREFIXED),
            fields["destination_client_id"].text(MAX_REQUEST_BYTES),
        )


def encode_answer(answer: AttestationAnswer) -> bytes:
    """The answer's body, as docs/spec/attestor-api.md has it."""
    document: dict[str, Any] = {
        "height": answer.height,
        "timestamp_s": answer.timestamp_s,
        "state_signature": _hex(answer.state_signature),
        "packets": [
            {"commitment": _hex(packet.commitment), "signature": _hex(packet.signature)} for packet in answer.packets
        ],
    }
    if answer.root is not None:
        document["state_root"] = _hex(answer.root.state_root)
        document["state_root_signature"] = _hex(answer.root.signature)
    return json.dumps(document, separators=(",", ":")).encode()


def decode_answer(data: bytes) -> AttestationAnswer:
    """What an attestor answered, of at most MAX_ANSWER_BYTES bytes. Its signatures are not checked here.

    Raises:
        AttestorRefused: the answer is an error of the API.
        MalformedInput: too long, or a wrong or missing field.
    """
    with Document.parse(data, "answer", MAX_ANSWER_BYTES).members() as fields:
        if "error" in fields:
            refused = _refusal(fields["error"])
        else:
            return AttestationAnswer(
                fields["height"].integer(0, MAX_UINT64),
                fields["timestamp_s"].integer(0, MAX_UINT64),
                fields["state_signature"].hex(SIGNATURE_BYTES, HexForm.PREFIXED),
                tuple(_packet(packet) for packet in fields["packets"].items(MAX_PATHS)),
                _root(fields),
            )
    raise refused


def _refusal(document: Document) -> AttestorRefused:
    with document.members() as fields:
        code, reason = fields["code"].text(MAX_ANSWER_BYTES), fields["reason"].text(MAX_ANSWER_BYTES)
    if code not in ERROR_CODES:
        raise MalformedInput("answer.error.code", "is not a code of the attestors' API", got=code)
    return AttestorRefused(code, reason[:MAX_REASON_CHARS])


def _packet(document: Document) -> PacketSignature:
    with document.members() as fields:
        return PacketSignature(
            fields["commitment"].hex(HASH_BYTES, HexForm.PREFIXED),
            fields["signature"].hex(SIGNATURE_BYTES, HexForm.PREFIXED),
        )


def _root(fields: Members) -> StateRootSignature | None:
    """Both members, or neither."""
    root = fields.optional("state_root")
    if root is None:
        return None
    signature = fields["state_root_signature"].hex(SIGNATURE_BYTES, HexForm.PREFIXED)
    return StateRootSignature(root.hex(HASH_BYTES, HexForm.PREFIXED), signature)


def encode_error(refusal: AttestorRefused) -> bytes:
    """The body of a refusal, as docs/spec/attestor-api.md has it."""
    document = {"error": {"code": refusal.code, "reason": refusal.reason[:MAX_REASON_CHARS]}}
    return json.dumps(document, separators=(",", ":")).encode()


def shown(commitment: bytes) -> str:
    """A commitment for a person to read."""
    return "nothing" if commitment == ABSENT else _hex(commitment)


def _hex(data: bytes) -> str:
    return "0x" + data.hex()
