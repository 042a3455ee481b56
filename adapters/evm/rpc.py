"""Opening the endpoints of an EVM chain."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from random import Random

from hutong.adapters.evm.settings import EvmSettings
from hutong.adapters.evm.submit import evm_reverts
from hutong.adapters.ics26.execution import ExecutionRpc, identify_execution
from hutong.adapters.rpc import HeadSignal, in_background, open_rpc_client


@asynccontextmanager
async def open_endpoints(settings: EvmSettings, random: Random) -> AsyncIterator[tuple[ExecutionRpc, HeadSignal]]:
    """The chain's `eth_*`, and a signal fed by its WebSocket endpoints, while the block lasts.

    Nothing is asked yet: each endpoint is asked for its chain id before its first use.
    """
    identify = partial(identify_execution, chain_id=settings.chain_id)
    signal = HeadSignal()
    followers = [partial(signal.follow, settings.ws, random, settings.options.access)] if settings.ws else []
    async with (
        open_rpc_client(settings.router.name, settings.rpc, random, settings.options, identify) as client,
        in_background(followers),
    ):
        yield ExecutionRpc(client, evm_reverts()), signal
