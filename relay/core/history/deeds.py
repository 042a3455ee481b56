"""Which transactions did what the relay's jobs are for, as the watchers read them: ours, and those of others."""

from dataclasses import dataclass, replace

from hutong.adapters.interface import PacketEvent, PacketEventKind
from hutong.relay.core.recent import Recent
from hutong.relay.core.topology.paths import Paths
from hutong.relay.dispatch import Job, JobKind

MAX_REMEMBERED = 20_000

_KINDS = {
    PacketEventKind.WRITE_ACKNOWLEDGEMENT: JobKind.RECEIVE,
    PacketEventKind.ACKNOWLEDGE: JobKind.ACKNOWLEDGE,
    PacketEventKind.TIMEOUT: JobKind.TIMEOUT,
}
_SETTLING = (JobKind.ACKNOWLEDGE, JobKind.TIMEOUT)


@dataclass(frozen=True, slots=True)
class Deed:
    """A transaction in a final block of the job's destination, whoever sent it. `kind` is of the jobs that it does."""

    kind: JobKind
    transaction_hash: bytes
    height: int
    block_time_ns: int


@dataclass(frozen=True, slots=True)
class Sending:
    """The transaction that sent a packet, in a final block of its source."""

    transaction_hash: bytes
    height: int
    block_time_ns: int


class Deeds:
    """The newest of them by packet and kind. A job that is done before its block was read here is awaited."""

    def __init__(self, paths: Paths) -> None:
        self._paths = paths
        self._deeds: Recent[str, Deed] = Recent(MAX_REMEMBERED)
        self._awaited: Recent[str, Job] = Recent(MAX_REMEMBERED)
        self._sent: Recent[str, Sending] = Recent(MAX_REMEMBERED)
        self._told: Recent[str, None] = Recent(MAX_REMEMBERED)

    def is_news(self, job: Job, deed: Deed | None) -> bool:
        """Whether the job's end was not noted with its deed before: an event and a job may tell of the same.

        For what ends a packet alone: anything else may be undone by a later step, and is to be noted again.
        """
        if deed is None:
            return True
        known = job.id in self._told
        self._told.put(job.id, None)
        return not known

    def sent(self, packet_id: str, sending: Sending) -> None:
        """Remember the sending of a packet that is settled already, and has no job. The newest MAX_REMEMBERED are kept."""
        self._sent.put(packet_id, sending)

    def sending_of(self, packet_id: str) -> Sending | None:
        """What `sent` was told of a packet, once; None if nothing, or it is forgotten."""
        return self._sent.pop(packet_id)

    def saw(self, chain: str, event: PacketEvent) -> tuple[Job, Deed] | None:
        """Note an event of `chain` in a final block, whoever sent its transaction.

        Returns:
            The job that waits to hear of it (`wait_for`) and what did it; None if no job waits or the client is in no
            path.
        """
        kind = _KINDS.get(event.kind)
        opposite = self._paths.counterparty(chain, event.client_id)
        if kind is None or opposite is None:
            return None
        sender = opposite.chain if kind is JobKind.RECEIVE else chain
        packet_id = f"{sender}/{event.packet.source_client}/{event.packet.sequence}"
        deed = Deed(kind, event.transaction_hash, event.height, event.block_time_ns)
        self._deeds.put(f"{kind}:{packet_id}", deed)
        for one in (JobKind.RECEIVE,) if kind is JobKind.RECEIVE else _SETTLING:
            waiting = self._awaited.pop(f"{one}:{packet_id}")
            if waiting is not None:
                return waiting, deed
        return None

    def of(self, job: Job) -> Deed | None:
        """What did the job's work, among the newest MAX_REMEMBERED; None if its block was not read, or is forgotten.

        A packet that timed out needs no acknowledgement, and the other way round: each is an answer for the other.
        """
        for kind in (JobKind.RECEIVE,) if job.kind is JobKind.RECEIVE else _SETTLING:
            deed = self._deeds.get(f"{kind}:{job.packet_id}")
            if deed is not None:
                return deed
        return None

    def wait_for(self, job: Job) -> None:
        """Have `saw` give the job back once, when the block that did its work is read. The newest
        MAX_REMEMBERED wait.
        """
        self._awaited.put(job.id, replace(job))  # without its stored form, which nobody asks for any more
