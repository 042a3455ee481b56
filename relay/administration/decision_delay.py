"""Whether what a chain's admin or migrator decides about a client can have effect, asked before anything is sent for it.

A client that nobody updates expires, and a router takes no expired one: nothing updates the clients of a path, or a
substitute, until what was decided has taken effect.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hutong.adapters.interface import AdapterError
from hutong.light_clients.interface import NANOSECONDS_PER_SECOND
from hutong.relay.administration.path_sides import Begun, Hub, Side

if TYPE_CHECKING:
    from hutong.adapters.ics26.execution import ExecutionRpc
    from hutong.adapters.interface import InitialStates


class ExpiresBefore(AdapterError):
    """A client would have expired when the decision to use it takes effect."""


async def longest_delay_s(side: Side) -> int:
    """Seconds between the decisions that a path needs on the chain and their effect; 0 where they are made at once.

    Raises:
        RefusedByChain: whoever decides may not make one of the calls.
        AdapterError: the chain does not answer.
    """
    from hutong.adapters.evm.administration.deploy import SET_HUB_CLIENT
    from hutong.adapters.ics26.abi import ADD_CLIENT

    calls = [(side.router, ADD_CLIENT.selector), *((app, SET_HUB_CLIENT.selector) for app in side.apps)]
    return max([await side.owning.delay_s(to, selector) for to, selector in calls])


async def require_outliving(side: Side, delay_s: int, beginnings: "Sequence[InitialStates]") -> None:
    """Demand that clients which begin with these states have not expired `delay_s` seconds from now, by the chain's time.

    Raises:
        ExpiresBefore: one has, or would begin expired.
        AdapterError: the chain does not answer.
    """
    from hutong.adapters.evm.administration.moments import duration_text

    now_s = (await side.chain.execution.latest_block()).time_s
    left_s = min(map(_expires_at_s, beginnings)) - now_s
    if left_s <= 0:
        raise ExpiresBefore(
            "nothing was made: the block from where a client would begin is older than its trusting period; begin at newer"
            " ones (--trusted-height, --hub-trusted-height), or give a longer --trusting-period-s"
        )
    if left_s <= delay_s:
        raise ExpiresBefore(
            f"nothing was made: what is decided on {side.chain.name} takes effect after a delay of {duration_text(delay_s)},"
            f" and the clients of the path would expire before, in {duration_text(left_s)}, since nothing updates them"
            " until then; give a --trusting-period-s well above the delay (it stays below --unbonding-period-s), or have the"
            " admin's delay shortened first"
        )


async def require_lasting(side: Side, hub: Hub, begun: Begun) -> None:
    """Demand that the light client which an earlier run made has not expired when the router can take it.

    Raises:
        ExpiresBefore: it has.
        RefusedByChain: no light client is at the address.
        AdapterError: the chain does not answer.
    """
    from eth_utils.address import to_checksum_address

    from hutong.adapters.evm.administration.deploy import add_client_call
    from hutong.adapters.evm.administration.moments import duration_text, moment_text
    from hutong.adapters.evm.clients import hub_client_expires_at_s

    call = add_client_call(begun.light_client, begun.on_hub, hub.chain.merkle_prefix)
    effect_at_s, now_s = await side.owning.effect_at_s(side.router, call)
    expires_at_s = await hub_client_expires_at_s(side.chain.execution, begun.light_client)
    if expires_at_s <= effect_at_s:
        expires = "expires" if expires_at_s > now_s else "expired"
        wait = f", and the router can take it in {duration_text(effect_at_s - now_s)} at the earliest"
        raise ExpiresBefore(
            f"nothing was sent: nobody updates the light client {to_checksum_address(begun.light_client)} before"
            f" {side.chain.name}'s router has taken it, and it {expires} at {moment_text(expires_at_s, now_s)}"
            f"{wait if effect_at_s > now_s else ''}; start again without --on-hub and --light-client, with a longer"
            f" --trusting-period-s ({begun.on_hub} on {hub.config.name} stays without a counterparty, which does no harm)"
        )


def require_fresh_outlives(chain: str, states: "InitialStates", effect_at_s: int, now_s: int) -> None:
    """Demand that a substitute which begins with these states has not expired when the router of `chain` can take it.

    Args:
        effect_at_s, now_s: as `recovery_at_s` gives them.

    Raises:
        ExpiresBefore: it has.
    """
    from hutong.adapters.evm.administration.moments import duration_text, moment_text

    expires_at_s = _expires_at_s(states)
    if expires_at_s <= effect_at_s:
        raise ExpiresBefore(
            f"nothing was made: {chain} replaces clients after a delay of {duration_text(effect_at_s - now_s)}, and a"
            f" substitute with the subject's trusting period would expire before, at {moment_text(expires_at_s, now_s)},"
            " since nothing updates it until then; have the migrator's delay shortened first"
        )


async def require_substitute_lasts(
    execution: "ExecutionRpc", chain: str, substitute: bytes, effect_at_s: int, now_s: int
) -> None:
    """Demand the same of a substitute (20 bytes, a HubClient) that is there already.

    Raises:
        ExpiresBefore: it has expired by then.
        RefusedByChain, BadAnswer: no HubClient is there. EndpointUnavailable: no endpoint answers.
    """
    from eth_utils.address import to_checksum_address

    from hutong.adapters.evm.administration.moments import duration_text, moment_text
    from hutong.adapters.evm.clients import hub_client_expires_at_s

    expires_at_s = await hub_client_expires_at_s(execution, substitute)
    if expires_at_s <= effect_at_s:
        expires = "expires" if expires_at_s > now_s else "expired"
        wait = f", and {chain} can take it in {duration_text(effect_at_s - now_s)} at the earliest"
        raise ExpiresBefore(
            f"nothing was sent: the substitute {to_checksum_address(substitute)} {expires} at"
            f" {moment_text(expires_at_s, now_s)}{wait if effect_at_s > now_s else ''}, and nothing updates it before; run"
            " the command without --substitute for one that begins now, or have the migrator's delay shortened first"
        )


def _expires_at_s(states: "InitialStates") -> int:
    from hutong.light_clients.table import light_client

    judge = light_client(states.client_type)
    ends_ns = judge.timestamp_ns(states.consensus_state) + judge.trusting_period_ns(states.client_state)
    return ends_ns // NANOSECONDS_PER_SECOND
