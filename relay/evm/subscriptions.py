"""`eth_subscribe` over one WebSocket connection."""

import secrets
from collections.abc import Awaitable, Callable
from typing import Any

import trio

from relay.evm.chain import EvmChain
from relay.evm.json_errors import SERVER_ERROR, JsonRpcError, invalid_params
from relay.evm.json_format import header_json
from relay.evm.json_params import LogCriteria, Params, log_criteria
from relay.evm.json_rpc import notification
from relay.evm.log_query import logs_of_block

MAX_SUBSCRIPTIONS = 64
MAX_LAG_BLOCKS = 1_024
"""A consumer further behind has lost blocks for its purposes: it is told so by a closed connection."""


class ConsumerTooSlow(Exception):
    """The connection cannot keep up with the chain."""


class Subscriptions:
    """The subscriptions of one connection; their tasks live in the connection's nursery."""

    def __init__(self, chain: EvmChain, nursery: trio.Nursery, send: Callable[[bytes], Awaitable[None]]) -> None:
        self._chain = chain
        self._nursery = nursery
        self._send = send
        self._scopes: dict[str, trio.CancelScope] = {}

    def session(self, method: str, params: Params) -> Awaitable[Any]:
        if method == "eth_subscribe":
            return self._subscribe(params)
        if method == "eth_unsubscribe":
            return self._unsubscribe(params)
        raise KeyError(method)

    async def _subscribe(self, params: Params) -> str:
        params.at_most(2)
        kind = params.raw(0)
        if kind == "newHeads":
            criteria = None
        elif kind == "logs":
            criteria = log_criteria(params.raw(1) if params.has(1) else {}, "argument 1")
        else:
            raise invalid_params("argument 0 is not newHeads or logs; other subscriptions are not supported")
        if len(self._scopes) >= MAX_SUBSCRIPTIONS:
            raise JsonRpcError(SERVER_ERROR, f"more than {MAX_SUBSCRIPTIONS} subscriptions on one connection")
        identifier = hex(secrets.randbits(128))
        scope = trio.CancelScope()
        self._scopes[identifier] = scope
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
                    raise ConsumerTooSlow
                for number in range(last + 1, head + 1):
                    for result in await trio.to_thread.run_sync(self._results, criteria, number):
                        await self._send(notification(identifier, result))
                last = head

    def _results(self, criteria: LogCriteria | None, number: int) -> list[dict[str, Any]]:
        if criteria is not None:
            return list(logs_of_block(self._chain.blocks, criteria, number))
        stored = self._chain.blocks.header(number)
        # Of the block that a node was restored at it knows too little to show.
        return [] if stored is None or number < self._chain.blocks.first_number() else [header_json(*stored)]
