"""Finding work that the queue has lost: the chains say what is unsettled, the clearer enqueues what is missing."""

from collections.abc import Callable, Mapping

from adapters.interface import MAX_SEQUENCE_SCAN, ChainAdapter
from relay.config import PathEnd
from relay.core.confirmation import confirmed_job
from relay.core.paths import Paths
from relay.core.wakeup import Wakeup
from relay.dispatch import Job, JobKind, Queue, Route
from relay.telemetry import get_logger

MAX_JOBS_PER_PASS = 500
"""Of one path end; the rest waits for the next pass, so that an old backlog does not keep new packets waiting."""


class Clearer:
    """One pass over all path ends a call of `clear`."""

    def __init__(
        self,
        adapters: Mapping[str, ChainAdapter],
        paths: Paths,
        queue: Queue,
        wakeup: Wakeup,
        now_ns: Callable[[], int],
    ) -> None:
        self._adapters = adapters
        self._paths = paths
        self._queue = queue
        self._wakeup = wakeup
        self._now_ns = now_ns
        self._settled_below: dict[PathEnd, int] = {}
        self._log = get_logger("clearer")

    async def clear(self, end: PathEnd) -> int:
        """Enqueue what is missing of the packets that were sent over `end`; returns how many jobs were."""
        opposite = self._paths.opposite[end]
        adapter = self._adapters[end.chain]
        missing: list[Job] = []
        for sequence in await self._unsettled(end, adapter):
            if len(missing) >= MAX_JOBS_PER_PASS:
                break
            job = await self._missing(end, opposite, sequence)
            if job is not None:
                missing.append(job)
        if not missing:
            return 0
        done = await self._queue.enqueue(missing)
        self._wakeup.ring_for(missing)
        if done.added:
            self._log.info("found work that was not in the queue", chain=end.chain, client=end.client, jobs=done.added)
        return done.added

    async def _unsettled(self, end: PathEnd, adapter: ChainAdapter) -> list[int]:
        first = self._settled_below.get(end, 1)
        found: list[int] = []
        at = first
        # asked anew for each window: one lie about the end neither keeps us here nor hides what is sent later
        while at < (next_sequence := await adapter.next_sequence_send(end.client)) and len(found) < MAX_SEQUENCE_SCAN:
            found.extend(await adapter.unsettled_sends(end.client, at))
            at += MAX_SEQUENCE_SCAN
        self._settled_below[end] = min(
            [*found, max(at - MAX_SEQUENCE_SCAN, first)] if found else [min(at, next_sequence)]
        )
        return found

    async def _missing(self, end: PathEnd, opposite: PathEnd, sequence: int) -> Job | None:
        """The job that would bring this packet on, None if it is known to the queue or waits for an app."""
        source, destination = self._adapters[end.chain], self._adapters[opposite.chain]
        packet_id = f"{end.chain}/{end.client}/{sequence}"
        receive = Route(end.chain, opposite.chain, opposite.client)
        acknowledge = Route(opposite.chain, end.chain, end.client)
        if await self._queue.known(acknowledge, [f"{JobKind.ACKNOWLEDGE}:{packet_id}"]):
            return None
        if await self._queue.known(receive, [f"{JobKind.RECEIVE}:{packet_id}"]):
            return None  # if it is done already, its worker finds out, and the next pass goes on
        if await destination.receipt(opposite.client, sequence) is None:
            adapter = source
            event = await source.sent_packet(end.client, sequence)
        elif await destination.acknowledgement_commitment(opposite.client, sequence) is None:
            return None  # received, and its app has not answered yet (a forwarded packet's next leg)
        else:
            adapter = destination
            event = await destination.written_acknowledgement(opposite.client, sequence)
        if event is None or await source.commitment(end.client, sequence) is None:  # settled in the meantime
            return None
        head = await adapter.head()
        return await confirmed_job(event, adapter, self._paths, head.height, self._now_ns)
