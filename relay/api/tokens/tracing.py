"""From a transfer to the token at its home, and to its vouchers on the way."""

from collections.abc import Iterator
from dataclasses import dataclass

from hutong.light_clients.ibc.denom import Denom
from hutong.light_clients.ibc.transfer import TRANSFER_PORT
from hutong.light_clients.interface import MalformedInput
from hutong.relay.config import PathEnd
from hutong.relay.core.topology.paths import Paths
from hutong.relay.ledger import MessageRecord, MessageStage, MessageState


@dataclass(frozen=True, slots=True)
class Place:
    """A token on one chain, by the denomination that it has there."""

    chain: str
    denom: Denom


def home_of(place: Place, paths: Paths) -> Place | None:
    """Where the token is no voucher, by walking its hops back; None where a hop is of no configured path."""
    chain, denom = place.chain, place.denom
    while denom.hops:
        hop = denom.hops[0]
        opposite = paths.counterparty(chain, hop.client)
        if hop.port != TRANSFER_PORT or opposite is None:
            return None
        chain, denom = opposite.chain, denom.stripped()
    return Place(chain, denom)


def places_of(record: MessageRecord) -> Iterator[Place]:
    """Where the transferred token was seen: where it was sent from, and on the chains that it has reached.

    Nothing for a packet whose denomination cannot be read.
    """
    if record.denom is None:
        return
    try:
        place = Place(record.source.chain, Denom.parse(record.denom))
        yield place
        for number, leg in enumerate(record.legs):
            reached = number + 1 < len(record.legs) or record.stage is MessageStage.DELIVERED
            if not reached and record.state is not MessageState.ACKNOWLEDGED:
                return
            place = _received(
                place, leg.source_client, PathEnd(chain=leg.destination_chain, client=leg.destination_client)
            )
            yield place
    except (MalformedInput, ValueError):
        return  # what a packet says need not be a denomination


def _received(place: Place, source_client: str, end: PathEnd) -> Place:
    denom = place.denom
    if denom.is_returning(TRANSFER_PORT, source_client):
        return Place(end.chain, denom.stripped())
    return Place(end.chain, denom.prefixed(TRANSFER_PORT, end.client))
