"""How much a period shows: by chain, by route and by token. Only what is proven counts, each packet once."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from hutong.relay.archive.bundle import Claim
from hutong.relay.audit.period.entries import Application, LegFacts
from hutong.relay.audit.period.supply import Clients, token_at_home


class DeliveryState(StrEnum):
    """How a delivery ended, over all its legs."""

    SUCCEEDED = "succeeded"
    REFUSED = "refused"
    TIMED_OUT = "timed_out"
    OPEN = "open"
    """Received, and its acknowledgement is not shown."""


@dataclass(slots=True)
class ChainTotals:
    """Packets that a chain sent and received. `timed_out` and `refused` are of those that it sent; `settled` too."""

    chain_id: str
    sent: int = 0
    received: int = 0
    transfers_sent: int = 0
    messages_sent: int = 0
    refused: int = 0
    timed_out: int = 0
    open: int = 0
    settled: int = 0


@dataclass(slots=True)
class TokenTotals:
    """Amounts of one token over one route, in its smallest unit."""

    token: str
    transfers: int = 0
    delivered: int = 0
    refunded: int = 0
    open: int = 0


@dataclass(slots=True)
class RouteTotals:
    """Deliveries over one route: the chains from the first sender to the last receiver."""

    chains: tuple[str, ...]
    deliveries: int = 0
    messages: int = 0
    transfers: int = 0
    states: dict[DeliveryState, int] = field(default_factory=lambda: dict.fromkeys(DeliveryState, 0))
    tokens: dict[str, TokenTotals] = field(default_factory=dict)


def chain_totals(legs: Iterable[LegFacts]) -> list[ChainTotals]:
    """What each chain sent and received, in order of chain ids.

    Args:
        legs: each packet once; one that is there twice would be counted twice.
    """
    totals: dict[str, ChainTotals] = {}
    for leg in legs:
        sender = totals.setdefault(leg.packet_id.chain_id, ChainTotals(leg.packet_id.chain_id))
        receiver = totals.setdefault(leg.destination_chain_id, ChainTotals(leg.destination_chain_id))
        sender.sent += 1
        is_transfer = leg.application is Application.TRANSFER
        sender.transfers_sent += is_transfer
        sender.messages_sent += not is_transfer
        sender.settled += leg.is_settled
        sender.refused += leg.is_error
        sender.open += leg.outcome is Claim.RECEIVED
        sender.timed_out += leg.outcome is Claim.TIMED_OUT
        receiver.received += leg.outcome is not Claim.TIMED_OUT
    return [totals[name] for name in sorted(totals)]


def delivery_state(legs: Iterable[LegFacts]) -> DeliveryState:
    """How one delivery ended, over its legs in order.

    An error that the first leg has from the second's timeout counts as the timeout.
    """
    outcomes = list(legs)
    if any(leg.outcome is Claim.TIMED_OUT for leg in outcomes):
        return DeliveryState.TIMED_OUT
    if any(leg.is_error for leg in outcomes):
        return DeliveryState.REFUSED
    if any(leg.outcome is Claim.RECEIVED for leg in outcomes[-1:]):
        return DeliveryState.OPEN
    return DeliveryState.SUCCEEDED


def route_totals(deliveries: Iterable[tuple[LegFacts, ...]], clients: Clients) -> list[RouteTotals]:
    """Sums over the deliveries of each route, in order of the chains of the route.

    Args:
        deliveries: the legs of each, first to last, at least one.
        clients: what the checkpoints say; a token is named by where it is at home.
    """
    totals: dict[tuple[str, ...], RouteTotals] = {}
    for legs in deliveries:
        first = legs[0]
        chains = (first.packet_id.chain_id, *(leg.destination_chain_id for leg in legs))
        route = totals.setdefault(chains, RouteTotals(chains))
        state = delivery_state(legs)
        route.deliveries += 1
        is_transfer = first.application is Application.TRANSFER
        route.transfers += is_transfer
        route.messages += not is_transfer
        route.states[state] += 1
        for tokens in first.tokens:
            token = token_at_home(first.packet_id.chain_id, tokens.denom, clients)
            row = route.tokens.setdefault(token, TokenTotals(token))
            row.transfers += 1
            match state:
                case DeliveryState.SUCCEEDED:
                    row.delivered += tokens.amount
                case DeliveryState.OPEN:
                    row.open += tokens.amount
                case _:
                    row.refunded += tokens.amount
    return [totals[chains] for chains in sorted(totals)]


def as_mapping(states: Mapping[DeliveryState, int]) -> dict[str, int]:
    """For JSON and tables, in the order of the states."""
    return {state.value: states.get(state, 0) for state in DeliveryState}
