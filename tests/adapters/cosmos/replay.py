"""The adapter before servers that answer as simd was recorded, or lie about it."""

import copy
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from random import Random
from typing import Any

import pytest

from hutong.adapters.cosmos import CosmosChain, CosmosSettings, open_cosmos_chain
from hutong.adapters.interface import EndpointUnavailable
from hutong.adapters.rpc import RpcOptions
from tests.adapters.cosmos.recorded_simd import Recording
from tests.adapters.rpc.hostile_server import HostileServer, hostile_server, http

RECORDING = Recording.load()
FACTS = RECORDING.facts
CLIENT, HEAD, SENT, SETTLED, STANDING = (FACTS[name] for name in ("client", "head", "sent", "settled", "standing"))
QUICK = RpcOptions(attempt_timeout_s=5, rounds=2, backoff_first_s=0.01, backoff_most_s=0.02)
NO_INDEX = {"error": {"code": -32603, "message": "Internal error", "data": "transaction indexing is disabled"}}

Answer = dict[str, Any]
Lie = Callable[[dict[str, Any], Answer], Answer]
"""From parameters and the honest answer (`{"result": …}` or `{"error": …}`, the lie's own copy) to what is said."""


def serve(server: HostileServer, lies: dict[str, Lie] | None = None) -> None:
    def answer(request: dict[str, Any]) -> bytes:
        method, params = request["method"], request["params"]
        said = copy.deepcopy(RECORDING.answer(method, params))
        if lies is not None and method in lies:
            said = lies[method](params, said)
        return http(json.dumps({"jsonrpc": "2.0", "id": request["id"], **said}).encode())

    server.answers["*"] = answer


@asynccontextmanager
async def simd(*lies: dict[str, Lie] | None, options: RpcOptions = QUICK) -> AsyncIterator[CosmosChain]:
    """The adapter of endpoints, each with its lies; an honest one without any."""
    async with AsyncExitStack() as stack:
        servers = [await stack.enter_async_context(hostile_server()) for _ in lies or (None,)]
        for server, told in zip(servers, lies or (None,), strict=True):
            serve(server, told)
        urls = tuple(server.url for server in servers)
        settings = CosmosSettings("simd", FACTS["chain_id"], urls, "cosmos", "0.025stake", 10**6, options=options)
        yield await stack.enter_async_context(open_cosmos_chain(settings, Random(1)))


async def refused(lies: dict[str, Lie], ask: Callable[[CosmosChain], Any], match: str) -> None:
    """A lie alone is an error that names it; beside an honest endpoint it costs nothing."""
    async with simd(None) as chain:
        truth = await ask(chain)
    async with simd(lies) as chain:
        with pytest.raises(EndpointUnavailable, match=match):
            await ask(chain)
    async with simd(lies, None) as chain:
        assert await ask(chain) == truth


def results_of(kind: str) -> Callable[[Answer], list[dict[str, Any]]]:
    """The events of a type in a `block_results` answer."""

    def events(said: Answer) -> list[dict[str, Any]]:
        found = [event for result in said["result"]["txs_results"] or () for event in result["events"]]
        return [event for event in found if event["type"] == kind]

    return events


def attribute(event: dict[str, Any], key: str) -> dict[str, Any]:
    return next(entry for entry in event["attributes"] if entry["key"] == key)
