"""Tokens of a Cosmos chain: ICS-20 sends of its accounts, and what an account holds."""

import time
from collections.abc import Awaitable, Callable, Sequence
from random import Random
from typing import TypeAlias

from hutong.adapters.cosmos import CosmosChain
from hutong.adapters.cosmos.reading.queries import Queries
from hutong.adapters.cosmos.transactions.accounts import Accounts
from hutong.adapters.cosmos.transactions.addresses import decode_address
from hutong.adapters.cosmos.transfer import SentTransfer, send_transfer
from hutong.adapters.interface import AdapterError
from hutong.relay.administration.cosmos_wish import CosmosWish, local_name, transfer_of
from hutong.relay.administration.holding import Holding
from hutong.relay.config import CosmosChainConfig
from hutong.relay.core.topology.chains import open_chain
from hutong.relay.keys import Signer

Before: TypeAlias = Callable[[CosmosChain], Awaitable[None]]
"""Given the chain before anything is sent; raises what keeps the tokens from it."""


async def send_from_cosmos(
    cosmos: CosmosChainConfig, signer: Signer, wish: CosmosWish, before: Before | None, random: Random
) -> tuple[SentTransfer, str]:
    """One packet; returns it with the denomination that was sent, as the chain names it.

    Args:
        before: None: neither way nor receiver is judged.

    Raises:
        MalformedInput: the wish cannot be sent (an empty receiver, a timeout within the margin).
        RefusedByChain: the chain would refuse it, and nothing was sent.
        AdapterError: the chain does not answer.
        and what `before` raises.
    """
    transfer = transfer_of(wish, int(time.time()))
    async with open_chain(cosmos, random) as chain:
        await chain.check_identity()
        if before is not None:
            await before(chain)
        return await send_transfer(chain, signer, transfer), transfer.token.denom


async def holdings(cosmos: CosmosChainConfig, holder: str, token: str | None, random: Random) -> Sequence[Holding]:
    """What an account holds: of one token, or all that it has.

    Args:
        token: a denomination or the trace of a voucher; of it the amount may be 0.

    Raises:
        MalformedInput: `holder` is no address of the chain.
        AdapterError: the chain does not answer.
    """
    decode_address(holder, cosmos.bech32_prefix)
    async with open_chain(cosmos, random) as chain:
        await chain.check_identity()
        queries = Queries(chain.rpc)

        async def trace_of(denom: str) -> str | None:
            if not denom.startswith("ibc/"):
                return denom
            try:
                return (await queries.trace(denom)).path
            except AdapterError:
                return None

        if token is not None:
            denom = local_name(token)
            return [Holding(await Accounts(chain.rpc).balance(holder, denom), denom, await trace_of(denom))]
        coins = await queries.balances(holder)
        return [Holding(coin.amount, coin.denom, await trace_of(coin.denom)) for coin in coins]
