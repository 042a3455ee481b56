"""The hub as the JSON-RPC service sees it: an `EvmChain` whose block n is hub height n, under either consensus engine."""

from collections.abc import Awaitable, Callable
from typing import TypeAlias

import trio

from hutong.relay.evm.chain.block_store import BlockStore
from hutong.relay.evm.chain.blocks import EvmBlock
from hutong.relay.evm.chain.head_feed import HeadFeed
from hutong.relay.evm.chain.mempool import Mempool, SenderAccount
from hutong.relay.evm.errors import InvalidTransaction
from hutong.relay.evm.vm.execution import EvmState
from hutong.relay.evm.vm.transaction import SignedTransaction, decode_cached
from hutong.relay.hub.application.application import APPLICATION_NAME, HubApplication

CLIENT_VERSION = f"{APPLICATION_NAME}/1"

PassOn: TypeAlias = Callable[[SignedTransaction, SenderAccount], Awaitable[None]]
"""Bring a checked transaction (and its sender's account) where blocks are made. Raises InvalidTransaction."""


HeaderVersion: TypeAlias = Callable[[int], int | None]


class HubChain:
    """Reads are safe from worker threads: committed blocks and versions never change.

    `mempool` answers for pending transactions. `pass_on` is where new ones go: into that pool, unless an engine outside
    this process has the pool and this one is its mirror. `header_version` is what the header of a block says of its rules.
    """

    def __init__(
        self,
        application: HubApplication,
        mempool: Mempool,
        pass_on: PassOn | None = None,
        header_version: HeaderVersion | None = None,
    ) -> None:
        self._header_version = header_version
        self._application = application
        self._mempool = mempool
        self._pass_on = pass_on
        self._heads = HeadFeed(application.blocks.head_number() or 0)
        self._submissions = trio.CapacityLimiter(4)

    @property
    def chain_id(self) -> int:
        """The EVM's chain id of the genesis document (EIP-155), not the hub's own name."""
        return self._application.genesis.evm_chain_id

    @property
    def client_version(self) -> str:
        """What `web3_clientVersion` answers: a constant, which does not follow the program's version."""
        return CLIENT_VERSION

    @property
    def blocks(self) -> BlockStore:
        """EVM blocks, number n being hub height n; of heights that are pruned here there is none."""
        return self._application.blocks

    @property
    def mempool(self) -> Mempool:
        """What answers for pending transactions. Under an outside engine it is a mirror and may lack some."""
        return self._mempool

    @property
    def heads(self) -> HeadFeed:
        """Tells subscribers of new blocks.

        Whoever applies blocks publishes in it, from the trio run, after the batch is stored.
        """
        return self._heads

    @property
    def call_gas_limit(self) -> int:
        """Most gas that `eth_call` and `eth_estimateGas` may use: as much as one transaction may on this hub."""
        return self._application.genesis.params.transaction_max_gas

    @property
    def next_base_fee_wei(self) -> int:
        """Wei a unit of gas in the block after the newest; 0 where gas is free."""
        return self._application.next_base_fee_wei

    def state_after(self, block: EvmBlock) -> EvmState:
        """A scratch state after `block`, in that block's context.

        For blocks of an earlier revision the header says which rules.

        Raises:
            StatePruned: this node has deleted that state.
        """
        version = None
        if self._header_version is not None and block.number <= self._application.genesis.base_height:
            version = self._header_version(block.number)
        return self._application.state_after(block, version)

    async def submit_transaction(self, raw: bytes) -> bytes:
        """Check against the newest state, take into the pool or pass on, and return the 32-byte hash.

        At most four are checked at once; more wait.

        Raises:
            InvalidTransaction: the bytes are not a transaction of this chain, its sender cannot send it now, or the
                pool refuses it.
        """
        transaction, sender = await trio.to_thread.run_sync(self._checked, raw, limiter=self._submissions)
        if self._pass_on is None:
            self._mempool.add(
                transaction, sender.nonce, sender.balance_wei, base_fee_wei=self._application.next_base_fee_wei
            )
        else:
            await self._pass_on(transaction, sender)
        return transaction.hash

    def _checked(self, raw: bytes) -> tuple[SignedTransaction, SenderAccount]:
        transaction = decode_cached(raw, self.chain_id)
        return transaction, self._application.check_sender(transaction)


__all__ = ["CLIENT_VERSION", "HubChain", "InvalidTransaction", "PassOn"]
