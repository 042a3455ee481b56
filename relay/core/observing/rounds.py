"""Rounds of a task for ever: a failure is said once for each cause in a row, counted, and tried again with growing delays."""

from collections.abc import Awaitable, Callable
from hashlib import sha256
from random import Random

import trio

from hutong.adapters.interface import AdapterError, Head, RefusedByChain
from hutong.light_clients.interface import VerificationError
from hutong.relay.core.account.accounts import Accounts
from hutong.relay.core.errors import RouteBlocked, SubmissionRefused
from hutong.relay.core.history.history import cause_of
from hutong.relay.core.watching.heads import HeadFollower
from hutong.relay.dispatch import Backoff
from hutong.relay.ledger import Cause
from hutong.relay.telemetry import Logger

_BLOCKED = Backoff(base_s=0.5, cap_s=60.0)


class Rounds:
    """Of one task over two chains."""

    def __init__(self, what: str, log: Logger, random: Random, count: Callable[[str], None]) -> None:
        """`what` waits, as the log says it: observations, issuers. `count` is told the cause of each failure."""
        self._what = what
        self._log = log
        self._random = random
        self._count = count
        self._told: tuple[Cause, str] | None = None

    async def run(self, work: Callable[[], Awaitable[float]], rest: Callable[[float], Awaitable[None]]) -> None:
        """For ever: `work` gives how many seconds `rest` may take.

        Raises:
            LedgerUnavailable: a transaction could not be recorded before it was sent. The supervisor calls again.
        """
        failures = 0
        while True:
            try:
                wait_s = await work()
            except (AdapterError, VerificationError, RouteBlocked, SubmissionRefused) as error:
                failures += 1
                self._tell(error)
                await trio.sleep(_BLOCKED.delay_s(failures, self._random))
                continue
            if self._told is not None:
                self._told = None
                self._log.info(f"{self._what} go on", failures=failures)
            failures = 0
            await rest(wait_s)

    def _tell(self, error: Exception) -> None:
        cause = Cause.WOULD_FAIL if isinstance(error, RefusedByChain) else cause_of(error)
        self._count(cause.value)
        met = (cause, type(error).__name__)
        if met != self._told:
            self._log.warning(f"{self._what} wait", reason=str(error), cause=cause.value)
        self._told = met


class Pace:
    """When a task looks again: at the next block after the one that its last look began with, which may be there already, and
    not before `every_s` seconds have passed since then.
    """

    def __init__(self, heads: HeadFollower, every_s: float) -> None:
        self._heads = heads
        self._every_s = every_s
        self._looked_s = -every_s
        self._height = 0

    async def begin(self) -> Head:
        """The head that a look begins with now; waits for the very first."""
        head = await self._heads.head()
        self._looked_s, self._height = trio.current_time(), head.height
        return head

    async def rest(self, at_most_s: float, *, for_block: bool = True) -> None:
        """Until the next look is due.

        Args:
            at_most_s: since the last look began, where no block comes; never less than `every_s`.
            for_block: False: blocks are no reason to look.
        """
        await trio.sleep_until(self._looked_s + self._every_s)
        with trio.move_on_at(self._looked_s + at_most_s):
            if for_block:
                await self._heads.wait_for_height(self._height + 1)
            else:
                await trio.sleep_forever()


async def earlier_calls_ended(accounts: Accounts, to: str) -> None:
    """Wait for what was sent to an account of the chain before a restart: it is followed to its end, and not sent twice.

    Args:
        to: as `PreparedTransaction.to` has it.
    """
    await accounts.recovered()
    for pending in accounts.calling(to):
        await pending.wait()


def left_to_others_s(what: str, accounts: Accounts, patience_s: float, *, is_new: bool) -> float:
    """How long something is left to other relays that may be about to do it, by a lot that each draws by its address.

    Args:
        what: the same text for all who may do it.
        is_new: nobody did the like before, so that nobody has to be waited for longer than the lot says.
    """
    ours = min(account.address for account in accounts)
    lot = sha256(f"{what} {ours}".encode()).digest()
    share = int.from_bytes(lot[:4], "big") / 2**32
    return patience_s * (share if is_new else 1 + share)
