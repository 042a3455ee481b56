"""Keeping light clients from expiring where no packets bring headers, and saying so in time where that fails (G10).

Ages are told by the chain that hosts the client, since that is who judges expiry; the host's clock is not asked (G12).
"""

from enum import StrEnum
from functools import partial

import trio

from hutong.adapters.interface import AdapterError, ClientInfo, Destination, UpdateClient
from hutong.adapters.rpc import in_background
from hutong.light_clients.interface import NANOSECONDS_PER_SECOND, ClientStatus, VerificationError
from hutong.relay.core.account.account import Account
from hutong.relay.core.clients.keeping import Hosting, Updates
from hutong.relay.core.errors import RouteBlocked, SubmissionRefused
from hutong.relay.core.route.catching_up import in_transactions
from hutong.relay.core.route.slots import take_slot
from hutong.relay.core.route.updating import PaidInVain, submit_updates
from hutong.relay.dispatch import Backoff, Route

REFRESH_FIRST, REFRESH_LAST = 0.35, 0.5
"""Share of the trusting period after which a client is refreshed: drawn anew for each state, so that neither the clients
of one relay nor the relays of one client go at the same moment."""
ALARM = 2 / 3
"""Share after which a client that was not refreshed is an alarm: a third is left to do something about it."""
CHECKS_PER_PERIOD = 50
CHECK_FIRST_S, CHECK_LAST_S = 1.0, 300.0
SHORT_STEPS_CHECK_S = 10.0
"""Where an update holds every header, a client that falls far behind needs many transactions, and packets wait for them."""
_AGAIN = Backoff(base_s=5.0, cap_s=300.0)


class Condition(StrEnum):
    """What an operator must know of a client."""

    FINE = "fine"
    NEAR_EXPIRY = "near_expiry"
    EXPIRED = "expired"
    FROZEN = "frozen"


class ClientKeeper:
    """Of one client: it lives on the route's destination and follows its source, a chain or a log. `run` it."""

    def __init__(self, context: Hosting, updates: Updates) -> None:
        self._context = context
        self._route = context.route
        self._destination: Destination = context.destination.adapter
        self._heads = context.destination.heads
        self._metrics = context.destination.metrics
        self._accounts = context.accounts
        self._random = context.relay.services.random
        self._catching_up = context.catching_up
        self.builder = updates
        self._drawn: tuple[object, float] = (None, REFRESH_LAST)
        self._log = context.client_log("keeper")
        self.condition = Condition.FINE

    @property
    def route(self) -> Route:
        """The route whose destination hosts the kept client, and whose source it follows."""
        return self._route

    async def run(self) -> None:
        """For ever. What fails is tried again with growing delays, and alarmed when it becomes urgent.

        What was paid for and failed is tried again at most CHECKS_PER_PERIOD times in a trusting period.

        Raises:
            LedgerUnavailable: an update could not be recorded before it was sent. The supervisor calls it again.
        """
        failures = 0
        while True:
            in_vain = False
            period_ns = int(CHECK_LAST_S * CHECKS_PER_PERIOD) * NANOSECONDS_PER_SECOND
            try:
                info = await self._destination.client(self._route.client)
                period_ns = info.trusting_period_ns
                await self.look(info)
                failures = 0
            except (AdapterError, VerificationError, RouteBlocked, SubmissionRefused) as error:
                failures += 1
                in_vain = isinstance(error, PaidInVain)
                self._log.warning("the client cannot be refreshed now", reason=str(error), failures=failures)
            check_s = _check_s(period_ns)
            if self.builder.steps_are_short:
                check_s = min(check_s, SHORT_STEPS_CHECK_S)
            if in_vain:
                check_s = max(check_s, period_ns / NANOSECONDS_PER_SECOND / CHECKS_PER_PERIOD)
            elif failures:
                check_s = min(check_s, _AGAIN.delay_s(failures, self._random))
            wait_s = check_s * (0.75 + 0.5 * self._random.random())
            if failures:
                await trio.sleep(wait_s)
            else:
                with trio.move_on_after(wait_s):
                    await self._catching_up.wait(self._route.name)

    async def look(self, info: ClientInfo) -> bool:
        """Alarm if there is reason to, and refresh the client if it is time. True if it was refreshed.

        Args:
            info: of the client, read just now.

        Raises:
            RouteBlocked, SubmissionRefused, AdapterError, VerificationError: it was time, and it could not be done.
            PaidInVain: (a RouteBlocked) a transaction was paid for and failed.
            LedgerUnavailable: as `Account.submit`.
        """
        age_ns = await self._tell(info)
        if info.status is not ClientStatus.ACTIVE:
            return False
        asked = self._catching_up.is_asked(self._route.name)
        is_old = age_ns >= info.trusting_period_ns * self._share(info)
        if not (asked or is_old) and not await self.builder.is_far_behind(info):
            return False
        async with in_background([partial(self._keep_telling, _check_s(info.trusting_period_ns))]):
            refreshed = await self._refresh()
            while refreshed and await self.builder.is_far_behind(await self._destination.client(self._route.client)):
                refreshed = await self._refresh()
        self._catching_up.done(self._route.name)
        return refreshed

    async def _tell(self, info: ClientInfo) -> int:
        """The age of the client's newest state, after metrics and alarms were told of it."""
        head = await self._heads.head()
        age_ns = head.time_ns - info.latest_timestamp_ns
        self._metrics.client(
            self._route.destination,
            self._route.client,
            (info.trusting_period_ns - age_ns) / NANOSECONDS_PER_SECOND,
        )
        self._judge(info, age_ns)
        return age_ns

    async def _keep_telling(self, every_s: float) -> None:
        """For ever: a refresh may wait long for a free slot or for its inclusion, and the alarm must not wait with it."""
        while True:
            await trio.sleep(every_s)
            try:
                await self._tell(await self._destination.client(self._route.client))
            except AdapterError as error:
                self._log.warning("the client cannot be looked at now", reason=str(error))

    def _share(self, info: ClientInfo) -> float:
        if self._drawn[0] != info.latest_height:
            self._drawn = (info.latest_height, self._random.uniform(REFRESH_FIRST, REFRESH_LAST))
        return self._drawn[1]

    def _judge(self, info: ClientInfo, age_ns: int) -> None:
        if info.status is ClientStatus.FROZEN:
            condition = Condition.FROZEN
        elif info.status is ClientStatus.EXPIRED:
            condition = Condition.EXPIRED
        elif age_ns >= info.trusting_period_ns * ALARM:
            condition = Condition.NEAR_EXPIRY
        else:
            condition = Condition.FINE
        self._metrics.client_alarm(self._route.destination, self._route.client, condition is not Condition.FINE)
        if condition is Condition.FINE:
            if self.condition is not condition:
                self._log.info("the client is well again")
        else:
            left_s = (info.trusting_period_ns - age_ns) // NANOSECONDS_PER_SECOND
            self._log.error(_SENTENCES[condition], height=str(info.latest_height), seconds_left=left_s)
        self.condition = condition

    async def _refresh(self) -> bool:
        slot = await take_slot(self._accounts, self.builder, ())
        try:
            built = await self.builder.refresh()
            done = False
            for updates in () if built is None else in_transactions(built.updates, self._destination.batch_limits):
                done = await self._submit(slot.account, updates)
                if not done:
                    break
        finally:
            self._accounts.release(slot)
        return done

    async def _submit(self, account: Account, updates: tuple[UpdateClient, ...]) -> bool:
        """One transaction, to its end. False where it came to nothing for no fault of its own."""
        pending = await submit_updates(self._context, account, updates)
        if pending is None:
            self._log.info("the refresh came to nothing", updates=len(updates))
        else:
            self._log.info("refreshed", updates=len(updates), transaction=pending.variants[-1].hash)
        return pending is not None


def _check_s(trusting_period_ns: int) -> float:
    return min(CHECK_LAST_S, max(CHECK_FIRST_S, trusting_period_ns / NANOSECONDS_PER_SECOND / CHECKS_PER_PERIOD))


_SENTENCES = {
    Condition.NEAR_EXPIRY: "the client is near its expiry and was not refreshed: look at the endpoints and the wallet",
    Condition.EXPIRED: "the client has expired: packets wait until the chain's admins recover it",
    Condition.FROZEN: "the client is frozen: packets wait until the chain's admins recover it",
}
