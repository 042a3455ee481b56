"""Whether the relay can do its work: who answered when. `/readyz` and `hutong_ready` read it, and ask nobody."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

import trio

from hutong.adapters.interface import AdapterError, Destination
from hutong.relay.core.complaints import Complaints
from hutong.relay.dispatch import QueueError
from hutong.relay.ledger import LedgerUnavailable
from hutong.relay.telemetry import Metrics, get_logger

CHAIN_WITHIN_S = 60.0
SERVICE_WITHIN_S = 30.0
"""A chain or a service whose last answer is older counts as away."""
ASK_CHAIN_EVERY_S = 20.0
ASK_SERVICE_EVERY_S = 10.0
QUEUE, LEDGER = "queue", "ledger"


@dataclass(frozen=True, slots=True)
class Missing:
    """`what` is `queue`, `ledger`, `chain NAME` or `engine of ALGORITHM`."""

    what: str
    detail: str


class Readiness:
    """By this process's own clock. `metrics` are told of chains."""

    def __init__(self, chains: Iterable[str], metrics: Metrics, now_ns: Callable[[], int]) -> None:
        self._metrics = metrics
        self._now_ns = now_ns
        self._within_s = {
            **{_chain(name): CHAIN_WITHIN_S for name in chains},
            QUEUE: SERVICE_WITHIN_S,
            LEDGER: SERVICE_WITHIN_S,
        }
        self._answered_at_s: dict[str, float] = {}
        self._refusals: dict[str, str] = {}

    def chain_answered(self, name: str) -> None:
        """The chain answered a question just now; metrics are told, too."""
        self.answered(_chain(name))
        self._metrics.answered(name, self._now_ns() / 1e9)

    def answered(self, what: str) -> bool:
        """Note that a chain or service answered just now, by the names of `Missing.what`.

        Returns:
            True if it refused before (`refused`).
        """
        self._answered_at_s[what] = trio.current_time()
        return self._refusals.pop(what, None) is not None

    def refused(self, what: str, reason: str) -> None:
        """It answered that it cannot do its work, such as a ledger whose disk is full: missing from now on."""
        self._refusals[what] = reason

    def missing(self) -> list[Missing]:
        """Who does not answer, or refuses; empty if every chain and service answered within its time."""
        now_s = trio.current_time()
        found = [Missing(what, why) for what, why in self._refusals.items() if what not in self._within_s]
        for what, within_s in self._within_s.items():
            at_s = self._answered_at_s.get(what)
            if what in self._refusals:
                found.append(Missing(what, self._refusals[what]))
            elif at_s is None:
                found.append(Missing(what, "did not answer yet"))
            elif now_s - at_s > within_s:
                found.append(Missing(what, f"no answer since {self._when(now_s - at_s)}"))
        return found

    def _when(self, ago_s: float) -> str:
        """Of the last answer, not of the first silence: nobody is asked so often that the second is known."""
        at = datetime.fromtimestamp(round(self._now_ns() / 1e9 - ago_s, 3), UTC)  # floats do not have all of Unix time
        return f"{at:%Y-%m-%d %H:%M:%S} UTC"


async def ask_service(
    what: str, question: Callable[[], Awaitable[object]], readiness: Readiness, complaints: Complaints
) -> None:
    """For ever, every ASK_SERVICE_EVERY_S. A question that hangs is an answer too: the last one grows old.

    Args:
        what: the name in `Missing`.
        question: raises QueueError or LedgerUnavailable where the service refuses; any other error leaves.
    """
    log = get_logger("readiness")
    while True:
        try:
            await question()
        except (QueueError, LedgerUnavailable) as error:
            readiness.refused(what, str(error))
            if complaints.is_new(str(error)):
                log.warning("a service does not answer", what=what, reason=str(error))
        else:
            if readiness.answered(what):
                log.info("a service answers again", what=what)
        await trio.sleep(ASK_SERVICE_EVERY_S)


async def watch_wallets(
    adapter: Destination, addresses: Iterable[str], denom: str, readiness: Readiness, metrics: Metrics
) -> None:
    """For ever: what the relay's accounts on a chain hold, which also shows that the chain answers.

    `denom` names the smallest unit of the chain's fee token.
    """
    log = get_logger("wallet").bind(chain=adapter.name)
    accounts = tuple(addresses)
    while True:
        try:
            await adapter.head()
            readiness.chain_answered(adapter.name)
            for address in accounts:
                state = await adapter.account(address)
                metrics.hermes.wallet(adapter.name, address, denom, state.balance_wei)
        except AdapterError as error:
            log.info("the chain does not say what is in the wallet", reason=str(error))
        await trio.sleep(ASK_CHAIN_EVERY_S)


def _chain(name: str) -> str:
    return f"chain {name}"
