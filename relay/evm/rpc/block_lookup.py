"""Finding blocks by number, tag or hash, in worker threads."""

from collections.abc import Callable
from typing import TypeVar

import trio

from hutong.relay.evm.chain.blocks import EvmBlock
from hutong.relay.evm.chain.chain import EvmChain
from hutong.relay.evm.chain.log_criteria import BlockHash, BlockSelector
from hutong.relay.evm.rpc.json_errors import PRUNED_HISTORY, RESOURCE_NOT_FOUND, JsonRpcError

T = TypeVar("T")

MAX_READERS = 8


class BlockLookup:
    """Blocks are final: `safe` and `finalized` are the head, and `pending` is what a new block stands on."""

    def __init__(self, chain: EvmChain) -> None:
        self._blocks = chain.blocks
        self._readers = trio.CapacityLimiter(MAX_READERS)

    async def read(self, read: Callable[[], T]) -> T:
        """Run a blocking read in a worker thread, at most MAX_READERS of one service at once; the others wait.

        `read`'s exceptions come through. A read that has begun is waited for, also when its caller is cancelled.
        """
        return await trio.to_thread.run_sync(read, limiter=self._readers)

    def head(self) -> EvmBlock:
        """The newest block. Blocks: call it inside `read`.

        Raises:
            JsonRpcError: -32001, there is no block yet.
        """
        head = self._blocks.head()
        if head is None:
            raise JsonRpcError(RESOURCE_NOT_FOUND, "the chain has no block yet")
        return head

    def number(self, selector: BlockSelector, head: int) -> int:
        """The number of a range's end. A number stays as it is: it may be above `head` or below what the node serves.

        Args:
            head: the newest block's number, which `latest`, `pending`, `safe` and `finalized` mean.

        Raises:
            JsonRpcError: -32001, no block has the hash.
        """
        if isinstance(selector, int):
            return selector
        if isinstance(selector, BlockHash):
            return self.existing(selector).number
        return self._blocks.first_number() if selector == "earliest" else head

    def require_served(self, number: int) -> None:
        """Refuse a block whose transactions this node does not have: it began later, or has pruned them.

        A number above the head passes.

        Raises:
            JsonRpcError: 4444 (PRUNED_HISTORY), with the first number that the node serves.
        """
        first = self._blocks.first_number()
        if number < first:
            raise JsonRpcError(PRUNED_HISTORY, f"pruned history unavailable: the first block of this node is {first}")

    def find(self, selector: BlockSelector) -> EvmBlock | None:
        """A block to stand on: its state and header, with a restored node's first block also that alone.

        Returns:
            None where no block has this number or hash, or where a restored node has no whole block yet (`earliest`).

        Raises:
            JsonRpcError: -32001, another tag is asked for and there is no block yet.
        """
        if isinstance(selector, BlockHash):
            return self._blocks.block_by_hash(selector.hash)
        if isinstance(selector, int):
            return self._blocks.block(selector)
        if selector == "earliest":
            return self._blocks.first()
        return self.head()

    def find_whole(self, selector: BlockSelector) -> EvmBlock | None:
        """A block to show, with its transactions; None where no block has this number or hash.

        Raises:
            JsonRpcError: 4444, this node does not have the block's transactions; -32001, there is no block yet.
        """
        if isinstance(selector, int):
            self.require_served(selector)
        block = self.find(selector)
        if block is not None:
            self.require_served(block.number)
        return block

    def existing(self, selector: BlockSelector) -> EvmBlock:
        """As `find`, for callers that cannot answer without a block, such as reads of the state.

        Raises:
            JsonRpcError: -32001, no such block; 4444, it was pruned or is older than a restored node's first.
        """
        block = self.find(selector)
        if block is None:
            if isinstance(selector, int):
                self.require_served(selector)
            raise JsonRpcError(RESOURCE_NOT_FOUND, "header not found")
        return block
