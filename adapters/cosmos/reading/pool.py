"""What pending transactions of a Cosmos SDK chain would do with packets, as an endpoint's pool says: a hint, never
needed.
"""

from collections.abc import Iterator

from google.protobuf.message import DecodeError

from hutong.adapters.cometbft.results import MAX_TRANSACTION_BASE64_CHARS
from hutong.adapters.cometbft.rpc import base64_bytes
from hutong.adapters.cosmos.rpc import CosmosRpc
from hutong.adapters.cosmos.transactions.messages import ACKNOWLEDGEMENT_URL, RECV_PACKET_URL, TIMEOUT_URL, SdkMessage
from hutong.adapters.cosmos.transactions.transactions import decode_raw
from hutong.adapters.interface import AdapterError, BadAnswer, PacketEventKind, PooledPacket, RpcRefused
from hutong.adapters.rpc import Attempt, AttemptFailed, Fields
from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.protobuf.cosmos_tx_pb2 import MsgAcknowledgement, MsgRecvPacket, MsgTimeout

MOST_TRANSACTIONS = 100
"""CometBFT gives no more at once, the oldest first."""


async def pooled_packets(rpc: CosmosRpc) -> tuple[PooledPacket, ...] | None:
    """What the oldest MOST_TRANSACTIONS transactions of an endpoint's pool would do with packets.

    Returns:
        None if no endpoint tells. No AdapterError leaves, and no endpoint loses its place.
    """

    async def ask(attempt: Attempt) -> tuple[PooledPacket, ...] | None:
        try:
            return await attempt.call(
                "unconfirmed_txs", {"limit": str(MOST_TRANSACTIONS)}, lambda f: tuple(_packets(f))
            )
        except (RpcRefused, AttemptFailed, BadAnswer):
            return None  # no fault of an endpoint that it keeps its pool to itself

    try:
        return await rpc.client.run("unconfirmed_txs", ask)
    except AdapterError:
        return None


def _packets(fields: Fields) -> Iterator[PooledPacket]:
    transactions = fields.get("txs")
    for entry in () if transactions is None else transactions.items(MOST_TRANSACTIONS):
        raw = base64_bytes(entry, MAX_TRANSACTION_BASE64_CHARS)
        try:
            messages = decode_raw(raw).messages
        except MalformedInput:
            continue
        for message in messages:
            pooled = pooled_packet(message)
            if pooled is not None:
                yield pooled


def pooled_packet(message: SdkMessage) -> PooledPacket | None:
    """What a message of a pending or mined transaction would do with a packet, by the event that it would leave.

    Returns:
        None if it brings no packet, or cannot be read. Messages inside another, such as of x/authz, are not looked for.
    """
    try:
        match message.type_url:
            case url if url == RECV_PACKET_URL:
                received = MsgRecvPacket.FromString(message.value)
                packet = received.packet
                kind, client_id = PacketEventKind.WRITE_ACKNOWLEDGEMENT, packet.destination_client
                return PooledPacket(kind, client_id, packet.sequence, received.signer)
            case url if url == ACKNOWLEDGEMENT_URL:
                acknowledged = MsgAcknowledgement.FromString(message.value)
                packet = acknowledged.packet
                kind = PacketEventKind.ACKNOWLEDGE
                return PooledPacket(kind, packet.source_client, packet.sequence, acknowledged.signer)
            case url if url == TIMEOUT_URL:
                timed_out = MsgTimeout.FromString(message.value)
                packet = timed_out.packet
                return PooledPacket(PacketEventKind.TIMEOUT, packet.source_client, packet.sequence, timed_out.signer)
    except DecodeError:
        return None
    return None
