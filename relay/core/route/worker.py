"""Working off one route: take jobs, drop what is done, prove the rest, submit, settle."""

from collections.abc import Sequence
from math import inf

import trio

from hutong.adapters.interface import (
    NEWEST,
    AdapterError,
    At,
    BatchTooLarge,
    BroadcastRefused,
    Destination,
    EndpointUnavailable,
    Head,
    HeightUnavailable,
    InsufficientFunds,
    PreparedTransaction,
    RefusedByChain,
)
from hutong.adapters.rpc import all_of
from hutong.light_clients.interface import VerificationError
from hutong.relay.config import PathEnd
from hutong.relay.core.account.account import Account
from hutong.relay.core.account.accounts import Slot
from hutong.relay.core.account.pending import Included, Pending
from hutong.relay.core.errors import RouteBlocked, SubmissionRefused, TooDear
from hutong.relay.core.history.history import cause_of, packets_of
from hutong.relay.core.history.ignored import Ignored
from hutong.relay.core.recent import Recent
from hutong.relay.core.route.batch import BatchBuilder, Item, Refused
from hutong.relay.core.route.blame import Blame, blame
from hutong.relay.core.route.custody import Custody
from hutong.relay.core.route.handover import Handover
from hutong.relay.core.route.progress import Progress
from hutong.relay.core.route.route_context import RouteContext
from hutong.relay.core.route.selection import Sizes, expiring, select
from hutong.relay.core.route.silence import Silence
from hutong.relay.core.route.slots import take_slot
from hutong.relay.core.route.trial import Trial
from hutong.relay.core.watching.discovery import Discovery, is_expired, timeout_job
from hutong.relay.dispatch import CLAIM_AFTER_MS, TOUCH_EVERY_S, Backoff, Job, JobKind, Route, Taken
from hutong.relay.ledger import Cause, RecordedJob

POLL_S = 1.0
"""For retries that have come due and for jobs that another process enqueued; our own ring the bell."""
CLAIM_EVERY_S = 2.0
CLAIM_LIMIT = 1_000
CONCURRENT_READS = 128
"""Adapters make one request of reads that begin together."""
GROW_AFTER = 16
SILENT_SIMULATIONS = 3
"""So many in a row without an answer, and the jobs are tried one by one."""
POOLED_S = 1.0
NOT_FINAL_S = 3.0
"""Until a job is looked at again that another has done in a block which may still be undone."""
MOST_NOT_FINAL_S = 30.0
"""The same where finality takes minutes; growing by half of what was waited."""
REMEMBERED_JOBS = 20_000
LOOKS_AT_OUR_OWN = 3
"""At a chain that says a job is open which a transaction of ours did in a final block: one answer alone is a liar's, or old."""
BLOCKED = Backoff(base_s=0.25, cap_s=20.0)


class RouteWorker:
    """Failures that are no one job's fault hold the whole route and cost no attempt; a job's own are counted."""

    def __init__(self, context: RouteContext, discovery: Discovery, ignored: Ignored) -> None:
        relay = context.relay
        self._route = context.route
        self._destination: Destination = context.destination.adapter
        self._heads = context.destination.heads
        self._metrics = context.destination.metrics
        self._limits = context.destination.batch
        self._accounts = context.accounts
        self._turns = context.turns
        self._queue = relay.services.queue
        self._now_ns = relay.services.now_ns
        self._random = relay.services.random
        self._alone = relay.services.alone
        """No other process uses the queue: jobs in work at start belong to the dead. False once they are claimed."""
        self._wakeup = relay.wakeup
        self._history = relay.history
        self._discovery = discovery
        self._ignored = ignored
        self.builder = BatchBuilder(context)
        self._progress = Progress(context)
        self._custody = Custody(context)
        self._silence = Silence(context, self._progress)
        self._handover = Handover()
        self.trial = Trial(context)
        self._most_items = self._limits.items
        self._sizes = Sizes()
        self._fitting = 0
        self._silent = 0
        self._claimed_at_s = 0.0
        self._put_off_until_s = 0.0
        self._unfinal_since_s: Recent[str, float] = Recent(REMEMBERED_JOBS)
        self._done_by_us: Recent[str, None] = Recent(REMEMBERED_JOBS)
        self._log = context.jobs_log("worker")

    @property
    def route(self) -> Route:
        """The route whose jobs it works off."""
        return self._route

    async def run(self) -> None:
        """For ever. After a failure it may be called again; transactions that are under way stay with the account.

        Raises:
            QueueError, LedgerUnavailable: maybe in an exception group. The supervisor calls it again; the jobs come
                again.
        """
        self._custody.forget()
        self._handover = Handover()
        await self._accounts.recovered()
        await self._queue.open(self._route)
        self._queue.reread(self._route)
        self._claimed_at_s = trio.current_time()
        self._progress.goes_on()
        self._silence.forget(fails=False)
        if self._alone:
            self._custody.admit(await self._queue.claim(self._route, CLAIM_LIMIT, 0))
            self._alone = False
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._touch)
            nursery.start_soon(self._silence.run)
            failures = 0
            while True:
                if not self._custody.held:
                    await self._fill(wait=True)
                slot: Slot | None = None
                try:
                    with self._silence.turn():
                        slot = await take_slot(self._accounts, self.builder, self._custody.held)
                        self._handover.check()
                        if len(self._custody.held) < self._limits.items:
                            await self._fill(wait=False)
                        if self._custody.held and await self._step(nursery, slot):
                            slot = None
                    if failures:
                        await self._handover.ended()
                        self._progress.goes_on()
                    self._silence.ended()
                    failures = 0
                except (RouteBlocked, SubmissionRefused, AdapterError) as error:
                    failures += 1
                    delay_s = BLOCKED.delay_s(failures, self._random)
                    self._progress.waits([item.job for item in self._custody.held], error, failures, delay_s)
                    self._silence.forget(fails=True)
                    if slot is not None:
                        self._accounts.release(slot)
                        slot = None
                    await trio.sleep(delay_s)
                finally:
                    if slot is not None:
                        self._accounts.release(slot)

    async def _touch(self) -> None:
        while True:
            await trio.sleep(TOUCH_EVERY_S)
            await self._custody.touch()
            counts = await self._queue.statistics(self._route)
            self._metrics.queue(
                self._route.destination, self._route.client, counts.waiting + counts.delayed, counts.dead
            )

    async def _fill(self, *, wait: bool) -> None:
        while True:
            room = self._limits.items - len(self._custody.held)
            if room > 0:
                self._custody.admit(await self._queue.take(self._route, room))
            if trio.current_time() - self._claimed_at_s > CLAIM_EVERY_S:
                self._claimed_at_s = trio.current_time()
                self._custody.admit(await self._queue.claim(self._route, self._limits.items, CLAIM_AFTER_MS))
            if self._custody.held or not wait:
                return
            until_s = self._put_off_until_s - trio.current_time()
            await self._wakeup.wait(self._route, min(POLL_S, until_s) if until_s > 0 else POLL_S)

    async def _step(self, nursery: trio.Nursery, slot: Slot) -> bool:
        """One batch. True if it was handed to the account; its slot is given back at its end."""
        group = select(self._custody.held, self._custody.suspects, self._most_items, self._limits.bytes, self._sizes)
        # The pool before the newest state: what is between them is in one of the two.
        pooled = await self._turns.pooled([taken.job for taken in group])
        ready = await self._without_pooled(await self._due(group), pooled)
        if self._destination.atomic_batches:
            ready = await self._without_expiring(ready)
        if not ready:
            return False
        simulating = False
        try:
            built = await self.builder.build(ready)
            for refused in built.refused:
                await self._refused(refused)
            self._sizes = self._sizes.after(
                (item.message.proof for item in built.items), (update.header for update in built.updates)
            )
            simulating = True
            prepared, items = await self.trial.prepare(built, slot.account.address, self._foreseen)
            self._silent = 0
        except EndpointUnavailable as error:
            # The chain answers reads, or we would not have come here: it may be one of these that it cannot simulate.
            self._silent += simulating
            if not simulating or self._silent < SILENT_SIMULATIONS:
                raise
            await self._suspect(ready, error)
            return False
        except HeightUnavailable:
            raise
        except BroadcastRefused as error:  # the account's turn: its wallet is empty, or the chain does not know it
            cause = Cause.WALLET_EMPTY if isinstance(error, InsufficientFunds) else Cause.POOL_REFUSED
            raise SubmissionRefused(f"{self._route.destination}: {error.reason}", cause) from error
        except BatchTooLarge as error:
            await self._too_large(ready, error)
            return False
        except (AdapterError, VerificationError) as error:
            await self._suspect(ready, error)
            return False
        if prepared is None:
            return False
        await self._handover.ended()
        self._custody.drop(item.taken for item in items)
        self._handover.begin()
        nursery.start_soon(self._submit, slot, prepared, items, len(built.updates))
        return True

    async def _submit(self, slot: Slot, prepared: PreparedTransaction, items: Sequence[Item], updates: int) -> None:
        """To its end. A batch that was not sent is held again."""
        jobs = (
            *(None for _ in range(updates)),
            *(RecordedJob(item.taken.job.id, item.taken.job.event_time_ns) for item in items),
        )
        pending: Pending | None = None
        failure: Exception | None = None
        try:
            pending = await slot.account.submit(prepared, jobs, tuple(item.evidence for item in items))
        except (SubmissionRefused, AdapterError) as error:
            failure = self._not_sent(slot.account, items, error)
        finally:
            if pending is None:
                self._accounts.release(slot)
            self._handover.end(failure)
        if pending is None:
            self._wakeup.ring([self._route])
            return
        self._progress.submitted(pending, [item.taken.job for item in items], updates)
        self._grow()
        self._custody.suspects.difference_update(item.taken.job.id for item in items)
        await self._finish(slot, pending, items, updates)

    def _not_sent(self, account: Account, items: Sequence[Item], error: Exception) -> Exception | None:
        """Hold its jobs again; returns what holds the route, None if a smaller batch may go."""
        self._custody.hold_again([item.taken for item in items])
        if isinstance(error, TooDear) and len(items) > 1:
            self._shrink(len(items), error.limit_wei, error.got_wei)
            self._log.info(
                "a batch is too dear; trying a smaller one",
                jobs=len(items),
                reason=str(error),
                packets=packets_of(item.taken.job for item in items),
            )
            return None
        if isinstance(error, SubmissionRefused):
            self._accounts.rest(account)
            if error.cause is Cause.POOL_REFUSED and len(items) > 1:
                # Nobody says whether it is about the size: a block's gas, the pool's room. A smaller one is never worse.
                self._shrink(len(items), 1, 2)
        return error

    async def _finish(self, slot: Slot, pending: Pending, items: Sequence[Item], offset: int) -> None:
        try:
            with self._silence.under_way():
                end = await pending.wait()
        finally:
            self._accounts.release(slot)
        if not isinstance(end, Included):
            for item in items:
                await self._custody.retry(item.taken, end.reason, Cause.LOST, counted=False)
            return
        if end.outcome.reverted is not None and self._destination.atomic_batches:
            await self._undone(end.outcome.reverted, blame(end.outcome, items, offset))
            return
        executed = {
            index: item.taken for index, item in enumerate(items) if end.outcome.failure_of(offset + index) is None
        }
        in_vain = [taken for index, taken in executed.items() if offset + index in end.outcome.noops]
        delivered = [taken for index, taken in executed.items() if offset + index not in end.outcome.noops]
        for taken in delivered:
            self._done_by_us.put(taken.job.id, None)
        self._progress.delivered([taken.job for taken in delivered], end)
        await self._custody.settle_all(delivered)
        self._progress.paid_in_vain([taken.job for taken in in_vain], end)
        for taken in in_vain:
            await self._custody.settle(taken, "superseded")
        for index, item in enumerate(items):
            failure = end.outcome.failure_of(offset + index)
            if failure is not None:
                await self._failed(item.taken, failure, Cause.FAILED)

    async def _undone(self, reason: str, blamed: Blame) -> None:
        """Held again before anything is awaited: a route that stops here loses nothing that it did not lose before."""
        if not blamed.is_known:
            self._custody.suspects.update(item.taken.job.id for item in blamed.undone)
        self._custody.hold_again([item.taken for item in blamed.undone])
        self._wakeup.ring([self._route])
        for item in blamed.failed:
            await self._failed(item.taken, reason, Cause.FAILED)

    async def _due(self, group: Sequence[Taken]) -> list[Taken]:
        """The jobs of `group` that still need us; the others leave our hands here."""
        head = await self._heads.head()
        due: set[str] = set()

        async def look(taken: Taken) -> None:
            if await self._is_due(taken, head):
                due.add(taken.job.id)

        for start in range(0, len(group), CONCURRENT_READS):
            await all_of([(look, taken) for taken in group[start : start + CONCURRENT_READS]])
        return [taken for taken in group if taken.job.id in due]

    async def _without_expiring(self, ready: list[Taken]) -> list[Taken]:
        """What may expire before the next block would undo the batch there, so it goes alone, after the others."""
        sooner = expiring(ready, (await self._heads.head()).time_ns)
        if len(ready) == 1 or not sooner:
            return ready
        self._custody.suspects.update(taken.job.id for taken in sooner)
        return [taken for taken in ready if taken.job.id not in self._custody.suspects]

    async def _is_due(self, taken: Taken, head: Head) -> bool:
        job = taken.job
        if self._accounts.is_in_flight(job.id):
            await self._custody.retry(taken, "an earlier transaction is still pending", Cause.LOST, counted=False)
            return False
        ignored = await self._ignored.reason(job)
        if ignored is not None:
            self._log.info("left alone", **self._history.about(job), reason=ignored)
            await self._custody.ignore(taken, ignored)
            return False
        if await self._is_done_surely(job, head.height):
            self._log.info("done already", **self._history.about(job))
            await self._custody.settle(taken, "superseded")
            return False
        may_be_newer = self._destination.has_unfinal_blocks or self._turns.has_others(job.route.client)
        if may_be_newer and await self._is_done(job, NEWEST):
            reason = f"another transaction did it in a block of {job.destination} that is not final yet"
            now_s = trio.current_time()
            waited_s = now_s - self._unfinal_since_s.first(job.id, now_s)
            delay_s = min(MOST_NOT_FINAL_S, max(NOT_FINAL_S, waited_s / 2))
            await self._put_off(taken, reason, Cause.NOT_FINAL, delay_s)
            return False
        if job.kind is JobKind.RECEIVE and is_expired(job.packet, head.time_ns):
            self._log.info("expired", **self._history.about(job), destination_time_ns=head.time_ns)
            await self._pass_on(timeout_job(job, head, self._now_ns()))
            await self._custody.settle(taken, "expired")
            return False
        wait_s = self._turns.wait_s(job)
        if wait_s > 0:
            await self._put_off(taken, "other relays come before this one for it", Cause.TURN, wait_s)
            return False
        return True

    async def _put_off(self, taken: Taken, reason: str, cause: Cause, delay_s: float) -> None:
        self._put_off_until_s = min(
            trio.current_time() + delay_s + 0.01,
            self._put_off_until_s if self._put_off_until_s > trio.current_time() else inf,
        )
        await self._custody.put_off(taken, reason, cause, delay_s)

    async def _without_pooled(self, ready: list[Taken], pooled: set[str]) -> list[Taken]:
        """What a pending transaction of another is about to do is looked at again when the next block may have it."""
        for taken in ready:
            if taken.job.id in pooled:
                reason = f"a pending transaction on {self._route.destination} does it"
                await self._put_off(taken, reason, Cause.TURN, POOLED_S)
        return [taken for taken in ready if taken.job.id not in pooled]

    async def _pass_on(self, job: Job) -> None:
        """Give a job to another route. One that does not fit is found by the clearer."""
        done = await self._queue.enqueue([job])
        self._wakeup.ring_for([job])
        self._history.enqueued([job], done)

    async def _refused(self, refused: Refused) -> None:
        taken = refused.taken
        if not refused.settled:
            await self._custody.retry_doubtful(taken, refused.reason, Cause.PROOF_REFUSED)
            return
        self._log.info("nothing to do", **self._history.about(taken.job), reason=refused.reason)
        await self._custody.settle(taken, "superseded", refused.reason)
        if refused.look_again:
            await self._look_again(taken.job)

    async def _look_again(self, job: Job) -> None:
        """The chain was proven to hold something else than the job says: let its packet go on with that."""
        chain = job.source if job.kind is JobKind.RECEIVE else job.destination
        end = PathEnd(chain=chain, client=job.packet.source_client)
        try:
            other = await self._discovery.next_job(end, job.packet.sequence)
        except AdapterError as error:
            self._log.info("the clearer will look at the packet again", **self._history.about(job), reason=str(error))
            return
        if other is not None and (other.id, other.packet, other.acknowledgement) != (
            job.id,
            job.packet,
            job.acknowledgement,
        ):
            await self._pass_on(other)

    async def _is_done_surely(self, job: Job, height: int) -> bool:
        for _ in range(LOOKS_AT_OUR_OWN if job.id in self._done_by_us else 1):
            if await self._is_done(job, height):
                return True
        return False

    async def _is_done(self, job: Job, height: At = None) -> bool:
        """Another relay won, or we did before a crash (attack list G7)."""
        packet = job.packet
        if job.kind is JobKind.RECEIVE:
            return await self._destination.receipt(packet.destination_client, packet.sequence, height) is not None
        return await self._destination.commitment(packet.source_client, packet.sequence, height) is None

    async def _foreseen(self, taken: Taken, reason: str) -> None:
        """A simulation refuses it: nothing was paid."""
        await self._failed(taken, reason, Cause.WOULD_FAIL)

    async def _failed(self, taken: Taken, reason: str, cause: Cause) -> None:
        if await self._is_done(taken.job):
            self._log.info("done by another", **self._history.about(taken.job), reason=reason)
            await self._custody.settle(taken, "superseded")
        else:
            await self._custody.retry(taken, reason, cause)

    async def _suspect(self, jobs: Sequence[Taken], error: Exception) -> None:
        """A failure that one of `jobs` must have caused: each is tried alone, and alone it pays with an attempt."""
        if len(jobs) == 1:
            retry = self._custody.retry if isinstance(error, RefusedByChain) else self._custody.retry_doubtful
            await retry(jobs[0], str(error), cause_of(error))
            return
        self._log.warning(
            "a batch failed; trying its jobs alone",
            jobs=len(jobs),
            reason=str(error),
            packets=packets_of(item.job for item in jobs),
        )
        self._custody.suspects.update(item.job.id for item in jobs)

    async def _too_large(self, jobs: Sequence[Taken], error: BatchTooLarge) -> None:
        if len(jobs) == 1:
            await self._custody.bury(jobs[0], f"too large for a transaction of its own: {error}", Cause.TOO_LARGE)
        else:
            self._shrink(len(jobs), error.limit, error.got)

    def _shrink(self, items: int, limit: int, got: int) -> None:
        """A batch of `items` had `got` of what at most `limit` may be."""
        self._most_items = max(1, min(items - 1, items * limit // got))
        self._fitting = 0

    def _grow(self) -> None:
        """After enough batches that fitted, try one item more: a batch that does not fit was built in vain."""
        self._fitting += 1
        if self._fitting % GROW_AFTER == 0:
            self._most_items = min(self._limits.items, self._most_items + 1)
