"""Adapters as the configuration asks for them."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from random import Random

from adapters.evm import Alert, EvmChain, EvmSettings, open_evm_chain
from adapters.hub import HubChain, HubSettings, open_hub_chain
from adapters.ics26.chain import RouterSettings
from adapters.interface import BatchLimits, NotSupported
from adapters.rpc import RpcOptions
from relay.config import AnyChainConfig, CosmosChainConfig, EvmChainConfig
from relay.telemetry import get_logger

Opened = AbstractAsyncContextManager[EvmChain] | AbstractAsyncContextManager[HubChain]


def log_alert(alert: Alert) -> None:
    """An error in the log, with what was said and by whom."""
    get_logger("attestors").error(alert.what, chain=alert.chain, detail=alert.detail)


def open_chain(chain: AnyChainConfig, random: Random, on_alert: Callable[[Alert], None] = log_alert) -> Opened:
    """The adapter of a configured chain, for as long as the block lasts. Its endpoints are first asked when used.

    `on_alert` is told of attestors that contradict each other or the chain's node.
    """
    if isinstance(chain, CosmosChainConfig):
        raise NotSupported(f"chain {chain.name}: kind cosmos")
    router = RouterSettings(
        name=chain.name,
        router=chain.router,
        start_height=chain.start_height,
        poll_interval_s=chain.poll_interval_ms / 1000,
        limits=BatchLimits(chain.batch.items + 8, chain.batch.bytes, chain.batch.gas),  # 8: headers before the items
    )
    options = RpcOptions(requests_per_s=chain.requests_per_s, burst=max(50, chain.requests_per_s // 4))
    if isinstance(chain, EvmChainConfig):
        return open_evm_chain(
            EvmSettings(
                chain_id=chain.chain_id,
                rpc=chain.rpc,
                router=router,
                ws=chain.ws,
                consensus=chain.consensus,
                attestors=chain.attestors,
                confirmations=chain.confirmations,
                on_alert=on_alert,
                options=options,
            ),
            random,
        )
    return open_hub_chain(
        HubSettings(
            chain_id=chain.chain_id,
            rpc=chain.rpc,
            consensus_rpc=chain.consensus_rpc,
            router=router,
            ws=chain.ws,
            options=options,
        ),
        random,
    )
