"""Telling the ledger what happens to packets: small notes, written by the ledger when it writes anyway."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from itertools import islice

from hutong.adapters.interface import (
    EndpointUnavailable,
    HeightUnavailable,
    PacketEvent,
    SignerUnavailable,
    SigningFailed,
)
from hutong.light_clients.interface import VerificationError
from hutong.relay.config import PathEnd
from hutong.relay.core.complaints import Complaints
from hutong.relay.core.errors import RouteBlocked, SubmissionRefused
from hutong.relay.core.history.deeds import Deed, Deeds, Sending
from hutong.relay.core.history.facts import every_fact_of, facts_of, first_leg_of
from hutong.relay.core.topology.paths import Paths
from hutong.relay.dispatch import Enqueued, Job, JobKind, RecordRefused, Route, decode_job
from hutong.relay.ledger import (
    Cause,
    Ledger,
    LedgerUnavailable,
    Note,
    Outcome,
    RecordedJob,
    RouteNote,
    Step,
    refusal_reason,
)
from hutong.relay.telemetry import Backlog, get_logger

MAX_LOGGED_PACKETS = 100
"""Packets that one line names; each has lines of its own before and after."""


def cause_of(error: Exception) -> Cause:
    """Which cause the ledger writes down for an error that held or failed a job; OTHER for errors that have none."""
    match error:
        case RouteBlocked() | SubmissionRefused():
            return error.cause
        case EndpointUnavailable():
            return Cause.ENDPOINT
        case HeightUnavailable():
            return Cause.HEIGHT_UNAVAILABLE
        case SignerUnavailable():
            return Cause.SIGNER_AWAY
        case SigningFailed():
            return Cause.SIGNER_REFUSED
        case VerificationError():
            return Cause.PROOF_REFUSED
    return Cause.OTHER


class History:
    """Calls that do not wait cannot fail; `paths` resolve the legs of a forwarded packet.

    What `complaints` has of the ledger already is not logged again.
    """

    def __init__(
        self,
        ledger: Ledger,
        paths: Paths,
        now_ns: Callable[[], int],
        backlog: Backlog,
        complaints: Complaints | None = None,
    ) -> None:
        self._ledger = ledger
        self._paths = paths
        self._now_ns = now_ns
        self._backlog = backlog
        self._complaints = complaints if complaints is not None else Complaints()
        self._deeds = Deeds(paths)
        self._log = get_logger("history")

    def about(self, job: Job) -> dict[str, str]:
        """What every line of the log says of a job's packet: its id, the kind of job, and the first packet of its message
        where the packet tells it."""
        facts = {"packet": job.packet_id, "kind": job.kind.value}
        first = first_leg_of(job, self._paths)
        if first is not None:
            facts["message"] = first
        return facts

    def seen(self, job: Job, event: PacketEvent) -> None:
        """Note that an event stands in final state, with the job's bytes and all that its payload says. It may be noted
        twice.
        """
        if job.kind is JobKind.RECEIVE:
            self._backlog.sent(job.source, job.packet.source_client, job.packet.sequence, self._now_ns())
        error = job.acknowledgement is not None and job.acknowledgement.is_error
        self._ledger.note(
            [
                Note(
                    job.packet_id,
                    job.kind.value,
                    Step.SEEN,
                    job.source,
                    self._now_ns(),
                    every_fact_of(job, self._paths),
                    reason=refusal_reason(event.refusal) if error else None,
                    height=event.height,
                    block_time_ns=event.block_time_ns,
                    transaction_hash=event.transaction_hash,
                    record=job.record,
                    certain=False,
                )
            ]
        )

    async def kept(self, packet_id: str, kind: JobKind) -> Job | None:
        """The job of an event that this relay saw once. Not proven: compare it with state.

        Returns:
            None if its bytes are not kept, cannot be read, or the ledger does not answer; the log says which.
        """
        try:
            record = await self._ledger.record_of(packet_id, kind.value)
            job = None if record is None else decode_job(record)
        except (LedgerUnavailable, RecordRefused) as error:
            if isinstance(error, RecordRefused) or self._complaints.is_new(str(error)):
                self._log.warning("what the ledger keeps of a packet is of no use", packet=packet_id, reason=str(error))
            return None
        return job if job is not None and job.packet_id == packet_id and job.kind is kind else None

    def enqueued(self, jobs: Sequence[Job], done: Enqueued) -> None:
        """The queue has them now; some it may have had before, in whatever state they are.

        That it has them is not noted where it had no room for some of `jobs`: it does not say for which. Whoever
        enqueues a timeout has found that the packet was not received in time, which is noted in any case.
        """
        if done.added or done.full:  # of jobs that were all known it is noted already
            self._expired(job for job in jobs if job.kind is JobKind.TIMEOUT)
        if not done.full:
            self._note(jobs, Step.QUEUED, certain=not done.known)

    def waits(self, route: Route, jobs: Iterable[Job], error: Exception, failures: int) -> None:
        """The route and the jobs that its worker holds wait for what `error` says."""
        cause = cause_of(error)
        self._ledger.note([RouteNote(route.name, self._now_ns(), str(error), cause, failures)])
        self._note(jobs, Step.WAITING, str(error), cause)

    def held_up(self, route: Route, reason: str) -> None:
        """The route waits for a chain that does not answer, and no job of it has failed: its worker has not begun, or
        comes no further.
        """
        self._ledger.note([RouteNote(route.name, self._now_ns(), reason, Cause.ENDPOINT, 1)])

    def goes_on(self, route: Route) -> None:
        """The route's worker can work: what `waits` or `held_up` noted of the route is over."""
        self._ledger.note([RouteNote(route.name, self._now_ns())])

    def retried(self, job: Job, reason: str, cause: Cause) -> None:
        """The job failed for `reason` and comes again after a delay."""
        self._note([job], Step.RETRIED, reason, cause)

    def waits_for(self, job: Job, reason: str, cause: Cause) -> None:
        """Nothing failed: the job is looked at again after a while."""
        self._note([job], Step.WAITING, reason, cause)

    def dead(self, job: Job, reason: str, cause: Cause) -> None:
        """The job is given up: a dead letter."""
        self._note([job], Step.DEAD, reason, cause)

    def happened(self, chain: str, event: PacketEvent) -> None:
        """An event of `chain` in a final block: what superseded a job is named, also where that was known before."""
        named = self._deeds.saw(chain, event)
        if named is not None:
            self._superseded(*named)

    def sent_and_gone(self, chain: str, event: PacketEvent) -> None:
        """A packet of `chain` was sent, and is settled already: its sending is noted if its end is (`timed_out`)."""
        packet_id = f"{chain}/{event.packet.source_client}/{event.packet.sequence}"
        self._deeds.sent(packet_id, Sending(event.transaction_hash, event.height, event.block_time_ns))

    def timed_out(self, chain: str, event: PacketEvent) -> None:
        """Another relay proved that a packet of `chain` was not received in time, and its commitment is gone.

        Noted whether or not a job of this relay is about it: the hub answers the first packet of a message with an error
        then, which would be taken for a refusal. A packet whose client is in no path is passed over.
        """
        opposite = self._paths.counterparty(chain, event.client_id)
        if opposite is None or opposite.client != event.packet.destination_client:
            return
        now_ns = self._now_ns()
        at = event.height, event.block_time_ns
        job = Job(JobKind.TIMEOUT, opposite.chain, chain, event.packet, None, *at, now_ns)
        if not self._deeds.is_news(job, Deed(job.kind, event.transaction_hash, *at)):
            return
        end = Note(
            job.packet_id,
            job.kind.value,
            Step.SUPERSEDED,
            chain,
            now_ns,
            every_fact_of(job, self._paths),
            height=event.height,
            block_time_ns=event.block_time_ns,
            transaction_hash=event.transaction_hash,
            outcome=Outcome.TIMED_OUT,
        )
        sending = self._deeds.sending_of(job.packet_id)
        if sending is None:
            self._ledger.note([end])
            return
        sent = replace(
            end,
            kind=JobKind.RECEIVE.value,
            step=Step.SEEN,
            height=sending.height,
            block_time_ns=sending.block_time_ns,
            transaction_hash=sending.transaction_hash,
            outcome=None,
            certain=False,
        )
        self._ledger.note([sent, end])

    def superseded(self, job: Job, reason: str | None = None) -> None:
        """The job needs nothing more: for a reason, or (None) because the chain's state says that it is done.

        Its packet is settled if what would have settled it is done. The transaction that did it is named as soon as its
        block was read. A packet that a hub sends on is not given one, since its acknowledgement is another packet's.
        """
        if reason is not None:
            self._note([job], Step.SUPERSEDED, reason)
            return
        answers_later = job.kind is JobKind.RECEIVE and every_fact_of(job, self._paths).next_client is not None
        deed = None if answers_later else self._deeds.of(job)
        self._superseded(job, deed)
        if deed is None and not answers_later:
            self._deeds.wait_for(job)

    def _superseded(self, job: Job, deed: Deed | None) -> None:
        if job.kind is JobKind.TIMEOUT and not self._deeds.is_news(job, deed):
            return
        # Where no block tells which of the two it was, the job does: it is made of a state that excludes the other for ever.
        settling = {JobKind.ACKNOWLEDGE: Outcome.ACKNOWLEDGED, JobKind.TIMEOUT: Outcome.TIMED_OUT}
        outcome = settling.get(job.kind if deed is None else deed.kind)
        self._note([job], Step.SUPERSEDED, outcome=outcome, deed=deed)

    async def settled_but(self, end: PathEnd, unsettled: Collection[int], read: range) -> None:
        """Compare ledger and backlog with the chain. A ledger that does not answer is logged, and compared at the next
        pass.

        Args:
            unsettled: of the packets sent over `end`, the sequences whose commitment stands.
            read: the sequences that were looked at; others are left as they are.
        """
        self._backlog.compare(end.chain, end.client, unsettled, read, self._now_ns())
        try:
            await self._ledger.reconcile(end.chain, end.client, unsettled, read, self._now_ns())
        except LedgerUnavailable as error:
            if self._complaints.is_new(str(error)):
                self._log.warning("the ledger is not compared with the chain", chain=end.chain, reason=str(error))

    def _expired(self, timeouts: Iterable[Job]) -> None:
        """Their destinations are past the packets' timeouts. A job of that kind goes from there to where it was sent."""
        now_ns = self._now_ns()
        self._ledger.note(
            [
                Note(
                    job.packet_id,
                    JobKind.RECEIVE.value,
                    Step.EXPIRED,
                    job.source,
                    now_ns,
                    facts_of(job),
                    reason=f"{job.source} is past the packet's timeout",
                )
                for job in timeouts
            ]
        )

    def _note(
        self,
        jobs: Iterable[Job],
        step: Step,
        reason: str | None = None,
        cause: Cause | None = None,
        *,
        outcome: Outcome | None = None,
        certain: bool = True,
        deed: Deed | None = None,
    ) -> None:
        now_ns = self._now_ns()
        self._ledger.note(
            [
                Note(
                    job.packet_id,
                    job.kind.value,
                    step,
                    job.destination,
                    now_ns,
                    facts_of(job),
                    reason=reason,
                    cause=cause,
                    height=None if deed is None else deed.height,
                    block_time_ns=None if deed is None else deed.block_time_ns,
                    transaction_hash=None if deed is None else deed.transaction_hash,
                    outcome=outcome,
                    certain=certain,
                )
                for job in jobs
            ]
        )


def packets_of(jobs: Iterable[Job | RecordedJob | None]) -> list[str]:
    """The first MAX_LOGGED_PACKETS packet ids, for a line about several."""
    return [job.packet_id for job in islice((job for job in jobs if job is not None), MAX_LOGGED_PACKETS)]
