"""Which transactions did what the relay's jobs are for, as the watchers read them: ours, and those of others."""

from dataclasses import dataclass

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
    """A transaction in a final block of the job's destination, whoever sent it."""

    transaction_hash: bytes
    height: int
    block_time_ns: int


class Deeds:
    """The newest of them by packet and kind. A job that is done before its block was read here is awaited."""

    def __init__(self, paths: Paths) -> None:
        self._paths = paths
        self._deeds: Recent[str, Deed] = Recent(MAX_REMEMBERED)
        self._awaited: Recent[str, Job] = Recent(MAX_REMEMBERED)

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
        deed = Deed(event.transaction_hash, event.height, event.block_time_ns)
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
        self._awaited.put(job.id, job)
