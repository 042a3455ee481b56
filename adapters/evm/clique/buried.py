"""Blocks of a Clique chain: final once they are buried, and whatever stands on top of them for now."""

from collections import OrderedDict
from dataclasses import dataclass
from itertools import pairwise

from hutong.adapters.ics26.answers import Block, decode_block
from hutong.adapters.ics26.execution import ExecutionRpc
from hutong.adapters.interface import BadAnswer, Head, HeightUnavailable
from hutong.adapters.rpc import Attempt, Fields, each_of
from hutong.light_clients.clique import SealedBlock, recover_signer, sealed_block
from hutong.light_clients.clique.types import MAX_SIGNERS
from hutong.light_clients.evm_header import ExecutionHeader, header_from_rpc
from hutong.light_clients.interface import NANOSECONDS_PER_SECOND, VerificationError

CACHED_BLOCKS = 4_096


def check_block(block: Block) -> SealedBlock:
    """Rebuild the header from the answer; its hash must be the block's, and somebody must have sealed it.

    Raises:
        BadAnswer: fields are missing or malformed, hash to something else, or the seal is not a signature.
    """
    try:
        sealed = sealed_block(header_from_rpc(block.fields.value))
    except VerificationError as error:
        raise BadAnswer("eth_getBlockByNumber", "result", str(error)) from error
    if sealed.hash != block.hash:
        raise BadAnswer("eth_getBlockByNumber", "hash", "is not the hash of the header's fields", got=block.hash)
    if block.height and recover_signer(sealed) is None:
        raise BadAnswer("eth_getBlockByNumber", "extraData", "holds no seal", got=sealed.seal)
    return sealed


@dataclass(frozen=True, slots=True)
class _Buried:
    block: SealedBlock
    newest: int

    @property
    def height(self) -> int:
        return self.block.execution.number


class BuriedBlocks:
    """What endpoints say is a hint: the light client judges every block of a branch. A liar must not stop the relay,
    though.

    Of several endpoints the lower middle head is taken, as for attested chains. A block is final under `confirmations`
    others, and under half of the signers at least, so that more than half of them have sealed it or a block on top.
    """

    def __init__(self, chain: str, execution: ExecutionRpc, confirmations: int) -> None:
        self._chain = chain
        self._execution = execution
        self._confirmations = confirmations
        self._final: OrderedDict[int, SealedBlock] = OrderedDict()
        self._head = 0

    async def head(self) -> Head:
        """The newest final block, the lower middle of what several endpoints name; it may go back.

        Raises:
            EndpointUnavailable: no endpoint gave a sealed block.
            BadAnswer: it forks from a final block that is known; all known ones are then forgotten.
        """
        heads = await self._execution.client.ask_each("eth_getBlockByNumber", self._buried)
        self._execution.client.heads_seen([(endpoint, buried.newest) for endpoint, buried in heads])
        block = sorted((buried for _, buried in heads), key=lambda buried: -buried.height)[len(heads) // 2].block
        self._keep(block)
        self._head = max(self._head, block.execution.number)
        return Head(block.execution.number, block.hash, block.execution.timestamp_s * NANOSECONDS_PER_SECOND)

    async def _buried(self, attempt: Attempt) -> _Buried:
        newest = await attempt.call("eth_blockNumber", [], Fields.quantity)
        # By its number geth does not always find the newest block: a reorganisation may be under way.
        signers = await attempt.call("clique_getSigners", ["latest"], _signers)
        height = max(0, newest - depth_of(self._confirmations, signers))
        block = await attempt.call("eth_getBlockByNumber", [hex(height), False], decode_block)
        return _Buried(check_block(block), newest)

    async def depth(self, height: int, confirmations: int) -> int:
        """How many blocks must stand on `height` for a client that asks for `confirmations`.

        At least that many and half of the signers at that height, by a node's word: a guess, which the client judges.

        Raises:
            EndpointUnavailable, HeightUnavailable: no endpoint names the signers there.
        """
        signers = await self._execution.at_height(height, "clique_getSigners", [hex(height)], _signers)
        return depth_of(confirmations, signers)

    async def header(self, height: int) -> tuple[bytes, ExecutionHeader]:
        """(hash, header) of a final block, the hash recomputed. Raises as `block`."""
        block = await self.block(height)
        return block.hash, block.execution

    async def state_root(self, height: int) -> bytes:
        """The 32 bytes of a final block's state root, as its hashed header has it. Raises as `block`."""
        return (await self.block(height)).execution.state_root

    async def block(self, height: int) -> SealedBlock:
        """A sealed block by its number. Final ones are kept; one on top of them is asked for each time.

        Raises:
            EndpointUnavailable: no endpoint gave a sealed header that hashes to its name.
            BadAnswer: it forks from a final block that is known.
        """
        known = self._final.get(height)
        if known is not None:
            return known
        block = check_block(await self._execution.block(height, check_block))
        if height <= self._head:
            self._keep(block)
        return block

    async def branch(self, first: int, last: int) -> list[SealedBlock]:
        """The blocks from `first` to `last`, each the child of the one before. `last` may be above the final head.

        Raises:
            HeightUnavailable: the chain is not that long.
            BadAnswer: it was reorganised while it was read.
            EndpointUnavailable: no endpoint gave a block.
        """
        if last > self._head:
            newest = await self._execution.client.call("eth_blockNumber", [], Fields.quantity)
            if newest < last:
                raise HeightUnavailable(self._chain, last, f"the newest block is {newest}")
        blocks = await each_of(self.block, range(first, last + 1))
        for parent, child in pairwise(blocks):
            if child.execution.parent_hash != parent.hash:
                raise BadAnswer("eth_getBlockByNumber", "parentHash", "is of another branch", got=child.hash)
        return blocks

    def _keep(self, block: SealedBlock) -> None:
        """A final block never changes: where neighbours do not link, all is asked anew."""
        number = block.execution.number
        known, parent, child = (self._final.get(number + offset) for offset in (0, -1, 1))
        forks = (
            (known is not None and known.hash != block.hash)
            or (parent is not None and parent.hash != block.execution.parent_hash)
            or (child is not None and child.execution.parent_hash != block.hash)
        )
        if forks:
            self._final.clear()
            raise BadAnswer("eth_getBlockByNumber", "hash", "forks from a final block", got=block.hash)
        self._final[number] = block
        while len(self._final) > CACHED_BLOCKS:
            self._final.popitem(last=False)


def depth_of(confirmations: int, signers: int) -> int:
    """How deep a final block lies: under `confirmations` others, and under half of the signers at least."""
    return max(confirmations, signers // 2)


def _signers(fields: Fields) -> int:
    """How many signers a node names: how deep to look, nothing more."""
    count = len({item.data(20) for item in fields.items(MAX_SIGNERS)})
    if not count:
        raise fields.bad("names no signer")
    return count
