"""Trying a built batch on the destination before it is paid for: what would fail leaves it."""

from collections.abc import Awaitable, Callable

from hutong.adapters.interface import Batch, Destination, NotSupported, PreparedTransaction
from hutong.relay.core.errors import RouteBlocked
from hutong.relay.core.route.batch import BuiltBatch, Item
from hutong.relay.core.route.route_context import RouteContext
from hutong.relay.dispatch import Taken
from hutong.relay.ledger import Cause

MAX_SIMULATIONS = 4

REASONS_A_BATCH = 8
"""Messages that the destination is asked about one by one: many that fail fail alike."""

Failed = Callable[[Taken, str], Awaitable[None]]
"""Told of each job that would fail, with the reason."""


class Trial:
    """Of the batches of one route."""

    def __init__(self, context: RouteContext) -> None:
        self._route = context.route
        self._destination: Destination = context.destination.adapter

    async def prepare(
        self, built: BuiltBatch, sender: str, failed: Failed
    ) -> tuple[PreparedTransaction | None, list[Item]]:
        """Simulate until nothing in the batch is expected to fail; what would fail leaves it, and `failed` is told.

        Args:
            sender: the account in whose name it is simulated.

        Returns:
            The transaction with the items that are in it; (None, []) if nothing is left.

        Raises:
            RouteBlocked: no job is at fault.
            AdapterError: as `ChainAdapter.prepare`.
        """
        items = list(built.items)
        for _ in range(MAX_SIMULATIONS):
            if not items:
                return None, []
            batch = Batch((*built.updates, *(item.message for item in items)))
            prepared = await self._destination.prepare(batch, sender)
            if all(prepared.expected):
                return prepared, items
            updates = len(built.updates)
            if not all(prepared.expected[:updates]):
                raise RouteBlocked(
                    f"{self._route.name} would refuse the client update, which verified here", Cause.WOULD_FAIL
                )
            succeeding = prepared.expected[updates:]
            going = [item for item, succeeds in zip(items, succeeding, strict=True) if succeeds]
            if not await self._destination.paused():
                ill = [item for item, succeeds in zip(items, succeeding, strict=True) if not succeeds]
                for number, item in enumerate(ill):
                    reason = f"{self._route.destination} would refuse it (simulated)"
                    if number < REASONS_A_BATCH:
                        reason = await self._why(built, item, sender)
                    await failed(item.taken, reason)
            elif not going:
                raise RouteBlocked(f"{self._route.destination} is paused", Cause.CHAIN_PAUSED)
            # What a pause lets through, the settlements of a hub, goes on; the rest stays held, and no attempt is counted.
            items = going
        raise RouteBlocked(
            f"{self._route.destination} changes its mind about a batch at each simulation", Cause.WOULD_FAIL
        )

    async def _why(self, built: BuiltBatch, item: Item, sender: str) -> str:
        try:
            reason = await self._destination.refusal(Batch((*built.updates, item.message)), sender)
        except NotSupported:
            return f"{self._route.destination} would refuse it (simulated)"
        return f"{self._route.destination} would refuse it: {reason}"
