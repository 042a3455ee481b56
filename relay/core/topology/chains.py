"""Adapters as the configuration asks for them."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from random import Random
from typing import overload

from hutong.adapters.cosmos import CosmosChain, CosmosSettings, open_cosmos_chain
from hutong.adapters.evm import Alert, EvmChain, EvmSettings, open_evm_chain
from hutong.adapters.hub import HubChain, HubSettings, open_hub_chain
from hutong.adapters.ics26.chain import RouterSettings
from hutong.adapters.interface import BatchLimits, ChainAdapter
from hutong.adapters.rpc import RpcOptions
from hutong.light_clients.bft_evm import QuorumRule, ValidatorContract
from hutong.relay.config import AnyChainConfig, CosmosChainConfig, EvmChainConfig, HubChainConfig
from hutong.relay.config.networks import read_network
from hutong.relay.keys.endpoint_access import read_access
from hutong.relay.telemetry import get_logger

HEADERS_BEFORE_ITEMS = 8
"""Messages of a batch beside its packets."""


def log_alert(alert: Alert) -> None:
    """Write an error to the log: which attestors contradict each other or the chain's node, and what was said."""
    get_logger("attestors").error(alert.what, chain=alert.chain, detail=alert.detail)


@overload
def open_chain(
    chain: EvmChainConfig, random: Random, on_alert: Callable[[Alert], None] = ...
) -> AbstractAsyncContextManager[EvmChain]: ...
@overload
def open_chain(
    chain: HubChainConfig, random: Random, on_alert: Callable[[Alert], None] = ...
) -> AbstractAsyncContextManager[HubChain]: ...
@overload
def open_chain(
    chain: CosmosChainConfig, random: Random, on_alert: Callable[[Alert], None] = ...
) -> AbstractAsyncContextManager[CosmosChain]: ...
@overload
def open_chain(
    chain: AnyChainConfig, random: Random, on_alert: Callable[[Alert], None] = ...
) -> AbstractAsyncContextManager[ChainAdapter]: ...
def open_chain(
    chain: AnyChainConfig, random: Random, on_alert: Callable[[Alert], None] = log_alert
) -> AbstractAsyncContextManager[ChainAdapter]:
    """The adapter of a configured chain, for as long as the block lasts. Its endpoints are first asked when used.

    `on_alert` is told of attestors that contradict each other or the chain's node.

    Raises:
        AccessUnusable: a token, header, certificate or authority of its endpoints cannot be read.
    """
    options = rpc_options(chain)
    limits = BatchLimits(chain.batch.items + HEADERS_BEFORE_ITEMS, chain.batch.bytes, chain.batch.gas)
    if isinstance(chain, CosmosChainConfig):
        return open_cosmos_chain(_cosmos(chain, limits, options), random)
    router = RouterSettings(
        name=chain.name,
        router=chain.router,
        start_height=chain.start_height,
        poll_interval_s=chain.poll_interval_ms / 1000,
        limits=limits,
    )
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
                beacon=chain.beacon,
                network=None if chain.network is None else read_network(chain.network),
                quorum_rule=_QUORUMS[chain.quorum],
                validator_contract=_validator_contract(chain),
                clique_period_s=0 if chain.clique is None else chain.clique.period_s,
                clique_epoch_length=1 if chain.clique is None else chain.clique.epoch_length,
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


def rpc_options(chain: AnyChainConfig) -> RpcOptions:
    """How patient the relay is with the chain's endpoints, and what it brings them.

    Raises:
        AccessUnusable: as `open_chain`.
    """
    said = chain.endpoints
    return RpcOptions(
        attempt_timeout_s=said.attempt_timeout_ms / 1000,
        rounds=said.rounds,
        backoff_first_s=said.backoff_first_ms / 1000,
        backoff_most_s=said.backoff_most_ms / 1000,
        requests_per_s=chain.requests_per_s,
        burst=said.burst or max(50, chain.requests_per_s // 4),
        max_answer_bytes=said.max_answer_bytes,
        max_lag_blocks=said.max_lag_blocks,
        straggler_grace_s=said.straggler_grace_ms / 1000,
        quarantine_s=said.quarantine_s,
        mismatch_quarantine_s=said.mismatch_quarantine_s,
        max_concurrency=said.max_concurrency,
        access=read_access(chain.access),
    )


_QUORUMS = {"two-thirds": QuorumRule.CEIL_TWO_THIRDS, "2f+1": QuorumRule.TWO_F_PLUS_ONE}


def _validator_contract(chain: EvmChainConfig) -> ValidatorContract | None:
    contract = chain.validator_contract
    if contract is None:
        return None
    return ValidatorContract(bytes.fromhex(contract.address.removeprefix("0x")), contract.slot.to_bytes(32, "big"))


def _cosmos(chain: CosmosChainConfig, limits: BatchLimits, options: RpcOptions) -> CosmosSettings:
    return CosmosSettings(
        name=chain.name,
        chain_id=chain.chain_id,
        rpc=chain.rpc,
        bech32_prefix=chain.bech32_prefix,
        gas_price=chain.gas_price,
        max_fee=chain.max_fee,
        ws=chain.ws,
        gas_adjustment_percent=chain.gas_adjustment_percent,
        start_height=max(1, chain.start_height),
        poll_interval_s=chain.poll_interval_ms / 1000,
        limits=limits,
        options=options,
    )
