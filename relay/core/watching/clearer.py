"""Finding work that the queue has lost: the chains say what is unsettled, the clearer enqueues what is missing.

What an endpoint says to be settled is not proven, so it is believed for one round only: after the newest packets every
pass reads some older sequences again, and after the oldest it begins anew.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial

import trio

from hutong.adapters.interface import AdapterError, HeightUnavailable, PacketRecords
from hutong.adapters.rpc import all_of
from hutong.relay.config import PathEnd
from hutong.relay.core.history.history import packets_of
from hutong.relay.core.watching.discovery import Discovery, Rest
from hutong.relay.core.watching.relay_context import RelayContext
from hutong.relay.core.watching.timeouts import TimeoutScheduler
from hutong.relay.core.watching.waiting import turn_of
from hutong.relay.dispatch import Job, JobKind, Route
from hutong.relay.telemetry import get_logger

WINDOW = 1_000
"""Sequences read at once."""
MAX_WINDOWS = 50
"""Of newer sequences in one pass, and of older ones in the first passes."""
MAX_STANDING = 100_000
CONCURRENT_LOOKS = 64
"""Adapters make one request of reads that begin together."""
MAX_FAILURES = 16
"""Packets that could not be looked at; then the chain is left alone until the next pass."""
CHUNK = 50
BACKLOG_SHARE = 200
"""Jobs that may wait on a route while the clearer adds to them: what is sent now waits for no more than these."""
GRACE_S = 5.0
"""After so long a chunk is added to a full share all the same, so that much live traffic starves no old packet."""
_GRACE_POLL_S = 0.25


@dataclass(slots=True)
class _Scan:
    """What was read of one end. `standing` are the sequences that were found unsettled.

    Everything from `top` on is unread. Going down from `top`, `next_old` is where the re-reading stands; `whole` once
    it has been down to 1. `failing` are those of them that could not be looked at: they come after the others. `loss` is
    the queue's when it was last known to be whole.
    """

    top: int
    next_old: int
    loss: trio.Event
    standing: set[int] = field(default_factory=set)
    failing: set[int] = field(default_factory=set)
    whole: bool = False


@dataclass(slots=True)
class _Found:
    """Of one pass."""

    missing: list[Job] = field(default_factory=list)
    failures: list[AdapterError] = field(default_factory=list)
    went_on_unheard: int = 0


class Clearer:
    """One pass over one path end a call of `clear`."""

    def __init__(self, relay: RelayContext, discovery: Discovery, timeouts: TimeoutScheduler) -> None:
        self._adapters = relay.adapters
        self._paths = relay.paths
        self._queue = relay.services.queue
        self._wakeup = relay.wakeup
        self._history = relay.history
        self._waiting = relay.waiting
        self._discovery = discovery
        self._timeouts = timeouts
        self._scans: dict[PathEnd, _Scan] = {}
        self._log = get_logger("clearer")

    async def clear(self, end: PathEnd) -> int:
        """Enqueue what is missing of the packets that were sent over `end`; returns how many jobs were.

        Raises:
            AdapterError: the chain of `end` does not say what stands, or too many packets could not be looked at.
        """
        adapter = self._adapters[end.chain]
        scan, end_of_sends = await self._opened(end, adapter)
        added = 0
        for _ in range(MAX_WINDOWS):
            if scan.top >= end_of_sends:
                break
            found = await adapter.unsettled_sends(end.client, scan.top, WINDOW)
            scan.top = min(scan.top + WINDOW, end_of_sends)
            added += await self._clear(end, scan, found)
        added += await self._clear(end, scan, sorted(scan.standing, reverse=True))
        for _ in range(1 if scan.whole else MAX_WINDOWS):
            first = max(1, scan.next_old - WINDOW)
            found = await adapter.unsettled_sends(end.client, first, scan.next_old - first)
            added += await self._clear(end, scan, [one for one in reversed(found) if one not in scan.standing])
            scan.next_old = first
            if first == 1:
                scan.whole, scan.next_old = True, scan.top
                break
        if len(scan.standing) < MAX_STANDING:
            read = range(1 if scan.whole else scan.next_old, scan.top)
            await self._history.settled_but(end, scan.standing, read)
        if added:
            self._log.info("found work that was not in the queue", chain=end.chain, client=end.client, jobs=added)
        return added

    async def _opened(self, end: PathEnd, adapter: PacketRecords) -> tuple[_Scan, int]:
        """The scan of an end, and the first sequence that was not sent yet. After a lie about it, all is read again."""
        end_of_sends = await adapter.next_sequence_send(end.client)
        scan = self._scans.get(end)
        if scan is None or scan.top > end_of_sends:
            scan = _Scan(end_of_sends, end_of_sends, self._queue.next_loss)
            self._scans[end] = scan
            self._waiting.forget(end)
        if scan.loss is not self._queue.next_loss:  # the jobs of answers may have been in it
            scan.loss = self._queue.next_loss
            self._waiting.forget(end)
        self._waiting.begin(end)
        return scan, end_of_sends

    async def _clear(self, end: PathEnd, scan: _Scan, sequences: Sequence[int]) -> int:
        """Look at these packets; those that are settled leave `scan.standing`, the others are in it after."""
        for sequence in sequences:
            if len(scan.standing) < MAX_STANDING:
                scan.standing.add(sequence)
        unknown = await self._not_in_work(end, sequences)
        failing = set(scan.failing)
        resting = [one for one in self._waiting.of(end, unknown, partial(self._is_watched, end)) if one not in failing]
        later = failing.union(resting)
        found = _Found()
        await self._look_at(end, scan, [one for one in unknown if one not in later], found)
        turn = turn_of(len(resting))
        for start in range(0, len(resting), turn):
            before = found.went_on_unheard
            await self._look_at(end, scan, resting[start : start + turn], found, rested=True)
            if found.went_on_unheard == before:
                break  # so that the others are likely to wait too
        await self._look_at(end, scan, [one for one in unknown if one in failing], found)
        return await self._offer(found.missing)

    def _is_watched(self, end: PathEnd, sequence: int) -> bool:
        return self._timeouts.watches(self._paths.opposite[end].chain, f"{end.chain}/{end.client}/{sequence}")

    async def _look_at(
        self, end: PathEnd, scan: _Scan, sequences: Sequence[int], found: _Found, *, rested: bool = False
    ) -> None:
        """Raises AdapterError after too many failures, with what was found offered."""

        async def look(sequence: int) -> None:
            try:
                waits = rested and await self._discovery.awaits_app(end, sequence)
                seen = Rest.AWAITS_APP if waits else await self._discovery.look(end, sequence)
            except AdapterError as error:
                if not isinstance(error, HeightUnavailable):  # who lacks an old packet's block is not away
                    found.failures.append(error)
                if sequence not in scan.failing:
                    self._log.warning(
                        "cannot look at a packet now",
                        chain=end.chain,
                        packet=f"{end.chain}/{end.client}/{sequence}",
                        reason=str(error),
                    )
                if sequence in scan.standing:
                    scan.failing.add(sequence)
                self._waiting.postpone(end, sequence)
                return
            self._looked_at(end, scan, sequence, seen, found)
            if isinstance(seen, Job):
                self._timeouts.watch(seen)
                found.missing.append(seen)

        for start in range(0, len(sequences), CONCURRENT_LOOKS):
            await all_of([(look, sequence) for sequence in sequences[start : start + CONCURRENT_LOOKS]])
            if len(found.failures) >= MAX_FAILURES:
                await self._offer(found.missing)
                raise found.failures[-1]

    def _looked_at(self, end: PathEnd, scan: _Scan, sequence: int, seen: Job | Rest, found: _Found) -> None:
        scan.failing.discard(sequence)
        if seen is Rest.SETTLED:
            scan.standing.discard(sequence)
        if seen is Rest.AWAITS_APP and sequence in scan.standing:
            self._waiting.rests(end, sequence, watched=self._is_watched(end, sequence))
        elif self._waiting.goes_on(end, sequence):
            found.went_on_unheard += 1

    async def _not_in_work(self, end: PathEnd, sequences: Iterable[int]) -> list[int]:
        """Those without a job that waits or is worked on. A dead letter's packet may still time out: it is looked at
        until the scheduler knows when."""
        opposite = self._paths.opposite[end]
        ids = {sequence: f"{end.chain}/{end.client}/{sequence}" for sequence in sequences}
        receive = Route(end.chain, opposite.chain, opposite.client)
        back = Route(opposite.chain, end.chain, end.client)
        kinds = ((back, JobKind.ACKNOWLEDGE), (back, JobKind.TIMEOUT), (receive, JobKind.RECEIVE))
        states = [await self._queue.states(route, [f"{kind}:{one}" for one in ids.values()]) for route, kind in kinds]
        looked_at: list[int] = []
        for sequence, packet_id in ids.items():
            acknowledge, timeout, receive_state = (
                state.get(f"{kind}:{packet_id}") for state, (_, kind) in zip(states, kinds, strict=True)
            )
            if acknowledge is not None or timeout is not None:
                continue
            if receive_state is None or (
                receive_state in ("dead", "asleep", "ignored") and not self._timeouts.watches(opposite.chain, packet_id)
            ):
                looked_at.append(sequence)
        return looked_at

    async def _offer(self, jobs: Sequence[Job]) -> int:
        added = 0
        by_route: dict[Route, list[Job]] = {}
        for job in jobs:
            by_route.setdefault(job.route, []).append(job)
        for route, waiting in by_route.items():
            for start in range(0, len(waiting), CHUNK):
                await self._share(route)
                chunk = waiting[start : start + CHUNK]
                done = await self._queue.enqueue(chunk)
                self._history.enqueued(chunk, done)
                self._wakeup.ring([route])
                added += done.added
                if done.added:
                    self._log.info(
                        "enqueued", chain=route.source, jobs=done.added, known=done.known, packets=packets_of(chunk)
                    )
                if done.full:
                    self._log.warning(
                        "the queue is full; the rest waits for a later pass",
                        chain=route.destination,
                        route=route.name,
                        packets=packets_of(chunk),
                    )
                    break
        return added

    async def _share(self, route: Route) -> None:
        with trio.move_on_after(GRACE_S):
            while (await self._queue.statistics(route)).waiting >= BACKLOG_SHARE:  # noqa: ASYNC110  the server's count
                await trio.sleep(_GRACE_POLL_S)
