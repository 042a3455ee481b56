"""What an attestor is asked and answers over HTTP: JSON both ways (docs/spec/attestor-api.md)."""

import json
import re
from dataclasses import dataclass
from typing import Any

from light_clients.attestation import ABSENT, Scope
from light_clients.attestation.types import HASH_BYTES, MAX_ROUTER_BYTES, SIGNATURE_BYTES
from light_clients.interface import MalformedInput
from light_clients.interface.height import MAX_UINT64
from light_clients.interface.json_text import parse_json

PATH = "/v1/attestations"
MAX_PATHS = 128
"""Of one request; each is signed by itself, so that each packet's proof on a chain carries its own entry alone."""
MAX_WAIT_MS = 5_000
MAX_REQUEST_BYTES = 16 * 1024
MAX_ANSWER_BYTES = 64 * 1024
MAX_REASON_CHARS = 500
ERROR_CODES = ("bad_request", "not_configured", "not_final", "too_old", "contradiction", "unavailable")

_HEX = re.compile(r"0x([0-9a-f]{2})*")
_SCOPE_FIELDS = (
    "source_chain_id",
    "source_router",
    "destination_chain_id",
    "destination_router",
    "destination_client_id",
)


@dataclass(frozen=True, slots=True)
class AttestationRequest:
    """Sign the state at `height`, and what it holds under each of `path_hashes`, for one client.

    `wait_ms`: how long the attestor may wait for the height to become final.
    """

    scope: Scope
    height: int
    path_hashes: tuple[bytes, ...]
    wait_ms: int = 0


@dataclass(frozen=True, slots=True)
class PacketSignature:
    """What is stored under one path (zero: nothing), with the signature over a packet attestation of this entry alone."""

    commitment: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class AttestationAnswer:
    """`packets` are in the order of the request's paths."""

    height: int
    timestamp_s: int
    state_signature: bytes
    packets: tuple[PacketSignature, ...]


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
    document = {
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
    return json.dumps(document, separators=(",", ":")).encode()


def decode_request(data: bytes) -> AttestationRequest:
    """Raises MalformedInput."""
    document = _object(
        parse_json(data, "request", MAX_REQUEST_BYTES), "request", ("scope", "height", "paths", "wait_ms")
    )
    scope = _object(document["scope"], "scope", _SCOPE_FIELDS)
    paths = tuple(
        _bytes(path, f"paths[{index}]", HASH_BYTES) for index, path in enumerate(_list(document["paths"], "paths"))
    )
    if len(set(paths)) != len(paths):
        raise MalformedInput("paths", "repeats a path")
    return AttestationRequest(
        Scope(
            _text(scope["source_chain_id"], "scope.source_chain_id"),
            _bytes(scope["source_router"], "scope.source_router", most=MAX_ROUTER_BYTES),
            _text(scope["destination_chain_id"], "scope.destination_chain_id"),
            _bytes(scope["destination_router"], "scope.destination_router", most=MAX_ROUTER_BYTES),
            _text(scope["destination_client_id"], "scope.destination_client_id"),
        ),
        _integer(document["height"], "height", MAX_UINT64),
        paths,
        _integer(document["wait_ms"], "wait_ms", MAX_WAIT_MS),
    )


def encode_answer(answer: AttestationAnswer) -> bytes:
    """The answer's body, as docs/spec/attestor-api.md has it."""
    document = {
        "height": answer.height,
        "timestamp_s": answer.timestamp_s,
        "state_signature": _hex(answer.state_signature),
        "packets": [
            {"commitment": _hex(packet.commitment), "signature": _hex(packet.signature)} for packet in answer.packets
        ],
    }
    return json.dumps(document, separators=(",", ":")).encode()


def decode_answer(data: bytes) -> AttestationAnswer:
    """Raises MalformedInput, or AttestorRefused where the answer is an error."""
    document = parse_json(data, "answer", MAX_ANSWER_BYTES)
    if isinstance(document, dict) and "error" in document:
        error = _object(_object(document, "answer", ("error",))["error"], "error", ("code", "reason"))
        code, reason = _text(error["code"], "error.code"), _text(error["reason"], "error.reason")
        if code not in ERROR_CODES:
            raise MalformedInput("error.code", "is none of the API's", got=code)
        raise AttestorRefused(code, reason[:MAX_REASON_CHARS])
    names = ("height", "timestamp_s", "state_signature", "packets")
    answer = _object(document, "answer", names)
    packets = []
    for index, value in enumerate(_list(answer["packets"], "packets")):
        entry = _object(value, f"packets[{index}]", ("commitment", "signature"))
        packets.append(
            PacketSignature(
                _bytes(entry["commitment"], f"packets[{index}].commitment", HASH_BYTES),
                _bytes(entry["signature"], f"packets[{index}].signature", SIGNATURE_BYTES),
            )
        )
    return AttestationAnswer(
        _integer(answer["height"], "height", MAX_UINT64),
        _integer(answer["timestamp_s"], "timestamp_s", MAX_UINT64),
        _bytes(answer["state_signature"], "state_signature", SIGNATURE_BYTES),
        tuple(packets),
    )


def encode_error(refusal: AttestorRefused) -> bytes:
    """The body of a refusal, as docs/spec/attestor-api.md has it."""
    document = {"error": {"code": refusal.code, "reason": refusal.reason[:MAX_REASON_CHARS]}}
    return json.dumps(document, separators=(",", ":")).encode()


def shown(commitment: bytes) -> str:
    """A commitment for a person to read."""
    return "nothing" if commitment == ABSENT else _hex(commitment)


def _hex(data: bytes) -> str:
    return "0x" + data.hex()


def _object(value: Any, field: str, names: tuple[str, ...]) -> dict[str, Any]:
    if not isinstance(value, dict) or set(value) != set(names):
        raise MalformedInput(field, f"must be an object of exactly {', '.join(names)}")
    return value


def _list(value: Any, field: str) -> list[Any]:
    if not isinstance(value, list) or len(value) > MAX_PATHS:
        raise MalformedInput(field, f"must be a list of at most {MAX_PATHS}")
    return value


def _text(value: Any, field: str) -> str:
    if not isinstance(value, str):
        raise MalformedInput(field, "must be a text")
    return value


def _integer(value: Any, field: str, most: int) -> int:
    if type(value) is not int or not 0 <= value <= most:
        raise MalformedInput(field, f"must be a whole number from 0 to {most}", got=value)
    return value


def _bytes(value: Any, field: str, size: int | None = None, most: int = 0) -> bytes:
    if not isinstance(value, str) or len(value) > 2 + 2 * (size or most) or _HEX.fullmatch(value) is None:
        raise MalformedInput(field, "must be 0x and lower-case hex")
    data = bytes.fromhex(value[2:])
    if size is not None and len(data) != size:
        raise MalformedInput(field, f"must be {size} bytes", got=len(data))
    return data
