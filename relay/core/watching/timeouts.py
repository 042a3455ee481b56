"""Packets that nobody can receive any more: recognised by their destination's own time, and proven back to their source.

The host's clock decides nothing here (attack list G12). A packet is expired once a final block of its destination has a
time of at least its timeout: no later block can receive it, so a missing receipt at that block is missing for ever.
"""

from collections.abc import Mapping
from heapq import heappop, heappush

import trio

from hutong.adapters.interface import AdapterError, Head
from hutong.adapters.rpc import all_of
from hutong.light_clients.interface import NANOSECONDS_PER_SECOND
from hutong.relay.config import PathEnd
from hutong.relay.core.history.history import packets_of
from hutong.relay.core.watching.discovery import Discovery
from hutong.relay.core.watching.heads import HeadFollower
from hutong.relay.core.watching.relay_context import RelayContext
from hutong.relay.dispatch import Job, JobKind, Route
from hutong.relay.telemetry import get_logger

MAX_WATCHED = 100_000
"""Packets per destination; the clearer finds what does not fit."""
CONCURRENT_LOOKS = 8


class TimeoutScheduler:
    """Remembers the unsettled packets that were seen, and enqueues a timeout as soon as the destination's head is past it.

    Its memory may be lost or incomplete at any time: the clearer reads the same from the chains.
    """

    def __init__(self, relay: RelayContext, heads: Mapping[str, HeadFollower], discovery: Discovery) -> None:
        """`heads` are by chain name, of every chain in a path."""
        self._heads = heads
        self._paths = relay.paths
        self._discovery = discovery
        self._queue = relay.services.queue
        self._wakeup = relay.wakeup
        self._history = relay.history
        self._ends: dict[str, dict[str, tuple[PathEnd, int]]] = {chain: {} for chain in heads}
        self._due: dict[tuple[str, str], list[tuple[int, str]]] = {
            (source.chain, end.chain): [] for end, source in relay.paths.opposite.items()
        }
        """By source and destination: a source that does not answer holds up no other's packets."""
        self._forgotten = dict.fromkeys(self._due, 0)
        self._log = get_logger("timeouts")

    def watch(self, job: Job) -> None:
        """Remember the packet of a RECEIVE job; other jobs, and what MAX_WATCHED has no room for, are passed over."""
        ends = self._ends[job.destination] if job.kind is JobKind.RECEIVE else None
        if ends is None or job.packet_id in ends or len(ends) >= MAX_WATCHED:
            return
        packet, packet_id = job.packet, job.packet_id
        end = self._paths.end(job.source, packet.source_client)
        if end is not None:
            ends[packet_id] = (end, packet.sequence)
            heappush(self._due[job.source, job.destination], (packet.timeout_timestamp_s, packet_id))

    def watches(self, destination: str, packet_id: str) -> bool:
        """Whether the timeout of the packet will be noticed here, as long as this process lives."""
        return packet_id in self._ends[destination]

    def forget(self, destination: str, packet_id: str) -> None:
        """The packet is said to be settled: it is watched no more. If that was a lie, the clearer finds the packet."""
        known = self._ends[destination].pop(packet_id, None)
        if known is not None:
            self._tidy(known[0].chain, destination)

    def _tidy(self, source: str, destination: str) -> None:
        """Drop the heap's memories of forgotten packets once they are the most of it."""
        route = source, destination
        ends, due = self._ends[destination], self._due[route]
        self._forgotten[route] += 1
        if len(due) > 64 and 2 * self._forgotten[route] > len(due):
            due[:] = sorted(entry for entry in due if entry[1] in ends)
            self._forgotten[route] = 0

    async def run(self, destination: str) -> None:
        """For ever: at each head of `destination`, what has expired of each source's packets.

        Raises:
            QueueError: maybe in an exception group. The supervisor calls it again; what was due stays due.
        """
        async with trio.open_nursery() as nursery:
            for source, other in self._due:
                if other == destination:
                    nursery.start_soon(self._run, source, destination)

    async def _run(self, source: str, destination: str) -> None:
        heads = self._heads[destination]
        head = await heads.head()
        while True:
            await self.expire(source, destination, head)
            head = await heads.wait_for_height(head.height + 1)

    async def expire(self, source: str, destination: str, head: Head) -> None:
        """Enqueue what of `source`'s packets `head` shows to be expired; what cannot be looked at now stays for the
        next head.

        Args:
            head: a final block of `destination`; its time decides, not the host's clock.

        Raises:
            QueueError: nothing is forgotten.
        """
        ends, due = self._ends[destination], self._due[source, destination]
        now_s = head.time_ns // NANOSECONDS_PER_SECOND
        expired: list[tuple[int, str]] = []
        while due and due[0][0] <= now_s:
            entry = heappop(due)
            if entry[1] in ends:
                expired.append(entry)
        found: list[Job] = []
        looked_at: list[str] = []

        async def look(entry: tuple[int, str]) -> None:
            end = ends.get(entry[1])
            if end is None:  # settled while others were looked at
                return
            try:
                job = await self._discovery.next_job(*end)
            except AdapterError as error:
                self._log.warning(
                    "an expired packet waits for a chain", chain=destination, packet=entry[1], reason=str(error)
                )
                return
            looked_at.append(entry[1])
            if job is not None:
                found.append(job)

        try:
            for start in range(0, len(expired), CONCURRENT_LOOKS):
                await all_of([(look, entry) for entry in expired[start : start + CONCURRENT_LOOKS]])
            await self._enqueue(destination, found)
            for packet_id in looked_at:
                ends.pop(packet_id, None)
        finally:
            for entry in expired:
                if entry[1] in ends:
                    heappush(due, entry)

    async def _enqueue(self, destination: str, found: list[Job]) -> None:
        if found:
            done = await self._queue.enqueue(found)
            self._wakeup.ring_for(found)
            self._history.enqueued(found, done)
            for job in found:  # what rests of their receiving need not be tried again
                if job.kind is JobKind.TIMEOUT:
                    packet_id, client = job.packet_id, job.packet.destination_client
                    receive = Route(job.destination, job.source, client)
                    await self._queue.forget(receive, [f"{JobKind.RECEIVE}:{packet_id}"])
            if done.added:
                self._log.info("packets expired", chain=destination, jobs=done.added, packets=packets_of(found))
