"""Tokens that stay on a hub: sent home or to another of its chains by who holds them there, and what an account holds."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from hutong.adapters.hub.transfers import HubOrder, SentFromHub, balance_on_hub, send_from_hub
from hutong.light_clients.ibc.denom import Denom
from hutong.light_clients.ibc.transfer import TRANSFER_PORT
from hutong.light_clients.interface import MalformedInput
from hutong.relay.administration.errors import Unusable
from hutong.relay.administration.holding import Holding
from hutong.relay.administration.hub.access import open_hub, transactor_of
from hutong.relay.config import HubChainConfig
from hutong.relay.keys import Signer


@dataclass(frozen=True, slots=True)
class HubWish:
    """What was asked for. `denom` is the hub's own name of the token, `timeout_s` counts from now."""

    client: str
    denom: Denom
    amount: int
    receiver: str
    memo: str
    timeout_s: int


def denom_on_hub(token: str) -> Denom:
    """A token as a hub names it: by the hops over which it came, the newest first, such as `transfer/bft-evm-0/0x…`.

    Raises:
        Unusable: it is something else; a hub has no tokens of its own.
    """
    try:
        denom = Denom.parse(token)
    except MalformedInput as error:
        raise Unusable(f"--token: is not a denomination of the hub: {error.reason}") from None
    if denom.is_native:
        raise Unusable(
            f"--token: {token[:80]!r} is not how the hub names a token: transfer/, the hub's client of the chain that it"
            " came from, / and its name there, such as transfer/bft-evm-0/0x…"
        )
    return denom


def way_home(denom: Denom) -> str:
    """The hub's client over which the token came, and goes home.

    Raises:
        Unusable: it came over another port.
    """
    hop = denom.hops[0]
    if hop.port != TRANSFER_PORT:
        raise Unusable(f"--token: came over the port {hop.port}; name the hub's client to send over with --client")
    return hop.client


async def send_from(hub: HubChainConfig, signer: Signer, wish: HubWish, random: Random) -> SentFromHub:
    """One packet, signed by the account that holds the tokens on the hub.

    Raises:
        RefusedByChain: the account does not hold so much, or the hub refuses it, and nothing was sent.
        AdapterError: the hub does not answer.
    """
    async with open_hub(hub, random) as chain:
        deadline_s = int(time.time()) + wish.timeout_s
        order = HubOrder(wish.client, wish.denom, wish.amount, wish.receiver, deadline_s, wish.memo)
        return await send_from_hub(await transactor_of(chain, signer), order)


async def held_on(hub: HubChainConfig, denom: Denom, holder: bytes, random: Random) -> Sequence[Holding]:
    """What an account (20 bytes) holds of a token of the hub.

    Raises:
        AdapterError: the hub does not answer.
    """
    async with open_hub(hub, random) as chain:
        amount = await balance_on_hub(chain.execution, denom, holder)
        return (Holding(amount, denom.path, denom.path),)
