"""An EVM chain opened for one act, and who decides on it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from random import Random
from urllib.parse import urlsplit

from hutong.adapters.evm import EvmChain
from hutong.adapters.evm.administration.deciding import Deciding
from hutong.adapters.evm.submit import evm_reverts
from hutong.adapters.ics26.execution import ExecutionRpc, identify_execution
from hutong.adapters.rpc import RpcOptions, open_rpc_client
from hutong.relay.administration.errors import Unusable
from hutong.relay.config import EvmChainConfig
from hutong.relay.core.topology.chains import open_chain
from hutong.relay.keys import Signer


@dataclass(frozen=True, slots=True)
class Decider:
    """Who signs and pays, and whose right it is where that is another account's (20 bytes): its calls are written down."""

    signer: Signer
    account: bytes | None

    def on(self, chain: EvmChain, evm: EvmChainConfig) -> Deciding:
        """What sends, or writes down, the decisions on a chain."""
        return Deciding(chain.execution, evm.chain_id, self.signer, self.account)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A chain's JSON-RPC by itself, at the URL `rpc`, with the EIP-155 id that it must have."""

    rpc: str
    chain_id: int


def endpoint_of(rpc: str, chain_id: int, option: str) -> Endpoint:
    """The endpoint at a URL.

    Args:
        option: names the URL in a refusal.

    Raises:
        Unusable: it is not a URL of HTTP.
    """
    if urlsplit(rpc).scheme not in ("http", "https"):
        raise Unusable(f"{option} must be a URL that starts with http:// or https://")
    return Endpoint(rpc, chain_id)


@asynccontextmanager
async def open_endpoint(endpoint: Endpoint, random: Random) -> AsyncIterator[ExecutionRpc]:
    """Its execution API while the block lasts; the chain's id is checked before the first answer counts.

    Raises:
        AdapterError: it does not answer, or serves another chain.
    """
    identify = partial(identify_execution, chain_id=endpoint.chain_id)
    async with open_rpc_client("chain", (endpoint.rpc,), random, RpcOptions(), identify) as client:
        yield ExecutionRpc(client, evm_reverts())


@asynccontextmanager
async def open_evm(evm: EvmChainConfig, random: Random) -> AsyncIterator[EvmChain]:
    """The chain's adapter while the block lasts, its identity checked.

    Raises:
        AdapterError: the chain does not answer, or its endpoints serve another chain.
    """
    async with open_chain(evm, random) as chain:
        await chain.check_identity()
        yield chain
