"""What a Transfer keeps for owners: named by its events, each as the contract has it now."""

from dataclasses import dataclass

from hutong.adapters.evm.administration.history import history_of
from hutong.adapters.evm.administration.transfer import HeldAmount, held_amount
from hutong.adapters.ics26.events import Log
from hutong.adapters.ics26.execution import ExecutionRpc
from hutong.adapters.interface import BadAnswer
from hutong.light_clients.crypto.hashes import keccak256
from hutong.light_clients.ibc.abi import decode_canonical
from hutong.light_clients.ibc.identifiers import check_client_id
from hutong.light_clients.interface import MalformedInput

TRANSFER_HELD_TOPIC = keccak256(b"TransferHeld(bytes32,bool,string,uint64,address,address,uint256,uint64,bytes)")
_DATA = ["bool", "string", "uint64", "address", "address", "uint256", "uint64", "bytes"]
MAX_EVENT_BYTES = 2_048
"""A client's name of at most 64 characters, and at most 896 bytes of reason."""


@dataclass(frozen=True, slots=True)
class HeldOfPacket:
    """`refund` false: a receive that waits. `client` and `sequence` name the packet as this chain does."""

    refund: bool
    client: str
    sequence: int
    amount: HeldAmount


async def read_held(execution: ExecutionRpc, transfer: bytes, heights: range) -> tuple[HeldOfPacket, ...]:
    """Everything that a Transfer (20 bytes) still keeps, in the order in which it came.

    Args:
        heights: from the block of the Transfer to the newest.

    Raises:
        BadAnswer: an event is not what its topic says, or there are more than MAX_EVENTS.
        RpcRefused: the node refuses the logs of even one block.
    """
    logs = await history_of(execution, transfer, "Transfer", heights, [f"0x{TRANSFER_HELD_TOPIC.hex()}"])
    kept = []
    named = [_packet(log) for log in logs if log.topics[:1] == (TRANSFER_HELD_TOPIC,)]
    for refund, client, sequence in dict.fromkeys(named):
        amount = await held_amount(execution, transfer, refund, client, sequence)
        if amount is not None:
            kept.append(HeldOfPacket(refund, client, sequence, amount))
    return tuple(kept)


def _packet(log: Log) -> tuple[bool, str, int]:
    try:
        refund, client, sequence, *_ = decode_canonical(_DATA, log.data, "log.data", MAX_EVENT_BYTES)
        return refund, check_client_id(client), sequence
    except MalformedInput as error:
        raise BadAnswer("eth_getLogs", "data", "is not of the event that its topic names") from error
