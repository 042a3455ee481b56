"""Payload formats of the hub's `forward` port (docs/spec/forward.md).

Leg 1 carries a `ForwardRequest` to the hub; leg 2 carries a `StampedPayload`, whose stamp the hub wrote from the
packet that it proved. The sender controls the request's payload fields and nothing of the stamp.
"""

from dataclasses import dataclass

from hutong.light_clients.ibc.abi import decode_canonical, encode_abi
from hutong.light_clients.ibc.identifiers import check_client_id, check_port_id
from hutong.light_clients.ibc.packet import MAX_TEXT_BYTES
from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.interface.height import MAX_UINT64

FORWARD_PORT = "forward"
FORWARD_VERSION = "hutong-forward-1"
STAMP_VERSION = 1
MAX_HOPS = 1
MAX_FORWARD_HORIZON_S = 24 * 3600
MAX_STAMPED_BYTES = 64 * 1024
"""Of leg 2's payload. Its settlement carries it again, with an acknowledgement of up to 16 KiB and a proof, in one
transaction of at most 128 KiB: what could be delivered but never settled is refused."""
MAX_FORWARD_VALUE_BYTES = MAX_STAMPED_BYTES - 2048
"""Leaves room for the longest stamp (1 407 bytes with its layout), so that a request that fits leg 1 always fits leg 2."""

_REQUEST_TUPLE = "(string,string,string,string,uint64,bytes)"
_STAMP_TUPLE = "(uint8,string,string,string,uint64,uint8)"
_STAMPED_TUPLE = f"({_STAMP_TUPLE},string,string,bytes)"


def _check_text(text: str, field: str) -> None:
    if not text.strip():
        raise MalformedInput(field, "is empty")
    if len(text.encode()) > MAX_TEXT_BYTES:
        raise MalformedInput(field, f"more than {MAX_TEXT_BYTES} bytes", got=text)


def _check_value(value: bytes, field: str) -> None:
    if not value:
        raise MalformedInput(field, "is empty")
    if len(value) > MAX_FORWARD_VALUE_BYTES:
        raise MalformedInput(field, f"more than {MAX_FORWARD_VALUE_BYTES} bytes", got=len(value))


@dataclass(frozen=True, slots=True)
class ForwardRequest:
    """What the hub shall send on: `abi.encode((next_client, destination_port, version, encoding, timeout_timestamp_s,
    value))`.

    `next_client` is the hub's client of the destination chain; `timeout_timestamp_s` (T2) is absolute Unix seconds.
    """

    next_client: str
    destination_port: str
    version: str
    encoding: str
    timeout_timestamp_s: int
    value: bytes

    def __post_init__(self) -> None:
        check_client_id(self.next_client, "forward.next_client")
        check_port_id(self.destination_port, "forward.destination_port")
        _check_text(self.version, "forward.version")
        _check_text(self.encoding, "forward.encoding")
        if not 0 < self.timeout_timestamp_s <= MAX_UINT64:
            raise MalformedInput(
                "forward.timeout_timestamp_s", "must be a positive uint64", got=self.timeout_timestamp_s
            )
        _check_value(self.value, "forward.value")


@dataclass(frozen=True, slots=True)
class OriginStamp:
    """Who sent a forwarded message, as the hub proved it."""

    version: int
    client_id: str
    """The hub's client of the origin chain."""
    source_port: str
    destination_port: str
    sequence: int
    hops: int

    def __post_init__(self) -> None:
        if self.version != STAMP_VERSION:
            raise MalformedInput("stamp.version", "unknown", got=self.version, expected=STAMP_VERSION)
        check_client_id(self.client_id, "stamp.client_id")
        check_port_id(self.source_port, "stamp.source_port")
        check_port_id(self.destination_port, "stamp.destination_port")
        if not 0 < self.sequence <= MAX_UINT64:
            raise MalformedInput("stamp.sequence", "must be a positive uint64", got=self.sequence)
        if self.hops != MAX_HOPS:
            raise MalformedInput("stamp.hops", "a stamped payload has made one hop", got=self.hops, expected=MAX_HOPS)


@dataclass(frozen=True, slots=True)
class StampedPayload:
    """Leg 2's payload value: `abi.encode((stamp, version, encoding, value))`."""

    stamp: OriginStamp
    version: str
    encoding: str
    value: bytes

    def __post_init__(self) -> None:
        _check_text(self.version, "stamped.version")
        _check_text(self.encoding, "stamped.encoding")
        _check_value(self.value, "stamped.value")


def encode_forward_request(request: ForwardRequest) -> bytes:
    """ABI bytes of one tuple (leading offset word 0x20)."""
    fields = (
        request.next_client,
        request.destination_port,
        request.version,
        request.encoding,
        request.timeout_timestamp_s,
        request.value,
    )
    return encode_abi([_REQUEST_TUPLE], [fields])


def decode_forward_request(data: bytes) -> ForwardRequest:
    """Inverse of `encode_forward_request`, of at most `MAX_STAMPED_BYTES`. The hub's clients are not asked.

    Raises:
        MalformedInput: not the canonical encoding, or a field out of bounds.
    """
    (fields,) = decode_canonical([_REQUEST_TUPLE], data, "forward", MAX_STAMPED_BYTES)
    return ForwardRequest(*fields)


def encode_stamped_payload(stamped: StampedPayload) -> bytes:
    """ABI bytes of one tuple (leading offset word 0x20)."""
    stamp = stamped.stamp
    stamp_fields = (
        stamp.version,
        stamp.client_id,
        stamp.source_port,
        stamp.destination_port,
        stamp.sequence,
        stamp.hops,
    )
    return encode_abi([_STAMPED_TUPLE], [(stamp_fields, stamped.version, stamped.encoding, stamped.value)])


def decode_stamped_payload(data: bytes) -> StampedPayload:
    """Inverse of `encode_stamped_payload`, of at most `MAX_STAMPED_BYTES`.

    Raises:
        MalformedInput: not the canonical encoding, or a field out of bounds.
    """
    (fields,) = decode_canonical([_STAMPED_TUPLE], data, "stamped", MAX_STAMPED_BYTES)
    stamp, version, encoding, value = fields
    return StampedPayload(OriginStamp(*stamp), version, encoding, value)
