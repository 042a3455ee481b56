"""Observing over one client of a hub: what is due is proven, verified here, and paid for once.

State is on the hub alone: a relay that was killed reads there what is due, and transactions that it had signed are followed
to their end before another is made. What this process remembers saves work and decides nothing.
"""

from collections.abc import Sequence
from functools import partial

import trio

from hutong.adapters.interface import BatchTooLarge, ClientInfo, NotSupported, RefusedByChain
from hutong.light_clients.crypto.hashes import keccak256
from hutong.light_clients.interface import NANOSECONDS_PER_SECOND, Height, VerificationError
from hutong.relay.core.account.account import Account
from hutong.relay.core.account.pending import Included, Lost
from hutong.relay.core.errors import RouteBlocked
from hutong.relay.core.observing.building import BuiltCall, CallBuilder, check_active
from hutong.relay.core.observing.due import Reason, next_due_s
from hutong.relay.core.observing.looking import MAX_ITEMS, Look, Sight, look, observing_hub
from hutong.relay.core.observing.rounds import Pace, Rounds, earlier_calls_ended, left_to_others_s
from hutong.relay.core.observing.watched import Watched
from hutong.relay.core.route.batch import BatchBuilder
from hutong.relay.core.route.catching_up import in_transactions
from hutong.relay.core.route.following import Following
from hutong.relay.core.route.route_context import RouteContext
from hutong.relay.core.route.slots import take_slot
from hutong.relay.core.route.updating import PaidInVain, submit_updates
from hutong.relay.dispatch import Backoff, Route
from hutong.relay.ledger import Cause

LOOK_EVERY_S = 1.0
"""At the earliest, however fast the source's blocks come."""
LOOK_AT_LEAST_EVERY_S = 30.0
"""Also where nothing is due: another relay may write, and a client may freeze."""
TRAFFIC_S = 5.0
"""A client that moved so lately is moved by packets again: what is due waits for that up to GRACE_S."""
GRACE_S = 1.5
_ALONE = Backoff(base_s=5.0, cap_s=600.0)


class Observer:
    """Of all observations over one client: it lives on the route's destination and follows its source. `run` it."""

    def __init__(self, context: RouteContext, watched: Sequence[Watched], patience_s: float) -> None:
        """`patience_s`: for how long a record that another relay wrote last is left to it once more; 0: not at all."""
        self._context = context
        self._route = context.route
        self._watched = tuple(watched)
        self._patience_s = patience_s
        self._source = context.source.adapter
        self._hub = context.destination.adapter
        self._heads = context.source.heads
        self._accounts = context.accounts
        self._metrics = context.destination.metrics.observations
        self._now_ns = context.relay.services.now_ns
        self._random = context.relay.services.random
        self._builder = CallBuilder(context)
        self._slots = BatchBuilder(context)
        self._following = Following(context)
        self._wrote: dict[bytes, Height] = {}
        self._due_since_ns: dict[bytes, int] = {}
        self._moved_at_s = -TRAFFIC_S
        self._most_items = MAX_ITEMS
        self._alone: dict[bytes, int] = {}
        """Failures of those that a group failed with: each goes alone until it succeeds."""
        self._not_before_s: dict[bytes, float] = {}
        self._unreadable: dict[bytes, str] = {}
        self._log = context.client_log("observer")
        self._pace = Pace(self._heads, LOOK_EVERY_S)
        count = partial(self._metrics.failed, self._route.destination, self._route.client)
        self._rounds = Rounds("observations", self._log, self._random, count)
        for one in self._watched:
            interval_s = None if one.interval_ns is None else one.interval_ns // NANOSECONDS_PER_SECOND
            self._metrics.watch(self._route.source, one.name, interval_s, lambda: self._now_ns() / 1e9)

    @property
    def route(self) -> Route:
        """From the observed chain to the client on the hub."""
        return self._route

    async def run(self) -> None:
        """For ever. What fails is said once for each cause, counted, and tried again with growing delays.

        Raises:
            LedgerUnavailable: a transaction could not be recorded before it was sent. The supervisor calls it again.
        """
        await earlier_calls_ended(self._accounts, observing_hub(self._hub).observations_address)
        await self._rounds.run(self._round, self._rest)

    async def _rest(self, wait_s: float) -> None:
        await self._pace.rest(wait_s, for_block=any(one.on_change for one in self._watched))

    async def _round(self) -> float:
        """Look, and observe what is due. Returns in how many seconds to look again at the latest."""
        seen = await self._look()
        due = self._due(seen)
        if due and (wait_s := self._turn_s(due)) > 0:
            await trio.sleep(wait_s)
            seen = await self._look()
            due = self._due(seen)
        if not due:
            return self._until_due_s(seen)
        if self._left_to_packets(due):
            return LOOK_EVERY_S
        info: ClientInfo | None = seen.info
        for group in self._groups(due):
            await self._observe(group, info)
            info = None  # the first group may have moved the client
        return LOOK_EVERY_S

    async def _look(self) -> Look:
        head = await self._pace.begin()
        seen = await look(self._source, self._hub, self._route.client, head, self._watched)
        if self._builder.saw(seen.info):
            self._moved_at_s = trio.current_time()
        self._note(seen)
        check_active(self._route.name, seen.info)
        return seen

    def _note(self, seen: Look) -> None:
        now_ns = self._now_ns()
        for sight in seen.sights:
            key = sight.watched.key
            if sight.reason is None and sight.unreadable is None:
                self._due_since_ns.pop(key, None)
            else:
                self._due_since_ns.setdefault(key, now_ns)
            due_ns = self._due_since_ns.get(key)
            self._metrics.stands(
                self._route.source,
                sight.watched.name,
                None if sight.record is None else sight.record.source_time_ns / 1e9,
                None if due_ns is None else due_ns / 1e9,
            )
            if sight.unreadable is not None and self._unreadable.get(key) != sight.unreadable:
                self._log.warning("a place cannot be observed", observation=sight.watched.name, reason=sight.unreadable)
        self._unreadable = {one.watched.key: one.unreadable for one in seen.sights if one.unreadable is not None}

    def _due(self, seen: Look) -> list[Sight]:
        now_s = trio.current_time()
        return [
            sight
            for sight in seen.sights
            if sight.reason is not None and self._not_before_s.get(sight.watched.key, now_s) <= now_s
        ]

    def _until_due_s(self, seen: Look) -> float:
        waits = [next_due_s(sight.watched, sight.record, seen.block) for sight in seen.sights]
        return max(LOOK_EVERY_S, min([LOOK_AT_LEAST_EVERY_S, *(one for one in waits if one is not None)]))

    def _turn_s(self, due: Sequence[Sight]) -> float:
        """0 for whoever wrote the records that stand; another relay waits, and so takes over from one that is silent.

        Relays that meet at a new key draw by address, so that one of them is likely to be done before the other.
        """
        if all(one.record is not None and self._wrote.get(one.watched.key) == one.record.height for one in due):
            return 0.0
        what = f"{due[0].watched.key.hex()} {due[0].record and due[0].record.height}"
        is_new = all(one.reason is Reason.FIRST for one in due)
        return left_to_others_s(what, self._accounts, self._patience_s, is_new=is_new)

    def _left_to_packets(self, due: Sequence[Sight]) -> bool:
        """Whether packets are about to bring the client forward, which is then not paid for twice."""
        now_ns = self._now_ns()
        oldest_ns = min(self._due_since_ns.get(one.watched.key, now_ns) for one in due)
        return trio.current_time() - self._moved_at_s < TRAFFIC_S and now_ns - oldest_ns < GRACE_S * 1e9

    def _groups(self, due: Sequence[Sight]) -> list[list[Sight]]:
        """Keys that are to be opened apart from others, since that takes a right; those that failed each alone."""
        groups = [[one] for one in due if one.watched.key in self._alone]
        fine = [one for one in due if one.watched.key not in self._alone]
        for part in ([one for one in fine if one.record is not None], [one for one in fine if one.record is None]):
            groups += [part[at : at + self._most_items] for at in range(0, len(part), self._most_items)]
        return groups

    async def _observe(self, group: Sequence[Sight], info: ClientInfo | None) -> None:
        slot = await take_slot(self._accounts, self._slots, ())
        try:
            built = await self._builder.build(group, info)
            end = None if built is None else await self._pay(slot.account, built, group)
            if built is not None and end is not None:
                await self._ended_as(end, built, group)
        except BatchTooLarge:
            self._most_items = max(1, len(group) // 2)
            self._suspect(group[:1] if len(group) == 1 else ())
            raise
        except (RefusedByChain, NotSupported, VerificationError, PaidInVain):
            self._suspect(group)
            raise
        finally:
            self._accounts.release(slot)
        for one in group:
            self._alone.pop(one.watched.key, None)
            self._not_before_s.pop(one.watched.key, None)

    def _suspect(self, group: Sequence[Sight]) -> None:
        for one in group:
            failures = self._alone[one.watched.key] = self._alone.get(one.watched.key, 0) + 1
            if len(group) == 1:
                delay_s = _ALONE.delay_s(failures, self._random)
                self._not_before_s[one.watched.key] = trio.current_time() + delay_s

    async def _pay(self, account: Account, built: BuiltCall, group: Sequence[Sight]) -> Included | Lost | None:
        """The end of the call; None where newer records are there, so that nothing is paid for it.

        Where one transaction of updates comes first, the call follows it at once (ADR 27). It cannot be simulated then, so
        that is for keys that are open, since opening takes a right that no proof shows, and while no such call fails.
        """
        hub = observing_hub(self._hub)
        updates = list(in_transactions(built.updates, self._hub.batch_limits))
        if self._following.is_allowed and len(updates) == 1 and all(one.record is not None for one in group):
            standing = await hub.observations([one.watched.key for one in group])
            if all(record is not None and record.height >= built.call.height for record in standing):
                self._log.info("newer observations are there", count=len(group))
                return None
            follower = await hub.prepare_observations_after_update(built.call, account.address)
            end = await self._following.send(account, updates[0], follower)
            self._builder.remember(built.call.height)
            return end
        for part in updates:
            if await submit_updates(self._context, account, part) is None:
                raise RouteBlocked(f"the update of {self._route.name} came to nothing", Cause.LOST)
        self._builder.remember(built.call.height)
        prepared = await hub.prepare_observations(built.call, account.address)
        if not any(prepared.writes):
            self._log.info("newer observations are there", count=len(group))
            return None
        pending = await account.submit(prepared.transaction, (None,), ())
        return await pending.wait()

    async def _ended_as(self, end: Included | Lost, built: BuiltCall, group: Sequence[Sight]) -> None:
        if isinstance(end, Lost):
            raise RouteBlocked(f"the transaction of observations came to nothing: {end.reason}", Cause.LOST)
        if end.outcome.reverted is not None:
            self._ended("failed", len(group))
            raise PaidInVain(f"{self._route.destination} refused observations: {end.outcome.reverted}", Cause.FAILED)
        hub = observing_hub(self._hub)
        written = await hub.written_in(end.outcome.transaction_hash)
        done = [one for one in group if keccak256(one.watched.key) in written]
        self._wrote |= {one.watched.key: built.call.height for one in done}
        self._ended("written", len(done))
        self._ended("superseded", len(group) - len(done))
        self._log.info(
            "observed",
            observations=[one.watched.name for one in done],
            superseded=len(group) - len(done),
            height=str(built.call.height),
            transaction=end.outcome.transaction_hash,
        )

    def _ended(self, outcome: str, count: int) -> None:
        self._metrics.ended(self._route.destination, self._route.client, outcome, count)
