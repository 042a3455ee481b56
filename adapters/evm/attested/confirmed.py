"""Final blocks of a chain that proves none: those under enough others, or as the node's `finalized` block says."""

from collections import OrderedDict
from dataclasses import dataclass

from hutong.adapters.ics26.answers import Block, decode_block
from hutong.adapters.ics26.execution import ExecutionRpc
from hutong.adapters.interface import BadAnswer, Head
from hutong.adapters.rpc import Attempt, Fields
from hutong.light_clients.interface import NANOSECONDS_PER_SECOND

CACHED_BLOCKS = 4_096


@dataclass(frozen=True, slots=True)
class _Named:
    hash: bytes
    parent_hash: bytes
    time_s: int


class ConfirmedBlocks:
    """What endpoints say is a hint: attestors decide what is believed. A liar alone must not stop the relay, though.

    Of several endpoints the lower middle head is taken, so that neither one that runs ahead with blocks of its own nor
    one that has stopped holds the others.
    """

    def __init__(self, execution: ExecutionRpc, confirmations: int | None) -> None:
        self._execution = execution
        self._confirmations = confirmations
        self._blocks: OrderedDict[int, _Named] = OrderedDict()

    async def head(self) -> Head:
        """The newest final block, the lower middle of what several endpoints name; it may go back.

        Raises:
            EndpointUnavailable: no endpoint answers.
            BadAnswer: it does not link with a final block that is known; all known ones are then forgotten.
        """
        heads = await self._execution.client.ask_each("eth_getBlockByNumber", self._final)
        self._execution.client.heads_seen([(endpoint, block.height) for endpoint, block in heads])
        block = sorted((block for _, block in heads), key=lambda block: -block.height)[len(heads) // 2]
        self._keep(block)
        return Head(block.height, block.hash, block.time_s * NANOSECONDS_PER_SECOND)

    async def _final(self, attempt: Attempt) -> Block:
        tag = "finalized" if self._confirmations is None else "latest"
        if self._confirmations:
            newest = await attempt.call("eth_blockNumber", [], Fields.quantity)
            tag = hex(max(0, newest - self._confirmations))
        return await attempt.call("eth_getBlockByNumber", [tag, False], decode_block)

    async def facts(self, height: int) -> tuple[bytes, int]:
        """(hash, time in nanoseconds of Unix time) as an endpoint names them: the hash is not recomputed.

        Raises:
            EndpointUnavailable: no endpoint has the block.
            BadAnswer: it does not link with a final block that is known.
        """
        known = self._blocks.get(height)
        if known is None:
            block = await self._execution.block(height)
            self._keep(block)
            return block.hash, block.time_s * NANOSECONDS_PER_SECOND
        return known.hash, known.time_s * NANOSECONDS_PER_SECOND

    def _keep(self, block: Block) -> None:
        """A final block never changes: where neighbours do not link, all is asked anew."""
        known, parent, child = (self._blocks.get(block.height + offset) for offset in (0, -1, 1))
        forks = (
            (known is not None and known.hash != block.hash)
            or (parent is not None and parent.hash != block.parent_hash)
            or (child is not None and child.parent_hash != block.hash)
        )
        if forks:
            self._blocks.clear()
            raise BadAnswer("eth_getBlockByNumber", "hash", "forks from a final block", got=block.hash)
        self._blocks[block.height] = _Named(block.hash, block.parent_hash, block.time_s)
        while len(self._blocks) > CACHED_BLOCKS:
            self._blocks.popitem(last=False)
