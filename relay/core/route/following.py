"""A call sent right after the client update that it stands on, so that one block may hold both (ADR 27)."""

import trio

from hutong.adapters.interface import AdapterError, PreparedTransaction, UpdateClient
from hutong.relay.core.account.account import Account
from hutong.relay.core.account.pending import Included, Lost
from hutong.relay.core.errors import RouteBlocked, SubmissionRefused
from hutong.relay.core.route.route_context import RouteContext
from hutong.relay.core.route.updating import PaidInVain, send_updates, updates_ended
from hutong.relay.ledger import Cause

SIMULATED_S = 600.0
"""For so long after a call that was paid for and failed, calls wait for their updates and are simulated."""


class Following:
    """Of one task's calls at the destination of a route."""

    def __init__(self, context: RouteContext) -> None:
        self._context = context
        self._simulated_until_s = float("-inf")

    @property
    def is_allowed(self) -> bool:
        """Whether no call failed of late."""
        return trio.current_time() >= self._simulated_until_s

    async def send(
        self, account: Account, updates: tuple[UpdateClient, ...], call: PreparedTransaction
    ) -> Included | Lost:
        """The updates, simulated, and `call` with the account's next nonce; the call's end.

        No node can simulate a call that stands on an update which is in no block, so the caller has judged it by the chain's
        rules and bounded its gas. Both are followed to their ends before anything is raised.

        Raises:
            RouteBlocked: the chain would refuse an update, or they came to nothing.
            PaidInVain: an update was paid for and failed.
            SubmissionRefused, AdapterError, LedgerUnavailable: as `Account.submit`.
        """
        sent = await send_updates(self._context, account, updates)
        try:
            pending = await account.submit(call, (None,), ())
        except (SubmissionRefused, AdapterError):
            await updates_ended(self._context, sent)  # or the next round would pay for the same update
            raise
        end = await pending.wait()
        if isinstance(end, Lost) or end.outcome.reverted is not None:
            self._fails()
        try:
            went_in = await updates_ended(self._context, sent)
        except PaidInVain:
            self._fails()
            raise
        if not went_in:
            raise RouteBlocked(f"the update of {self._context.route.name} came to nothing", Cause.LOST)
        return end

    def _fails(self) -> None:
        self._simulated_until_s = trio.current_time() + SIMULATED_S
