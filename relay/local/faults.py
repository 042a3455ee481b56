"""What a hostile RPC endpoint makes of an honest answer: each fault has a meaning, and is drawn from a seed."""

import base64
import binascii
import json
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field, replace
from enum import StrEnum
from random import Random
from typing import Any

from eth_abi.abi import encode
from eth_abi.exceptions import DecodingError, EncodingError

from hutong.adapters.ics26.events import (
    MAX_EVENT_DATA_BYTES,
    SEND_PACKET_TOPIC,
    WRITE_ACKNOWLEDGEMENT_TOPIC,
    sequence_topic,
)
from hutong.light_clients.ibc.abi import PACKET_TUPLE, decode_canonical, packet_from_tuple, packet_to_tuple
from hutong.light_clients.interface import VerificationError

REMEMBERED_ANSWERS = 64
"""Per method, for replays."""
MAX_LEAVES = 4_096
FORGED_SEQUENCE_OFFSET = 1_000_000

HEADER_METHODS = frozenset({"eth_getBlockByNumber", "eth_getBlockByHash", "commit", "header", "validators"})
PROOF_METHODS = frozenset({"eth_getProof", "abci_query"})
MAY_BE_NULL = frozenset({"eth_getTransactionReceipt", "eth_getTransactionByHash", "eth_getProof", "abci_query"})
HASHES = frozenset({"hash", "blockHash", "transactionHash", "parentHash"})
ERRORS: tuple[dict[str, Any], ...] = (
    {"code": -32000, "message": "header not found"},
    {"code": -32000, "message": "nonce too low"},
    {"code": -32005, "message": "limit exceeded"},
    {"code": -32603, "message": "internal error"},
    {"code": 3, "message": "execution reverted", "data": "0x"},
)


class FaultKind(StrEnum):
    """The name under which a fault is counted."""

    DELAYED = "delayed"
    LOST_REQUEST = "lost_request"
    """The chain never hears it; the relay sees a broken socket."""
    LOST_ANSWER = "lost_answer"
    """The chain did what was asked; the socket breaks inside the body."""
    TRUNCATED = "truncated"
    """A whole HTTP answer whose JSON ends early."""
    REPLAYED = "replayed"
    """An older answer to the same method, whatever was asked then."""
    OLD_HEAD = "old_head"
    ERROR = "error"
    NOT_FOUND = "not_found"
    FORGED_EVENT = "forged_event"
    """A well-formed log of a packet that was never sent, or of an acknowledgement that was never written."""
    OTHER_HASH = "other_hash"
    FLIPPED_HEADER = "flipped_header"
    FLIPPED_PROOF = "flipped_proof"
    FLIPPED_VALUE = "flipped_value"
    HEAD_DROPPED = "head_dropped"
    HEAD_FORGED = "head_forged"
    HEADS_CLOSED = "heads_closed"


TRANSPORT_FAULTS = (FaultKind.DELAYED, FaultKind.LOST_REQUEST, FaultKind.LOST_ANSWER, FaultKind.TRUNCATED)
HEAD_FAULTS = (FaultKind.HEAD_DROPPED, FaultKind.HEAD_FORGED, FaultKind.HEADS_CLOSED)
ALL_FAULTS = frozenset(FaultKind)


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request and the chain's honest result."""

    method: str
    params: Any
    result: Any

    @property
    def question(self) -> str:
        """The parameters in one form, so that equal questions are equal texts."""
        return json.dumps(self.params, sort_keys=True)

    @property
    def asks_head(self) -> bool:
        """Whether the answer says where the chain ends."""
        if self.method == "eth_getBlockByNumber":
            return isinstance(self.params, list) and self.params[:1] == ["latest"]
        return self.method in ("eth_blockNumber", "status") or (self.method == "commit" and not self.params)


@dataclass(frozen=True, slots=True)
class Lie:
    """A result, or with `error` an error object, in place of the chain's."""

    result: Any = None
    error: dict[str, Any] | None = None


@dataclass(slots=True)
class Memory:
    """Honest answers that passed by, from which replays and forgeries are made."""

    answers: dict[str, deque[Exchange]] = field(
        default_factory=lambda: defaultdict(lambda: deque(maxlen=REMEMBERED_ANSWERS))
    )
    packet_logs: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=REMEMBERED_ANSWERS))
    block_hashes: dict[str, str] = field(default_factory=dict)

    def keep(self, exchange: Exchange) -> None:
        """Remember an honest answer.

        The last REMEMBERED_ANSWERS a method are kept, and as many logs of packets and hashes of blocks.
        """
        self.answers[exchange.method].append(exchange)
        result = exchange.result
        if exchange.method == "eth_getLogs" and isinstance(result, list):
            self.packet_logs.extend(log for log in result if _packet_topic(log) is not None)
        if exchange.method == "eth_getBlockByNumber" and isinstance(result, dict):
            self.block_hashes[str(result.get("number"))] = str(result.get("hash"))
            while len(self.block_hashes) > REMEMBERED_ANSWERS:
                self.block_hashes.pop(next(iter(self.block_hashes)))


def lie(kind: FaultKind, exchange: Exchange, memory: Memory, random: Random) -> Lie | None:
    """The dishonest answer of that kind, or None where the kind has no meaning for this exchange.

    Transport and head faults (TRANSPORT_FAULTS, HEAD_FAULTS) are none of its kinds, and an answer that equals the
    honest one is no lie.

    Args:
        exchange: is not changed.
        memory: of earlier exchanges with the same endpoint.
    """
    make = _LIES.get(kind)
    made = None if make is None else make(exchange, memory, random)
    if made is not None and made.error is None and made.result == exchange.result:
        return None
    return made


def forged_head(notification: dict[str, Any], random: Random) -> dict[str, Any]:
    """An announcement of a block far ahead that nobody made.

    Args:
        notification: a whole `eth_subscription` message; is not changed.
    """
    forged = deepcopy(notification)
    head = forged["params"]["result"]
    if isinstance(head, dict):
        head["number"] = hex(random.randrange(2**40))
        head["hash"] = "0x" + random.randbytes(32).hex()
    return forged


def _replayed(exchange: Exchange, memory: Memory, random: Random) -> Lie | None:
    others = [known.result for known in memory.answers[exchange.method] if known.result != exchange.result]
    return Lie(random.choice(others)) if others else None


def _old_head(exchange: Exchange, memory: Memory, _: Random) -> Lie | None:
    if not exchange.asks_head:
        return None
    older = [known.result for known in memory.answers[exchange.method] if known.question == exchange.question]
    return Lie(older[0]) if older else None


def _error(_: Exchange, __: Memory, random: Random) -> Lie:
    return Lie(error=random.choice(ERRORS))


def _not_found(exchange: Exchange, _: Memory, __: Random) -> Lie | None:
    named = exchange.method in HEADER_METHODS and not exchange.asks_head
    if exchange.method == "eth_getLogs":
        return Lie([])
    return Lie() if named or exchange.method in MAY_BE_NULL else None


def _forged_event(exchange: Exchange, memory: Memory, random: Random) -> Lie | None:
    query = exchange.params[0] if isinstance(exchange.params, list) and exchange.params else None
    if exchange.method != "eth_getLogs" or not memory.packet_logs or not isinstance(query, dict):
        return None
    log = _forged_log(random.choice(memory.packet_logs), random)
    if log is None:
        return None
    try:
        first, last = int(query["fromBlock"], 16), int(query["toBlock"], 16)
    except (KeyError, TypeError, ValueError):
        return None
    known = [number for number in memory.block_hashes if first <= int(number, 16) <= last]
    if known:
        log["blockNumber"] = random.choice(known)
        log["blockHash"] = memory.block_hashes[log["blockNumber"]]
    elif not first <= int(log["blockNumber"], 16) <= last:
        return None
    return Lie([*exchange.result, log])


def _packet_topic(log: Any) -> bytes | None:
    """The first topic of a log whose forgery could start work."""
    try:
        topic = bytes.fromhex(log["topics"][0][2:])
    except (KeyError, IndexError, TypeError, ValueError):
        return None
    return topic if topic in (SEND_PACKET_TOPIC, WRITE_ACKNOWLEDGEMENT_TOPIC) else None


def _forged_log(honest: dict[str, Any], random: Random) -> dict[str, Any] | None:
    """A packet of another sequence, or for an acknowledgement the same packet with other bytes in it."""
    topic = _packet_topic(honest)
    types = [PACKET_TUPLE] if topic == SEND_PACKET_TOPIC else [PACKET_TUPLE, "bytes[]"]
    try:
        data = bytes.fromhex(honest["data"][2:])
        packet, *rest = decode_canonical(types, data, "log.data", MAX_EVENT_DATA_BYTES)
        forged = packet_from_tuple(packet)
        if rest and random.randrange(2):
            rest = [[b"\x01" + random.randbytes(31)]]
        else:
            forged = replace(forged, sequence=forged.sequence + FORGED_SEQUENCE_OFFSET + random.randrange(1_000))
        encoded = encode(types, [packet_to_tuple(forged), *rest])
    except (VerificationError, DecodingError, EncodingError, KeyError, TypeError, ValueError):
        return None
    log = deepcopy(honest)
    log["data"] = "0x" + encoded.hex()
    log["topics"] = [*honest["topics"][:2], "0x" + sequence_topic(forged.sequence).hex()]
    log["logIndex"] = hex(FORGED_SEQUENCE_OFFSET + random.randrange(1_000))
    return log


def _other_hash(exchange: Exchange, _: Memory, random: Random) -> Lie | None:
    if exchange.method == "eth_sendRawTransaction":
        return Lie("0x" + random.randbytes(32).hex())
    result = deepcopy(exchange.result)
    targets = [leaf for leaf in _leaves(result) if leaf.key in HASHES]
    if not targets:
        return None
    leaf = random.choice(targets)
    leaf.put(_same_form(leaf.text, random.randbytes(32)))
    return Lie(result)


def _flipped(methods: Callable[[str], bool]) -> Callable[[Exchange, Memory, Random], Lie | None]:
    def flip(exchange: Exchange, _: Memory, random: Random) -> Lie | None:
        if not methods(exchange.method):
            return None
        holder = [deepcopy(exchange.result)]
        targets = [leaf for leaf in _leaves(holder) if leaf.text]
        if not targets:
            return None
        leaf = random.choice(targets)
        leaf.put(_flip_text(leaf.text, random))
        return Lie(holder[0])

    return flip


@dataclass(frozen=True, slots=True)
class _Leaf:
    """A string in a JSON value, with its place."""

    holder: Any
    key: Any
    text: str

    def put(self, text: str) -> None:
        self.holder[self.key] = text


def _leaves(value: Any) -> Iterator[_Leaf]:
    """The strings of a JSON value, at most MAX_LEAVES."""
    left = MAX_LEAVES
    waiting = [value]
    while waiting and left:
        holder = waiting.pop()
        for key, child in holder.items() if isinstance(holder, dict) else enumerate(holder):
            if isinstance(child, dict | list):
                waiting.append(child)
            elif isinstance(child, str) and left:
                left -= 1
                yield _Leaf(holder, key, child)


def _flip_text(text: str, random: Random) -> str:
    """One byte, digit or letter is another one; hex stays hex and base64 stays base64."""
    if text.startswith("0x"):
        position = random.randrange(2, len(text)) if len(text) > 2 else len(text)
        digit = text[position : position + 1]
        other = random.choice([choice for choice in "123456789abcdef" if choice != digit])
        return text[:position] + other + text[position + 1 :]
    if text.isdecimal():
        return str(int(text) ^ 1 << random.randrange(8))
    try:
        data = bytearray(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError):
        data = bytearray()
    if len(data) >= 8 and base64.b64encode(data).decode() == text:
        data[random.randrange(len(data))] ^= 1 << random.randrange(8)
        return base64.b64encode(data).decode()
    position = random.randrange(len(text))
    other = random.choice([choice for choice in "0123456789ABCDEF" if choice != text[position].upper()])
    return text[:position] + other + text[position + 1 :]


def _same_form(text: str, data: bytes) -> str:
    """Hex as the execution API or as CometBFT writes it."""
    return "0x" + data.hex() if text.startswith("0x") else data.hex().upper()


_LIES: dict[FaultKind, Callable[[Exchange, Memory, Random], Lie | None]] = {
    FaultKind.REPLAYED: _replayed,
    FaultKind.OLD_HEAD: _old_head,
    FaultKind.ERROR: _error,
    FaultKind.NOT_FOUND: _not_found,
    FaultKind.FORGED_EVENT: _forged_event,
    FaultKind.OTHER_HASH: _other_hash,
    FaultKind.FLIPPED_HEADER: _flipped(HEADER_METHODS.__contains__),
    FaultKind.FLIPPED_PROOF: _flipped(PROOF_METHODS.__contains__),
    FaultKind.FLIPPED_VALUE: _flipped(lambda method: method not in HEADER_METHODS | PROOF_METHODS),
}
