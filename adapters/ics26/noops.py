"""Which messages of a mined batch changed nothing, since another transaction had done the same before."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from hutong.adapters.ics26.abi import ACK_PACKET, RECV_PACKET, RELAY_BATCH, TIMEOUT_PACKET
from hutong.adapters.ics26.events import (
    ACK_PACKET_TOPIC,
    NOOP_TOPIC,
    SEND_PACKET_TOPIC,
    TIMEOUT_PACKET_TOPIC,
    WRITE_ACKNOWLEDGEMENT_TOPIC,
    Log,
    client_topic,
    sequence_topic,
)
from hutong.light_clients.ibc.abi import decode_canonical, packet_from_tuple
from hutong.light_clients.ibc.packet import Packet
from hutong.light_clients.interface import VerificationError

MAX_CALL_DATA_BYTES = 4 * 1024 * 1024

_VERDICTS = {NOOP_TOPIC, SEND_PACKET_TOPIC, WRITE_ACKNOWLEDGEMENT_TOPIC, ACK_PACKET_TOPIC, TIMEOUT_PACKET_TOPIC}


@dataclass(frozen=True, slots=True)
class PacketCall:
    """A call that brings a packet: the topics of the event that it leaves if it does something, and the packet."""

    topics: tuple[bytes, bytes, bytes]
    packet: Packet


def _receives(packet: Packet) -> tuple[bytes, str]:
    return WRITE_ACKNOWLEDGEMENT_TOPIC, packet.destination_client


def _acknowledges(packet: Packet) -> tuple[bytes, str]:
    return ACK_PACKET_TOPIC, packet.source_client


def _times_out(packet: Packet) -> tuple[bytes, str]:
    return TIMEOUT_PACKET_TOPIC, packet.source_client


_KINDS: dict[bytes, tuple[tuple[str, ...], Callable[[Packet], tuple[bytes, str]]]] = {
    RECV_PACKET.selector: (RECV_PACKET.inputs, _receives),
    ACK_PACKET.selector: (ACK_PACKET.inputs, _acknowledges),
    TIMEOUT_PACKET.selector: (TIMEOUT_PACKET.inputs, _times_out),
}


def packet_calls(data: bytes) -> list[PacketCall | None]:
    """The calls of a `relayBatch` in their order, None for one that brings no packet.

    Returns:
        An empty list for calldata of another function.

    Raises:
        VerificationError: the arguments of `relayBatch` or of a packet's call are malformed.
    """
    calls: tuple[tuple[int, bytes], ...]
    if data[:4] != RELAY_BATCH.selector:
        return []
    (calls,) = decode_canonical(list(RELAY_BATCH.inputs), data[4:], "relayBatch", MAX_CALL_DATA_BYTES)
    return [_packet_call(call) for _, call in calls]


def _packet_call(call: bytes) -> PacketCall | None:
    kind = _KINDS.get(call[:4])
    if kind is None:
        return None
    inputs, event_of = kind
    fields: tuple[Any, ...]
    (fields,) = decode_canonical(list(inputs), call[4:], "call", MAX_CALL_DATA_BYTES)
    packet = packet_from_tuple(fields[0])
    topic, client_id = event_of(packet)
    return PacketCall((topic, client_topic(client_id), sequence_topic(packet.sequence)), packet)


def noops(data: bytes, failed: Sequence[int], logs: Sequence[Log]) -> tuple[int, ...]:
    """Indexes of the calls of `data`, a mined `relayBatch`, that changed nothing.

    A call that does something leaves its own event, or on a hub that will answer later the packet that it sends on; a
    call that finds its work done leaves `Noop`. What does not fit that order counts as done: the chain's state decides
    anyway.

    Args:
        failed: indexes of the calls that failed alone.
        logs: the router's, in their order.
    """
    left = deque(log.topics for log in logs if log.topics and log.topics[0] in _VERDICTS)
    if all(topics[0] != NOOP_TOPIC for topics in left):
        return ()
    try:
        calls = packet_calls(data)
    except VerificationError:
        return ()
    found = []
    for index, call in enumerate(calls):
        if call is None or index in failed:
            continue
        receives = call.topics[0] == WRITE_ACKNOWLEDGEMENT_TOPIC
        while left:
            topics = left.popleft()
            if topics[0] == NOOP_TOPIC:
                found.append(index)
                break
            if topics == call.topics:
                break
            if receives and topics[0] == SEND_PACKET_TOPIC:
                if left and left[0] == call.topics:
                    left.popleft()
                break
    return tuple(found)
