"""The hub's two RPCs: CometBFT's, for headers, validators and proofs, and `eth_*`, for the router."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from random import Random

from hutong.adapters.cometbft import CometRpc, identify_chain
from hutong.adapters.hub.settings import HubSettings
from hutong.adapters.hub.submit import hub_reverts
from hutong.adapters.ics26.execution import ExecutionRpc
from hutong.adapters.interface import EndpointMismatch
from hutong.adapters.rpc import Attempt, Fields, HeadSignal, in_background, open_rpc_client


class _SameChain:
    """All `eth_*` endpoints of a hub must agree on one EIP-155 id; the first one heard stands."""

    def __init__(self) -> None:
        self.eth_chain_id: int | None = None

    async def identify(self, attempt: Attempt) -> None:
        got = await attempt.call("eth_chainId", [], Fields.quantity)
        if self.eth_chain_id is None:
            self.eth_chain_id = got
        if got != self.eth_chain_id:
            raise EndpointMismatch(attempt.endpoint_name, "chain id", got, self.eth_chain_id)


@asynccontextmanager
async def open_endpoints(
    settings: HubSettings, random: Random
) -> AsyncIterator[tuple[CometRpc, ExecutionRpc, HeadSignal]]:
    """Both RPCs, and a signal that the WebSocket endpoints feed, while the block lasts. Nothing is asked yet."""
    signal = HeadSignal()
    followers = [partial(signal.follow, settings.ws, random, settings.options.access)] if settings.ws else []
    name, options = settings.router.name, settings.options
    identify = partial(identify_chain, chain_id=settings.chain_id)
    async with (
        open_rpc_client(name, settings.consensus_rpc, random, options, identify) as consensus,
        open_rpc_client(name, settings.rpc, random, options, _SameChain().identify) as execution,
        in_background(followers),
    ):
        yield CometRpc(consensus), ExecutionRpc(execution, hub_reverts()), signal
