"""Storage proofs (EIP-1186) of what a router commits, checked against the block's state root before they are passed on."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from hutong.adapters.ics26.execution import ExecutionRpc, hex_data
from hutong.adapters.interface import BadAnswer, HeightUnavailable, Proof
from hutong.adapters.rpc import Answer, Decoder, Fields, each_of
from hutong.light_clients.evm_header import ExecutionHeader
from hutong.light_clients.ibc.evm_router import StorageProof, encode_storage_proof
from hutong.light_clients.interface import Height, MalformedInput, VerificationError
from hutong.light_clients.proofs.mpt import (
    IBC_STORE_SLOT,
    MAX_NODE_BYTES,
    MAX_NODES,
    commitment_slot,
    mapping_slot,
    verify_account,
    verify_storage,
)

CACHED_ACCOUNTS = 128

ReadHeader = Callable[[int], Awaitable[tuple[bytes, ExecutionHeader]]]
ReadStateRoot = Callable[[int], Awaitable[bytes]]
"""Of a final block, by its number."""


def previous_sequence_slot(client_id: str) -> bytes:
    """The 32-byte slot of `lastSequenceSent[client_id]`, the store's second member; string keys are hashed unpadded."""
    base = (int.from_bytes(IBC_STORE_SLOT, "big") + 1).to_bytes(32, "big")
    return mapping_slot(client_id.encode(), base)


@dataclass(frozen=True, slots=True)
class AccountProof:
    """Nodes of the router's account, root first, and the storage root that they prove."""

    nodes: tuple[bytes, ...]
    storage_root: bytes


def proof_nodes(fields: Fields) -> tuple[bytes, ...]:
    """The RLP nodes of one proof, root first: at most MAX_NODES of at most MAX_NODE_BYTES. Nothing is verified.

    Raises:
        BadAnswer: malformed or out of these bounds.
    """
    return tuple(node.data(max_bytes=MAX_NODE_BYTES) for node in fields.items(MAX_NODES))


class ProofSource:
    """`eth_getProof` of one router."""

    def __init__(self, chain: str, execution: ExecutionRpc, router: bytes, state_root: ReadStateRoot) -> None:
        self._chain = chain
        self._execution = execution
        self._router = router
        self._state_root = state_root
        self._accounts: OrderedDict[int, AccountProof] = OrderedDict()

    async def account(self, height: int) -> AccountProof:
        """The router's account in the state of block `height`, its proof verified against the block's state root.

        Raises:
            HeightUnavailable: it is proven that there is no router: no endpoint's fault, and another would say the
                same.
            EndpointUnavailable: no endpoint keeps that state, or gave a proof that verifies.
        """
        known = self._accounts.get(height)
        if known is not None:
            return known
        state_root = await self._state_root(height)

        def decode(fields: Fields) -> AccountProof | None:
            nodes = proof_nodes(fields.at("accountProof"))
            try:
                account = verify_account(state_root, self._router, nodes)
            except VerificationError as error:
                raise fields.at("accountProof").bad(str(error)) from error
            return None if account is None else AccountProof(nodes, account.storage_root)

        proof = await self._get_proof([], height, decode)
        if proof is None:
            reason = f"there is no router 0x{self._router.hex()} in its state: it is younger, or the address is wrong"
            raise HeightUnavailable(self._chain, height, reason)
        self._accounts[height] = proof
        while len(self._accounts) > CACHED_ACCOUNTS:
            self._accounts.popitem(last=False)
        return proof

    async def prove(self, path: tuple[bytes, ...], height: Height) -> Proof:
        """Value or absence of a path of one element (the ICS-24 key), verified against the block's state root.

        Args:
            height: its `revision_height` is the number of the block after which the state is read.

        Raises:
            MalformedInput: a path of more or fewer elements.
            HeightUnavailable: there is no router in that state.
            EndpointUnavailable: no endpoint keeps that state, or gave a proof that verifies.
        """
        if len(path) != 1:
            raise MalformedInput("path", "an EVM router's path has one element", got=len(path), expected=1)
        slot = commitment_slot(path[0])
        storage_root = (await self.account(height.revision_height)).storage_root

        def decode(fields: Fields) -> Proof:
            entries = list(fields.at("storageProof").items(1))
            if not entries:
                raise BadAnswer("eth_getProof", "result.storageProof", "is empty")
            nodes = proof_nodes(entries[0].at("proof"))
            try:
                word = verify_storage(storage_root, slot, nodes)
            except VerificationError as error:
                raise entries[0].at("proof").bad(str(error)) from error
            return Proof(path, height, word, encode_storage_proof(StorageProof(nodes)))

        return await self._get_proof([hex_data(slot)], height.revision_height, decode)

    async def prove_all(self, paths: Sequence[tuple[bytes, ...]], height: Height) -> tuple[Proof, ...]:
        """`prove` of each, some at a time, in the order of `paths`.

        Raises:
            As `prove`, for the first path that fails.
        """
        if paths:
            await self.account(height.revision_height)  # once, for all that ask for it at the same time
        return tuple(await each_of(lambda path: self.prove(path, height), paths))

    async def _get_proof(self, slots: list[str], height: int, decode: Decoder[Answer]) -> Answer:
        params = [hex_data(self._router), slots, hex(height)]
        return await self._execution.at_height(height, "eth_getProof", params, decode)
