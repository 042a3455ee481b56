"""Client updates in a transaction of their own, to its end."""

from typing import Protocol

from hutong.adapters.interface import Batch, Destination, UpdateClient
from hutong.relay.core.account.account import Account
from hutong.relay.core.account.pending import Lost, Pending
from hutong.relay.core.errors import RouteBlocked
from hutong.relay.core.watching.chain_context import ChainContext
from hutong.relay.dispatch import Route
from hutong.relay.ledger import Cause


class PaidInVain(RouteBlocked):
    """What verified and simulated well failed in its block, perhaps for too little gas: the next may cost as much."""


class Updated(Protocol):
    """A client on a chain of the relay."""

    @property
    def route(self) -> Route:
        """Names the client and its chain."""

    @property
    def destination(self) -> ChainContext:
        """The client's chain."""


async def send_updates(context: Updated, account: Account, updates: tuple[UpdateClient, ...]) -> Pending:
    """One transaction, simulated, and sent. `updates_ended` says what became of it.

    Raises:
        RouteBlocked: the chain would refuse an update; nothing was paid.
        SubmissionRefused, AdapterError, LedgerUnavailable: as `Account.submit`.
    """
    destination = context.destination
    adapter: Destination = destination.adapter
    prepared = await adapter.prepare(Batch(updates), account.address)
    if not all(prepared.expected):
        raise RouteBlocked(f"{context.route.name} would refuse the client update, which verified here")
    pending = await account.submit(prepared, tuple(None for _ in updates), ())
    count = len(updates)
    destination.metrics.hermes.submitted(
        context.route.destination, context.route.client, messages=count, updates=count, seconds=None
    )
    return pending


async def updates_ended(context: Updated, pending: Pending) -> bool:
    """Wait for the end of what `send_updates` sent. False where it came to nothing for no fault of its own: none of its
    variants will be included.

    Raises:
        PaidInVain: it was paid for and failed.
    """
    end = await pending.wait()
    if isinstance(end, Lost):
        return False
    failure = next(filter(None, map(end.outcome.failure_of, range(len(pending.jobs)))), None)
    if failure is not None:
        raise PaidInVain(
            f"{context.route.name} did not take the update that the relay paid for: {failure}", Cause.WOULD_FAIL
        )
    return True


async def submit_updates(context: Updated, account: Account, updates: tuple[UpdateClient, ...]) -> Pending | None:
    """One transaction, to its end. None where it came to nothing for no fault of its own.

    Raises:
        RouteBlocked, SubmissionRefused, AdapterError, LedgerUnavailable: as `send_updates`.
        PaidInVain: as `updates_ended`.
    """
    pending = await send_updates(context, account, updates)
    return pending if await updates_ended(context, pending) else None
