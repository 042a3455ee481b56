"""Who may do what on a chain's contracts, read from an endpoint by itself or from a configured chain."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from random import Random

from eth_utils.address import to_canonical_address

from hutong.adapters.evm.administration.rights import Rights
from hutong.adapters.evm.administration.rights_reading import StandingRights, contracts_of, read_standing_rights
from hutong.adapters.ics26.execution import ExecutionRpc
from hutong.relay.administration.evm.access import Endpoint, open_endpoint, open_evm
from hutong.relay.config import EvmChainConfig


@dataclass(frozen=True, slots=True)
class Url:
    """A chain's JSON-RPC by itself, whose id another file or option says."""

    rpc: str


Source = Url | EvmChainConfig


async def rights_as_expected(source: Source, expected: Rights, random: Random) -> StandingRights:
    """What stands on the contracts that a roles file names.

    Raises:
        AdapterError: the chain does not answer, is another one, or has other contracts there.
    """
    contracts = {name: bytes(to_canonical_address(target.address)) for name, target in expected.targets.items()}
    async with _execution(source, expected.chain_id, random) as execution:
        chain_id = expected.chain_id if isinstance(source, Url) else source.chain_id
        return await read_standing_rights(execution, chain_id, contracts, expected.height)


async def rights_of_router(
    source: Source, chain_id: int, router: bytes, from_height: int, random: Random
) -> StandingRights:
    """What stands on the contracts that a router names.

    Args:
        router: 20 bytes.
        from_height: block of the first contract.

    Raises:
        AdapterError: the chain does not answer, is another one, or has other contracts there.
    """
    async with _execution(source, chain_id, random) as execution:
        return await read_standing_rights(execution, chain_id, await contracts_of(execution, router), from_height)


@asynccontextmanager
async def _execution(source: Source, chain_id: int, random: Random) -> AsyncIterator[ExecutionRpc]:
    if not isinstance(source, Url):
        async with open_evm(source, random) as chain:
            yield chain.execution
        return
    async with open_endpoint(Endpoint(source.rpc, chain_id), random) as execution:
        yield execution
