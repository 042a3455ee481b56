"""Following one chain: every packet event of every final block reaches the queue before the cursor passes it."""

from collections import Counter
from collections.abc import Callable

import trio

from hutong.adapters.interface import (
    MAX_EVENT_RANGE,
    AdapterError,
    HeightUnavailable,
    PacketEvent,
    PacketEventKind,
    PacketRecords,
)
from hutong.adapters.rpc import all_of
from hutong.relay.core.history.history import packets_of
from hutong.relay.core.watching.chain_context import ChainContext
from hutong.relay.core.watching.confirmation import confirmed_job
from hutong.relay.core.watching.relay_context import RelayContext
from hutong.relay.core.watching.timeouts import TimeoutScheduler
from hutong.relay.core.watching.turns import Turns
from hutong.relay.dispatch import Job

CONCURRENT_READS = 128
"""Adapters make one request of reads that begin together."""
KEPT_BLOCKS = 100
"""Below the head: those a node may lack for a moment, older ones it has pruned, or never had after a state sync."""


class Watcher:
    """Reads events from the cursor to the head, for ever. Failures leave; the supervisor calls `run` again."""

    def __init__(
        self,
        chain: ChainContext,
        relay: RelayContext,
        timeouts: TimeoutScheduler,
        turns: Turns,
        is_ours: Callable[[bytes], bool],
    ) -> None:
        """`turns` are the chain's. `is_ours`: whether a transaction is of our accounts."""
        self._adapter: PacketRecords = chain.adapter
        self._heads = chain.heads
        self._metrics = chain.metrics
        self._paths = relay.paths
        self._queue = relay.services.queue
        self._ledger = relay.services.ledger
        self._now_ns = relay.services.now_ns
        self._wakeup = relay.wakeup
        self._history = relay.history
        self._waiting = relay.waiting
        self._timeouts = timeouts
        self._turns = turns
        self._is_ours = is_ours
        self._most_blocks = MAX_EVENT_RANGE
        self._log = chain.log("watcher")
        self.ready = trio.Event()
        """The cursor is set: what happens from now on is seen here, what was before is the clearer's."""

    async def run(self) -> None:
        """Start where the ledger says; at the head where it says nothing (the clearer finds what was before).

        Blocks that no endpoint keeps any more are passed over with an error in the log, where the cursor is
        more than KEPT_BLOCKS below the head.

        Raises:
            AdapterError, QueueError, LedgerUnavailable: the supervisor calls it again; the cursor stays below what
                failed.
        """
        name = self._adapter.name
        head = await self._heads.head()
        cursor = await self._ledger.cursor(name)
        if cursor is None or cursor > head.height:
            if cursor is not None:
                self._log.error("the chain is shorter than it was; watching from its head", cursor=cursor)
            cursor = head.height
            self._waiting.missed(name)
            await self._ledger.set_cursor(name, cursor)
        self._log.info("watching", from_height=cursor + 1)
        self.ready.set()
        while True:
            head = await self._heads.wait_for_height(cursor + 1)
            last = min(head.height, cursor + self._most_blocks)
            try:
                events = await self._events(cursor + 1, last)
            except HeightUnavailable as error:
                if head.height - cursor <= KEPT_BLOCKS:
                    raise
                self._log.error(
                    "no node keeps these blocks any more; watching from the head, the clearer finds what was in them",
                    blocks=f"{cursor + 1} to {head.height}",
                    reason=str(error),
                )
                cursor = head.height
                self._waiting.missed(name)
                await self._ledger.set_cursor(name, cursor)
                continue
            if events is None:
                continue
            for start in range(0, len(events), CONCURRENT_READS):
                # The workers begin with the first of a full block while the rest is still looked at.
                await self._enqueue(await self.confirm(events[start : start + CONCURRENT_READS], head.height))
            late = await self._timed_out(events, head.height)
            self._settled(events)
            for event in late:
                self._history.timed_out(name, event)
            cursor = last
            self._ledger.note_cursor(name, cursor)
            self._metrics.cursor(name, cursor)

    async def _events(self, first: int, last: int) -> tuple[PacketEvent, ...] | None:
        """None: fewer blocks are asked for next. Nodes bound ranges and answers each in their own words."""
        try:
            events = await self._adapter.packet_events(first, last)
        except AdapterError as error:
            if first == last:
                raise
            self._most_blocks = (last - first + 1) // 2
            self._log.info("asking for fewer blocks", blocks=self._most_blocks, reason=str(error))
            return None
        if last - first + 1 == self._most_blocks:
            self._most_blocks = min(MAX_EVENT_RANGE, self._most_blocks + 1 + self._most_blocks // 8)
        return events

    async def confirm(self, events: tuple[PacketEvent, ...], final_height: int) -> list[Job]:
        """The jobs of events that final state bears out, in their order; the ledger is told of each.

        Raises:
            AdapterError: the chain does not answer.
        """
        found: dict[int, Job] = {}

        async def look(index: int) -> None:
            job = await confirmed_job(events[index], self._adapter, self._paths, final_height, self._now_ns)
            if job is not None:
                found[index] = job
                self._history.seen(job, events[index])
            elif events[index].kind is PacketEventKind.SEND:
                self._history.sent_and_gone(self._adapter.name, events[index])

        await all_of([(look, index) for index in range(len(events))])
        return [found[index] for index in sorted(found)]

    async def _timed_out(self, events: tuple[PacketEvent, ...], final_height: int) -> list[PacketEvent]:
        """Of others' proofs that a packet was late, in their order, those that the state bears out: nothing is committed.

        Raises:
            AdapterError: the chain does not answer.
        """
        told = [event for event in events if event.kind is PacketEventKind.TIMEOUT]
        others = [event for event in told if not self._is_ours(event.transaction_hash)]
        standing: set[int] = set()

        async def look(index: int) -> None:
            packet = others[index].packet
            if await self._adapter.commitment(packet.source_client, packet.sequence, final_height) is not None:
                standing.add(index)

        for start in range(0, len(others), CONCURRENT_READS):
            await all_of([(look, index) for index in range(len(others))[start : start + CONCURRENT_READS]])
        return [event for index, event in enumerate(others) if index not in standing]

    async def _enqueue(self, jobs: list[Job]) -> None:
        """Return when the queue has every job that it has room for.

        A full route does not hold the others of this chain (attack list G9): the chains remember what it has no room for,
        and the clearer enqueues that when there is.
        """
        name = self._adapter.name
        for job in jobs:
            self._metrics.events(name, job.kind, 1)
            self._metrics.event_age(name, job.kind, max(0, job.seen_at_ns - job.event_time_ns) / 1e9)
        if not jobs:
            return
        done = await self._queue.enqueue(jobs)
        self._wakeup.ring_for(jobs)
        for job in jobs:
            self._timeouts.watch(job)
        self._history.enqueued(jobs, done)
        if done.added:
            now_ns = self._now_ns()
            for job in jobs if not (done.known or done.full) else ():
                self._metrics.stage(job.destination, job.kind, "queued", max(0, now_ns - job.seen_at_ns) / 1e9)
            self._log.info("enqueued", jobs=done.added, known=done.known, packets=packets_of(jobs))
        if done.full:
            self._log.warning(
                "a route is full; the clearer will bring the rest", jobs=done.full, packets=packets_of(jobs)
            )

    def _settled(self, events: tuple[PacketEvent, ...]) -> None:
        """Packets that are said to be settled time out no more."""
        name, now_ns = self._adapter.name, self._now_ns()
        self._count(events)
        self._turns.saw(events, self._is_ours)
        for event in events:
            self._history.happened(name, event)
            if event.kind is PacketEventKind.WRITE_ACKNOWLEDGEMENT:
                sender = self._paths.counterparty(name, event.packet.destination_client)
                if sender is not None:
                    self._waiting.answered(sender, event.packet.sequence)
            if event.kind in (PacketEventKind.ACKNOWLEDGE, PacketEventKind.TIMEOUT):
                opposite = self._paths.counterparty(name, event.packet.source_client)
                if opposite is not None:
                    packet = event.packet
                    waited_ns = self._metrics.backlog.settled(name, packet.source_client, packet.sequence, now_ns)
                    if waited_ns is not None:
                        self._metrics.stage(name, event.kind, "acknowledged", waited_ns / 1e9)
                    self._timeouts.forget(opposite.chain, f"{name}/{packet.source_client}/{packet.sequence}")

    def _count(self, events: tuple[PacketEvent, ...]) -> None:
        counts = Counter((event.kind, event.client_id, _port(event)) for event in events)
        for (kind, client_id, port), count in counts.items():
            if self._paths.counterparty(self._adapter.name, client_id) is not None:
                self._metrics.hermes.packet_events(kind, self._adapter.name, client_id, port, count)


def _port(event: PacketEvent) -> str:
    """On the chain that emitted the event."""
    payload = event.packet.payloads[0]
    return payload.destination_port if event.kind is PacketEventKind.WRITE_ACKNOWLEDGEMENT else payload.source_port
