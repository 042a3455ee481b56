"""Tokens of a Cosmos chain from the shell: ICS-20 sends of its accounts, and what an account holds."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from relay.config import CosmosChainConfig
from relay.keys import Signer

if TYPE_CHECKING:
    from adapters.cosmos.transfer import CosmosTransfer, SentTransfer

FORWARD_MARGIN_S = 600
"""Between the second leg's timeout and the first's: the hub settles the first when the second is settled."""


@dataclass(frozen=True, slots=True)
class CosmosWish:
    """What was asked for. `token`: a denomination (`stake`, `ibc/…`) or a voucher's trace (`transfer/07-tendermint-0/…`)."""

    client: str
    token: str
    amount: int
    receiver: str
    next_client: str | None
    memo: str
    timeout_s: int
    forward_margin_s: int


@dataclass(frozen=True, slots=True)
class Holding:
    """`trace` of a voucher is where it came from, of a native token its own name; None where the chain does not say."""

    amount: int
    denom: str
    trace: str | None


async def send_from_cosmos(
    cosmos: CosmosChainConfig, signer: Signer, wish: CosmosWish, random: Random
) -> "tuple[SentTransfer, str]":
    """One packet; returns it with the denomination that was sent, as the chain names it.

    Raises:
        MalformedInput: the wish is none (a receiver of nothing, a timeout within the margin).
        RefusedByChain: the chain would refuse it, and nothing was sent.
    """
    from adapters.cosmos.transfer import send_transfer
    from relay.core.chains import open_chain

    transfer = transfer_of(wish, int(time.time()))
    async with open_chain(cosmos, random) as chain:
        await chain.check_identity()
        return await send_transfer(chain, signer, transfer), transfer.token.denom


def transfer_of(wish: CosmosWish, now_s: int) -> "CosmosTransfer":
    """The send that a wish means. Over the hub, the packet itself times out a margin before what the hub sends on."""
    from adapters.cosmos.fees import Coin
    from adapters.cosmos.transfer import CosmosTransfer
    from light_clients.ibc.transfer import ForwardInstruction, encode_forward_memo
    from light_clients.interface import MalformedInput

    token = Coin(wish.amount, local_name(wish.token))
    deadline_s = now_s + wish.timeout_s
    if wish.next_client is None:
        return CosmosTransfer(wish.client, token, wish.receiver, deadline_s, wish.memo)
    if wish.timeout_s <= wish.forward_margin_s:
        raise MalformedInput(
            "timeout_s",
            "leaves the first leg no time: raise --timeout-s above the margin, or lower --forward-margin-s",
            got=wish.timeout_s,
            expected=f"> {wish.forward_margin_s}",
        )
    memo = encode_forward_memo(ForwardInstruction(wish.receiver, wish.next_client, timeout_timestamp_s=deadline_s))
    return CosmosTransfer(wish.client, token, wish.receiver, deadline_s - wish.forward_margin_s, memo)


def local_name(token: str) -> str:
    """How the chain's bank names a token that is given as it does, or by its trace. Raises MalformedInput."""
    from light_clients.ibc.denom import Denom

    if "/" not in token or token.startswith("ibc/") or not token.startswith("transfer/"):
        return token
    return Denom.parse(token).local_name


async def holdings(cosmos: CosmosChainConfig, holder: str, token: str | None, random: Random) -> Sequence[Holding]:
    """What an account holds: of one token, or all.

    Raises:
        MalformedInput: `holder` is no address of the chain.
    """
    from adapters.cosmos.accounts import Accounts
    from adapters.cosmos.addresses import decode_address
    from adapters.cosmos.queries import Queries
    from adapters.interface import AdapterError
    from relay.core.chains import open_chain

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
