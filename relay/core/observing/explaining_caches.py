"""What holds an issuer up on its way to a cache, in one sentence for the operator, by what both chains say now."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from eth_utils.address import to_checksum_address

from hutong.adapters.evm import EvmChain
from hutong.adapters.evm.cache_calls import CacheCalls
from hutong.adapters.interface import AdapterError, ChainAdapter, ClientInfo
from hutong.light_clients.interface import NANOSECONDS_PER_SECOND, ClientStatus, VerificationError
from hutong.relay.core.errors import RouteBlocked
from hutong.relay.core.observing.issuers import CacheReason, IssuerState, PushedIssuer, why_cache_is_due
from hutong.relay.core.observing.looking_at_issuers import kept_of, look_at_issuers
from hutong.relay.core.observing.pushing import check_reads_through
from hutong.relay.services.identity.rules.seals.issuer_records import Flaw


@dataclass(frozen=True, slots=True)
class ExplainedIssuer:
    """An issuer at one cache. Numbers are None where they are not known, or nothing is kept.

    `epoch` and `header_time_s` are the oldest of what is kept. `held_up_by` is None where the cache is good.
    """

    pushed: PushedIssuer
    cache: bytes
    epoch_on_hub: int | None = None
    standing_on_hub: Flaw | None = None
    epoch: int | None = None
    header_time_s: int | None = None
    due_because: str | None = None
    held_up_by: str | None = None


async def explain_caches(
    hub: ChainAdapter, chain: ChainAdapter, client_id: str, cache: bytes, pushed: Sequence[PushedIssuer]
) -> tuple[ExplainedIssuer, ...]:
    """All that is brought to one cache; a chain that does not answer is what holds them up, and no error.

    Args:
        client_id: of the hub, on the cache's chain.
        cache: 20 bytes.
    """
    try:
        info = await chain.client(client_id)
        evm = cast(EvmChain, chain)
        calls = CacheCalls(evm.execution, await evm.eth_chain_id(), cache, evm.batch_limits)
        check_reads_through(f"the cache {to_checksum_address(cache)}", await calls.client_id(), client_id)
        time_s = (await hub.head()).time_ns // NANOSECONDS_PER_SECOND
        return tuple([await _explained(hub, calls, one, info, time_s) for one in pushed])
    except (AdapterError, VerificationError, RouteBlocked) as error:
        return tuple(ExplainedIssuer(one, cache, held_up_by=str(error)) for one in pushed)


async def _explained(
    hub: ChainAdapter, calls: CacheCalls, pushed: PushedIssuer, info: ClientInfo, time_s: int
) -> ExplainedIssuer:
    seen = await look_at_issuers(hub, [pushed], time_s)
    kept = await kept_of(calls, seen.states)
    found = [one for there in kept for one in there if one is not None]
    reasons = [why_cache_is_due(state, there, time_s) for state, there in zip(seen.states, kept, strict=True)]
    reason = next((one for one in reasons if one is not None), None)
    unopened = dict(seen.unopened).get(pushed.name, ())
    return ExplainedIssuer(
        pushed,
        bytes.fromhex(calls.address[2:]),
        max((state.said.epoch for state in seen.states), default=None),
        _worst(seen.states),
        min((one.epoch for one in found), default=None),
        min((one.header_time_s for one in found), default=None),
        None if reason is None else str(reason),
        _held_up_by(info, unopened, reason),
    )


def _worst(states: Sequence[IssuerState]) -> Flaw | None:
    """The first that is not good; None where nothing is known."""
    flaws = [state.said.flaw for state in states]
    return next((one for one in flaws if one is not Flaw.NONE), Flaw.NONE if flaws else None)


def _held_up_by(info: ClientInfo, unopened: Sequence[int], reason: CacheReason | None) -> str | None:
    if info.status is not ClientStatus.ACTIVE:
        return f"client {info.client_id} is {info.status}: the chain's admins recover it"
    if unopened:
        return f"the issuer has not opened {'list' if len(unopened) == 1 else 'lists'} {', '.join(map(str, unopened))}"
    if reason is None:
        return None
    if reason is CacheReason.FIRST:
        return "it is not brought yet: does the relay run?"
    return f"{reason}, and it is not brought yet: does the relay run?"
