"""Trying again what failed, without paying: many jobs of a route are simulated in one call, and those that would succeed now
are given out.

A dead letter is a label of such a job, and stops nothing. What rests costs one round of requests in `probe_most_s`, however
much it is; of the jobs that are due each round takes as many kinds as there are, so that none hides another.
"""

from collections.abc import Sequence
from dataclasses import replace

import trio

from hutong.adapters.interface import AdapterError, Batch, BatchTooLarge, Destination, NotSupported
from hutong.light_clients.interface import VerificationError
from hutong.relay.core.errors import RouteBlocked
from hutong.relay.core.history.history import cause_of
from hutong.relay.core.route.batch import BatchBuilder, BuiltBatch, Item
from hutong.relay.core.route.route_context import RouteContext
from hutong.relay.core.route.selection import Sizes, select
from hutong.relay.core.watching.discovery import is_expired
from hutong.relay.dispatch import DeadLetter, JobKind, Taken
from hutong.relay.ledger import Cause

LOOK_EVERY_S = 0.5
FIRST_GAP_S = 1.0
REASONS_A_ROUND = 2
"""Jobs that a round asks the destination about one by one; the others keep the reason of before."""
AWAY_S = 10.0
"""While a chain does not answer or is paused, nothing is learned about any job, and nothing counted."""
GROW = 2


class Prober:
    """Of one route. `run` it under supervision."""

    def __init__(self, context: RouteContext) -> None:
        self._route = context.route
        self._destination: Destination = context.destination.adapter
        self._metrics = context.destination.metrics
        self._limits = context.destination.batch
        self._sender = next(iter(context.accounts)).address
        """An account of ours on the destination, in whose name it simulates."""
        self._queue = context.relay.services.queue
        self._wakeup = context.relay.wakeup
        self._history = context.relay.history
        self._retries = context.retries
        self._builder = BatchBuilder(context)
        self._most_items = self._limits.items
        self._sizes = Sizes()
        self._log = context.jobs_log("prober")

    async def run(self) -> None:
        """For ever. A round that finds something is followed by the next at once, others by ever longer gaps.

        Raises:
            QueueUnavailable: the supervisor calls it again; jobs that were picked rest until their lease is over.
        """
        await self._queue.open(self._route)
        await self._queue.rouse(self._route)
        gap_s = FIRST_GAP_S
        while True:
            picked = await self._queue.pick(self._route, self._limits.items)
            if not picked:
                gap_s = FIRST_GAP_S
                await trio.sleep(LOOK_EVERY_S)
                continue
            if await self._round(picked):
                gap_s = FIRST_GAP_S
                continue
            await trio.sleep(gap_s)
            gap_s = min(2 * gap_s, self._retries.probe_most_s)

    async def _round(self, picked: Sequence[tuple[Taken, DeadLetter]]) -> int:
        """Returns how many jobs were given out for being well again."""
        letters = {taken.job.id: letter for taken, letter in picked}
        too_large = [taken for taken, letter in picked if letter.cause == Cause.TOO_LARGE]
        rest = [taken for taken, letter in picked if letter.cause != Cause.TOO_LARGE]
        await self._wake(
            too_large[:1]
        )  # only paying would tell more: a batch of its own is made, and bounded before that
        settled = await self._settled(rest)
        await self._wake(settled)
        open_ = [taken for taken in rest if taken not in settled]
        if not open_:
            return len(settled)
        chosen = select(
            [replace(taken, attempts=0) for taken in open_], set(), self._most_items, self._limits.bytes, self._sizes
        )
        ids = {taken.job.id for taken in chosen}
        tried = [taken for taken in open_ if taken.job.id in ids]
        for taken in open_:
            if taken.job.id not in ids:
                await self._rest(taken, letters[taken.job.id].reason, letters[taken.job.id].cause, 0.0)
        self._metrics.probed(self._route.destination, self._route.client, len(tried))
        well = await self._simulate(tried, letters)
        return len(settled) + well

    async def _settled(self, taken: Sequence[Taken]) -> list[Taken]:
        """Those that need something else than a simulation: their worker settles them, or gives their packets back."""
        try:
            head = await self._destination.head()
        except AdapterError:
            return []
        return [one for one in taken if one.job.kind is JobKind.RECEIVE and is_expired(one.job.packet, head.time_ns)]

    async def _simulate(self, tried: Sequence[Taken], letters: dict[str, DeadLetter]) -> int:
        try:
            if await self._destination.paused():
                await self._all_rest(tried, letters, AWAY_S)
                return 0
            built = await self._builder.build(tried)
            self._sizes = self._sizes.after(
                (item.message.proof for item in built.items), (update.header for update in built.updates)
            )
            done = [refused.taken for refused in built.refused if refused.settled]
            for refused in built.refused:
                if not refused.settled:
                    await self._failed(refused.taken, refused.reason, Cause.PROOF_REFUSED)
            await self._wake(done)
            if not built.items:
                return len(done)
            batch = Batch((*built.updates, *(item.message for item in built.items)))
            prepared = await self._destination.prepare(batch, self._sender)
        except (RouteBlocked, AdapterError, VerificationError) as error:
            return await self._unknown(tried, letters, error)
        self._most_items = min(self._limits.items, self._most_items * GROW)
        updates = len(built.updates)
        verdicts = prepared.expected[updates:] or (True,) * len(built.items)
        if not all(prepared.expected[:updates]):
            await self._all_rest([item.taken for item in built.items], letters, AWAY_S)
            return 0
        well = [item.taken for item, succeeds in zip(built.items, verdicts, strict=True) if succeeds]
        ill = [item for item, succeeds in zip(built.items, verdicts, strict=True) if not succeeds]
        await self._wake(well)
        for number, item in enumerate(ill):
            reason = letters[item.taken.job.id].reason
            if number < REASONS_A_ROUND:
                reason = await self._why(built, item) or reason
            await self._failed(item.taken, reason, Cause.WOULD_FAIL)
        if well:
            self._log.info("well again", jobs=len(well), still_failing=len(ill))
        return len(done) + len(well)

    async def _unknown(self, tried: Sequence[Taken], letters: dict[str, DeadLetter], error: Exception) -> int:
        """Nothing was learned, or that one of several spoils the call: fewer are tried next, and one alone is to blame."""
        if isinstance(error, RouteBlocked):
            await self._all_rest(tried, letters, AWAY_S)
        elif len(tried) == 1:
            cause = Cause.TOO_LARGE if isinstance(error, BatchTooLarge) else cause_of(error)
            await self._failed(tried[0], str(error), cause)
        else:
            self._most_items = max(1, len(tried) // 4)
            await self._all_rest(tried, letters, 0.0)
        return 0

    async def _why(self, built: BuiltBatch, item: Item) -> str | None:
        where = self._route.destination
        try:
            reason = await self._destination.refusal(Batch((*built.updates, item.message)), self._sender)
        except NotSupported:
            return f"{where} would refuse it (simulated)"
        except AdapterError:
            return None
        return f"{where} would refuse it: {reason}"

    async def _wake(self, taken: Sequence[Taken]) -> None:
        if taken:
            await self._queue.wake(self._route, taken)
            self._wakeup.ring([self._route])

    async def _all_rest(self, taken: Sequence[Taken], letters: dict[str, DeadLetter], delay_s: float) -> None:
        for one in taken:
            letter = letters[one.job.id]
            await self._rest(one, letter.reason, letter.cause, delay_s)

    async def _rest(self, taken: Taken, reason: str, cause: str, delay_s: float) -> None:
        await self._queue.sleep(self._route, taken, reason, cause, delay_s)

    async def _failed(self, taken: Taken, reason: str, cause: Cause) -> None:
        again = replace(taken, probes=taken.probes + 1)
        delay_s = self._retries.rule(cause).delay_s(again.probes)
        was_dead = taken.failures >= self._queue.max_attempts
        dead = await self._queue.sleep(self._route, again, reason, cause, delay_s)
        if dead and not was_dead:
            self._history.dead(taken.job, reason, cause)
            self._metrics.job(self._route.destination, taken.job.kind, "dead")
            self._log.warning("dead letter", **self._history.about(taken.job), reason=reason)
        elif not dead:
            self._history.retried(taken.job, reason, cause)
