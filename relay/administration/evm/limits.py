"""What may move of a token in a window: read, and set by holders of the limiter role."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from hutong.adapters.evm import EvmChain
from hutong.adapters.evm.administration.delayed import Progress
from hutong.adapters.evm.administration.limit_windows import window_end_s
from hutong.adapters.evm.administration.transfer import (
    Limit,
    LimitUse,
    client_limit,
    origin_limit,
    set_client_limit,
    set_origin_limit,
)
from hutong.adapters.ics26.execution import ExecutionRpc
from hutong.adapters.interface import NotSupported
from hutong.relay.administration.evm.access import Decider, open_evm
from hutong.relay.administration.evm.transfers import Token, address_of_token
from hutong.relay.config import EvmChainConfig

NEW_WINDOW_S = 3_600
"""Of a limit that is set where there was none, unless it is named."""


@dataclass(frozen=True, slots=True)
class LimitScope:
    """What a limit is about: a token over a client, or each token of an origin. One of them is None."""

    client: str | None
    origin: str | None


@dataclass(frozen=True, slots=True)
class LimitChange:
    """What is named of a limit, in smallest units and seconds; None stays as it is, UNLIMITED lifts a bound."""

    send_cap: int | None = None
    receive_cap: int | None = None
    delay_above: int | None = None
    delay_s: int | None = None
    window_s: int | None = None

    def applied_to(self, stands: Limit) -> Limit:
        """The limit after the change. Nothing is kept of a removed one, so that no later change brings it back."""
        if self.window_s == 0:
            return Limit()
        kept = Limit(window_s=NEW_WINDOW_S) if stands.window_s == 0 else stands
        named = (self.send_cap, self.receive_cap, self.delay_above, self.window_s, self.delay_s)
        fields = zip(named, kept.as_tuple(), strict=True)
        return Limit.of(tuple(old if new is None else new for new, old in fields))


@dataclass(frozen=True, slots=True)
class LimitWish:
    """A change of one limit. `token` is None for a limit of an origin; `tell` is given the limit before and after."""

    scope: LimitScope
    token: Token | None
    change: LimitChange
    tell: Callable[[Limit, Limit], None]


@dataclass(frozen=True, slots=True)
class LimitNow:
    """A limit, what its current window has moved of a token, and when that window ends.

    `now_s` is the time of the chain's newest block, `window_ends_at_s` None where there is no limit; Unix seconds.
    """

    use: LimitUse
    window_ends_at_s: int | None
    now_s: int


async def read_limit(evm: EvmChainConfig, transfer: bytes, token: Token, scope: LimitScope, random: Random) -> LimitNow:
    """A limit as it stands, and its current window.

    Args:
        transfer: the chain's Transfer contract, 20 bytes.

    Raises:
        AdapterError: the chain does not answer, or has no such token.
    """
    async with open_evm(evm, random) as chain:
        address = await address_of_token(chain.execution, transfer, token)
        use = await _use(chain.execution, transfer, address, scope)
        now_s = (await chain.execution.latest_block()).time_s
        return LimitNow(use, window_end_s(use.limit, now_s) if use.limit.window_s else None, now_s)


async def set_limit(
    evm: EvmChainConfig, decider: Decider, transfer: bytes, wish: LimitWish, random: Random
) -> Progress:
    """Change what is named of a limit and keep the rest, or schedule that where the role has a delay.

    Args:
        transfer: the chain's Transfer contract, 20 bytes.

    Raises:
        UnknownClient: the chain has no such client, so that the limit would bound nothing.
        Undecided: the calls are for another account to send, or wait.
        RefusedByChain: the chain refuses it.
        AdapterError: the chain does not answer, or has no such token.
    """
    scope, token = wish.scope, wish.token
    async with open_evm(evm, random) as chain:
        execution = chain.execution
        if scope.client is not None and wish.change.window_s != 0:  # what was set for no client may be removed
            await _check_client(chain, scope.client)
        transactor = decider.on(chain, evm)
        address = bytes(20) if token is None else await address_of_token(execution, transfer, token)
        stands = (await _use(execution, transfer, address, scope)).limit
        limit = wish.change.applied_to(stands)
        wish.tell(stands, limit)
        if decider.account is not None and (stands == limit or stands.window_s == limit.window_s == 0):
            return Progress(None)
        if scope.client is not None:
            return await set_client_limit(transactor, transfer, scope.client, address, limit)
        return await set_origin_limit(transactor, transfer, scope.origin or "", limit)


async def _check_client(chain: EvmChain, client_id: str) -> None:
    try:
        await chain.client(client_id)
    except NotSupported:
        return  # it is there, of a type that only its own software reads


async def _use(execution: ExecutionRpc, transfer: bytes, token: bytes, scope: LimitScope) -> LimitUse:
    if scope.client is not None:
        return await client_limit(execution, transfer, scope.client, token)
    return await origin_limit(execution, transfer, scope.origin or "", token)
