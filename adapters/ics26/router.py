"""What a router says about packets, read from its chain: shared by every chain with the ICS26Router ABI."""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

from hutong.adapters.ics26.abi import GET_COMMITMENT, GET_COUNTERPARTY, MULTICALL
from hutong.adapters.ics26.events import (
    NOOP_TOPIC,
    PACKET_TOPICS,
    SEND_PACKET_TOPIC,
    WRITE_ACKNOWLEDGEMENT_TOPIC,
    Log,
    client_topic,
    is_of_refused_packet,
    packet_event,
    sequence_topic,
)
from hutong.adapters.ics26.execution import BlockTag, ExecutionRpc, hex_data
from hutong.adapters.ics26.refusals import CALLBACK_ERROR_TOPIC, Refusals
from hutong.adapters.interface import (
    MAX_EVENT_RANGE,
    BadAnswer,
    EndpointUnavailable,
    HeightUnavailable,
    PacketEvent,
    RefusedByChain,
    RpcRefused,
)
from hutong.adapters.rpc import Together, all_of
from hutong.light_clients.crypto.hashes import keccak256
from hutong.light_clients.ibc.commitment import PathKind, path_key

ZERO_WORD = bytes(32)
CONCURRENT_BLOCKS = 16
MAX_WORDS = 256
"""Read in one call: under 2 million gas."""

MAX_IDLE = 256

BlockFacts = Callable[[int], Awaitable[tuple[bytes, int]]]
"""Height to (block hash, time in ns) of a final block."""

NO_COUNTERPARTY = "IBCCounterpartyClientNotFound"
"""The router's error of a client without one."""


class RouterReads:
    """Reads of one router."""

    def __init__(
        self,
        chain: str,
        execution: ExecutionRpc,
        router: bytes,
        block_facts: BlockFacts,
        *,
        has_multicall: bool = False,
    ) -> None:
        self._chain = chain
        self._execution = execution
        self._router = router
        self._block_facts = block_facts
        self._words = Together(self.words, MAX_WORDS if has_multicall else 1)
        self._has_multicall = has_multicall
        self._idle: dict[bytes, None] = {}

    async def packet_events(self, first: int, last: int, head: int) -> tuple[PacketEvent, ...]:
        """Packet events of the blocks `first` to `last`, both included, in order of the chain.

        Args:
            head: the final head; nothing above it is read.

        Raises:
            ValueError: not 1 to MAX_EVENT_RANGE blocks.
            HeightUnavailable: `last` is above the head.
            EndpointUnavailable: no endpoint gave logs whose blocks are the final ones of their heights.
        """
        if not 0 <= first <= last or last - first >= MAX_EVENT_RANGE:
            raise ValueError(f"a range of 1 to {MAX_EVENT_RANGE} blocks, not {first} to {last}")
        if last > head:
            raise HeightUnavailable(self._chain, last, f"the final head is {head}")
        return await self._events(
            first, last, [[hex_data(topic) for topic in (*PACKET_TOPICS, NOOP_TOPIC, CALLBACK_ERROR_TOPIC)]]
        )

    def idle_transactions(self) -> tuple[bytes, ...]:
        """Hashes of transactions with a `Noop` in the blocks that `packet_events` read, each given once.

        At most the newest MAX_IDLE since the last call.
        """
        found = tuple(self._idle)
        self._idle.clear()
        return found

    async def _events(self, first: int, last: int, topics: list[Any]) -> tuple[PacketEvent, ...]:
        """Events of packets that this side does not carry are passed over, but only where no endpoint tells of none."""
        met: list[Log] = []
        strict, lenient = (partial(self._decode, met, pass_over=pass_over) for pass_over in (False, True))
        try:
            return await self._execution.read_logs(self._router, first, last, topics, strict)
        except EndpointUnavailable:
            if not met:
                raise
        return await self._execution.read_logs(self._router, first, last, topics, lenient)

    async def _decode(self, met: list[Log], logs: tuple[Log, ...], *, pass_over: bool) -> tuple[PacketEvent, ...]:
        facts: dict[int, tuple[bytes, int]] = {}

        async def look(height: int) -> None:
            facts[height] = await self._block_facts(height)

        heights = sorted({log.height for log in logs})
        for start in range(0, len(heights), CONCURRENT_BLOCKS):
            await all_of([(look, height) for height in heights[start : start + CONCURRENT_BLOCKS]])
        events = []
        refusals = Refusals(self._execution.reverts)
        for log in logs:
            block_hash, time_ns = facts[log.height]
            if log.block_hash != block_hash:
                raise BadAnswer("eth_getLogs", "blockHash", "is not the final block of its height", log.block_hash)
            if log.topics == (NOOP_TOPIC,):
                self._idle[log.transaction_hash] = None
                while len(self._idle) > MAX_IDLE:
                    del self._idle[next(iter(self._idle))]
                continue
            if refusals.takes(log):
                continue
            try:
                events.append(refusals.explained(packet_event(log, time_ns)))
            except BadAnswer:
                if not is_of_refused_packet(log):
                    raise
                met.append(log)
                if not pass_over:
                    raise
        return tuple(events)

    async def stored(self, client_id: str, kind: PathKind, sequence: int, height: BlockTag) -> bytes | None:
        """The 32 bytes under an ICS-24 path of the router; None if nothing is stored.

        Args:
            height: a height reads the state after that block, a name the state of the named block.

        Raises:
            EndpointUnavailable: no endpoint answers for that block.
        """
        word = await self._words.get(height, keccak256(path_key(client_id, kind, sequence)))
        return None if word == ZERO_WORD else word

    async def words(self, hashed_paths: Sequence[bytes], height: BlockTag) -> tuple[bytes, ...]:
        """What is stored under each hashed path, zero for nothing, in the order asked.

        Args:
            hashed_paths: Keccak-256 of ICS-24 paths; one call asks for all if the router has `multicall`, else one for
                each.

        Raises:
            BadAnswer: the router returns another number of words.
        """
        if len(hashed_paths) > 1 and self._has_multicall:
            data = MULTICALL.encode([GET_COMMITMENT.encode(hashed_path) for hashed_path in hashed_paths])
            (returned,) = MULTICALL.decode(await self._execution.call(self._router, data, height))
            if len(returned) != len(hashed_paths):
                raise BadAnswer("multicall", "returned", f"is not {len(hashed_paths)} words", got=len(returned))
            return tuple(_word(word) for word in returned)
        return tuple(
            [
                _word(await self._execution.call(self._router, GET_COMMITMENT.encode(hashed_path), height))
                for hashed_path in hashed_paths
            ]
        )

    async def event_of(self, topic: bytes, client_id: str, sequence: int, start: int, head: int) -> PacketEvent | None:
        """The one event of a kind for a packet, searched in the blocks `start` to `head`.

        It asks for all blocks at once, and if the node refuses that, by ranges from the newest block down.

        Args:
            topic: first topic of the event's logs.

        Raises:
            BadAnswer: the endpoint has more than one such event.
            RpcRefused: the node refuses even a single block.
        """
        topics = [hex_data(topic), hex_data(client_topic(client_id)), hex_data(sequence_topic(sequence))]
        try:
            events = await self._events(start, head, topics)
        except RpcRefused:
            events = await self._search_back(topics, start, head)
        if len(events) > 1:
            raise BadAnswer("eth_getLogs", "result", f"has {len(events)} events for one packet and step")
        return events[0] if events else None

    async def _search_back(self, topics: list[str], start: int, head: int) -> tuple[PacketEvent, ...]:
        last, width = head, MAX_EVENT_RANGE
        while last >= start:
            first = max(start, last - width + 1)
            try:
                events = await self._events(first, last, topics)
            except RpcRefused:
                if first == last:
                    raise
                width = (last - first + 1) // 2
                continue
            if events:
                return events
            last = first - 1
        return ()

    async def sent_packet(self, client_id: str, sequence: int, start: int, head: int) -> PacketEvent | None:
        """The SendPacket event of a packet that was sent over `client_id`, in the blocks `start` to `head`.

        Raises:
            As `event_of`.
        """
        return await self.event_of(SEND_PACKET_TOPIC, client_id, sequence, start, head)

    async def written_acknowledgement(self, client_id: str, sequence: int, start: int, head: int) -> PacketEvent | None:
        """The WriteAcknowledgement event of a packet received over `client_id`, in the blocks `start` to `head`.

        Raises:
            As `event_of`.
        """
        return await self.event_of(WRITE_ACKNOWLEDGEMENT_TOPIC, client_id, sequence, start, head)

    @property
    def router(self) -> bytes:
        """Address of the router, 20 bytes."""
        return self._router

    async def counterparty(self, client_id: str) -> tuple[str, tuple[bytes, ...]] | None:
        """(client id, Merkle prefix) of a client's counterparty on the newest state; None if none is registered.

        Raises:
            RefusedByChain: the router has no such client.
            BadAnswer: the answer is malformed.
        """
        try:
            returned = await self._execution.call(self._router, GET_COUNTERPARTY.encode(client_id))
        except RefusedByChain as error:
            if error.name == NO_COUNTERPARTY:
                return None
            raise
        return decode_counterparty(returned)


def decode_counterparty(returned: bytes) -> tuple[str, tuple[bytes, ...]]:
    """(client id, Merkle prefix) as `getCounterparty` returned them. That they are well-formed names is not checked.

    Raises:
        BadAnswer: not ABI data of that struct.
    """
    ((counterparty_id, prefix),) = GET_COUNTERPARTY.decode(returned)
    return counterparty_id, tuple(prefix)


def _word(returned: bytes) -> bytes:
    if len(returned) == len(ZERO_WORD):  # a word is its own encoding
        return returned
    (word,) = GET_COMMITMENT.decode(returned)
    return bytes(word)
