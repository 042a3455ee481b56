"""Opening an EVM chain with all that its consensus needs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from random import Random

from hutong.adapters.evm.attested.attestors import AttestorPanel
from hutong.adapters.evm.chain import EvmChain
from hutong.adapters.evm.ethereum.beacon_api import BeaconApi, identify_beacon
from hutong.adapters.evm.ethereum.consensus import EthereumChain
from hutong.adapters.evm.rpc import open_endpoints
from hutong.adapters.evm.settings import EvmSettings
from hutong.adapters.interface import NotSupported
from hutong.adapters.rpc import RpcOptions, open_rpc_client
from hutong.adapters.rpc.transport import new_http_client

ATTESTORS = RpcOptions(attempt_timeout_s=5.0, straggler_grace_s=0.25, requests_per_s=1_000, burst=1_000)


@asynccontextmanager
async def open_evm_chain(settings: EvmSettings, random: Random) -> AsyncIterator[EvmChain]:
    """The adapter while the block lasts; its connections and its subscription end with it.

    Raises:
        NotSupported: an unknown consensus, or one without what it needs: `ethereum` a network, `clique` confirmations,
            `attested` attestors.
    """
    if settings.consensus == "ethereum":
        async with open_ethereum_chain(settings, random) as ethereum:
            yield ethereum
        return
    async with (
        open_endpoints(settings, random) as (execution, signal),
        new_http_client(2 * max(1, len(settings.attestors)), settings.options.access) as http,
    ):
        attestors = None
        if settings.attestors:
            attestors = AttestorPanel(settings.router.name, settings.attestors, http, ATTESTORS, settings.on_alert)
        yield EvmChain(settings, execution, signal, attestors)


@asynccontextmanager
async def open_ethereum_chain(settings: EvmSettings, random: Random) -> AsyncIterator[EthereumChain]:
    """As `open_evm_chain`, for consensus `ethereum`.

    Raises:
        NotSupported: the settings name no network.
    """
    network = settings.network
    if network is None:
        raise NotSupported(f"{settings.router.name}: consensus ethereum without a network")
    identify = partial(identify_beacon, network=network)
    name = f"{settings.router.name} (beacon)"
    async with (
        open_endpoints(settings, random) as (execution, signal),
        open_rpc_client(name, settings.beacon, random, settings.options, identify) as client,
    ):
        yield EthereumChain(settings, execution, signal, BeaconApi(client, network), network)
