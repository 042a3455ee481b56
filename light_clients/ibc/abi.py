"""ABI values shared by routers on every chain: strict decoding, and the packet tuple of `ICS26Router`."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError

from hutong.light_clients.ibc.abi_codec import NotCanonical, decode_quickly, encode_quickly
from hutong.light_clients.ibc.abi_layout import check_canonical_layout
from hutong.light_clients.ibc.packet import MAX_PACKET_BYTES, Packet, Payload
from hutong.light_clients.interface import MalformedInput

ABI_ENCODING = "application/x-solidity-abi"

MAX_KEPT_BYTES = 4096
PAYLOAD_TUPLE = "(string,string,string,string,bytes)"
PACKET_TUPLE = f"(uint64,string,string,uint64,{PAYLOAD_TUPLE}[])"
HEIGHT_TUPLE = "(uint64,uint64)"


def decode_canonical(types: list[str], data: bytes, field: str, max_bytes: int) -> tuple[Any, ...]:
    """Decode ABI data of at most `max_bytes` and require that it is the canonical encoding of its values.

    The layout is checked first, which bounds what decoding can unfold to; re-encoding then catches dirty padding.

    Raises:
        MalformedInput: too long, undecodable, or not canonical.
    """
    if len(data) > max_bytes:
        raise MalformedInput(field, f"more than {max_bytes} bytes", got=len(data))
    decode_known = _decode_again if len(data) <= MAX_KEPT_BYTES else decode_quickly
    try:
        return decode_known(tuple(types), bytes(data))
    except NotCanonical:
        pass  # what follows finds out what is wrong, and says it
    check_canonical_layout(tuple(types), data, field)
    try:
        values = decode(types, bytes(data))
        canonical = encode(types, values)
    except (DecodingError, OverflowError, ValueError, TypeError, RecursionError) as error:
        raise MalformedInput(field, f"is not the ABI encoding of {','.join(types)}") from error
    if canonical != data:
        raise MalformedInput(field, "is not in canonical ABI encoding")
    return values


_decode_again = lru_cache(maxsize=4096)(decode_quickly)
"""A packet is decoded when it is seen, queued, told about, simulated and executed. Values are immutable all the way down."""


def encode_abi(types: Sequence[str], values: Sequence[Any]) -> bytes:
    """`eth_abi.encode`: the canonical encoding of `values`, by our own quick codec where its types are known.

    Raises:
        EncodingError, of eth_abi: a value does not fit its type; a bug of the caller.
    """
    try:
        return encode_quickly(tuple(types), values)
    except NotCanonical:
        return encode(types, values)


def packet_to_tuple(packet: Packet) -> tuple[Any, ...]:
    """The `Packet` struct of ICS26Router as eth-abi takes it."""
    return (
        packet.sequence,
        packet.source_client,
        packet.destination_client,
        packet.timeout_timestamp_s,
        [
            (payload.source_port, payload.destination_port, payload.version, payload.encoding, payload.value)
            for payload in packet.payloads
        ],
    )


def packet_from_tuple(value: tuple[Any, ...]) -> Packet:
    """Inverse of `packet_to_tuple`; checks every bound of `Packet`.

    Raises:
        MalformedInput: a field out of bounds.
    """
    sequence, source_client, destination_client, timeout_timestamp_s, payloads = value
    return Packet(
        sequence,
        source_client,
        destination_client,
        timeout_timestamp_s,
        tuple(Payload(*payload) for payload in payloads),
    )


def encode_packet_abi(packet: Packet) -> bytes:
    """`abi.encode(packet)`."""
    return encode_abi((PACKET_TUPLE,), [packet_to_tuple(packet)])


def decode_packet_abi(data: bytes) -> Packet:
    """Inverse of `encode_packet_abi`, of at most twice `MAX_PACKET_BYTES`, since each value is padded.

    Raises:
        MalformedInput: not the canonical encoding, or a field out of bounds.
    """
    (value,) = decode_canonical([PACKET_TUPLE], data, "packet", 2 * MAX_PACKET_BYTES)
    return packet_from_tuple(value)
