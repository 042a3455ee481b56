"""`ArchiveAnchor` on the hub: deploy it, write a root down, read it, and prove what is written."""

from dataclasses import dataclass

from hutong.adapters.hub.chain import HubChain
from hutong.adapters.ics26.abi import Function
from hutong.adapters.ics26.answers import Receipt
from hutong.adapters.ics26.execution import hex_data
from hutong.adapters.ics26.transactor import Transactor
from hutong.adapters.interface import BadAnswer
from hutong.adapters.rpc import Fields
from hutong.contracts.artifacts import load_artifact
from hutong.light_clients.interface import VerificationError
from hutong.light_clients.proofs.mpt import MAX_NODE_BYTES, MAX_NODES, verify_account, verify_storage

PUBLISH = Function("publish", ("uint64", "bytes32"), ("uint256",))
COUNT = Function("count", ("address",), ("uint256",))
ANCHOR_AT = Function("anchorAt", ("address", "uint256"), ("(uint64,uint64,bytes32)",))


@dataclass(frozen=True, slots=True)
class SlotProofs:
    """Nodes of an account and of some of its slots, root first, and the 32-byte words there (None: nothing)."""

    account: tuple[bytes, ...]
    slots: tuple[tuple[bytes, ...], ...]
    words: tuple[bytes | None, ...]


async def deploy_anchor(transactor: Transactor) -> bytes:
    """A new contract's address, 20 bytes; one serves any number of publishers.

    Raises:
        RefusedByChain: the account may not create contracts on this hub.
        BadAnswer: the receipt names no contract.
    """
    receipt = await transactor.send(None, load_artifact("ArchiveAnchor").bytecode)
    if receipt.contract_address is None:
        raise BadAnswer("eth_getTransactionReceipt", "contractAddress", "is missing after a creation")
    return receipt.contract_address


async def publish(transactor: Transactor, contract: bytes, size: int, root: bytes) -> Receipt:
    """Write a root down, in the name of the transactor's account.

    Args:
        contract: address of 20 bytes.
        size: how many entries the root is over.
        root: 32 bytes (RFC 6962).

    Raises:
        RefusedByChain: the size has not grown.
    """
    return await transactor.send(contract, PUBLISH.encode(size, root))


async def anchor_count(chain: HubChain, contract: bytes, publisher: bytes, height: int) -> int:
    """How many roots of a publisher stand after block `height`; 0 too if there is no contract yet.

    Args:
        contract, publisher: addresses of 20 bytes.

    Raises:
        RefusedByChain, BadAnswer: something else is at that address.
        EndpointUnavailable: no endpoint has that state.
    """
    # A hub where named contracts alone run code refuses the call of an address without code.
    if not await chain.execution.code(contract, tag=height):
        return 0
    returned = await chain.execution.call(contract, COUNT.encode(publisher), tag=height)
    (count,) = COUNT.decode(returned)
    return int(count)


async def read_anchor(
    chain: HubChain, contract: bytes, publisher: bytes, index: int, height: int
) -> tuple[int, int, bytes]:
    """(size, time in seconds, root of 32 bytes) of one anchor, as a node says after block `height`; nothing is proven.

    Args:
        contract, publisher: addresses of 20 bytes.
        index: from 0 to `anchor_count` exclusive.

    Raises:
        RefusedByChain: the publisher has no root of that index.
    """
    returned = await chain.execution.call(contract, ANCHOR_AT.encode(publisher, index), tag=height)
    ((size, time_s, root),) = ANCHOR_AT.decode(returned)
    return int(size), int(time_s), bytes(root)


async def prove_slots(
    chain: HubChain, address: bytes, slots: tuple[bytes, ...], height: int, state_root: bytes
) -> SlotProofs:
    """Slots of an account after block `height`, whose EVM state root is proven already.

    Args:
        address: 20 bytes.
        slots: 32 bytes each.
        state_root: 32 bytes; every proof is verified under it.

    Raises:
        EndpointUnavailable: no endpoint gave a proof under that root.
    """

    def decode(fields: Fields) -> SlotProofs:
        nodes = _nodes(fields.at("accountProof"))
        try:
            account = verify_account(state_root, address, nodes)
        except VerificationError as error:
            raise fields.at("accountProof").bad(str(error)) from error
        if account is None:
            raise fields.at("accountProof").bad("proves that there is no such contract")
        entries = fields.at("storageProof").items(len(slots))
        proofs = tuple(_nodes(entry.at("proof")) for entry in entries)
        try:
            words = tuple(
                verify_storage(account.storage_root, slot, proof) for slot, proof in zip(slots, proofs, strict=True)
            )
        except (VerificationError, ValueError) as error:
            raise fields.at("storageProof").bad(str(error)) from error
        return SlotProofs(nodes, proofs, words)

    params = [hex_data(address), [hex_data(slot) for slot in slots], hex(height)]
    return await chain.execution.at_height(height, "eth_getProof", params, decode)


def _nodes(fields: Fields) -> tuple[bytes, ...]:
    return tuple(node.data(max_bytes=MAX_NODE_BYTES) for node in fields.items(MAX_NODES))
