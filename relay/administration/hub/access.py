"""A configured hub opened for one act, and what its admins decide on it."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from random import Random

from hutong.adapters.hub import HubChain
from hutong.adapters.ics26.answers import Receipt
from hutong.adapters.ics26.transactor import Transactor
from hutong.relay.administration.hub.trust import approve
from hutong.relay.config import HubChainConfig
from hutong.relay.core.topology.chains import open_chain
from hutong.relay.keys import Signer


@asynccontextmanager
async def open_hub(hub: HubChainConfig, random: Random) -> AsyncIterator[HubChain]:
    """The hub's adapter while the block lasts, its identity checked.

    Raises:
        AdapterError: the hub does not answer, or its endpoints serve another chain.
    """
    async with open_chain(hub, random) as chain:
        if not isinstance(chain, HubChain):
            raise TypeError("a hub")
        await chain.check_identity()
        yield chain


async def transactor_of(chain: HubChain, signer: Signer) -> Transactor:
    """What sends the account's transactions to the hub's contracts.

    Raises:
        AdapterError: the hub does not answer.
    """
    return Transactor(chain.execution, await chain.eth_chain_id(), signer)


async def approve_on(hub: HubChainConfig, chain: HubChain, admins: Sequence[Signer], action: bytes) -> Receipt:
    """`approve` by these admins, on a hub that is open.

    Args:
        action: encoded, with a salt of its own.

    Raises:
        RefusedByChain, VerificationError, AdapterError: as `approve`.
    """
    return await approve(hub, chain, [await transactor_of(chain, admin) for admin in admins], action)


async def decide_as_admins(hub: HubChainConfig, admins: Sequence[Signer], action: bytes, random: Random) -> Receipt:
    """Let a hub's admins approve and execute an action, with proofs where a genesis is trusted.

    Args:
        admins: as many as the hub's threshold asks for.
        action: encoded, with a salt of its own.

    Raises:
        RefusedByChain, VerificationError, AdapterError: as `approve`.
    """
    async with open_hub(hub, random) as chain:
        return await approve_on(hub, chain, admins, action)
