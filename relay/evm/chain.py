"""What a node gives to the JSON-RPC service."""

from typing import Protocol

from relay.evm.block_store import BlockStore
from relay.evm.blocks import EvmBlock
from relay.evm.execution import EvmState
from relay.evm.head_feed import HeadFeed
from relay.evm.mempool import Mempool


class EvmChain(Protocol):
    """A chain with final blocks. Everything but `submit_transaction` is called from worker threads and must not block on
    block production: committed blocks and states by root never change, so that a call and a new block do not race."""

    @property
    def chain_id(self) -> int: ...

    @property
    def client_version(self) -> str: ...

    @property
    def blocks(self) -> BlockStore:
        """With a genesis block (or the first one) in it from the start."""

    @property
    def mempool(self) -> Mempool: ...

    @property
    def heads(self) -> HeadFeed:
        """Published from the trio run that serves JSON-RPC, after the block's batch is stored."""

    @property
    def call_gas_limit(self) -> int:
        """Most gas that eth_call and eth_estimateGas may use."""

    @property
    def next_base_fee_wei(self) -> int:
        """Of the block after the newest; 0 where gas is free."""

    def state_after(self, block: EvmBlock) -> EvmState:
        """A scratch state: the block's post-state with the context of that block (as geth's eth_call does)."""

    async def submit_transaction(self, raw: bytes) -> bytes:
        """Check and take into the pool; returns the hash. Raises InvalidTransaction."""
