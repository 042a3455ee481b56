"""`Anchor` on an EVM chain: roots written down and read, as a node says (docs/spec/anchors.md)."""

from dataclasses import dataclass

from hutong.adapters.evm.administration.deploy import require_contract
from hutong.adapters.ics26.abi import Function
from hutong.adapters.ics26.execution import ExecutionRpc
from hutong.adapters.ics26.transactor import Transactor
from hutong.adapters.interface import BadAnswer
from hutong.contracts.artifacts import load_artifact
from hutong.light_clients.crypto.hashes import keccak256

ANCHOR = Function("anchor", ("bytes32", "uint64", "uint64", "uint64"), ("uint256",))
COUNT_OF = Function("countOf", ("address",), ("uint256",))
ANCHOR_AT = Function("anchorAt", ("address", "uint256"), ("(bytes32,uint64,uint64,uint64,uint64)",))
ROOT_ANCHORED_TOPIC = keccak256(b"RootAnchored(address,uint256,bytes32,uint64,uint64,uint64,uint64)")


@dataclass(frozen=True, slots=True)
class Window:
    """A root of 32 bytes over `count` entries, from `from_time_s` until before `to_time_s`, Unix seconds."""

    root: bytes
    count: int
    from_time_s: int
    to_time_s: int


@dataclass(frozen=True, slots=True)
class WrittenWindow:
    """Where a root stands: its index in the sender's list, and the block that took it."""

    index: int
    height: int


@dataclass(frozen=True, slots=True)
class ReadWindow:
    """What a node says of an anchor; `anchored_at_s` is its block's time."""

    window: Window
    anchored_at_s: int


async def deploy_anchor(transactor: Transactor) -> bytes:
    """A new contract's address, 20 bytes; one serves any number of publishers.

    Raises:
        RefusedByChain: the chain does not take it.
        BadAnswer: the receipt names no contract.
    """
    receipt = await transactor.send(None, load_artifact("Anchor").bytecode)
    if receipt.contract_address is None:
        raise BadAnswer("eth_getTransactionReceipt", "contractAddress", "is missing after a creation")
    return receipt.contract_address


async def write_anchor(transactor: Transactor, contract: bytes, window: Window) -> WrittenWindow:
    """Write a root down in the name of the transactor's account.

    Args:
        contract: 20 bytes.

    Raises:
        RefusedByChain: no contract is there, or a rule of docs/spec/anchors.md does not hold.
        BadAnswer: the receipt has no event of the anchor.
    """
    await require_contract(transactor, contract)
    call = ANCHOR.encode(window.root, window.count, window.from_time_s, window.to_time_s)
    receipt = await transactor.send(contract, call)
    for log in receipt.logs:
        if log.address == contract and len(log.topics) == 4 and log.topics[0] == ROOT_ANCHORED_TOPIC:
            return WrittenWindow(int.from_bytes(log.topics[2], "big"), receipt.height)
    raise BadAnswer("eth_getTransactionReceipt", "logs", "have no RootAnchored event")


async def read_count(execution: ExecutionRpc, contract: bytes, publisher: bytes) -> int:
    """How many anchors a publisher has; contract and publisher 20 bytes.

    Raises:
        RefusedByChain, BadAnswer: no Anchor is at that address.
    """
    (count,) = COUNT_OF.decode(await execution.call(contract, COUNT_OF.encode(publisher)))
    return int(count)


async def read_anchor(execution: ExecutionRpc, contract: bytes, publisher: bytes, index: int) -> ReadWindow:
    """One anchor of a publisher, as the node says; nothing is proven.

    Args:
        contract, publisher: 20 bytes.
        index: in the publisher's list, from 0.

    Raises:
        RefusedByChain: the publisher has no such anchor, or no Anchor is at that address.
        BadAnswer: something else answers there.
    """
    (said,) = ANCHOR_AT.decode(await execution.call(contract, ANCHOR_AT.encode(publisher, index)))
    root, count, from_time_s, to_time_s, anchored_at_s = said
    return ReadWindow(Window(bytes(root), count, from_time_s, to_time_s), anchored_at_s)
