"""Tokens on a hub, by its native transfer module (docs/spec/hub-transfer.md): what an account holds, and sends from there."""

from dataclasses import dataclass

from eth_utils.address import to_canonical_address

from hutong.adapters.hub.settings import ROUTER_ADDRESS, TRANSFER_ADDRESS
from hutong.adapters.ics26.abi import Function
from hutong.adapters.ics26.events import PACKET_TOPICS, packet_event
from hutong.adapters.ics26.execution import ExecutionRpc
from hutong.adapters.ics26.transactor import Transactor
from hutong.adapters.interface import BadAnswer, PacketEventKind, RefusedByChain
from hutong.light_clients.ibc.denom import Denom

SEND_TRANSFER = Function("sendTransfer", ("string", "string", "uint256", "string", "uint64", "string"), ("uint64",))
BALANCE_OF = Function("balanceOf", ("string", "address"), ("uint256",))


@dataclass(frozen=True, slots=True)
class HubOrder:
    """Tokens of the hub to send over `client`, in their smallest unit, with an absolute timeout."""

    client: str
    denom: Denom
    amount: int
    receiver: str
    timeout_timestamp_s: int
    memo: str = ""


@dataclass(frozen=True, slots=True)
class SentFromHub:
    """`client` and `sequence` name the packet on the hub."""

    client: str
    sequence: int
    denom: str
    transaction_hash: bytes


async def balance_on_hub(execution: ExecutionRpc, denom: Denom, holder: bytes) -> int:
    """What `holder` (20 bytes) has of a denomination, in its smallest unit; 0 of one that the hub never held.

    Raises:
        RefusedByChain, BadAnswer: no transfer module is there.
        EndpointUnavailable: no endpoint answers.
    """
    returned = await execution.call(TRANSFER_ADDRESS, BALANCE_OF.encode(denom.path, holder))
    return int(BALANCE_OF.decode(returned)[0])


async def send_from_hub(transactor: Transactor, order: HubOrder) -> SentFromHub:
    """Send tokens of the account that signs, which gets them back where the packet fails.

    Raises:
        RefusedByChain: the account does not hold so much, or the hub refuses the packet; nothing was sent.
        BroadcastRefused: the pool does not take the transaction.
        BadAnswer: the receipt has no packet.
    """
    sender = transactor.signer.address
    held = await balance_on_hub(transactor.execution, order.denom, bytes(to_canonical_address(sender)))
    if held < order.amount:
        raise RefusedByChain(
            "InsufficientTokens", f"{sender} holds {held} of {order.denom.path} on the hub, not {order.amount}"
        )
    data = SEND_TRANSFER.encode(
        order.client, order.denom.path, order.amount, order.receiver, order.timeout_timestamp_s, order.memo
    )
    receipt = await transactor.send(TRANSFER_ADDRESS, data)
    router = bytes(to_canonical_address(ROUTER_ADDRESS))
    for log in receipt.logs:
        if log.address == router and PACKET_TOPICS.get(log.topics[0] if log.topics else b"") is PacketEventKind.SEND:
            sequence = packet_event(log, 0).packet.sequence
            return SentFromHub(order.client, sequence, order.denom.path, receipt.transaction_hash)
    raise BadAnswer("eth_getTransactionReceipt", "logs", "have no SendPacket event")
