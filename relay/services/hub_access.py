"""The hub as a daemon of a service reaches it: the endpoints of its table, and the chain."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random
from typing import Final

from hutong.adapters.hub import HubChain, HubSettings, open_hub_chain
from hutong.adapters.ics26.chain import RouterSettings
from hutong.adapters.interface import BatchLimits
from hutong.relay.config import HUB_ROUTER

_UNUSED_LIMITS: Final = BatchLimits(1, 1 << 20, 1 << 24)
"""No service relays packets."""


@asynccontextmanager
async def open_service_hub(
    chain_id: str, rpc: tuple[str, ...], consensus_rpc: tuple[str, ...]
) -> AsyncIterator[HubChain]:
    """The hub behind these endpoints, while the block lasts; whoever opens it checks its identity."""
    router = RouterSettings(name="hub", router=HUB_ROUTER, start_height=1, poll_interval_s=1.0, limits=_UNUSED_LIMITS)
    settings = HubSettings(chain_id=chain_id, rpc=rpc, consensus_rpc=consensus_rpc, router=router)
    async with open_hub_chain(settings, Random()) as chain:  # noqa: S311  jitter of retries
        yield chain
