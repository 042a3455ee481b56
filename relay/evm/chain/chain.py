"""What a node gives to the JSON-RPC service."""

from typing import Protocol

from hutong.relay.evm.chain.block_store import BlockStore
from hutong.relay.evm.chain.blocks import EvmBlock
from hutong.relay.evm.chain.head_feed import HeadFeed
from hutong.relay.evm.chain.mempool import Mempool
from hutong.relay.evm.vm.execution import EvmState


class EvmChain(Protocol):
    """A chain with final blocks. Everything but `submit_transaction` is called from worker threads and must not block
    on block production: committed blocks and states by root never change, so that a call and a new block do not
    race."""

    @property
    def chain_id(self) -> int:
        """EIP-155 chain id that transactions must state; not the name of the Cosmos chain."""

    @property
    def client_version(self) -> str:
        """What `web3_clientVersion` answers: program and version, without anything of the machine."""

    @property
    def blocks(self) -> BlockStore:
        """With a genesis block (or the first one) in it from the start."""

    @property
    def mempool(self) -> Mempool:
        """What waits for a block, or a mirror of it where an engine outside this process has the pool."""

    @property
    def heads(self) -> HeadFeed:
        """Published from the trio run that serves JSON-RPC, after the block's batch is stored."""

    @property
    def call_gas_limit(self) -> int:
        """Most gas that one eth_call or eth_estimateGas may use, whatever it asks for."""

    @property
    def next_base_fee_wei(self) -> int:
        """What the block after the newest demands of each unit of gas; 0 where gas is free."""

    def state_after(self, block: EvmBlock) -> EvmState:
        """A scratch state: the block's post-state with the context of that block (as geth's eth_call does).

        `block` must be one of `blocks`.

        Raises:
            StatePruned: the block is stored and the state after it is not.
        """

    async def submit_transaction(self, raw: bytes) -> bytes:
        """Check a signed transaction against the newest state and take it into the pool or pass it on.

        Called from the trio run. When it returns, the transaction waits for a block; it need never be in one.

        Returns:
            The transaction's 32-byte hash.

        Raises:
            InvalidTransaction: it cannot be in a block now, the pool refuses it, or it could not be passed on
                (NOT_PASSED_ON).
        """
