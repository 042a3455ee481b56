"""Jobs in Redis Streams: one stream a route, a consumer group a destination.

The queue is a hint. It may lose everything at any moment; what must be done is written on the chains, and the clearer
enqueues it again. So enqueueing is idempotent by job id, and taking the same job twice must be harmless to the caller.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any, cast

import redis
import trio

from hutong.relay.dispatch.backoff import Backoff
from hutong.relay.dispatch.connection import Connection
from hutong.relay.dispatch.errors import RecordRefused
from hutong.relay.dispatch.letter import MAX_REASON_CHARS, DeadLetter, decode_letter, encode_letter
from hutong.relay.dispatch.record import Job, Route, decode_job, encode_job
from hutong.relay.dispatch.scripts import (
    ENQUEUE,
    FORGET,
    HEED,
    IGNORE,
    PICK,
    PROMOTE,
    RETRY,
    SETTLE,
    SLEEP,
    STATES,
    WAKE,
)
from hutong.relay.telemetry import get_logger

CAPACITY = 100_000
"""Jobs of one route. Above it nothing is added: the watcher waits, and the chains remember."""
MAX_LETTERS = CAPACITY
"""Jobs of one route that failed and wait to be tried again, dead letters among them."""
LEASE_S = 60.0
"""How long the relay that picked a letter has it; then another may pick it."""
ASKED_FOR_MS = 60_000
_LETTERS_CHUNK = 500
MAX_DELIVERIES = 10
"""A job that was taken so often without an end has probably ended its workers: dead letter."""
CLAIM_AFTER_MS = 6_000
"""A job untouched for so long belongs to a dead worker; living ones touch theirs every `TOUCH_EVERY_S`."""
TOUCH_EVERY_S = 2.0
MAX_ANNOUNCED = 4_096
OTHER_CAUSE = "other"
MAX_STRATUM_CHARS = 160
_STATES_CHUNK = 1_000
_ENQUEUE_CHUNK = 200
_ENQUEUE_CHUNK_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Taken:
    """A job in work; `entry` names it to the server.

    `attempts` counts the failures that cost something or spoiled a batch, `probes` those that a simulation foresaw.
    """

    job: Job
    entry: str
    attempts: int
    probes: int = 0

    @property
    def failures(self) -> int:
        """How often it has failed: as a job, and when it was tried again while it rested."""
        return self.attempts + self.probes


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


@dataclass(frozen=True, slots=True)
class QueueLimits:
    """`capacity` bounds the jobs of one route; a job that failed `max_attempts` times is a dead letter."""

    capacity: int = CAPACITY
    max_attempts: int = 8
    backoff: Backoff = field(default_factory=Backoff)
    """Of retries for which the caller names no delay."""


USUAL_LIMITS = QueueLimits()


class Queue:
    """All routes' jobs on one server. `now_ms` is the clock of delays; `consumer` names this process.

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
        self._connection = connection
        self._consumer = consumer
        self._now_ms = now_ms
        self._prefix = prefix
        self._backoff = limits.backoff
        self._capacity = limits.capacity
        self._random = Random(seed)  # noqa: S311  jitter, not a secret
        self.max_attempts = limits.max_attempts
        self._known_losses: dict[Route, int] = {}
        self._log = get_logger("queue")
        self.lost = 0
        """How often a route's group was found missing: the server was flushed or replaced."""
        self.next_loss = trio.Event()
        """Set at the next such finding, and then replaced: the clearer waits for it."""

    def _keys(self, route: Route) -> list[str]:
        base = f"{self._prefix}:{{{route.name}}}"
        names = ("jobs", "index", "delayed", "dead", "dead-records", "asleep", "strata", "ignored")
        return [f"{base}:{name}" for name in names]

    async def _script(self, script: str, route: Route, arguments: Sequence[Any]) -> Any:
        keys = self._keys(route)
        return await self._connection(lambda client: client.eval(script, len(keys), *keys, *arguments))

    async def open(self, route: Route) -> None:
        """Make the route's stream and group. Does nothing if they exist.

        Raises:
            QueueUnavailable: the server refuses.
        """

        def create(client: redis.Redis) -> None:
            try:
                client.xgroup_create(self._keys(route)[0], route.destination, id="0", mkstream=True)
            except redis.exceptions.ResponseError as error:
                if not str(error).startswith("BUSYGROUP"):
                    raise

        await self._connection(create)

    async def enqueue(self, jobs: Iterable[Job]) -> Enqueued:
        """Add the jobs that are not known yet. When it returns, the server has every job that it did not call full.

        Returns:
            How many were added, were known before (waiting, in work, resting or ignored), and found their route full.
        """
        added = known = full = 0
        by_route: dict[Route, list[tuple[str, bytes]]] = {}
        for job in jobs:
            by_route.setdefault(job.route, []).append((job.id, encode_job(job)))
        for route, records in by_route.items():
            for chunk in _chunks(records):
                arguments = [self._capacity, *(part for record in chunk for part in record)]
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
        stream = self._keys(route)[0]
        # After a broken connection an answer may have been lost: then the server thinks that we have these jobs.
        losses = self._connection.losses
        starts = (">",) if self._known_losses.get(route) == losses else ("0", ">")

        def read(client: redis.Redis) -> list[tuple[bytes, Any]]:
            found: list[tuple[bytes, Any]] = []
            for start in starts:
                if len(found) < limit:
                    count = limit - len(found)
                    answer = client.xreadgroup(route.destination, self._consumer, {stream: start}, count=count)
                    found.extend(_entries(answer))
            return found

        try:
            entries = await self._connection(read)
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
        stream = self._keys(route)[0]

        def autoclaim(client: redis.Redis) -> tuple[Any, dict[bytes, int]]:
            try:
                answer = client.xautoclaim(
                    stream, route.destination, self._consumer, idle_ms, start_id="0-0", count=limit
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
                        consumername=self._consumer,
                    ),
                )
            except redis.exceptions.ResponseError as error:
                if str(error).startswith("NOGROUP"):
                    return [], {}
                raise
            return entries, {entry["message_id"]: entry["times_delivered"] for entry in pending}

        entries, deliveries = await self._connection(autoclaim)
        worn = [entry for entry, _ in entries if deliveries.get(entry, 0) > MAX_DELIVERIES]
        for entry, fields in entries:
            if entry in worn and fields:
                reason = f"was taken {deliveries[entry]} times and never ended"
                await self._bury_raw(route, entry.decode(), fields, reason)
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
        stream = self._keys(route)[0]

        def claim(client: redis.Redis) -> None:
            try:
                client.xclaim(stream, route.destination, self._consumer, 0, cast(Any, entries), justid=True)
            except redis.exceptions.ResponseError as error:
                if not str(error).startswith("NOGROUP"):
                    raise

        await self._connection(claim)

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
                "record": encode_job(taken.job).decode(),
                "attempts": str(taken.attempts),
                "probes": str(taken.probes),
                "reason": reason[:MAX_REASON_CHARS],
            }
        )
        due_ms = self._now_ms() + int(delay_s * 1000)
        await self._script(RETRY, route, [route.destination, taken.entry, taken.job.id, due_ms, member])

    async def sleep(self, route: Route, taken: Taken, reason: str, cause: str, delay_s: float) -> bool:
        """Let the job rest until somebody picks it, not before `delay_s`. True: it failed so often that it is a dead letter.

        `taken` may have been picked: then its entry is empty. A label stops nothing: dead letters are picked like others.
        """
        dead = taken.failures >= self.max_attempts
        due_ms = self._now_ms() + int(delay_s * 1000)
        await self._rest(route, taken, reason, cause, str(due_ms), dead=dead)
        return dead

    async def bury(self, route: Route, taken: Taken, reason: str, cause: str = OTHER_CAUSE) -> None:
        """Make a dead letter that is not tried again until somebody revives it.

        Args:
            reason: one sentence for operators.
            cause: the label by which letters are counted and revived together.
        """
        await self._rest(route, taken, reason, cause, "", dead=True)

    async def _rest(self, route: Route, taken: Taken, reason: str, cause: str, due_ms: str, *, dead: bool) -> None:
        job, now_ms = taken.job, self._now_ms()
        letter = DeadLetter(job.id, route.name, reason, taken.failures, now_ms, job, cause, taken.probes, dead)
        stratum = f"{cause} {job.packet.payloads[0].destination_port}"[:MAX_STRATUM_CHARS]
        arguments = [route.destination, taken.entry, job.id, due_ms, encode_letter(letter, encode_job(job)), stratum]
        await self._script(SLEEP, route, [*arguments, now_ms, int(dead), MAX_LETTERS])
        if dead and taken.entry:
            self._log.warning(
                "dead letter", chain=route.destination, packet=job.packet_id, kind=job.kind.value, reason=reason
            )

    async def pick(self, route: Route, limit: int) -> list[tuple[Taken, DeadLetter]]:
        """Up to `limit` resting jobs that are due to be tried again, of as many causes as there are; they are ours for LEASE_S.

        A letter that cannot be read is forgotten: its packet is on the chains, and the clearer enqueues it in today's form.
        """
        now_ms = self._now_ms()
        answer = cast(list[bytes], await self._script(PICK, route, [now_ms, limit, now_ms + int(LEASE_S * 1000)]))
        picked, unreadable = [], []
        for name, record in zip(answer[::2], answer[1::2], strict=True):
            letter = decode_letter(name.decode(errors="replace"), record)
            if letter.job is None or letter.job.route != route:
                unreadable.append(name)
                continue
            attempts = max(0, letter.attempts - letter.probes)
            picked.append((Taken(letter.job, "", attempts, letter.probes), letter))
        if unreadable:
            await self._script(FORGET, route, unreadable)
        return picked

    async def rouse(self, route: Route) -> None:
        """Let dead letters that nobody would try again be picked: a new process may have another configuration or form."""
        keys, now_ms = self._keys(route), self._now_ms()

        def work(client: redis.Redis) -> None:
            for start in range(0, MAX_LETTERS, _LETTERS_CHUNK):
                ids = cast(list[bytes], client.zrange(keys[3], start, start + _LETTERS_CHUNK - 1))
                if not ids:
                    return
                client.zadd(keys[5], cast(Any, dict.fromkeys(ids, now_ms)), nx=True)

        await self._connection(work)

    async def wake(self, route: Route, taken: Iterable[Taken]) -> int:
        """Give picked jobs out again.

        Returns:
            How many were still asleep; the others were woken, revived or ignored by somebody else in the meantime.
        """
        parts: list[str | bytes] = []
        for one in taken:
            parts += [one.job.id, encode_job(one.job), str(one.attempts), str(one.probes)]
        return int(await self._script(WAKE, route, parts)) if parts else 0

    async def forget(self, route: Route, ids: Sequence[str]) -> None:
        """Drop those of `ids` that rest: they need not be tried any more. Jobs that wait or are in work stay."""
        for start in range(0, len(ids), _STATES_CHUNK):
            await self._script(FORGET, route, ids[start : start + _STATES_CHUNK])

    async def dead_letters(self, route: Route, limit: int | None = None) -> list[DeadLetter]:
        """Dead letters, the newest first; at most `limit`, or all if it is None."""
        return await self._letters(route, 3, limit)

    async def ignored(self, route: Route) -> list[DeadLetter]:
        """What an operator said is to be left alone, the newest first."""
        return await self._letters(route, 7, None)

    async def _letters(self, route: Route, key: int, limit: int | None) -> list[DeadLetter]:
        keys = self._keys(route)

        def read(client: redis.Redis) -> list[tuple[bytes, Any]]:
            ids = cast(list[bytes], client.zrevrange(keys[key], 0, -1 if limit is None else limit - 1))
            found: list[tuple[bytes, Any]] = []
            for start in range(0, len(ids), _LETTERS_CHUNK):
                chunk = ids[start : start + _LETTERS_CHUNK]
                found += zip(chunk, cast(list[Any], client.hmget(keys[4], cast(Any, chunk))), strict=True)
            return found

        letters = await self._connection(read)
        return [decode_letter(job_id.decode(errors="replace"), record) for job_id, record in letters if record]

    async def revive(self, route: Route, job_id: str) -> bool:
        """Try a dead letter again from its first attempt.

        Returns:
            False if there is no such letter, or its record cannot be read.
        """
        return await self.revive_all(route, [job_id]) == 1

    async def revive_all(self, route: Route, job_ids: Sequence[str]) -> int:
        """Try these dead letters again from their first attempt.

        Returns:
            How many of `job_ids` were letters with a record that can be read.
        """
        records = self._keys(route)[4]
        woken = 0
        for start in range(0, len(job_ids), _LETTERS_CHUNK):
            chunk = list(job_ids[start : start + _LETTERS_CHUNK])
            found = await self._connection(_reader_of(records, chunk))
            letters = [decode_letter(name, record) for name, record in zip(chunk, found, strict=True) if record]
            woken += await self.wake(route, [Taken(one.job, "", 0) for one in letters if one.job is not None])
        return woken

    async def ignore(self, route: Route, job_id: str) -> bool:
        """Leave a resting job alone for good, until `heed`.

        Returns:
            False if no job of that name rests.
        """
        return bool(await self._script(IGNORE, route, [job_id, self._now_ms(), "", "", ""]))

    async def ignore_taken(self, route: Route, taken: Taken, reason: str) -> None:
        """Leave a job in work alone for good, until `heed`. `reason` is shown with it."""
        job, now_ms = taken.job, self._now_ms()
        letter = DeadLetter(job.id, route.name, reason, taken.failures, now_ms, job, OTHER_CAUSE, taken.probes)
        arguments = [job.id, now_ms, route.destination, taken.entry, encode_letter(letter, encode_job(job))]
        await self._script(IGNORE, route, arguments)

    async def heed(self, route: Route, job_id: str) -> bool:
        """Undo `ignore`: the job is tried again from its first attempt.

        Returns:
            False if no job of that name is ignored, or its record cannot be read.
        """
        letter = await self._letter(route, job_id)
        if letter is None or letter.job is None:
            return False
        return bool(await self._script(HEED, route, [job_id, encode_job(letter.job)]))

    async def _letter(self, route: Route, job_id: str) -> DeadLetter | None:
        records = self._keys(route)[4]
        record = await self._connection(lambda client: cast(bytes | None, client.hget(records, job_id)))
        return None if record is None else decode_letter(job_id, record)

    async def try_to_write(self) -> None:
        """Write a value that nobody reads.

        Raises:
            QueueUnavailable: the server refuses to write, for example because its disk is full.
        """
        key, now_ms = f"{self._prefix}:asked", self._now_ms()
        await self._connection(lambda client: client.set(key, now_ms, px=ASKED_FOR_MS))
        # A server learns that its disk is full from the write, and says so with the command after it.
        await self._connection(lambda client: client.ping())

    async def announce(self, names: Sequence[str]) -> None:
        """Tell whoever shares the queue that we send by these accounts.

        Args:
            names: `chain address`, as `announced` gives them; what is not announced again in time is forgotten.

        Raises:
            QueueUnavailable: the server refuses.
        """
        now_ms = self._now_ms()
        key = f"{self._prefix}:relayers"
        if names:
            await self._connection(lambda client: client.zadd(key, dict.fromkeys(names, now_ms)))

    async def announced(self, within_s: float) -> list[str]:
        """What was announced within the last `within_s`, ours included, MAX_ANNOUNCED names at most.

        Older announcements are deleted on the server, for everybody.

        Raises:
            QueueUnavailable: the server refuses.
        """
        since_ms = self._now_ms() - int(within_s * 1000)
        key = f"{self._prefix}:relayers"

        def read(client: redis.Redis) -> list[bytes]:
            client.zremrangebyscore(key, "-inf", f"({since_ms}")
            return cast(list[bytes], client.zrange(key, 0, MAX_ANNOUNCED - 1))

        return [name.decode(errors="replace") for name in await self._connection(read)]

    async def statistics(self, route: Route) -> QueueStatistics:
        """How many jobs of the route wait or are in work, are delayed, are dead, and are asleep."""
        stream, _, delayed, dead, _, asleep, _, _ = self._keys(route)

        def read(client: redis.Redis) -> QueueStatistics:
            pipeline = client.pipeline(transaction=False)
            pipeline.xlen(stream)
            pipeline.zcard(delayed)
            pipeline.zcard(dead)
            pipeline.zcard(asleep)
            return QueueStatistics(*pipeline.execute())

        return await self._connection(read)

    async def _parse(self, route: Route, entries: Iterable[tuple[bytes, Any]]) -> list[Taken]:
        jobs = []
        for entry, fields in entries:
            if not fields:  # deleted since
                continue
            try:
                jobs.append(_taken(route, entry, fields))
            except RecordRefused as error:
                await self._bury_raw(route, entry.decode(), fields, str(error))
        return jobs

    async def _bury_raw(self, route: Route, entry: str, fields: dict[bytes, bytes], reason: str) -> None:
        job_id = fields.get(b"id", entry.encode())[:300]
        name, now_ms = job_id.decode(errors="replace"), self._now_ms()
        letter = encode_letter(DeadLetter(name, route.name, reason, 0, now_ms, None), fields.get(b"record", b""))
        await self._script(
            SLEEP, route, [route.destination, entry, job_id, "", letter, "unreadable", now_ms, 1, MAX_LETTERS]
        )
        self._log.warning(
            "dead letter",
            chain=route.destination,
            packet=job_id.decode(errors="replace").partition(":")[2],
            reason=reason,
        )


def _reader_of(records: str, ids: list[str]) -> Callable[["redis.Redis"], list[Any]]:
    return lambda client: cast(list[Any], client.hmget(records, cast(Any, ids)))


def _entries(answer: Any) -> list[tuple[bytes, Any]]:
    if not answer:
        return []
    streams = answer.values() if isinstance(answer, dict) else [entries for _, entries in answer]
    found: list[tuple[bytes, Any]] = []
    for entries in streams:
        # RESP3 answers wrap the entries in one more list.
        found.extend(entries[0] if len(entries) == 1 and isinstance(entries[0], list) else entries)
    return found


def _taken(route: Route, entry: bytes, fields: dict[bytes, bytes]) -> Taken:
    job = decode_job(fields.get(b"record", b""))
    if job.route != route:
        raise RecordRefused("route", f"{job.route.name} in the queue of {route.name}")
    if job.id.encode() != fields.get(b"id"):
        raise RecordRefused("id", "is not that of its record")
    counts = [fields.get(name, b"0") for name in (b"attempts", b"probes")]
    if any(not count.isdigit() or len(count) > 6 for count in counts):
        raise RecordRefused("attempts", "is not a number")
    return Taken(job, entry.decode(), *map(int, counts))


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
