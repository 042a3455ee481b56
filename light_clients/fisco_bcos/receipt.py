"""Receipts of generation 2 and the packet events in them.

Source: FISCO-BCOS v2.9.1 libethcore/TransactionReceipt.cpp, streamRLP: seven fields before the logs from chain version
2.9 on, six below.
"""

from dataclasses import dataclass

from hutong.light_clients.crypto import ADDRESS_BYTES, keccak256
from hutong.light_clients.crypto.hashes import HASH_BYTES
from hutong.light_clients.fisco_bcos import suite
from hutong.light_clients.fisco_bcos.types import CryptoSuite
from hutong.light_clients.ibc.abi import PACKET_TUPLE, decode_canonical, packet_from_tuple
from hutong.light_clients.ibc.commitment import (
    acknowledgement_commitment,
    acknowledgement_key,
    commitment_key,
    packet_commitment,
)
from hutong.light_clients.ibc.packet import MAX_ACKNOWLEDGEMENT_BYTES, MAX_PACKET_BYTES, Acknowledgement
from hutong.light_clients.interface import MalformedInput, PredicateFailed
from hutong.light_clients.proofs.mpt import RlpItem, decode_rlp, decode_uint

MAX_RECEIPT_BYTES = 384 * 1024
"""A packet of the largest size in its event, with room in a proof for the path."""
MAX_LOGS = 1_024
MAX_TOPICS = 4
MAX_EVENT_DATA_BYTES = 2 * MAX_PACKET_BYTES + 2 * MAX_ACKNOWLEDGEMENT_BYTES
STATUS_SUCCESS = 0


def _topic(name: str, *types: str) -> bytes:
    return keccak256(f"{name}({','.join(types)})".encode())


SEND_PACKET_TOPIC = _topic("SendPacket", "string", "uint256", PACKET_TUPLE)
WRITE_ACKNOWLEDGEMENT_TOPIC = _topic("WriteAcknowledgement", "string", "uint256", PACKET_TUPLE, "bytes[]")
"""Written into the contract by its compiler. One for GM chains would write their SM3, and is not read."""


@dataclass(frozen=True, slots=True)
class Log:
    """One log of a receipt."""

    address: bytes
    topics: tuple[bytes, ...]
    data: bytes


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a receipt says that matters here: whether the transaction succeeded, and its logs."""

    status: int
    logs: tuple[Log, ...]


def decode_receipt(data: bytes) -> Receipt:
    """A receipt of generation 2: seven or eight fields, of which status and logs are kept.

    Raises:
        MalformedInput: more than `MAX_RECEIPT_BYTES`, no strict RLP, or not the fields of a receipt.
    """
    items = decode_rlp(data, "receipt", MAX_RECEIPT_BYTES)
    if isinstance(items, bytes) or len(items) not in (7, 8):
        raise MalformedInput("receipt", "is not a list of seven or eight fields")
    for index in (0, 2, 3, 5):
        _string(items[index], f"receipt[{index}]")
    for index in (1, *range(6, len(items) - 1)):
        decode_uint(items[index], f"receipt[{index}]")
    logs = items[-1]
    if isinstance(logs, bytes):
        raise MalformedInput("receipt.logs", "is a string, must be a list")
    if len(logs) > MAX_LOGS:
        raise MalformedInput("receipt.logs", f"more than {MAX_LOGS}", got=len(logs))
    return Receipt(
        decode_uint(items[4], "receipt.status"),
        tuple(_log(log, f"receipt.logs[{number}]") for number, log in enumerate(logs)),
    )


def _string(item: RlpItem, field: str) -> bytes:
    if not isinstance(item, bytes):
        raise MalformedInput(field, "is a list, must be a string")
    return item


def _log(item: RlpItem, field: str) -> Log:
    if isinstance(item, bytes) or len(item) != 3 or isinstance(item[1], bytes):
        raise MalformedInput(field, "is not a list of address, topics and data")
    address, topics = _string(item[0], f"{field}.address"), tuple(_string(t, f"{field}.topics") for t in item[1])
    if len(address) != ADDRESS_BYTES:
        raise MalformedInput(f"{field}.address", "must be 20 bytes", got=address)
    if len(topics) > MAX_TOPICS or any(len(topic) != HASH_BYTES for topic in topics):
        raise MalformedInput(f"{field}.topics", f"at most {MAX_TOPICS} of 32 bytes")
    return Log(address, topics, _string(item[2], f"{field}.data"))


def stored_by(crypto_suite: CryptoSuite, log: Log, name: str) -> tuple[bytes, bytes]:
    """The ICS-24 key and the commitment that the router stored when it wrote this log.

    The client identifier is an indexed string, so its topic is a hash that the chain's EVM made: SM3 on GM chains
    (v2.9.1 libexecutive/EVMHostContext.cpp, sm3_hash_fn).

    Raises:
        PredicateFailed: under `name`: the log is not a packet event, or its topics contradict its data.
        MalformedInput: the data are not the event's.
        UnsupportedOperation: the suite is not installed.
    """
    topic = log.topics[0] if log.topics else b""
    if topic == SEND_PACKET_TOPIC:
        (value,) = decode_canonical([PACKET_TUPLE], log.data, "log.data", MAX_EVENT_DATA_BYTES)
        packet = packet_from_tuple(value)
        client_id, key, commitment = packet.source_client, commitment_key(packet), packet_commitment(packet)
    elif topic == WRITE_ACKNOWLEDGEMENT_TOPIC:
        value, acknowledgements = decode_canonical(
            [PACKET_TUPLE, "bytes[]"], log.data, "log.data", MAX_EVENT_DATA_BYTES
        )
        packet, acknowledgement = packet_from_tuple(value), Acknowledgement(tuple(acknowledgements))
        client_id, key = packet.destination_client, acknowledgement_key(packet)
        commitment = acknowledgement_commitment(acknowledgement)
    else:
        raise PredicateFailed(name, "the log is neither SendPacket nor WriteAcknowledgement", got=topic)
    expected = (topic, suite.digest(crypto_suite, client_id.encode()), packet.sequence.to_bytes(32, "big"))
    if log.topics != expected:
        raise PredicateFailed(name, "the log's topics contradict its packet", got=b"".join(log.topics))
    return key, commitment
