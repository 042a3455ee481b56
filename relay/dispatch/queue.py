"""Jobs in Redis Streams: one stream a route, a consumer group a destination.

The queue is a hint. It may lose everything at any moment; what must be done is written on the chains, and the clearer
enqueues it again. So enqueueing is idempotent by job id, and taking the same job twice must be harmless to the caller.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any, cast

import redis
import trio

from hutong.relay.dispatch.connection import Connection
from hutong.relay.dispatch.errors import RecordRefused
from hutong.relay.dispatch.letter import MAX_REASON_CHARS
from hutong.relay.dispatch.limits import USUAL_LIMITS, QueueLimits
from hutong.relay.dispatch.record import Job, Route
from hutong.relay.dispatch.relayer_names import RelayerNames
from hutong.relay.dispatch.resting import OTHER_CAUSE, RestingJobs
from hutong.relay.dispatch.scripts import ENQUEUE, PROMOTE, RETRY, SETTLE, STATES
from hutong.relay.dispatch.taken import Taken, stream_entries, taken_of

MAX_DELIVERIES = 10
"""A job that was taken so often without an end has probably ended its workers: dead letter."""
CLAIM_AFTER_MS = 6_000
"""A job untouched for so long belongs to a dead worker; living ones touch theirs every `TOUCH_EVERY_S`."""
TOUCH_EVERY_S = 2.0
_STATES_CHUNK = 1_000
_ENQUEUE_CHUNK = 200
_ENQUEUE_CHUNK_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Enqueued:
    """How many jobs were new, how many known before, how many did not fit."""

    added: int
    known: int
    full: int


@dataclass(frozen=True, slots=True)
class QueueStatistics:
    """`waiting` counts jobs in the stream, in work ones included; `asleep` all that rest, dead letters among them."""

    waiting: int
    delayed: int
    dead: int
    asleep: int


class Queue(RestingJobs, RelayerNames):
    """All routes' jobs on one server. `now_ms` is the clock of delays; `consumer` names this process.

    It is one object with what rests and who relays, so that whoever stands in front of a queue stands in front of all of it.

    Every call waits while the server is away, and raises QueueUnavailable where it refuses (`Connection`).
    """

    def __init__(
        self,
        connection: Connection,
        consumer: str,
        now_ms: Callable[[], int],
        *,
        prefix: str = "hutong",
        limits: QueueLimits = USUAL_LIMITS,
        seed: int | None = None,
    ) -> None:
        super().__init__(connection, now_ms, prefix, limits.max_attempts)
        self.consumer = consumer
        self._backoff = limits.backoff
        self.capacity = limits.capacity
        self._random = Random(seed)  # noqa: S311  jitter, not a secret
        self._known_losses: dict[Route, int] = {}
        self.lost = 0
        """How often a route's group was found missing: the server was flushed or replaced."""
        self.next_loss = trio.Event()
        """Set at the next such finding, and then replaced: the clearer waits for it."""

    async def open(self, route: Route) -> None:
        """Make the route's stream and group. Does nothing if they exist.

        Raises:
            QueueUnavailable: the server refuses.
        """

        def create(client: redis.Redis) -> None:
            try:
                client.xgroup_create(self._places(route).jobs, route.destination, id="0", mkstream=True)
            except redis.exceptions.ResponseError as error:
                if not str(error).startswith("BUSYGROUP"):
                    raise

        await self.connection(create)

    async def enqueue(self, jobs: Iterable[Job]) -> Enqueued:
        """Add the jobs that are not known yet. When it returns, the server has every job that it did not call full.

        Returns:
            How many were added, were known before (waiting, in work, resting or ignored), and found their route full.
        """
        added = known = full = 0
        by_route: dict[Route, list[tuple[str, bytes]]] = {}
        for job in jobs:
            by_route.setdefault(job.route, []).append((job.id, job.record))
        for route, records in by_route.items():
            for chunk in _chunks(records):
                arguments = [self.capacity, *(part for record in chunk for part in record)]
                answers = await self._script(ENQUEUE, route, arguments)
                added += answers.count(1)
                known += answers.count(0)
                full += answers.count(-1)
        return Enqueued(added, known, full)

    async def states(self, route: Route, ids: Sequence[str]) -> dict[str, str]:
        """Where those of `ids` are that the queue knows; ids that it does not know are left out.

        Returns:
            By id: `delayed`, `asleep`, `dead`, `ignored`, or `waiting`, which includes jobs in work.
        """
        values: list[bytes | None] = []
        for start in range(0, len(ids), _STATES_CHUNK):
            values += await self._script(STATES, route, ids[start : start + _STATES_CHUNK])
        names = {one.encode(): one for one in ("dead", "delayed", "asleep", "ignored")}
        return {
            job_id: names.get(value, "waiting") for job_id, value in zip(ids, values, strict=True) if value is not None
        }

    async def take(self, route: Route, limit: int) -> list[Taken]:
        """Up to `limit` jobs that nobody works on, retries that are due included. Returns at once, also with an empty
        list.

        Records that cannot be read become dead letters. If the server has lost the route's group (it was flushed or
        replaced), the group is made again, `lost` counts it, and the answer is empty.
        """
        await self._script(PROMOTE, route, [self._now_ms(), limit])
        stream = self._places(route).jobs
        # After a broken connection an answer may have been lost: then the server thinks that we have these jobs.
        losses = self.connection.losses
        starts = (">",) if self._known_losses.get(route) == losses else ("0", ">")

        def read(client: redis.Redis) -> list[tuple[bytes, Any]]:
            found: list[tuple[bytes, Any]] = []
            for start in starts:
                if len(found) < limit:
                    count = limit - len(found)
                    answer = client.xreadgroup(route.destination, self.consumer, {stream: start}, count=count)
                    found.extend(stream_entries(answer))
            return found

        try:
            entries = await self.connection(read)
        except redis.exceptions.ResponseError as error:
            if not str(error).startswith("NOGROUP"):
                raise
            self.lost += 1
            self.next_loss.set()
            self.next_loss = trio.Event()
            self._log.warning(
                "queue was lost; the clearer will fill it again", chain=route.destination, route=route.name
            )
            await self.open(route)
            return []
        self._known_losses[route] = losses
        return await self._parse(route, entries)

    def reread(self, route: Route) -> None:
        """Let the next `take` begin with the jobs that this process took before and has not ended."""
        self._known_losses.pop(route, None)

    async def claim(self, route: Route, limit: int, idle_ms: int = CLAIM_AFTER_MS) -> list[Taken]:
        """Take over jobs from a worker that took them and has not touched them since.

        A job that was taken more than MAX_DELIVERIES times and never ended becomes a dead letter instead.

        Args:
            limit: how many at most.
            idle_ms: how long a job must have been untouched.
        """
        stream = self._places(route).jobs

        def autoclaim(client: redis.Redis) -> tuple[Any, dict[bytes, int]]:
            try:
                answer = client.xautoclaim(
                    stream, route.destination, self.consumer, idle_ms, start_id="0-0", count=limit
                )
                entries = cast(Any, answer)[1]
                if not entries:
                    return [], {}
                pending = cast(
                    Any,
                    client.xpending_range(
                        stream,
                        route.destination,
                        entries[0][0],
                        entries[-1][0],
                        count=limit * 10,
                        consumername=self.consumer,
                    ),
                )
            except redis.exceptions.ResponseError as error:
                if str(error).startswith("NOGROUP"):
                    return [], {}
                raise
            return entries, {entry["message_id"]: entry["times_delivered"] for entry in pending}

        entries, deliveries = await self.connection(autoclaim)
        worn = [entry for entry, _ in entries if deliveries.get(entry, 0) > MAX_DELIVERIES]
        for entry, fields in entries:
            if entry in worn and fields:
                reason = f"was taken {deliveries[entry]} times and never ended"
                await self._bury_unreadable(route, entry.decode(), fields, reason)
        return await self._parse(route, [(entry, fields) for entry, fields in entries if entry not in worn])

    async def touch(self, route: Route, taken: Iterable[Taken]) -> None:
        """Say that these jobs are still worked on, so that `claim` leaves them.

        Nothing happens for jobs that have ended, or where the server has lost the route's group.

        Raises:
            QueueUnavailable: the server refuses.
        """
        entries = [item.entry for item in taken]
        if not entries:
            return
        stream = self._places(route).jobs

        def claim(client: redis.Redis) -> None:
            try:
                client.xclaim(stream, route.destination, self.consumer, 0, cast(Any, entries), justid=True)
            except redis.exceptions.ResponseError as error:
                if not str(error).startswith("NOGROUP"):
                    raise

        await self.connection(claim)

    async def settle(self, route: Route, taken: Iterable[Taken]) -> None:
        """Forget jobs that are done on the chain, or never need to be: their ids may be enqueued again at once.

        Raises:
            QueueUnavailable: the server refuses.
        """
        pairs = [part for item in taken for part in (item.entry, item.job.id)]
        if pairs:
            await self._script(SETTLE, route, [route.destination, *pairs])

    async def retry(
        self,
        route: Route,
        taken: Taken,
        reason: str,
        *,
        counted: bool = True,
        cause: str = OTHER_CAUSE,
        delay_s: float | None = None,
    ) -> bool:
        """Try again after a delay, by default the queue's own. False: it failed so often that it is a dead letter now.

        With `counted` False the failure was not the job's (a chain does not answer): it costs no attempt.
        """
        again = replace(taken, attempts=taken.attempts + 1) if counted else taken
        own_s = self._backoff.delay_s(max(again.failures, 1), self._random)
        wait_s = own_s if delay_s is None else delay_s
        if counted and again.failures >= self.max_attempts:
            said = f"{again.failures} attempts; last: {reason}"
            await self.sleep(route, again, said, cause, max(wait_s, self._backoff.cap_s / 2))
            return False
        await self._delay(route, again, reason, wait_s)
        return True

    async def put_off(self, route: Route, taken: Taken, reason: str, delay_s: float) -> None:
        """Give the job out again after `delay_s`. It counts as no failure and costs no attempt."""
        await self._delay(route, taken, reason, delay_s)

    async def _delay(self, route: Route, taken: Taken, reason: str, delay_s: float) -> None:
        member = json.dumps(
            {
                "id": taken.job.id,
                "record": taken.job.record.decode(),
                "attempts": str(taken.attempts),
                "probes": str(taken.probes),
                "reason": reason[:MAX_REASON_CHARS],
            }
        )
        due_ms = self._now_ms() + int(delay_s * 1000)
        await self._script(RETRY, route, [route.destination, taken.entry, taken.job.id, due_ms, member])

    async def statistics(self, route: Route) -> QueueStatistics:
        """How many jobs of the route wait or are in work, are delayed, are dead, and are asleep."""
        places = self._places(route)

        def read(client: redis.Redis) -> QueueStatistics:
            pipeline = client.pipeline(transaction=False)
            pipeline.xlen(places.jobs)
            pipeline.zcard(places.delayed)
            pipeline.zcard(places.dead)
            pipeline.zcard(places.asleep)
            return QueueStatistics(*pipeline.execute())

        return await self.connection(read)

    async def _parse(self, route: Route, entries: Iterable[tuple[bytes, Any]]) -> list[Taken]:
        jobs = []
        for entry, fields in entries:
            if not fields:  # deleted since
                continue
            try:
                jobs.append(taken_of(route, entry, fields))
            except RecordRefused as error:
                await self._bury_unreadable(route, entry.decode(), fields, str(error))
        return jobs


def _chunks(records: list[tuple[str, bytes]]) -> Iterable[list[tuple[str, bytes]]]:
    chunk: list[tuple[str, bytes]] = []
    size = 0
    for record in records:
        if chunk and (len(chunk) >= _ENQUEUE_CHUNK or size + len(record[1]) > _ENQUEUE_CHUNK_BYTES):
            yield chunk
            chunk, size = [], 0
        chunk.append(record)
        size += len(record[1])
    if chunk:
        yield chunk
