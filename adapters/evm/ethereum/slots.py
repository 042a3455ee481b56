"""Heights of an Ethereum chain are slots of its beacon chain: which execution block belongs to which slot.

The time of an execution block is that of its slot, and a slot has one block at most. So where no slot was missed, a
block number follows from a slot; else it is searched for, by block times.
"""

from collections import OrderedDict
from dataclasses import dataclass

from hutong.adapters.ics26.answers import Block
from hutong.adapters.ics26.execution import ExecutionRpc
from hutong.adapters.interface import BadAnswer, HeightUnavailable
from hutong.light_clients.ethereum import ExecutionPayloadHeader, Network
from hutong.light_clients.interface import NANOSECONDS_PER_SECOND

CACHED_BLOCKS = 4_096


@dataclass(frozen=True, slots=True)
class NamedBlock:
    """A final block of the execution chain, as an endpoint or a finalized beacon block names it."""

    number: int
    hash: bytes
    state_root: bytes
    time_s: int

    @classmethod
    def of_payload(cls, execution: ExecutionPayloadHeader) -> "NamedBlock":
        """The block as a finalized beacon block's payload header names it."""
        return cls(execution.block_number, execution.block_hash, execution.state_root, execution.timestamp_s)


class ExecutionBlocks:
    """Final blocks by number and by slot. What endpoints say of them is a hint: clients judge every proof."""

    def __init__(self, chain: str, execution: ExecutionRpc, network: Network) -> None:
        self._chain = chain
        self._execution = execution
        self._network = network
        self._blocks: OrderedDict[int, NamedBlock] = OrderedDict()
        self._numbers: OrderedDict[int, int] = OrderedDict()
        self._newest: NamedBlock | None = None

    async def finalized(self, block: NamedBlock) -> None:
        """Take the block that a finalized beacon block names, once the execution endpoints have the same.

        Raises:
            EndpointUnavailable: no execution endpoint has this block at its height.
        """

        def check(found: Block) -> None:
            if found.hash != block.hash:
                raise BadAnswer("eth_getBlockByNumber", "hash", "is not the finalized block's", got=found.hash)
            if (found.fields.at("stateRoot").data(32), found.time_s) != (block.state_root, block.time_s):
                raise BadAnswer("eth_getBlockByNumber", "stateRoot", "or time is not the finalized block's")

        if self._blocks.get(block.number) != block:
            await self._execution.block(block.number, check)
            self._keep(block)
        if self._newest is None or block.number > self._newest.number:
            self._newest = block

    async def block(self, number: int) -> NamedBlock:
        """A final block by its number, kept or asked for: an endpoint's word, whose hash is not recomputed.

        Raises:
            EndpointUnavailable: no execution endpoint has the block.
        """
        known = self._blocks.get(number)
        if known is None:
            found = await self._execution.block(number)
            known = NamedBlock(number, found.hash, found.fields.at("stateRoot").data(32), found.time_s)
            self._keep(known)
        return known

    async def facts(self, number: int) -> tuple[bytes, int]:
        """(hash, time in nanoseconds of Unix time) of a final block. Raises as `block`."""
        block = await self.block(number)
        return block.hash, block.time_s * NANOSECONDS_PER_SECOND

    async def state_root(self, number: int) -> bytes:
        """The 32 bytes of a final block's state root, as `block` has it. Raises as `block`."""
        return (await self.block(number)).state_root

    def slot_of(self, time_s: int) -> int:
        """The slot of a block with that time; 0 where it is older than the beacon chain."""
        network = self._network
        return max(0, (time_s - network.genesis_time_s) // network.seconds_per_slot)

    async def number_at(self, slot: int) -> int:
        """The newest block of `slot` or an earlier one, searched for by block times.

        Raises:
            HeightUnavailable: the slot is not final yet.
            EndpointUnavailable: no execution endpoint has a block on the way.
        """
        newest = self._newest
        newest_slot = -1 if newest is None else self.slot_of(newest.time_s)
        if newest is None or slot > newest_slot:
            raise HeightUnavailable(self._chain, slot, f"the newest final slot is {newest_slot}")
        known = self._numbers.get(slot)
        if known is None:
            known = await self._search(slot, newest.number, newest_slot)
            self._numbers[slot] = known
            while len(self._numbers) > CACHED_BLOCKS:
                self._numbers.popitem(last=False)
        return known

    async def _search(self, slot: int, high: int, high_slot: int) -> int:
        """`high` is a block of `high_slot`, which is not below `slot`."""
        if high_slot == slot:
            return high
        low = max(0, high - (high_slot - slot))
        while low < high:
            # The slot of `low` is not above `slot`, that of `high` is.
            at = self.slot_of((await self.block(low)).time_s)
            if at >= slot:
                return low
            high = min(high, low + (slot - at) + 1)
            middle = (low + high) // 2
            if middle == low:
                return low
            if self.slot_of((await self.block(middle)).time_s) <= slot:
                low = middle
            else:
                high = middle
        return low

    def _keep(self, block: NamedBlock) -> None:
        self._blocks[block.number] = block
        while len(self._blocks) > CACHED_BLOCKS:
            self._blocks.popitem(last=False)
