"""A batch as one `relayBatch` call: each message with its own gas, so that none starves or sinks the others."""

from collections.abc import Callable

from hutong.adapters.ics26.abi import (
    RELAY_BATCH,
    encode_ack_packet,
    encode_recv_packet,
    encode_submit_misbehaviour,
    encode_timeout_packet,
    encode_update_client,
)
from hutong.adapters.interface import (
    AcknowledgePacket,
    Batch,
    BatchLimits,
    BatchTooLarge,
    Message,
    RecvPacket,
    SubmitMisbehaviour,
    TimeoutPacket,
    UpdateClient,
)
from hutong.light_clients.ibc.forward import FORWARD_VERSION, decode_stamped_payload
from hutong.light_clients.ibc.gmp import GMP_GAS_VERSION, GMP_PORT, decode_message
from hutong.light_clients.interface import MalformedInput

TRANSACTION_OVERHEAD_BYTES = 256
"""Nonce, fees, addresses, signature and list heads around the call data."""

DEFAULT_LIMITS = BatchLimits(max_messages=64, max_bytes=128 * 1024, max_gas=2**24)

_PACKET_GAS = 1_500_000
"""What a packet's call gets unless its message asks for more (docs/dapp-guide.md): proof, router, application and receiver."""
_PACKET_GAS_PER_BYTE = 60
_CLIENT_GAS = 1_500_000
_CLIENT_GAS_PER_BYTE = 350
"""One signature with its key in an update is some 250 bytes and costs under 60 000 gas to check."""
_MOST_CALL_GAS = 11_000_000
"""More than any update needs that fits a transaction: a hundred Clique headers on the hub use 4 million, 150 signatures in a
HubClient 9. An update is promised at most what its transaction has left after its data: see `promised_gas`."""
_USUAL_PACKET_GAS = 250_000
_USUAL_CLIENT_GAS = 250_000
_USUAL_GAS_PER_BYTE = 40
"""A receive through HubClient used 200 000 to 280 000 gas, on the hub 210 000, an update with one signature 160 000."""
_INTRINSIC_GAS = 21_000
_INTRINSIC_GAS_PER_BYTE = 40
"""EIP-7623's floor for bytes that are not zero; older rules charge less."""

_ROUTER_GAS = 200_000
"""What the router spends before the first call, most of it on memory for the data: 44 000 for 128 KiB."""

Translate = Callable[[str, bytes], bytes]
"""(client id, bytes in the Python light client's encoding) to the bytes that the destination's client takes."""

TranslateProof = Callable[[str, bytes, bool], bytes]
"""The same for a proof; the flag says that it is a proof of absence."""


def destination_client(message: Message) -> str:
    """The client on the destination that judges the message: whose encoding its header or proof must have."""
    match message:
        case UpdateClient() | SubmitMisbehaviour():
            return message.client_id
        case RecvPacket():
            return message.packet.destination_client
        case AcknowledgePacket() | TimeoutPacket():
            return message.packet.source_client


def encode_message(message: Message, header: Translate, misbehaviour: Translate, proof: TranslateProof) -> bytes:
    """Calldata of the router for one message.

    Args:
        header, misbehaviour, proof: translate from the Python light client's encoding into that of the client contract;
            the last argument of `proof` says whether absence is proven.

    Raises:
        MalformedInput: the packet has not exactly one payload.
    """
    match message:
        case UpdateClient():
            return encode_update_client(message.client_id, header(message.client_id, message.header))
        case SubmitMisbehaviour():
            evidence = misbehaviour(message.client_id, message.misbehaviour)
            return encode_submit_misbehaviour(message.client_id, evidence)
        case RecvPacket():
            translated = proof(message.packet.destination_client, message.proof, False)
            return encode_recv_packet(message.packet, translated, message.proof_height)
        case AcknowledgePacket():
            translated = proof(message.packet.source_client, message.proof, False)
            return encode_ack_packet(message.packet, message.acknowledgement, translated, message.proof_height)
        case TimeoutPacket():
            translated = proof(message.packet.source_client, message.proof, True)
            return encode_timeout_packet(message.packet, translated, message.proof_height)


def receive_gas(message: Message) -> int:
    """What the sender of a received message asks for its receiver, in gas; 0 if it asks for nothing.

    A hint, since the sender wrote it and another pays: at most MAX_RECEIVE_GAS, and 0 for what cannot be read. The
    batch is simulated before it is paid.
    """
    if not isinstance(message, RecvPacket):
        return 0
    payload = message.packet.payloads[0]
    if payload.destination_port != GMP_PORT:
        return 0
    version, value = payload.version, payload.value
    try:
        if version == FORWARD_VERSION:
            stamped = decode_stamped_payload(value)
            version, value = stamped.version, stamped.value
        return (decode_message(version, value)[1] or 0) if version == GMP_GAS_VERSION else 0
    except MalformedInput:
        return 0


def call_gas(message: Message, call: bytes) -> int:
    """The gas limit of one call in a batch. What the call leaves is refunded, so the limit is generous.

    Args:
        call: the calldata of `message`.
    """
    if isinstance(message, UpdateClient | SubmitMisbehaviour):
        return min(_CLIENT_GAS + _CLIENT_GAS_PER_BYTE * len(call), _MOST_CALL_GAS)
    asked = receive_gas(message)
    # the receiver is three calls below this one, and each keeps back a 64th
    beside = asked * 64**3 // 63**3 if asked else 0
    return _PACKET_GAS + _PACKET_GAS_PER_BYTE * len(call) + beside


def usual_gas(message: Message, call: bytes) -> int:
    """The gas that one call is likely to use, rounded up: what fills a batch, not a limit.

    Args:
        call: the calldata of `message`.
    """
    base = _USUAL_CLIENT_GAS if isinstance(message, UpdateClient | SubmitMisbehaviour) else _USUAL_PACKET_GAS
    return base + _USUAL_GAS_PER_BYTE * len(call) + receive_gas(message)


def intrinsic_gas(data: bytes) -> int:
    """At most what the transaction costs before the router runs: by EIP-7623's floor, as if no byte were zero."""
    return intrinsic_gas_of(len(data))


def intrinsic_gas_of(data_bytes: int) -> int:
    """As `intrinsic_gas`, for so many bytes."""
    return _INTRINSIC_GAS + _INTRINSIC_GAS_PER_BYTE * data_bytes


def execution_gas(batch: Batch, calls: tuple[bytes, ...]) -> int:
    """A first guess of the gas with which every call still finds its own limit when its turn comes (63/64 rule).

    Args:
        calls: calldata of each message, in the batch's order.

    Returns:
        Gas without the transaction's intrinsic part. `prepare_batch` raises it where it is too little.
    """
    pairs = list(zip(batch.messages, calls, strict=True))
    largest, asked_by_it = max((call_gas(message, call), receive_gas(message)) for message, call in pairs)
    # the largest limit holds what its own receiver asked for
    usual = sum(usual_gas(message, call) for message, call in pairs) - asked_by_it
    return usual + largest * 64 // 63 + 100_000


def promised_gas(message: Message, call: bytes, left_gas: int) -> int:
    """What the router holds ready for the call.

    The bound of an update is our guess, so it gives way to `left_gas`, what the transaction has for its calls. The
    bound of a packet is what its receiver was promised, and does not.

    Args:
        call: the calldata of `message`.
    """
    most = call_gas(message, call)
    return min(most, left_gas) if isinstance(message, UpdateClient | SubmitMisbehaviour) else most


def encode_batch(batch: Batch, calls: tuple[bytes, ...], limits: BatchLimits) -> bytes:
    """Calldata of `relayBatch`.

    Args:
        calls: calldata of each message, in the batch's order.

    Raises:
        BatchTooLarge: more messages or bytes than `limits` allow.
    """
    if len(calls) > limits.max_messages:
        raise BatchTooLarge("messages", len(calls), limits.max_messages)
    size = len(RELAY_BATCH.encode([(0, call) for call in calls]))
    if size + TRANSACTION_OVERHEAD_BYTES > limits.max_bytes:
        raise BatchTooLarge("bytes", size + TRANSACTION_OVERHEAD_BYTES, limits.max_bytes)
    # It is simulated with what its data leaves it, and nodes take the cost of the data off that once more.
    left_gas = max(0, (limits.max_gas - 2 * intrinsic_gas_of(size)) * 62 // 64 - _ROUTER_GAS)
    pairs = zip(batch.messages, calls, strict=True)
    return RELAY_BATCH.encode([(promised_gas(message, call, left_gas), call) for message, call in pairs])
