"""A slot of the destination for a route's next batch, which all its sources share: one that is away is waited for without it."""

from collections.abc import Sequence
from typing import Protocol

import trio

from hutong.relay.core.account.accounts import Accounts, Slot
from hutong.relay.core.route.batch import QUIET_S
from hutong.relay.dispatch import Taken


class Awaited(Protocol):
    """Who waits for a source; `BatchBuilder` does."""

    @property
    def source_is_quiet(self) -> bool:
        """Whether the source may be away."""

    async def await_source(self, jobs: Sequence[Taken]) -> None:
        """Return when the source has what proves `jobs`."""


async def take_slot(accounts: Accounts, builder: Awaited, jobs: Sequence[Taken]) -> Slot:
    """A slot of the account with the most free ones, once the source of `jobs` is there.

    A source that stops answering during the build keeps its slot until its requests time out. This happens once, not at
    every attempt.

    Raises:
        RouteBlocked, AdapterError: as `Awaited.await_source`.
    """
    while True:
        await builder.await_source(jobs)
        asked_at_s = trio.current_time()
        slot = await accounts.acquire()
        if trio.current_time() - asked_at_s <= QUIET_S or not builder.source_is_quiet:
            return slot
        accounts.release(slot)
