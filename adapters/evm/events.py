"""Which EVM block an event belongs to: only blocks whose header hashes to the name that the node gives them."""

from collections import OrderedDict

from adapters.evm.headers import check_block_hash
from adapters.ics26.execution import ExecutionRpc
from adapters.interface import BadAnswer, Head
from light_clients.evm_header import ExecutionHeader
from light_clients.interface import NANOSECONDS_PER_SECOND

CACHED_BLOCKS = 512


class FinalBlocks:
    """Final blocks never change, so the newest few are kept."""

    def __init__(self, execution: ExecutionRpc) -> None:
        self._execution = execution
        self._headers: OrderedDict[int, tuple[bytes, ExecutionHeader]] = OrderedDict()

    async def head(self) -> Head:
        """The newest block (QBFT: final when it exists)."""
        height = await self._execution.block_number()
        block_hash, header = await self.header(height)
        return Head(height, block_hash, header.timestamp_s * NANOSECONDS_PER_SECOND)

    async def header(self, height: int) -> tuple[bytes, ExecutionHeader]:
        """(hash, header), the hash recomputed."""
        known = self._headers.get(height)
        if known is not None:
            return known
        block = await self._execution.block(height, check_block_hash)
        header = check_block_hash(block)
        if header.number != height:
            raise BadAnswer("eth_getBlockByNumber", "number", "is not the asked height", got=header.number)
        parent = self._headers.get(height - 1)
        if parent is not None and header.parent_hash != parent[0]:
            self._headers.clear()
            raise BadAnswer("eth_getBlockByNumber", "parentHash", "forks from a final block", got=header.parent_hash)
        self._headers[height] = (block.hash, header)
        while len(self._headers) > CACHED_BLOCKS:
            self._headers.popitem(last=False)
        return self._headers[height]
