"""What pending transactions of a chain would do with packets, as an endpoint's pool says: a hint, never needed."""

from collections.abc import Iterator

from eth_utils.address import to_checksum_address

from hutong.adapters.ics26.answers import decode_block
from hutong.adapters.ics26.events import ACK_PACKET_TOPIC, TIMEOUT_PACKET_TOPIC
from hutong.adapters.ics26.execution import ExecutionRpc
from hutong.adapters.ics26.noops import PacketCall, packet_calls
from hutong.adapters.interface import AdapterError, BadAnswer, PacketEventKind, PooledPacket, Relayed, RpcRefused
from hutong.adapters.rpc import Attempt, AttemptFailed, Fields
from hutong.light_clients.interface import VerificationError

MAX_POOLED_TRANSACTIONS = 5_000
MAX_SENDERS = 5_000


async def pooled_packets(execution: ExecutionRpc, router: bytes) -> tuple[PooledPacket, ...] | None:
    """What pending transactions to the router (20 bytes) would do with packets, of those that the next blocks may
    include.

    Returns:
        None if no endpoint tells, or its pool is too large to be asked for.
    """

    async def ask(attempt: Attempt) -> tuple[PooledPacket, ...] | None:
        try:
            newest = await attempt.call("eth_getBlockByNumber", ["latest", False], decode_block)
            base_fee_wei = newest.base_fee_per_gas_wei or 0
            return await attempt.call(
                "txpool_content", [], lambda fields: tuple(_packets(fields, router, base_fee_wei))
            )
        except (RpcRefused, AttemptFailed, BadAnswer):
            return None  # no fault of an endpoint that it keeps its pool to itself

    try:
        return await execution.client.run("txpool_content", ask)
    except AdapterError:
        return None


def _packets(fields: Fields, router: bytes, base_fee_wei: int) -> Iterator[PooledPacket]:
    by_sender = fields.at("pending").value
    if not isinstance(by_sender, dict) or len(by_sender) > MAX_SENDERS:
        raise fields.at("pending").bad(f"is not an object of at most {MAX_SENDERS} senders")
    transactions = [one for by_nonce in by_sender.values() if isinstance(by_nonce, dict) for one in by_nonce.values()]
    if len(transactions) > MAX_POOLED_TRANSACTIONS:
        raise fields.bad(f"has more than {MAX_POOLED_TRANSACTIONS} transactions")
    for value in transactions:
        transaction = Fields("txpool_content", value, "transaction")
        to = transaction.get("to")
        if to is None or to.data(20) != router:
            continue
        price = transaction.get("maxFeePerGas") or transaction.get("gasPrice")
        if price is None or price.quantity() < base_fee_wei:
            continue  # it may wait for ever, and costs who sent it nothing
        sender = to_checksum_address(transaction.at("from").data(20))
        try:
            calls = packet_calls(transaction.at("input").data())
        except VerificationError:
            continue
        for call in calls:
            if call is not None:
                yield pooled_packet(call, sender)


def relayed(sender: str, data: bytes) -> Relayed:
    """What the call data of a mined transaction tells of who relays over which clients.

    Args:
        sender: address as text.

    Returns:
        With no clients if the data cannot be read.
    """
    try:
        calls = packet_calls(data)
    except VerificationError:
        calls = []
    return Relayed(sender, frozenset(pooled_packet(call, sender).client_id for call in calls if call is not None))


def pooled_packet(call: PacketCall, sender: str) -> PooledPacket:
    """The event that a call of a pending transaction would leave on its chain. Whether it would succeed is not asked.

    Args:
        sender: address as text.
    """
    packet = call.packet
    if call.topics[0] == ACK_PACKET_TOPIC:
        return PooledPacket(PacketEventKind.ACKNOWLEDGE, packet.source_client, packet.sequence, sender)
    if call.topics[0] == TIMEOUT_PACKET_TOPIC:
        return PooledPacket(PacketEventKind.TIMEOUT, packet.source_client, packet.sequence, sender)
    return PooledPacket(PacketEventKind.WRITE_ACKNOWLEDGEMENT, packet.destination_client, packet.sequence, sender)
