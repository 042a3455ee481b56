"""What a sent packet needs next, read from the state of both chains: the queue and our memory are not asked."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from adapters.interface import ChainAdapter, Head
from light_clients.ibc.packet import Packet
from light_clients.interface import NANOSECONDS_PER_SECOND
from relay.config import PathEnd
from relay.core.confirmation import confirmed_job
from relay.core.history import History
from relay.core.paths import Paths
from relay.dispatch import Job, JobKind


def is_expired(packet: Packet, time_ns: int) -> bool:
    """A block of that time refuses to receive the packet, and proves that it timed out (seconds, rounded down)."""
    return time_ns // NANOSECONDS_PER_SECOND >= packet.timeout_timestamp_s


def timeout_job(receive: Job, head: Head, now_ns: int) -> Job:
    """In place of a RECEIVE job whose packet is expired at `head` of its destination: prove the absence back."""
    return replace(
        receive,
        kind=JobKind.TIMEOUT,
        source=receive.destination,
        destination=receive.source,
        event_height=head.height,
        event_time_ns=head.time_ns,
        seen_at_ns=now_ns,
    )


class Discovery:
    """Holds nothing: any task may ask, at any time."""

    def __init__(
        self, adapters: Mapping[str, ChainAdapter], paths: Paths, now_ns: Callable[[], int], history: History
    ) -> None:
        self._adapters = adapters
        self._paths = paths
        self._now_ns = now_ns
        self._history = history

    async def next_job(self, end: PathEnd, sequence: int) -> Job | None:
        """The job that brings the packet on that was sent over `end`. None: it is settled, or waits for an app.

        Raises:
            AdapterError: a chain does not answer.
        """
        opposite = self._paths.opposite[end]
        source, destination = self._adapters[end.chain], self._adapters[opposite.chain]
        if await source.commitment(end.client, sequence) is None:
            return None
        head = await destination.head()
        if await destination.receipt(opposite.client, sequence, head.height) is None:
            event = await source.sent_packet(end.client, sequence)
            adapter = source
        elif await destination.acknowledgement_commitment(opposite.client, sequence, head.height) is None:
            return None  # received, and its app has not answered yet (a forwarded packet's next leg)
        else:
            event = await destination.written_acknowledgement(opposite.client, sequence)
            adapter = destination
        if event is None:
            return None
        final_height = (await adapter.head()).height
        job = await confirmed_job(event, adapter, self._paths, final_height, self._now_ns)
        if job is not None:
            self._history.seen(job, event)
        if job is not None and job.kind is JobKind.RECEIVE and is_expired(job.packet, head.time_ns):
            return timeout_job(job, head, self._now_ns())
        return job
