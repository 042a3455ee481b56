"""The jobs of a route that are in this process's hands: taken from the queue, until they are handed back to it."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from hutong.relay.core.route.doubts import Doubts
from hutong.relay.core.route.route_context import RouteContext
from hutong.relay.dispatch import Taken
from hutong.relay.ledger import Cause


class Custody:
    """`held` are to be worked off, `suspects` those of them that failed in company; the others are being submitted."""

    def __init__(self, context: RouteContext) -> None:
        self._route = context.route
        self._queue = context.relay.services.queue
        self._metrics = context.destination.metrics
        self._history = context.relay.history
        self._retries = context.retries
        self._in_work: dict[str, list[Taken]] = {}
        self._doubts = Doubts()
        self.held: list[Taken] = []
        self.suspects: set[str] = set()
        self._log = context.jobs_log("worker")

    def forget(self) -> None:
        """Hold nothing: what was in our hands comes again from the queue. Suspects and doubts stay known."""
        self._in_work.clear()
        self.held.clear()

    def admit(self, taken: Sequence[Taken]) -> None:
        """Hold those that are new to us. The queue may give a job twice; the second entry is ended with the first."""
        for item in taken:
            entries = self._in_work.setdefault(item.job.id, [])
            if not entries:
                self.held.append(item)
            if all(item.entry != entry.entry for entry in entries):
                entries.append(item)

    def hold_again(self, jobs: Iterable[Taken]) -> None:
        """Hold jobs before the others: they were not submitted after all. They must still be in work, not
        handed back.
        """
        self.held[:0] = jobs

    def drop(self, jobs: Iterable[Taken]) -> None:
        """Hold these jobs no more, while they stay in work. By entry: comparing jobs compares their packets."""
        entries = {taken.entry for taken in jobs}
        self.held = [taken for taken in self.held if taken.entry not in entries]

    async def touch(self) -> None:
        """Tell the queue that everything in our hands is still in work, also what is being submitted.

        Called every TOUCH_EVERY_S; a job untouched for CLAIM_AFTER_MS goes to another worker.

        Raises:
            QueueUnavailable: the queue's server refuses.
        """
        await self._queue.touch(self._route, [entry for entries in self._in_work.values() for entry in entries])

    async def settle_all(self, jobs: Sequence[Taken]) -> None:
        """Take jobs out of our hands whose work a transaction of ours did, and end them in the queue.

        Raises:
            QueueUnavailable: the queue's server refuses; the jobs come again and are found done.
        """
        await self._queue.settle(self._route, [entry for taken in jobs for entry in self._release(taken)])
        for taken in jobs:
            self._doubts.forget(taken.job.id)
            self._metrics.job(self._route.destination, taken.job.kind, "settled")

    async def settle(self, taken: Taken, outcome: str, reason: str | None = None) -> None:
        """Take a job out of our hands that needs nothing more, though no transaction of ours did it.

        Args:
            outcome: the label of the metric; with `superseded` the history is told as well.
            reason: why; None: the chain's state says that it is done.

        Raises:
            QueueUnavailable: the queue's server refuses; the job comes again.
        """
        await self._queue.settle(self._route, self._release(taken))
        self._doubts.forget(taken.job.id)
        self._metrics.job(self._route.destination, taken.job.kind, outcome)
        if outcome == "superseded":
            self._history.superseded(taken.job, reason)

    async def retry_doubtful(self, taken: Taken, reason: str, cause: Cause) -> None:
        """Back to the queue, after a failure that may be an endpoint's lie: every eighth such failure costs an attempt.

        Raises:
            QueueUnavailable: as `retry`.
        """
        await self.retry(taken, reason, cause, counted=self._doubts.costs_an_attempt(taken.job.id))

    async def retry(self, taken: Taken, reason: str, cause: Cause, *, counted: bool = True) -> None:
        """Back to the queue for later; a dead letter after too many counted failures.

        What only a simulation refused is simulated again with the others that rest, and has cost nothing.

        Args:
            counted: False where the failure was not the job's (a chain does not answer): it costs no attempt.

        Raises:
            QueueUnavailable: the queue's server refuses; the job is out of our hands, and comes again when it was not
                touched.
        """
        *older, newest = self._release(taken)
        await self._queue.settle(self._route, older)
        if counted and cause is Cause.WOULD_FAIL:
            newest = replace(newest, probes=newest.probes + 1)
            delay_s = self._retries.rule(cause).delay_s(newest.probes)
            again = not await self._queue.sleep(self._route, newest, reason, cause, delay_s)
        else:
            delay = self._delay_s(newest, cause) if counted else None
            again = await self._queue.retry(self._route, newest, reason, counted=counted, cause=cause, delay_s=delay)
        if not again:
            self._doubts.forget(taken.job.id)
        self._metrics.job(self._route.destination, taken.job.kind, "retried" if again else "dead")
        (self._history.retried if again else self._history.dead)(taken.job, reason, cause)
        if again:
            self._log.info("will be tried again", **self._history.about(taken.job), reason=reason)
        else:
            self._log.warning("given up", **self._history.about(taken.job), reason=reason)

    def _delay_s(self, taken: Taken, cause: Cause) -> float:
        """After one more failure. What is a dead letter and would be paid for waits the longest at once."""
        rule = self._retries.rule(cause)
        dead = taken.failures + 1 >= self._queue.max_attempts
        return rule.most_s if dead and cause is Cause.FAILED else rule.delay_s(taken.attempts + 1)

    async def put_off(self, taken: Taken, reason: str, cause: Cause, delay_s: float) -> None:
        """Back to the queue for `delay_s`: nothing failed, no attempt is counted, and it is not yet time.

        Raises:
            QueueUnavailable: as `retry`.
        """
        *older, newest = self._release(taken)
        await self._queue.settle(self._route, older)
        await self._queue.put_off(self._route, newest, reason, delay_s)
        self._history.waits_for(taken.job, reason, cause)

    async def ignore(self, taken: Taken, reason: str) -> None:
        """Out of our hands until an operator takes back what was said; `reason` is the operator's.

        Raises:
            QueueUnavailable: as `retry`.
        """
        *older, newest = self._release(taken)
        await self._queue.settle(self._route, older)
        await self._queue.ignore_taken(self._route, newest, reason)
        self._doubts.forget(taken.job.id)

    async def bury(self, taken: Taken, reason: str, cause: Cause) -> None:
        """Make a dead letter that is tried again only when an operator revives it or a relay starts anew.

        Raises:
            QueueUnavailable: as `retry`.
        """
        *older, newest = self._release(taken)
        await self._queue.settle(self._route, older)
        await self._queue.bury(self._route, newest, reason, cause)
        self._doubts.forget(taken.job.id)
        self._metrics.job(self._route.destination, taken.job.kind, "dead")
        self._history.dead(taken.job, reason, cause)

    def _release(self, taken: Taken) -> list[Taken]:
        """Take a job out of our hands; returns the entries by which the queue knows it, the newest last."""
        self.drop([taken])
        self.suspects.discard(taken.job.id)
        return self._in_work.pop(taken.job.id, None) or [taken]
