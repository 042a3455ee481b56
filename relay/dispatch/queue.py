"""Jobs in Redis Streams: one stream a route, a consumer group a destination.

The queue is a hint. It may lose everything at any moment; what must be done is written on the chains, and the clearer
enqueues it again. So enqueueing is idempotent by job id, and taking the same job twice must be harmless to the caller.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, cast

import redis
import trio

from light_clients.interface import MalformedInput
from light_clients.interface.json_text import parse_json
from relay.dispatch.backoff import Backoff
from relay.dispatch.connection import Connection
from relay.dispatch.errors import RecordRefused
from relay.dispatch.record import MAX_RECORD_BYTES, Job, Route, decode_job, encode_job
from relay.dispatch.scripts import BURY, ENQUEUE, FORGET, PROMOTE, RETRY, REVIVE, SETTLE, STATES
from relay.telemetry import get_logger

MAX_DEAD_LETTER_BYTES = 6 * MAX_RECORD_BYTES + 64 * 1024
"""The record stands in it as text, where a character takes up to six bytes."""
CAPACITY = 100_000
"""Jobs of one route. Above it nothing is added: the watcher waits, and the chains remember."""
MAX_DEAD_LETTERS = 10_000
REVIVE_AFTER_S = 3_600
"""A dead letter gets another attempt so long after its last: a refund must not need an operator once its cause is gone."""
REVIVE_LIMIT = 50
MAX_REASON_CHARS = 500
MAX_DELIVERIES = 10
"""A job that was taken so often without an end has probably ended its workers: dead letter."""
CLAIM_AFTER_MS = 6_000
"""A job untouched for so long belongs to a dead worker; living ones touch theirs every `TOUCH_EVERY_S`."""
TOUCH_EVERY_S = 2.0
MAX_ANNOUNCED = 4_096
_STATES_CHUNK = 1_000
_ENQUEUE_CHUNK = 200
_ENQUEUE_CHUNK_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Taken:
    """A job in work. `attempts` counts the failures before; `entry` names it to the server."""

    job: Job
    entry: str
    attempts: int


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A job that was given up. `job` is None if its record could not be read."""

    id: str
    route: str
    reason: str
    attempts: int
    at_ms: int
    job: Job | None


@dataclass(frozen=True, slots=True)
class Enqueued:
    """How many jobs were new, how many known before, how many did not fit."""

    added: int
    known: int
    full: int


@dataclass(frozen=True, slots=True)
class QueueStatistics:
    """`waiting` counts jobs in the stream, in work ones included."""

    waiting: int
    delayed: int
    dead: int


class Queue:
    """All routes' jobs on one server. `now_ms` is the clock of delays; `consumer` names this process."""

    def __init__(
        self,
        connection: Connection,
        consumer: str,
        now_ms: Callable[[], int],
        *,
        prefix: str = "hutong",
        max_attempts: int = 8,
        backoff: Backoff | None = None,
        capacity: int = CAPACITY,
        seed: int | None = None,
    ) -> None:
        self._connection = connection
        self._consumer = consumer
        self._now_ms = now_ms
        self._prefix = prefix
        self._max_attempts = max_attempts
        self._backoff = backoff if backoff is not None else Backoff()
        self._capacity = capacity
        self._random = Random(seed)  # noqa: S311  jitter, not a secret
        self._known_losses: dict[Route, int] = {}
        self._log = get_logger("queue")
        self.lost = 0
        """How often a route's group was found missing: the server was flushed or replaced."""
        self.next_loss = trio.Event()
        """Set at the next such finding, and then replaced: the clearer waits for it."""

    def _keys(self, route: Route) -> list[str]:
        base = f"{self._prefix}:{{{route.name}}}"
        return [f"{base}:jobs", f"{base}:index", f"{base}:delayed", f"{base}:dead", f"{base}:dead-records"]

    async def _script(self, script: str, route: Route, arguments: Sequence[Any]) -> Any:
        keys = self._keys(route)
        return await self._connection(lambda client: client.eval(script, len(keys), *keys, *arguments))

    async def open(self, route: Route) -> None:
        """Make the route's stream and group. Does nothing if they exist."""

        def create(client: redis.Redis) -> None:
            try:
                client.xgroup_create(self._keys(route)[0], route.destination, id="0", mkstream=True)
            except redis.exceptions.ResponseError as error:
                if not str(error).startswith("BUSYGROUP"):
                    raise

        await self._connection(create)

    async def enqueue(self, jobs: Iterable[Job]) -> Enqueued:
        """Add jobs that are not known yet. When it returns, the server has every job that it did not call full."""
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
        """Where those of `ids` are that the queue knows: `dead`, `delayed`, or `waiting` (in work ones included)."""
        values: list[bytes | None] = []
        for start in range(0, len(ids), _STATES_CHUNK):
            values += await self._script(STATES, route, ids[start : start + _STATES_CHUNK])
        names = {b"dead": "dead", b"delayed": "delayed"}
        return {
            job_id: names.get(value, "waiting") for job_id, value in zip(ids, values, strict=True) if value is not None
        }

    async def take(self, route: Route, limit: int) -> list[Taken]:
        """Up to `limit` jobs that nobody works on, at once; due retries included. Unreadable records are buried."""
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
        """Take over up to `limit` jobs that another worker took and has not touched for `idle_ms`."""
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
        """Say that these jobs are still worked on."""
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
        """These jobs are done on the chain, or never need to be: forget them."""
        pairs = [part for item in taken for part in (item.entry, item.job.id)]
        if pairs:
            await self._script(SETTLE, route, [route.destination, *pairs])

    async def retry(self, route: Route, taken: Taken, reason: str, *, counted: bool = True) -> bool:
        """Try again after a delay. False: there were enough attempts, the job is a dead letter now.

        With `counted` False the failure was not the job's (a chain does not answer): it costs no attempt.
        """
        attempts = taken.attempts + (1 if counted else 0)
        if attempts >= self._max_attempts:
            await self.bury(route, taken, f"{attempts} attempts; last: {reason}")
            return False
        await self._delay(route, taken, attempts, reason, self._backoff.delay_s(max(attempts, 1), self._random))
        return True

    async def put_off(self, route: Route, taken: Taken, reason: str, delay_s: float) -> None:
        """Give the job out again after `delay_s`; it is no failure."""
        await self._delay(route, taken, taken.attempts, reason, delay_s)

    async def _delay(self, route: Route, taken: Taken, attempts: int, reason: str, delay_s: float) -> None:
        member = json.dumps(
            {
                "id": taken.job.id,
                "record": encode_job(taken.job).decode(),
                "attempts": str(attempts),
                "reason": reason[:MAX_REASON_CHARS],
            }
        )
        due_ms = self._now_ms() + int(delay_s * 1000)
        await self._script(RETRY, route, [route.destination, taken.entry, taken.job.id, due_ms, member])

    async def bury(self, route: Route, taken: Taken, reason: str) -> None:
        """Make a dead letter of a job: it stays known, so that nobody enqueues it again but `revive`."""
        dead = _dead_record(route, reason, taken.attempts, self._now_ms(), encode_job(taken.job))
        await self._script(
            BURY, route, [route.destination, taken.entry, taken.job.id, self._now_ms(), dead, MAX_DEAD_LETTERS]
        )
        self._log.warning(
            "dead letter",
            chain=route.destination,
            packet=taken.job.packet_id,
            kind=taken.job.kind.value,
            reason=reason,
        )

    async def dead_letters(self, route: Route, limit: int = 100) -> list[DeadLetter]:
        """The newest dead letters."""
        _, _, _, dead, records = self._keys(route)

        def read(client: redis.Redis) -> list[tuple[bytes, Any]]:
            ids = cast(list[bytes], client.zrevrange(dead, 0, limit - 1))
            return list(zip(ids, cast(list[Any], client.hmget(records, cast(Any, ids))) if ids else [], strict=True))

        letters = await self._connection(read)
        return [_dead_letter(job_id.decode(errors="replace"), record) for job_id, record in letters if record]

    async def revive(self, route: Route, job_id: str) -> bool:
        """Try a dead letter again from the first attempt. False: there is no such letter, or its record is unreadable."""
        letter = await self._dead_letter(route, job_id)
        if letter is None or letter.job is None:
            return False
        return bool(await self._script(REVIVE, route, [job_id, encode_job(letter.job), "0"]))

    async def revive_old(self, route: Route) -> int:
        """Give dead letters that are older than REVIVE_AFTER_S one attempt more, a few a call; returns how many.

        What was wrong may have gone away (an app that was paused, an endpoint that lied). A letter that cannot be read is
        forgotten: its packet is on the chains, and the clearer enqueues it in a form of today.
        """
        before_ms = self._now_ms() - REVIVE_AFTER_S * 1000
        dead = self._keys(route)[3]
        due = await self._connection(
            lambda client: cast(list[bytes], client.zrangebyscore(dead, "-inf", before_ms, start=0, num=REVIVE_LIMIT))
        )
        for name in due:
            job_id = name.decode(errors="replace")
            letter = await self._dead_letter(route, job_id)
            if letter is None or letter.job is None:
                await self._script(FORGET, route, [name])
            else:
                await self._script(REVIVE, route, [name, encode_job(letter.job), str(self._max_attempts - 1)])
        if due:
            self._log.info("old dead letters are tried again", chain=route.destination, route=route.name, jobs=len(due))
        return len(due)

    async def _dead_letter(self, route: Route, job_id: str) -> DeadLetter | None:
        records = self._keys(route)[4]
        record = await self._connection(lambda client: cast(bytes | None, client.hget(records, job_id)))
        return None if record is None else _dead_letter(job_id, record)

    async def announce(self, names: Sequence[str]) -> None:
        """Tell whoever shares the queue that we send by these accounts."""
        now_ms = self._now_ms()
        key = f"{self._prefix}:relayers"
        if names:
            await self._connection(lambda client: client.zadd(key, dict.fromkeys(names, now_ms)))

    async def announced(self, within_s: float) -> list[str]:
        """What was announced within the last `within_s`, ours included; older announcements are forgotten."""
        since_ms = self._now_ms() - int(within_s * 1000)
        key = f"{self._prefix}:relayers"

        def read(client: redis.Redis) -> list[bytes]:
            client.zremrangebyscore(key, "-inf", f"({since_ms}")
            return cast(list[bytes], client.zrange(key, 0, MAX_ANNOUNCED - 1))

        return [name.decode(errors="replace") for name in await self._connection(read)]

    async def statistics(self, route: Route) -> QueueStatistics:
        stream, _, delayed, dead, _ = self._keys(route)

        def read(client: redis.Redis) -> QueueStatistics:
            pipeline = client.pipeline(transaction=False)
            pipeline.xlen(stream)
            pipeline.zcard(delayed)
            pipeline.zcard(dead)
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
        dead = _dead_record(route, reason, 0, self._now_ms(), fields.get(b"record", b""))
        await self._script(BURY, route, [route.destination, entry, job_id, self._now_ms(), dead, MAX_DEAD_LETTERS])
        self._log.warning(
            "dead letter",
            chain=route.destination,
            packet=job_id.decode(errors="replace").partition(":")[2],
            reason=reason,
        )


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
    attempts = fields.get(b"attempts", b"0")
    if not attempts.isdigit() or len(attempts) > 6:
        raise RecordRefused("attempts", "is not a number")
    return Taken(job, entry.decode(), int(attempts))


def _dead_record(route: Route, reason: str, attempts: int, at_ms: int, record: bytes) -> bytes:
    document = {
        "route": route.name,
        "reason": reason[:MAX_REASON_CHARS],
        "attempts": attempts,
        "at_ms": at_ms,
        "record": record[:MAX_RECORD_BYTES].decode(errors="replace"),
    }
    return json.dumps(document, sort_keys=True).encode()


def _dead_letter(job_id: str, data: bytes) -> DeadLetter:
    try:
        document = parse_json(data, "dead letter", MAX_DEAD_LETTER_BYTES)
        job = _readable(document["record"])
        return DeadLetter(
            job_id,
            str(document["route"]),
            str(document["reason"]),
            int(document["attempts"]),
            int(document["at_ms"]),
            job,
        )
    except (MalformedInput, ValueError, KeyError, TypeError):
        return DeadLetter(job_id, "", "its dead letter is damaged", 0, 0, None)


def _readable(record: str) -> Job | None:
    try:
        return decode_job(record.encode())
    except RecordRefused:
        return None


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
