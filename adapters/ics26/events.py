"""Router events to packet events. Client ids are `string indexed`, so the topic is a hash and the packet is the data."""

from dataclasses import dataclass

from hutong.adapters.interface import BadAnswer, PacketEvent, PacketEventKind
from hutong.light_clients.crypto.hashes import keccak256
from hutong.light_clients.ibc.abi import PACKET_TUPLE, decode_canonical, packet_from_tuple
from hutong.light_clients.ibc.packet import MAX_ACKNOWLEDGEMENT_BYTES, MAX_PACKET_BYTES, Acknowledgement
from hutong.light_clients.interface import MalformedInput, VerificationError

MAX_EVENT_DATA_BYTES = 2 * MAX_PACKET_BYTES + 2 * MAX_ACKNOWLEDGEMENT_BYTES


def _topic(name: str, *types: str) -> bytes:
    return keccak256(f"{name}({','.join(types)})".encode())


SEND_PACKET_TOPIC = _topic("SendPacket", "string", "uint256", PACKET_TUPLE)
WRITE_ACKNOWLEDGEMENT_TOPIC = _topic("WriteAcknowledgement", "string", "uint256", PACKET_TUPLE, "bytes[]")
ACK_PACKET_TOPIC = _topic("AckPacket", "string", "uint256", PACKET_TUPLE, "bytes")
TIMEOUT_PACKET_TOPIC = _topic("TimeoutPacket", "string", "uint256", PACKET_TUPLE)
BATCH_CALL_FAILED_TOPIC = _topic("BatchCallFailed", "uint256", "bytes")
NOOP_TOPIC = _topic("Noop")

PACKET_TOPICS = {
    SEND_PACKET_TOPIC: PacketEventKind.SEND,
    WRITE_ACKNOWLEDGEMENT_TOPIC: PacketEventKind.WRITE_ACKNOWLEDGEMENT,
    ACK_PACKET_TOPIC: PacketEventKind.ACKNOWLEDGE,
    TIMEOUT_PACKET_TOPIC: PacketEventKind.TIMEOUT,
}
_DATA_TYPES = {
    PacketEventKind.SEND: [PACKET_TUPLE],
    PacketEventKind.WRITE_ACKNOWLEDGEMENT: [PACKET_TUPLE, "bytes[]"],
    PacketEventKind.ACKNOWLEDGE: [PACKET_TUPLE, "bytes"],
    PacketEventKind.TIMEOUT: [PACKET_TUPLE],
}


@dataclass(frozen=True, slots=True)
class Log:
    """One log of a mined block."""

    address: bytes
    topics: tuple[bytes, ...]
    data: bytes
    height: int
    block_hash: bytes
    transaction_hash: bytes
    log_index: int
    removed: bool


def indexed_arguments(log: Log, count: int, method: str) -> tuple[bytes, ...]:
    """The topics after the one that names the event, 32 bytes each.

    Args:
        count: how many arguments of the event are indexed.
        method: that the log came by, for the error.

    Raises:
        BadAnswer: the log has more or fewer, which no contract writes.
    """
    if len(log.topics) != 1 + count:
        reason = f"are not those of the event that the first one names, which has {1 + count}"
        raise BadAnswer(method, "topics", reason, got=len(log.topics))
    return log.topics[1:]


_RAW_TYPES = {kind: [one.replace("string", "bytes") for one in types] for kind, types in _DATA_TYPES.items()}
"""What a Solidity `string` holds need not be text."""


def client_topic(client_id: str) -> bytes:
    """The topic of a `string indexed clientId`: its Keccak-256, from which the name cannot be read back."""
    return keccak256(client_id.encode())


def sequence_topic(sequence: int) -> bytes:
    """An indexed sequence as logs have it: 32 bytes, big-endian."""
    return sequence.to_bytes(32, "big")


def packet_event(log: Log, block_time_ns: int) -> PacketEvent:
    """Decode a log of one of PACKET_TOPICS.

    Raises:
        BadAnswer: the log contradicts itself: no honest router writes it.
    """
    if not log.topics or log.topics[0] not in PACKET_TOPICS:
        raise BadAnswer("eth_getLogs", "topics", "is not a packet event", got=log.topics[:1])
    kind = PACKET_TOPICS[log.topics[0]]
    acknowledgement: Acknowledgement | None = None
    try:
        values = decode_canonical(_DATA_TYPES[kind], log.data, "log.data", MAX_EVENT_DATA_BYTES)
        packet = packet_from_tuple(values[0])
        if kind is PacketEventKind.WRITE_ACKNOWLEDGEMENT:
            acknowledgement = Acknowledgement(tuple(values[1]))
        elif kind is PacketEventKind.ACKNOWLEDGE:
            acknowledgement = Acknowledgement((values[1],))
    except VerificationError as error:
        raise BadAnswer("eth_getLogs", "data", str(error)) from error
    event = PacketEvent(kind, log.height, block_time_ns, log.transaction_hash, log.log_index, packet, acknowledgement)
    expected = (log.topics[0], client_topic(event.client_id), sequence_topic(packet.sequence))
    if log.topics != expected:
        raise BadAnswer("eth_getLogs", "topics", "contradict the packet in the data", got=b"".join(log.topics))
    return event


def is_of_refused_packet(log: Log) -> bool:
    """Whether a router may have written this log, although `packet_event` refuses it.

    Of a packet that comes from elsewhere a router checks the ends and the port that it is for, and a chain may send
    what this side does not carry (docs/spec/strictness.md).
    """
    kind = PACKET_TOPICS.get(log.topics[0]) if log.topics else None
    if kind is None:
        return False
    try:
        values = decode_canonical(_RAW_TYPES[kind], log.data, "log.data", len(log.data))
    except MalformedInput:
        return False
    packet = values[0]
    client = packet[2 if kind is PacketEventKind.WRITE_ACKNOWLEDGEMENT else 1]
    if log.topics != (log.topics[0], keccak256(client), sequence_topic(packet[0])):
        return False
    try:
        text = [one.decode() if isinstance(one, bytes) else one for one in packet[:4]]
        packet_from_tuple((*text, [tuple(one.decode() for one in payload[:4]) + payload[4:] for payload in packet[4]]))
    except (VerificationError, UnicodeDecodeError):
        return True
    return len(log.data) > MAX_EVENT_DATA_BYTES
