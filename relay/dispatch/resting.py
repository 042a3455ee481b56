"""Jobs that failed and rest: they are picked to be tried again, woken, shown as dead letters, revived, or left alone."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, cast

import redis

from hutong.relay.dispatch.connection import Connection
from hutong.relay.dispatch.letter import DeadLetter, decode_letter, encode_letter
from hutong.relay.dispatch.limits import MAX_LETTERS
from hutong.relay.dispatch.record import Route
from hutong.relay.dispatch.route_keys import RouteKeys
from hutong.relay.dispatch.scripts import FORGET, HEED, IGNORE, PICK, SLEEP, WAKE
from hutong.relay.dispatch.taken import Taken

LEASE_S = 60.0
"""How long the relay that picked a letter has it; then another may pick it."""
OTHER_CAUSE = "other"
MAX_STRATUM_CHARS = 160
_LETTERS_CHUNK = 500
_FORGET_CHUNK = 1_000


class RestingJobs(RouteKeys):
    """The part of a queue that holds what rests. A job that failed `max_attempts` times is a dead letter."""

    def __init__(self, connection: Connection, now_ms: Callable[[], int], prefix: str, max_attempts: int) -> None:
        super().__init__(connection, now_ms, prefix)
        self.max_attempts = max_attempts

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
        arguments = [route.destination, taken.entry, job.id, due_ms, encode_letter(letter, job.record), stratum]
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
        places, now_ms = self._places(route), self._now_ms()

        def work(client: redis.Redis) -> None:
            for start in range(0, MAX_LETTERS, _LETTERS_CHUNK):
                ids = cast(list[bytes], client.zrange(places.dead, start, start + _LETTERS_CHUNK - 1))
                if not ids:
                    return
                client.zadd(places.asleep, cast(Any, dict.fromkeys(ids, now_ms)), nx=True)

        await self.connection(work)

    async def wake(self, route: Route, taken: Iterable[Taken]) -> int:
        """Give picked jobs out again.

        Returns:
            How many were still asleep; the others were woken, revived or ignored by somebody else in the meantime.
        """
        parts: list[str | bytes] = []
        for one in taken:
            parts += [one.job.id, one.job.record, str(one.attempts), str(one.probes)]
        return int(await self._script(WAKE, route, parts)) if parts else 0

    async def forget(self, route: Route, ids: Sequence[str]) -> None:
        """Drop those of `ids` that rest: they need not be tried any more. Jobs that wait or are in work stay."""
        for start in range(0, len(ids), _FORGET_CHUNK):
            await self._script(FORGET, route, ids[start : start + _FORGET_CHUNK])

    async def dead_letters(self, route: Route, limit: int | None = None) -> list[DeadLetter]:
        """Dead letters, the newest first; at most `limit`, or all if it is None."""
        return await self._letters(route, self._places(route).dead, limit)

    async def ignored(self, route: Route) -> list[DeadLetter]:
        """What an operator said is to be left alone, the newest first."""
        return await self._letters(route, self._places(route).ignored, None)

    async def _letters(self, route: Route, listed: str, limit: int | None) -> list[DeadLetter]:
        records = self._places(route).records

        def read(client: redis.Redis) -> list[tuple[bytes, Any]]:
            ids = cast(list[bytes], client.zrevrange(listed, 0, -1 if limit is None else limit - 1))
            found: list[tuple[bytes, Any]] = []
            for start in range(0, len(ids), _LETTERS_CHUNK):
                chunk = ids[start : start + _LETTERS_CHUNK]
                found += zip(chunk, cast(list[Any], client.hmget(records, cast(Any, chunk))), strict=True)
            return found

        letters = await self.connection(read)
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
        records = self._places(route).records
        woken = 0
        for start in range(0, len(job_ids), _LETTERS_CHUNK):
            chunk = list(job_ids[start : start + _LETTERS_CHUNK])
            found = await self.connection(_reader_of(records, chunk))
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
        arguments = [job.id, now_ms, route.destination, taken.entry, encode_letter(letter, job.record)]
        await self._script(IGNORE, route, arguments)

    async def heed(self, route: Route, job_id: str) -> bool:
        """Undo `ignore`: the job is tried again from its first attempt.

        Returns:
            False if no job of that name is ignored, or its record cannot be read.
        """
        letter = await self._letter(route, job_id)
        if letter is None or letter.job is None:
            return False
        return bool(await self._script(HEED, route, [job_id, letter.job.record]))

    async def _letter(self, route: Route, job_id: str) -> DeadLetter | None:
        records = self._places(route).records
        record = await self.connection(lambda client: cast(bytes | None, client.hget(records, job_id)))
        return None if record is None else decode_letter(job_id, record)

    async def _bury_unreadable(self, route: Route, entry: str, fields: dict[bytes, bytes], reason: str) -> None:
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
