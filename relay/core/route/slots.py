"""A slot of the destination for a route's next batch, which all its sources share: one that is away is waited for without it."""

from collections.abc import Sequence

import trio

from hutong.relay.core.account.account import Account
from hutong.relay.core.account.accounts import Accounts
from hutong.relay.core.route.batch import QUIET_S, BatchBuilder
from hutong.relay.dispatch import Taken


async def take_slot(accounts: Accounts, builder: BatchBuilder, jobs: Sequence[Taken]) -> Account:
    """An account with a free slot, which is taken, once the source of `jobs` is there.

    A source that stops answering during the build keeps its slot until its requests time out. This happens once, not at
    every attempt.

    Raises:
        RouteBlocked, AdapterError: as `BatchBuilder.await_source`.
    """
    while True:
        await builder.await_source(jobs)
        asked_at_s = trio.current_time()
        account = await accounts.acquire()
        if trio.current_time() - asked_at_s <= QUIET_S or not builder.source_is_quiet:
            return account
        accounts.release(account)
