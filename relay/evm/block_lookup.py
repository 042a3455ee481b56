"""Finding blocks by number, tag or hash, in worker threads."""

from collections.abc import Callable
from typing import TypeVar

import trio

from relay.evm.blocks import EvmBlock
from relay.evm.chain import EvmChain
from relay.evm.json_errors import PRUNED_HISTORY, RESOURCE_NOT_FOUND, JsonRpcError
from relay.evm.json_params import BlockHash, BlockSelector

T = TypeVar("T")

MAX_READERS = 8


class BlockLookup:
    """Blocks are final: `safe` and `finalized` are the head, and `pending` is what a new block stands on."""

    def __init__(self, chain: EvmChain) -> None:
        self._blocks = chain.blocks
        self._readers = trio.CapacityLimiter(MAX_READERS)

    async def read(self, read: Callable[[], T]) -> T:
        """Run a blocking read in a thread."""
        return await trio.to_thread.run_sync(read, limiter=self._readers)

    def head(self) -> EvmBlock:
        head = self._blocks.head()
        if head is None:
            raise JsonRpcError(RESOURCE_NOT_FOUND, "the chain has no block yet")
        return head

    def number(self, selector: BlockSelector, head: int) -> int:
        """Of a range's end; a number may be above the head."""
        if isinstance(selector, int):
            return selector
        if isinstance(selector, BlockHash):
            return self.existing(selector).number
        return self._blocks.first_number() if selector == "earliest" else head

    def require_served(self, number: int) -> None:
        """Refuse a block of which a restored node has no transactions, with the first number that it has."""
        first = self._blocks.first_number()
        if number < first:
            raise JsonRpcError(PRUNED_HISTORY, f"pruned history unavailable: the first block of this node is {first}")

    def find(self, selector: BlockSelector) -> EvmBlock | None:
        """A block to stand on: its state and header, with a restored node's first block also that alone."""
        if isinstance(selector, BlockHash):
            return self._blocks.block_by_hash(selector.hash)
        if isinstance(selector, int):
            return self._blocks.block(selector)
        if selector == "earliest":
            return self._blocks.first()
        return self.head()

    def find_whole(self, selector: BlockSelector) -> EvmBlock | None:
        """A block to show, with its transactions."""
        if isinstance(selector, int):
            self.require_served(selector)
        block = self.find(selector)
        if block is not None:
            self.require_served(block.number)
        return block

    def existing(self, selector: BlockSelector) -> EvmBlock:
        block = self.find(selector)
        if block is None:
            if isinstance(selector, int):
                self.require_served(selector)
            raise JsonRpcError(RESOURCE_NOT_FOUND, "header not found")
        return block
