"""Packets of any age: by the node's index where it has one, else rebuilt from state and one block's results.

The next sequence of a client only grows, and a written acknowledgement's commitment stays, so the block in which a
packet was sent or acknowledged is found by bisection over heights: its state is the first that shows it.
"""

from collections.abc import Awaitable, Callable
from contextlib import suppress

from hutong.adapters.cosmos.clients import StoredClients
from hutong.adapters.cosmos.reading.events import BlockEvents, BlockPackets
from hutong.adapters.cosmos.rpc import CosmosRpc
from hutong.adapters.interface import BadAnswer, HeightUnavailable, PacketEvent, PacketEventKind
from hutong.light_clients.ibc.commitment import PathKind, acknowledgement_commitment, packet_commitment, path_key
from hutong.light_clients.ibc.identifiers import check_client_id

SEARCHED = {
    PacketEventKind.SEND: ("send_packet", "packet_source_client"),
    PacketEventKind.WRITE_ACKNOWLEDGEMENT: ("write_acknowledgement", "packet_dest_client"),
}


async def first_height(shows: Callable[[int], Awaitable[bool]], lowest: int, highest: int) -> tuple[int, bool]:
    """The first height from `lowest` on whose state shows what that of `highest` shows, and never ceases to.

    It asks about twice the binary logarithm of the distance; recent heights are found with the fewest questions.

    Args:
        shows: whether the state after a block shows it; HeightUnavailable, if the state is not kept, counts as no.

    Returns:
        (height, whether it is the first): False if the state before is not kept, so that it may have been shown
            earlier.
    """
    known: dict[int, bool] = {}

    async def holds(height: int) -> bool:
        try:
            shown = await shows(height)
        except HeightUnavailable:
            known[height] = False
            return False
        known[height] = True
        return shown

    above, step = highest, 1
    while above > lowest:
        height = max(lowest, above - step)
        if not await holds(height):
            below = height
            break
        above, step = height, 2 * step
    else:
        return lowest, lowest <= 1
    while above - below > 1:
        middle = (above + below) // 2
        if await holds(middle):
            above = middle
        else:
            below = middle
    return above, known[below]


class PacketHistory:
    """`start` is the first height that matters."""

    def __init__(self, chain: str, rpc: CosmosRpc, clients: StoredClients, events: BlockEvents, start: int) -> None:
        self._chain = chain
        self._rpc = rpc
        self._clients = clients
        self._events = events
        self._start = max(1, start)

    async def sent_packet(self, client_id: str, sequence: int, head: int) -> PacketEvent | None:
        """See ChainAdapter. `head` is the height of the final head, whose state decides whether the packet was sent.

        Raises:
            HeightUnavailable: it was sent in a block before all whose state the node keeps.
            EndpointUnavailable: no endpoint gave events that agree with the state.
        """

        async def shows(height: int) -> bool:
            return await self._clients.next_sequence_send(client_id, height) > sequence

        if sequence < 1 or not await shows(head):
            return None
        key = path_key(client_id, PathKind.COMMITMENT, sequence)
        return await self._find(PacketEventKind.SEND, client_id, sequence, head, shows, key)

    async def written_acknowledgement(self, client_id: str, sequence: int, head: int) -> PacketEvent | None:
        """See ChainAdapter. `head` is the height of the final head, whose state decides whether there is one.

        Raises:
            HeightUnavailable: it was written in a block before all whose state the node keeps.
            EndpointUnavailable: no endpoint gave events that agree with the state.
        """
        key = path_key(client_id, PathKind.ACKNOWLEDGEMENT, sequence)

        async def shows(height: int) -> bool:
            return await self._rpc.stored(key, height) is not None

        if not await shows(head):
            return None
        return await self._find(PacketEventKind.WRITE_ACKNOWLEDGEMENT, client_id, sequence, head, shows, key)

    async def _find(
        self,
        kind: PacketEventKind,
        client_id: str,
        sequence: int,
        head: int,
        shows: Callable[[int], Awaitable[bool]],
        key: bytes,
    ) -> PacketEvent | None:
        def wanted(packets: BlockPackets) -> PacketEvent | None:
            named = [
                event
                for event in packets.events
                if (event.kind, event.client_id, event.packet.sequence) == (kind, client_id, sequence)
            ]
            return named[0] if named else None

        def passed_over(packets: BlockPackets) -> bool:
            return any(
                (one.kind, one.client_id, one.sequence) == (kind, client_id, sequence) for one in packets.passed_over
            )

        async def look(height: int, *, is_first: bool) -> BlockPackets:
            committed = await self._committed(key, height)

            def expect(packets: BlockPackets) -> None:
                event = wanted(packets)
                if event is None and is_first and not passed_over(packets):
                    raise BadAnswer(
                        "block_results", "events", f"have no {kind} of {client_id}/{sequence}, which state shows"
                    )
                if event is not None and committed not in (None, _commitment(event)):
                    raise BadAnswer("block_results", "events", f"contradict the commitment of {client_id}/{sequence}")

            return await self._events.of_block(height, head, expect)

        for height in await self._indexed(kind, client_id, sequence, head):
            with suppress(HeightUnavailable):
                packets = await look(height, is_first=False)
                if (found := wanted(packets)) is not None or passed_over(packets):
                    return found
        height, is_first = await first_height(shows, self._start, head)
        packets = await look(height, is_first=is_first)
        found = wanted(packets)
        if found is None and not passed_over(packets):
            raise HeightUnavailable(
                self._chain,
                height - 1,
                f"{kind} of {client_id}/{sequence} was in an earlier block, and the node keeps no state before {height}",
            )
        return found

    async def _committed(self, key: bytes, height: int) -> bytes | None:
        """What must agree with an event of block `height`; None where the node does not keep it, or it is gone again."""
        try:
            return await self._rpc.stored(key, height)
        except HeightUnavailable:
            return None

    async def _indexed(self, kind: PacketEventKind, client_id: str, sequence: int, head: int) -> list[int]:
        """Heights that the node's index names, none where it has no index or does not answer: a hint."""
        event, key = SEARCHED[kind]
        query = f"{event}.{key}='{check_client_id(client_id)}' AND {event}.packet_sequence='{sequence}'"
        heights = await self._rpc.search(query)
        return [height for height in heights if 1 <= height <= head]


def _commitment(event: PacketEvent) -> bytes:
    if event.acknowledgement is None:
        return packet_commitment(event.packet)
    return acknowledgement_commitment(event.acknowledgement)
