"""What a sent packet needs next, read from the state of both chains: the queue and our memory are not asked."""

from dataclasses import replace
from enum import Enum

from hutong.adapters.interface import AdapterError, Head, PacketEvent, PacketEventKind, PacketRecords
from hutong.light_clients.ibc.commitment import packet_commitment
from hutong.light_clients.ibc.packet import Packet
from hutong.light_clients.interface import NANOSECONDS_PER_SECOND
from hutong.relay.config import PathEnd
from hutong.relay.core.watching.confirmation import confirmed_job
from hutong.relay.core.watching.relay_context import RelayContext
from hutong.relay.dispatch import Job, JobKind
from hutong.relay.telemetry import get_logger

_UNKNOWN_HASH = bytes(32)
"""Nothing reads it of an event out of the ledger, which knows the hash already."""


def is_expired(packet: Packet, time_ns: int) -> bool:
    """Whether a block of that time refuses to receive the packet, and proves that it timed out (ICS-04 v2).

    Args:
        time_ns: of a block of the packet's destination, nanoseconds of Unix time; compared in whole seconds, rounded
            down.
    """
    return time_ns // NANOSECONDS_PER_SECOND >= packet.timeout_timestamp_s


def timeout_job(receive: Job, head: Head, now_ns: int) -> Job:
    """The job in place of a RECEIVE job whose packet is expired at `head` of its destination: prove the absence back.

    That it is expired is not checked here.

    Args:
        receive: source and destination change places in the result.
        head: final, of the packet's destination; the absence is proven at its height or above.
        now_ns: when the relay saw it, nanoseconds of Unix time.
    """
    return replace(
        receive,
        kind=JobKind.TIMEOUT,
        source=receive.destination,
        destination=receive.source,
        event_height=head.height,
        event_time_ns=head.time_ns,
        seen_at_ns=now_ns,
    )


class Rest(Enum):
    """Why no job brings a packet on."""

    SETTLED = "its source keeps no commitment of it"
    AWAITS_APP = "received, and its app has not answered yet (a forwarded packet's next leg)"
    NOT_SEEN = "no node has its event in a final block, nor the ledger"


class Discovery:
    """Holds nothing: any task may ask, at any time."""

    def __init__(self, relay: RelayContext) -> None:
        self._adapters = relay.adapters
        self._paths = relay.paths
        self._now_ns = relay.services.now_ns
        self._history = relay.history
        self._log = get_logger("discovery")

    async def next_job(self, end: PathEnd, sequence: int) -> Job | None:
        """The job that brings the packet on that was sent over `end`, by the state of both chains at their heads.

        Returns:
            None: it is settled, or waits for an app, or its event is to be had nowhere.

        Raises:
            AdapterError: a chain does not answer.
        """
        found = await self.look(end, sequence)
        return found if isinstance(found, Job) else None

    async def look(self, end: PathEnd, sequence: int) -> Job | Rest:
        """The same, and where no job brings it on, why.

        Raises:
            AdapterError: a chain does not answer.
        """
        opposite = self._paths.opposite[end]
        source, destination = self._adapters[end.chain], self._adapters[opposite.chain]
        commitment = await source.commitment(end.client, sequence)
        if commitment is None:
            return Rest.SETTLED
        head = await destination.head()
        if await destination.receipt(opposite.client, sequence, head.height) is None:
            job = await self._job(end, sequence, commitment, JobKind.RECEIVE)
        elif await destination.acknowledgement_commitment(opposite.client, sequence, head.height) is None:
            return Rest.AWAITS_APP
        else:
            job = await self._job(end, sequence, commitment, JobKind.ACKNOWLEDGE)
        if job is None:
            return Rest.NOT_SEEN
        if job.kind is JobKind.RECEIVE and is_expired(job.packet, head.time_ns):
            return timeout_job(job, head, self._now_ns())
        return job

    async def awaits_app(self, end: PathEnd, sequence: int) -> bool:
        """Whether it was received and not answered, so that it stands: its source is not asked.

        Raises:
            AdapterError: its destination does not answer.
        """
        opposite = self._paths.opposite[end]
        destination = self._adapters[opposite.chain]
        at = (await destination.head()).height
        if await destination.acknowledgement_commitment(opposite.client, sequence, at) is not None:
            return False
        return await destination.receipt(opposite.client, sequence, at) is not None

    async def _job(self, end: PathEnd, sequence: int, commitment: bytes, kind: JobKind) -> Job | None:
        """From the packet's event; where no node has it any more, from what the ledger keeps of it.

        Either way the state at a final height decides whether it is true. `commitment` is the packet's on its source.
        """
        opposite = self._paths.opposite[end]
        adapter = self._adapters[(end if kind is JobKind.RECEIVE else opposite).chain]
        missed: AdapterError | None = None
        try:
            if kind is JobKind.RECEIVE:
                event = await adapter.sent_packet(end.client, sequence)
            else:
                event = await adapter.written_acknowledgement(opposite.client, sequence)
        except AdapterError as error:
            missed, event = error, None
        is_new = event is not None
        if event is None:
            event = await self._kept_event(f"{end.chain}/{end.client}/{sequence}", adapter, commitment, kind)
        if event is not None:
            final_height = (await adapter.head()).height
            job = await confirmed_job(event, adapter, self._paths, final_height, self._now_ns)
            if job is not None:
                if is_new:
                    self._history.seen(job, event)
                return job
        if missed is not None:
            raise missed
        return None

    async def _kept_event(
        self, packet_id: str, adapter: PacketRecords, commitment: bytes, kind: JobKind
    ) -> PacketEvent | None:
        kept = await self._history.kept(packet_id, kind)
        if kept is None or kept.source != adapter.name:
            return None
        if packet_commitment(kept.packet) != commitment:
            self._log.warning(
                "what the ledger keeps of a packet contradicts the state",
                packet=packet_id,
                reason="its bytes do not give the commitment on the chain that sent it",
            )
            return None
        self._log.info("an event that no node has is taken from the ledger", packet=packet_id, kind=kind.value)
        return PacketEvent(
            kind=PacketEventKind.SEND if kind is JobKind.RECEIVE else PacketEventKind.WRITE_ACKNOWLEDGEMENT,
            height=kept.event_height,
            block_time_ns=kept.event_time_ns,
            transaction_hash=_UNKNOWN_HASH,
            log_index=0,
            packet=kept.packet,
            acknowledgement=kept.acknowledgement,
        )
