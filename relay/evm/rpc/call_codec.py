"""A call and its result as bytes, for the pipes between a node and its call processes.

Both ends are of one program and one version; the bounds guard against a process that ends in the middle of a frame.
"""

import json
from dataclasses import dataclass
from typing import Any

from hutong.relay.evm.errors import CallFailure
from hutong.relay.evm.vm.outcomes import CallMessage, CallResult

FRAME_LENGTH_BYTES = 4
MAX_FRAME_BYTES = 192 * 1024 * 1024
"""What a call returns is memory that its gas paid for: below 70 MB at 100 million gas, twice that in hex."""


@dataclass(frozen=True, slots=True)
class CallRequest:
    """`block_hash` guards against a block number that means another block to the other end."""

    block_number: int
    block_hash: bytes
    message: CallMessage
    estimate: bool


@dataclass(frozen=True, slots=True)
class Pruned:
    """The state after the block is no longer stored."""

    height: int
    oldest: int


@dataclass(frozen=True, slots=True)
class Aborted:
    """One sentence; the process that says it ends."""

    reason: str


CallAnswer = int | CallResult | Pruned | Aborted


def encode_request(request: CallRequest) -> bytes:
    """The node's side: JSON, without the FRAME_LENGTH_BYTES (big-endian) that precede it in the pipe."""
    message = request.message
    return _encode(
        {
            "block": request.block_number,
            "hash": request.block_hash.hex(),
            "estimate": request.estimate,
            "sender": message.sender.hex(),
            "to": None if message.to is None else message.to.hex(),
            "data": message.data.hex(),
            "value": message.value_wei,
            "gas": message.gas,
            "access": [[address.hex(), list(slots)] for address, slots in message.access_list],
        }
    )


def decode_request(body: bytes) -> CallRequest:
    """The call process's side, for bytes of the node that started it.

    Raises:
        ValueError, KeyError, TypeError: the bytes are no whole request; the process ends by it.
    """
    fields = json.loads(body)
    to = fields["to"]
    message = CallMessage(
        bytes.fromhex(fields["sender"]),
        None if to is None else bytes.fromhex(to),
        bytes.fromhex(fields["data"]),
        fields["value"],
        fields["gas"],
        tuple((bytes.fromhex(address), tuple(slots)) for address, slots in fields["access"]),
    )
    return CallRequest(fields["block"], bytes.fromhex(fields["hash"]), message, fields["estimate"])


def encode_answer(answer: CallAnswer) -> bytes:
    """The call process's side: an estimate as a number, a result, or why there is neither."""
    match answer:
        case int():
            return _encode({"gas": answer})
        case Pruned(height, oldest):
            return _encode({"pruned": [height, oldest]})
        case Aborted(reason):
            return _encode({"aborted": reason})
        case CallResult():
            return _encode(
                {
                    "success": answer.success,
                    "data": answer.return_data.hex(),
                    "used": answer.gas_used,
                    "failure": None if answer.failure is None else answer.failure.name,
                    "detail": answer.failure_detail,
                }
            )


def decode_answer(body: bytes) -> CallAnswer:
    """The node's side. The answer's length is bounded before by MAX_FRAME_BYTES.

    Raises:
        ValueError, KeyError, TypeError: the bytes are no whole answer; `CallProcesses` lets that through as a defect.
    """
    fields = json.loads(body)
    if "gas" in fields:
        return int(fields["gas"])
    if "pruned" in fields:
        return Pruned(*fields["pruned"])
    if "aborted" in fields:
        return Aborted(fields["aborted"])
    failure = fields["failure"]
    return CallResult(
        fields["success"],
        bytes.fromhex(fields["data"]),
        fields["used"],
        None if failure is None else CallFailure[failure],
        fields["detail"],
    )


def _encode(fields: dict[str, Any]) -> bytes:
    return json.dumps(fields, separators=(",", ":")).encode()
