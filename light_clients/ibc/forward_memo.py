"""The memo that asks the hub to send received tokens on (docs/spec/transfer-packets.md).

Packet-forward format of Cosmos chains with a client identifier where it has a channel, one hop.
"""

import json
import re
from dataclasses import dataclass
from typing import Any

from hutong.light_clients.ibc.identifiers import check_client_id
from hutong.light_clients.interface import NANOSECONDS_PER_SECOND, MalformedInput, UnsupportedOperation
from hutong.light_clients.interface.height import MAX_UINT64
from hutong.light_clients.interface.json_text import parse_json

FORWARD_MEMO_PORT = "transfer"
DEFAULT_FORWARD_TIMEOUT_S = 300
"""What packet-forward middlewares take where the memo has no timeout."""
MAX_FORWARD_MEMO_BYTES = 32_768
MAX_FORWARD_RECEIVER_BYTES = 2_048

_UNITS_NS = {"h": 3600 * 10**9, "m": 60 * 10**9, "s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}
_DURATION = re.compile(r"(?:[0-9]{1,19}(?:h|ms|m|us|ns|s))+", re.ASCII)
_DURATION_PART = re.compile(r"([0-9]{1,19})(h|ms|m|us|ns|s)", re.ASCII)
_FIELDS = {"receiver", "port", "channel", "timeout_timestamp", "timeout", "retries", "next"}


@dataclass(frozen=True, slots=True)
class ForwardInstruction:
    """Where the tokens go next. Of the two times at most one is set; without either the wait is the default.

    `next_client` is the hub's client of the next chain.
    """

    receiver: str
    next_client: str
    timeout_timestamp_s: int | None = None
    """Absolute Unix seconds (T2)."""
    timeout_ns: int | None = None
    """From the receive on, as stock memos have it."""

    def __post_init__(self) -> None:
        if not self.receiver.strip():
            raise MalformedInput("forward_memo.receiver", "is blank")
        if len(self.receiver) > MAX_FORWARD_RECEIVER_BYTES or len(_utf8(self.receiver)) > MAX_FORWARD_RECEIVER_BYTES:
            raise MalformedInput("forward_memo.receiver", f"more than {MAX_FORWARD_RECEIVER_BYTES} bytes")
        check_client_id(self.next_client, "forward_memo.channel")
        if self.timeout_timestamp_s is not None and self.timeout_ns is not None:
            raise MalformedInput("forward_memo.timeout", "timeout and timeout_timestamp exclude each other")
        for name in ("timeout_timestamp_s", "timeout_ns"):
            value = getattr(self, name)
            if value is not None and not 0 < value <= MAX_UINT64:
                raise MalformedInput(f"forward_memo.{name}", "must be a positive uint64", got=value)

    def deadline_s(self, now_s: int) -> int:
        """The second packet's timeout if the first one is received at `now_s`; both are Unix seconds of the hub.

        A wait in nanoseconds is rounded down to whole seconds. Whether the deadline has passed is not asked.
        """
        if self.timeout_timestamp_s is not None:
            return self.timeout_timestamp_s
        if self.timeout_ns is None:
            return now_s + DEFAULT_FORWARD_TIMEOUT_S
        return now_s + self.timeout_ns // NANOSECONDS_PER_SECOND


def encode_forward_memo(instruction: ForwardInstruction) -> str:
    """Canonical JSON: the known keys in their order, no spaces."""
    forward: dict[str, Any] = {
        "receiver": instruction.receiver,
        "port": FORWARD_MEMO_PORT,
        "channel": instruction.next_client,
    }
    if instruction.timeout_timestamp_s is not None:
        forward["timeout_timestamp"] = instruction.timeout_timestamp_s
    if instruction.timeout_ns is not None:
        forward["timeout"] = instruction.timeout_ns
    return json.dumps({"forward": forward}, ensure_ascii=False, separators=(",", ":"))


def decode_forward_memo(memo: str) -> ForwardInstruction | None:
    """The instruction, or None where the memo is no JSON object or one without the key `forward`.

    A memo that begins like an object must be one, and a near miss (`Forward`) is refused: what somebody meant as an
    instruction is never taken for a remark.

    Raises:
        MalformedInput: not JSON, unknown keys, wrong types, values out of bounds.
        UnsupportedOperation: another hop after the next, retries.
    """
    if not memo.lstrip(" \t\r\n").startswith("{"):
        return None
    parsed = parse_json(_utf8(memo), "memo", MAX_FORWARD_MEMO_BYTES)
    if "forward" not in parsed:
        for key in parsed:
            if key.strip().casefold() == "forward":
                raise MalformedInput("memo", "a key that looks like forward", got=key)
        return None
    if len(parsed) > 1:
        raise MalformedInput("memo", "keys beside forward", got=", ".join(sorted(parsed.keys() - {"forward"})))
    fields = parsed["forward"]
    if not isinstance(fields, dict):
        raise MalformedInput("forward_memo", "is no object")
    if unknown := sorted(fields.keys() - _FIELDS):
        raise MalformedInput("forward_memo", "unknown keys", got=", ".join(unknown))
    if fields.get("next") is not None:
        raise UnsupportedOperation("forward_memo.next: a second hop after the hub")
    if _integer(fields, "retries") not in (None, 0):
        raise UnsupportedOperation("forward_memo.retries: a packet that timed out is refunded")
    if _text(fields, "port") != FORWARD_MEMO_PORT:
        raise MalformedInput("forward_memo.port", "must be transfer", got=fields["port"])
    return ForwardInstruction(
        _text(fields, "receiver"),
        _text(fields, "channel"),
        _integer(fields, "timeout_timestamp"),
        _duration_ns(fields),
    )


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise MalformedInput("forward_memo", "is not Unicode text") from error


def _text(fields: dict[str, Any], name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str):
        raise MalformedInput(f"forward_memo.{name}", "must be text", got=value)
    _utf8(value)
    return value


def _integer(fields: dict[str, Any], name: str) -> int | None:
    value = fields.get(name)
    if value is None and name not in fields:
        return None
    if not isinstance(value, int) or isinstance(value, bool):
        raise MalformedInput(f"forward_memo.{name}", "must be an integer", got=value)
    return value


def _duration_ns(fields: dict[str, Any]) -> int | None:
    """Nanoseconds, or text such as `10m` or `1h30m`; fractions are not read."""
    if not isinstance(text := fields.get("timeout"), str):
        return _integer(fields, "timeout")
    if len(text) > 64 or _DURATION.fullmatch(text) is None:
        raise MalformedInput("forward_memo.timeout", "must be nanoseconds or a duration such as 10m", got=text)
    return sum(int(count) * _UNITS_NS[unit] for count, unit in _DURATION_PART.findall(text))
