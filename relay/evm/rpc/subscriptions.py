"""`eth_subscribe` over one WebSocket connection."""

import secrets
from collections.abc import Awaitable, Callable
from typing import Any

import trio

from hutong.relay.evm.chain.chain import EvmChain
from hutong.relay.evm.chain.log_criteria import LogCriteria
from hutong.relay.evm.chain.mempool import REMEMBERED_ARRIVALS
from hutong.relay.evm.chain.pending_news import PendingNews
from hutong.relay.evm.rpc.json_errors import SERVER_ERROR, JsonRpcError, invalid_params
from hutong.relay.evm.rpc.json_format import data, header_json, transaction_json
from hutong.relay.evm.rpc.json_params import Params, log_criteria
from hutong.relay.evm.rpc.json_rpc import notification
from hutong.relay.evm.rpc.log_query import logs_of_block

MAX_SUBSCRIPTIONS = 64
MAX_LAG_BLOCKS = 1_024
"""A consumer further behind has lost blocks for its purposes: it is told so by a closed connection."""

_READERS: trio.lowlevel.RunVar[trio.CapacityLimiter] = trio.lowlevel.RunVar("readers of blocks for subscribers")


class ConsumerTooSlow(Exception):
    """The connection cannot keep up with the chain. Its text is the close reason."""


def _readers() -> trio.CapacityLimiter:
    """Of all connections together: a block is searched for each subscriber, and blocks are made beside it."""
    try:
        return _READERS.get()
    except LookupError:
        limiter = trio.CapacityLimiter(2)
        _READERS.set(limiter)
        return limiter


class Subscriptions:
    """The subscriptions of one connection; their tasks live in the connection's nursery."""

    def __init__(self, chain: EvmChain, nursery: trio.Nursery, send: Callable[[bytes], Awaitable[None]]) -> None:
        self._chain = chain
        self._nursery = nursery
        self._send = send
        self._scopes: dict[str, trio.CancelScope] = {}

    def session(self, method: str, params: Params) -> Awaitable[Any]:
        """Answer `eth_subscribe` and `eth_unsubscribe`; the `Session` of one connection for `JsonRpcService.answer`.

        The answer raises JsonRpcError: bad parameters (-32602), more than MAX_SUBSCRIPTIONS or an unknown id (-32000).
        A consumer that is too slow is told by ConsumerTooSlow in the connection's nursery.

        Raises:
            KeyError: another method, at once and not when awaited.
        """
        if method == "eth_subscribe":
            return self._subscribe(params)
        if method == "eth_unsubscribe":
            return self._unsubscribe(params)
        raise KeyError(method)

    async def _subscribe(self, params: Params) -> str:
        params.at_most(2)
        kind = params.raw(0)
        criteria, full = None, False
        if kind == "logs":
            criteria = log_criteria(params.raw(1) if params.has(1) else {}, "argument 1")
        elif kind == "newPendingTransactions":
            full = params.boolean(1, default=False)
        elif kind != "newHeads":
            raise invalid_params(
                "argument 0 is not newHeads, logs or newPendingTransactions; other subscriptions are not supported"
            )
        if len(self._scopes) >= MAX_SUBSCRIPTIONS:
            raise JsonRpcError(SERVER_ERROR, f"more than {MAX_SUBSCRIPTIONS} subscriptions on one connection")
        identifier = hex(secrets.randbits(128))
        scope = trio.CancelScope()
        self._scopes[identifier] = scope
        if kind == "newPendingTransactions":
            since, _ = self._chain.mempool.announcements(0)
            self._nursery.start_soon(self._follow_pending, identifier, full, since, scope)
        else:
            self._nursery.start_soon(self._follow, identifier, criteria, self._chain.heads.number, scope)
        return identifier

    async def _unsubscribe(self, params: Params) -> bool:
        params.at_most(1)
        identifier = params.raw(0)
        scope = self._scopes.pop(identifier, None) if isinstance(identifier, str) else None
        if scope is None:
            raise JsonRpcError(SERVER_ERROR, "subscription not found")
        scope.cancel()
        return True

    async def _follow(self, identifier: str, criteria: LogCriteria | None, last: int, scope: trio.CancelScope) -> None:
        with scope:
            while True:
                head = await self._chain.heads.wait_above(last)
                if head - last > MAX_LAG_BLOCKS:
                    raise ConsumerTooSlow(f"{head - last} blocks behind, at most {MAX_LAG_BLOCKS}")
                for number in range(last + 1, head + 1):
                    for result in await trio.to_thread.run_sync(self._results, criteria, number, limiter=_readers()):
                        await self._send(notification(identifier, result))
                last = head

    async def _follow_pending(self, identifier: str, full: bool, since: int, scope: trio.CancelScope) -> None:
        mempool = self._chain.mempool
        with scope, PendingNews(mempool) as news:
            while True:
                count, hashes = mempool.announcements(since)
                if count - since > len(hashes):
                    raise ConsumerTooSlow(f"{count - since} pending transactions behind, at most {REMEMBERED_ARRIVALS}")
                since = count
                for transaction_hash in hashes:
                    # One that a block took meanwhile was pending all the same, but can no longer be shown whole.
                    transaction = mempool.get(transaction_hash) if full else None
                    shown = (
                        data(transaction_hash)
                        if not full
                        else transaction and transaction_json(transaction, None, None)
                    )
                    if shown is not None:
                        await self._send(notification(identifier, shown))
                await news.wait()

    def _results(self, criteria: LogCriteria | None, number: int) -> list[dict[str, Any]]:
        if criteria is not None:
            return list(logs_of_block(self._chain.blocks, criteria, number))
        stored = self._chain.blocks.header(number)
        # Of the block that a node was restored at it knows too little to show.
        return [] if stored is None or number < self._chain.blocks.first_number() else [header_json(*stored)]
