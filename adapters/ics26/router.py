"""What a router says about packets, read from its chain: shared by every chain with the ICS26Router ABI."""

from collections.abc import Awaitable, Callable
from typing import Any

from adapters.ics26.abi import GET_COMMITMENT, GET_COUNTERPARTY
from adapters.ics26.events import (
    PACKET_TOPICS,
    SEND_PACKET_TOPIC,
    WRITE_ACKNOWLEDGEMENT_TOPIC,
    Log,
    client_topic,
    packet_event,
    sequence_topic,
)
from adapters.ics26.execution import ExecutionRpc, hex_data
from adapters.interface import (
    MAX_EVENT_RANGE,
    BadAnswer,
    HeightUnavailable,
    PacketEvent,
    RefusedByChain,
    RpcRefused,
)
from light_clients.crypto.hashes import keccak256
from light_clients.ibc.commitment import PathKind, path_key

ZERO_WORD = bytes(32)

BlockFacts = Callable[[int], Awaitable[tuple[bytes, int]]]
"""Height to (block hash, time in ns) of a final block."""


class RouterReads:
    """Reads of one router."""

    def __init__(self, chain: str, execution: ExecutionRpc, router: bytes, block_facts: BlockFacts) -> None:
        self._chain = chain
        self._execution = execution
        self._router = router
        self._block_facts = block_facts

    async def packet_events(self, first: int, last: int, head: int) -> tuple[PacketEvent, ...]:
        """Events of blocks `first` to `last`; each log's block must be the final block of its height."""
        if not 0 <= first <= last or last - first >= MAX_EVENT_RANGE:
            raise ValueError(f"a range of 1 to {MAX_EVENT_RANGE} blocks, not {first} to {last}")
        if last > head:
            raise HeightUnavailable(self._chain, last, f"the final head is {head}")
        return await self._events(first, last, [[hex_data(topic) for topic in PACKET_TOPICS]])

    async def _events(self, first: int, last: int, topics: list[Any]) -> tuple[PacketEvent, ...]:
        return await self._execution.read_logs(self._router, first, last, topics, self._decode)

    async def _decode(self, logs: tuple[Log, ...]) -> tuple[PacketEvent, ...]:
        facts: dict[int, tuple[bytes, int]] = {}
        events = []
        for log in logs:
            if log.height not in facts:
                facts[log.height] = await self._block_facts(log.height)
            block_hash, time_ns = facts[log.height]
            if log.block_hash != block_hash:
                raise BadAnswer("eth_getLogs", "blockHash", "is not the final block of its height", log.block_hash)
            events.append(packet_event(log, time_ns))
        return tuple(events)

    async def stored(self, client_id: str, kind: PathKind, sequence: int, height: int) -> bytes | None:
        """The 32 bytes under an ICS-24 path in the state after block `height`."""
        hashed_path = keccak256(path_key(client_id, kind, sequence))
        returned = await self._execution.call(self._router, GET_COMMITMENT.encode(hashed_path), height)
        (word,) = GET_COMMITMENT.decode(returned)
        return None if word == ZERO_WORD else bytes(word)

    async def event_of(self, topic: bytes, client_id: str, sequence: int, start: int, head: int) -> PacketEvent | None:
        """The one event of a kind for a packet. Asks for all blocks from `start`, by ranges where the node refuses that."""
        topics = [hex_data(topic), hex_data(client_topic(client_id)), hex_data(sequence_topic(sequence))]
        try:
            events = await self._events(start, head, topics)
        except RpcRefused:
            events = await self._search_back(topics, start, head)
        if len(events) > 1:
            raise BadAnswer("eth_getLogs", "result", f"has {len(events)} events for one packet and step")
        return events[0] if events else None

    async def _search_back(self, topics: list[str], start: int, head: int) -> tuple[PacketEvent, ...]:
        last = head
        while last >= start:
            first = max(start, last - MAX_EVENT_RANGE + 1)
            events = await self._events(first, last, topics)
            if events:
                return events
            last = first - 1
        return ()

    async def sent_packet(self, client_id: str, sequence: int, start: int, head: int) -> PacketEvent | None:
        return await self.event_of(SEND_PACKET_TOPIC, client_id, sequence, start, head)

    async def written_acknowledgement(self, client_id: str, sequence: int, start: int, head: int) -> PacketEvent | None:
        return await self.event_of(WRITE_ACKNOWLEDGEMENT_TOPIC, client_id, sequence, start, head)

    async def counterparty(self, client_id: str) -> tuple[str, tuple[bytes, ...]] | None:
        """(client id, Merkle prefix) of the counterparty, None where none is registered."""
        try:
            returned = await self._execution.call(self._router, GET_COUNTERPARTY.encode(client_id))
        except RefusedByChain as error:
            if error.name == "IBCCounterpartyClientNotFound":
                return None
            raise
        ((counterparty_id, prefix),) = GET_COUNTERPARTY.decode(returned)
        return counterparty_id, tuple(prefix)
