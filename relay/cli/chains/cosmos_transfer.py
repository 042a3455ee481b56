"""Tokens of a Cosmos chain from the shell: ICS-20 sends of its accounts, and what an account holds."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from hutong.relay.administration.cosmos_wish import FORWARD_MARGIN_S, CosmosWish, local_name, transfer_of
from hutong.relay.cli.chains.transfer_check import check_on_cosmos
from hutong.relay.config import CosmosChainConfig
from hutong.relay.keys import Signer

if TYPE_CHECKING:
    from hutong.adapters.cosmos.transfer import SentTransfer
    from hutong.relay.api.sending.choosing import Choice

__all__ = ["FORWARD_MARGIN_S", "CosmosWish", "Holding", "holdings", "local_name", "send_from_cosmos", "transfer_of"]


@dataclass(frozen=True, slots=True)
class Holding:
    """`trace` of a voucher is where it came from, of a native token its own name; None where the chain does not say."""

    amount: int
    denom: str
    trace: str | None


async def send_from_cosmos(
    cosmos: CosmosChainConfig,
    signer: Signer,
    wish: CosmosWish,
    checked: "Callable[[], Choice] | None",
    random: Random,
) -> "tuple[SentTransfer, str]":
    """One packet; returns it with the denomination that was sent, as the chain names it.

    Args:
        checked: finds its way and judges its receiver; without it neither is judged.

    Raises:
        ApiProblem: an option cannot be what it is.
        MalformedInput: the wish cannot be sent (an empty receiver, a timeout within the margin).
        RefusedByChain: the chain would refuse it, and nothing was sent.
        AdapterError: the chain does not answer.
    """
    from hutong.adapters.cosmos.transfer import send_transfer
    from hutong.relay.core.topology.chains import open_chain

    choice = None if checked is None else checked()
    transfer = transfer_of(wish, int(time.time()))
    async with open_chain(cosmos, random) as chain:
        await chain.check_identity()
        if choice is not None:
            await check_on_cosmos(chain, choice, wish.token)
        return await send_transfer(chain, signer, transfer), transfer.token.denom


async def holdings(cosmos: CosmosChainConfig, holder: str, token: str | None, random: Random) -> Sequence[Holding]:
    """What an account holds: of one token, or all that it has.

    Args:
        token: a denomination or the trace of a voucher; of it the amount may be 0.

    Raises:
        MalformedInput: `holder` is no address of the chain.
        AdapterError: the chain does not answer.
    """
    from hutong.adapters.cosmos.reading.queries import Queries
    from hutong.adapters.cosmos.transactions.accounts import Accounts
    from hutong.adapters.cosmos.transactions.addresses import decode_address
    from hutong.adapters.interface import AdapterError
    from hutong.relay.core.topology.chains import open_chain

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
