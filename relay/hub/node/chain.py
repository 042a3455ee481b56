"""The hub as the JSON-RPC service sees it: an `EvmChain` whose block n is hub height n."""

import trio

from relay.evm.block_store import BlockStore
from relay.evm.blocks import EvmBlock
from relay.evm.errors import InvalidTransaction
from relay.evm.execution import EvmState
from relay.evm.head_feed import HeadFeed
from relay.evm.mempool import Mempool
from relay.hub.application.application import APPLICATION_NAME, decode_cached
from relay.hub.node.ledger import HubLedger

CLIENT_VERSION = f"{APPLICATION_NAME}/1"


class HubChain:
    """Reads are safe from worker threads: committed blocks and versions never change."""

    def __init__(self, ledger: HubLedger, mempool: Mempool) -> None:
        self.ledger = ledger
        self._mempool = mempool
        self._heads = HeadFeed(ledger.tip.height)
        self._submissions = trio.CapacityLimiter(4)

    @property
    def chain_id(self) -> int:
        return self.ledger.genesis.evm_chain_id

    @property
    def client_version(self) -> str:
        return CLIENT_VERSION

    @property
    def blocks(self) -> BlockStore:
        return self.ledger.application.blocks

    @property
    def mempool(self) -> Mempool:
        return self._mempool

    @property
    def heads(self) -> HeadFeed:
        return self._heads

    @property
    def call_gas_limit(self) -> int:
        return self.ledger.genesis.params.transaction_max_gas

    def state_after(self, block: EvmBlock) -> EvmState:
        return self.ledger.application.state_after(block)

    async def submit_transaction(self, raw: bytes) -> bytes:
        """Check against the newest state and take into the pool. Raises InvalidTransaction."""
        return await trio.to_thread.run_sync(self._submit, raw, limiter=self._submissions)

    def _submit(self, raw: bytes) -> bytes:
        transaction = decode_cached(raw, self.chain_id)
        head = self.blocks.head()
        if head is None:
            raise RuntimeError("a hub has its genesis block from the start")
        state = self.state_after(head)
        state.check_sender(transaction)
        self._mempool.add(transaction, state.nonce(transaction.sender))
        return transaction.hash


__all__ = ["CLIENT_VERSION", "HubChain", "InvalidTransaction"]
