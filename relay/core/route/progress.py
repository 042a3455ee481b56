"""What a route's worker tells of its work: to the log, to the metrics and to the ledger's history."""

from collections.abc import Sequence

from hutong.relay.core.account.pending import Included, Pending
from hutong.relay.core.history.history import packets_of
from hutong.relay.core.route.route_context import RouteContext
from hutong.relay.dispatch import Job, JobKind

_DONE = {JobKind.RECEIVE: "delivered", JobKind.ACKNOWLEDGE: "acknowledged", JobKind.TIMEOUT: "timed out"}
"""By kind of job: an acknowledgement that came home is no delivery."""


class Progress:
    """Of one route. Nothing here waits or fails."""

    def __init__(self, context: RouteContext) -> None:
        self._route = context.route
        self._metrics = context.destination.metrics
        self._history = context.relay.history
        self._now_ns = context.relay.services.now_ns
        self._log = context.jobs_log("worker")

    def goes_on(self) -> None:
        """The route's worker can work again: history and metrics forget that the route waited."""
        self._history.goes_on(self._route)
        self._metrics.route_waits(self._route.destination, self._route.client, waits=False)

    def waits(self, held: Sequence[Job], error: Exception, failures: int, delay_s: float) -> None:
        """The route waits for what `error` says.

        Args:
            held: the jobs in the worker's hands.
            failures: in a row, this one included.
            delay_s: until the worker tries again.
        """
        self._history.waits(self._route, held, error, failures)
        self._metrics.route_waits(self._route.destination, self._route.client, waits=True)
        self._log.warning(
            "route waits",
            reason=str(error),
            failures=failures,
            delay_s=round(delay_s, 2),
            packets=packets_of(held),
        )

    def hears_nothing(self, reason: str) -> None:
        """Nothing has failed, and the route waits for an answer; the log has it from the endpoint's watch."""
        self._history.held_up(self._route, reason)
        self._metrics.route_waits(self._route.destination, self._route.client, waits=True)

    def submitted(self, pending: Pending, jobs: Sequence[Job], updates: int) -> None:
        """A pool has the transaction, or maybe has it. `updates` counts the client updates before the messages of
        `jobs`.
        """
        chain, client_id, now_ns = self._route.destination, self._route.client, self._now_ns()
        oldest_s = 0.0
        for job in jobs:
            seconds = max(0, now_ns - job.seen_at_ns) / 1e9
            oldest_s = max(oldest_s, seconds)
            self._metrics.stage(chain, job.kind, "submitted", seconds)
        self._metrics.hermes.submitted(
            chain, client_id, messages=len(jobs) + updates, updates=updates, seconds=oldest_s
        )
        if not updates:
            self._metrics.hermes.update_skipped(chain, client_id)
        self._log.info(
            "submitted",
            jobs=len(jobs),
            updates=updates,
            transaction=pending.variants[0].hash,
            packets=packets_of(jobs),
        )

    def delivered(self, jobs: Sequence[Job], end: Included) -> None:
        """The messages of `jobs` were executed in a final block, and did what they are for."""
        chain, now_ns = self._route.destination, self._now_ns()
        oldest_s = 0.0
        for job in jobs:
            seconds = max(0, now_ns - job.seen_at_ns) / 1e9
            oldest_s = max(oldest_s, seconds)
            self._metrics.hop(chain, job.kind, seconds)
            self._metrics.stage(chain, job.kind, "included", seconds)
            self._metrics.hermes.confirmed(job.kind, *_ends_of(job))
            self._log.info(
                _DONE[job.kind],
                **self._history.about(job),
                height=end.outcome.height,
                transaction=end.outcome.transaction_hash,
                seconds=round(seconds, 2),
            )
        if jobs:
            self._metrics.hermes.included(chain, self._route.client, oldest_s)

    def paid_in_vain(self, jobs: Sequence[Job], end: Included) -> None:
        """Messages of `jobs` were executed and found their work done by another transaction."""
        for job in jobs:
            self._metrics.paid_in_vain(self._route.destination, job.kind)
            self._log.warning(
                "paid in vain",
                **self._history.about(job),
                reason="another transaction was first",
                height=end.outcome.height,
                transaction=end.outcome.transaction_hash,
            )


def _ends_of(job: Job) -> tuple[tuple[str, str, str], tuple[str, str, str]]:
    """(chain, client, port) where the job's packet was sent, and where it goes."""
    packet, payload = job.packet, job.packet.payloads[0]
    sender, receiver = (job.source, job.destination)
    if job.kind is not JobKind.RECEIVE:
        sender, receiver = receiver, sender
    return (
        (sender, packet.source_client, payload.source_port),
        (receiver, packet.destination_client, payload.destination_port),
    )
