"""Conservation of tokens over a period, by proven transfers alone.

A token leaves a chain into the escrow of a client, and comes home out of it: nothing may bring home more than was sent.
Packets show every leaving and every return that an entry proves. They do not show balances, nor what stood in escrow
before the period; so a line is violated only where every packet of the client since its first is in the period, and
else is undetermined, with the amount that must have left before. In which order things happened is not judged.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from light_clients.ibc.denom import Denom
from light_clients.ibc.transfer import TRANSFER_PORT
from light_clients.interface import VerificationError
from relay.archive.bundle import Claim
from relay.archive.checkpoint import Remote
from relay.audit.period.entries import LegFacts
from relay.audit.period.missing import SentRange

Clients = Mapping[str, Mapping[str, Remote]]
"""By chain and client: what the checkpoints say that it follows."""


class Conservation(StrEnum):
    """Whether no more came home than was sent."""

    HELD = "held"
    UNDETERMINED = "undetermined"
    VIOLATED = "violated"


@dataclass(frozen=True, slots=True)
class SupplyLine:
    """One token in the escrow of one client. Amounts in the token's smallest unit.

    `sent`: left, and taken at the other end. `sent_open`: left, and not yet acknowledged. `sent_back`: refunded to the
    sender. `came_home` and `home_open` likewise in the other direction; `home_failed`: did not come home after all.
    """

    chain_id: str
    client_id: str
    denom: str
    token: str
    """`chain/base` where the token is at home, or `chain/denom` where the checkpoints do not lead so far."""
    sent: int
    sent_open: int
    sent_back: int
    came_home: int
    home_open: int
    home_failed: int
    conservation: Conservation

    @property
    def unexplained(self) -> int:
        """What came home beyond all that this period sent."""
        return max(0, self.came_home - self.sent - self.sent_open)


def supply_lines(legs: Iterable[LegFacts], ranges: Iterable[SentRange], clients: Clients) -> list[SupplyLine]:
    """By chain, client and denomination; each leg once."""
    whole = {(one.chain_id, one.client_id) for one in ranges if one.is_whole_from_the_start}
    sums: dict[tuple[str, str, str], list[int]] = {}
    for leg in legs:
        for tokens in leg.tokens:
            if tokens.is_returning:
                path = Denom.parse(tokens.denom).stripped().path
                key, column = (leg.destination_chain_id, leg.destination_client, path), 3
            else:
                key, column = (leg.packet_id.chain_id, leg.packet_id.client_id, tokens.denom), 0
            row = sums.setdefault(key, [0] * 6)
            row[column + _state(leg)] += tokens.amount
    lines = []
    for (chain_id, client_id, denom), row in sorted(sums.items()):
        sent, sent_open, sent_back, came_home, home_open, home_failed = row
        conservation = Conservation.HELD
        if came_home > sent + sent_open:
            is_whole = (chain_id, client_id) in whole
            conservation = Conservation.VIOLATED if is_whole else Conservation.UNDETERMINED
        token = token_at_home(chain_id, denom, clients)
        line = SupplyLine(
            chain_id,
            client_id,
            denom,
            token,
            sent,
            sent_open,
            sent_back,
            came_home,
            home_open,
            home_failed,
            conservation,
        )
        lines.append(line)
    return lines


def token_at_home(chain_id: str, denom: str, clients: Clients) -> str:
    """The chain and the base of a token that `chain_id` calls `denom`: its hops are walked back, newest first."""
    try:
        token = Denom.parse(denom)
    except VerificationError:
        return f"{chain_id}/{denom}"
    at = chain_id
    for hop in token.hops:
        remote = clients.get(at, {}).get(hop.client)
        if remote is None or hop.port != TRANSFER_PORT:
            return f"{chain_id}/{denom}"
        at = remote.chain_id
    return f"{at}/{token.base}"


def _state(leg: LegFacts) -> int:
    if leg.is_failure:
        return 2
    return 1 if leg.outcome is Claim.RECEIVED else 0
