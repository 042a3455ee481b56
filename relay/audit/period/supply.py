"""Conservation of tokens over a period, by proven transfers alone.

A token leaves a chain into the escrow of a client, and comes home out of it: nothing may bring home more than was sent.
Packets show every leaving and every return that an entry proves. They do not show balances, nor what stood in escrow
before the period; so a line is violated only where every packet of the client since its first is in the period, and
held only where no return can be absent between those that are here. All else is undetermined, with the reason. In which
order things happened is not judged.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from hutong.light_clients.ibc.denom import Denom
from hutong.light_clients.ibc.transfer import TRANSFER_PORT
from hutong.light_clients.interface import VerificationError
from hutong.relay.archive.bundle import Claim
from hutong.relay.archive.checkpoint import Remote
from hutong.relay.audit.period.entries import Entry, LegFacts, PacketId
from hutong.relay.audit.period.missing import SentRange

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
    reason: str
    """Why it is undetermined, in words; else empty."""

    @property
    def unexplained(self) -> int:
        """What came home beyond all that this period sent, in the token's smallest unit; 0 where nothing did."""
        return max(0, self.came_home - self.sent - self.sent_open)


def supply_lines(
    legs: Sequence[LegFacts], ranges: Sequence[SentRange], clients: Clients, unproven: Iterable[Entry] = ()
) -> list[SupplyLine]:
    """One line for each chain, client and denomination that a proven transfer moved, in that order.

    Args:
        legs: each packet once.
        ranges: of the same legs; a client with gaps leaves its lines undetermined.
        unproven: entries that may be of returns, for all that is known.
    """
    whole = {(one.chain_id, one.client_id) for one in ranges if one.is_whole_from_the_start}
    with_gaps = {(one.chain_id, one.client_id) for one in ranges if one.gaps}
    hidden = _Hidden({leg.packet_id for leg in legs}, clients, unproven)
    lines = []
    for (chain_id, client_id, denom), row in sorted(_sums(legs).items()):
        sent, sent_open, sent_back, came_home, home_open, home_failed = row
        remote = clients.get(chain_id, {}).get(client_id)
        conservation, reasons = Conservation.HELD, []
        if came_home > sent + sent_open:
            if (chain_id, client_id) in whole:
                conservation = Conservation.VIOLATED
            else:
                reasons.append("packets that are not here must have sent the rest of what came home")
        elif came_home + home_open > sent:
            reasons.append("with what is open, more may have come home than is known to have been sent")
        if remote is None:
            reasons.append("the checkpoints do not say over which client it comes home")
        else:
            back = f"{remote.chain_id}/{remote.client_id}"
            if (remote.chain_id, remote.client_id) in with_gaps:
                reasons.append(f"packets are missing among those of {back}, over which it comes home")
            if hidden.may_be_of(remote):
                reasons.append(f"an entry that is not proven may be of a packet of {back}, over which it comes home")
        if reasons and conservation is Conservation.HELD:
            conservation = Conservation.UNDETERMINED
        line = SupplyLine(
            chain_id,
            client_id,
            denom,
            token_at_home(chain_id, denom, clients),
            sent,
            sent_open,
            sent_back,
            came_home,
            home_open,
            home_failed,
            conservation,
            "; ".join(reasons) if conservation is Conservation.UNDETERMINED else "",
        )
        lines.append(line)
    return lines


def _sums(legs: Iterable[LegFacts]) -> dict[tuple[str, str, str], list[int]]:
    """By chain, client and denomination: the amounts of a line, in the order of its fields."""
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
    return sums


class _Hidden:
    """Of which sending clients the entries that are not proven may be.

    One that says nothing readable may be of any. One that names a single packet may be of what was made of it, too, which
    is a packet of the chain that received it. Packets that another entry proves hide nothing.
    """

    def __init__(self, proven: set[PacketId], clients: Clients, unproven: Iterable[Entry]) -> None:
        self._any = False
        self._clients: set[Remote] = set()
        for entry in unproven:
            self._any |= not entry.claimed
            unknown = [packet_id for packet_id in entry.claimed if packet_id not in proven]
            self._clients.update(Remote(packet_id.chain_id, packet_id.client_id) for packet_id in unknown)
            if unknown and len(entry.claimed) == 1:
                self._clients.update(_onward(unknown[0], clients))

    def may_be_of(self, client: Remote) -> bool:
        return self._any or client in self._clients


def _onward(packet_id: PacketId, clients: Clients) -> Iterator[Remote]:
    """The clients of the chain that the packet went to; of all chains, where the checkpoints do not say which."""
    followed = clients.get(packet_id.chain_id, {}).get(packet_id.client_id)
    for chain_id, names in clients.items():
        if followed is None or chain_id == followed.chain_id:
            yield from (Remote(chain_id, name) for name in names)


def token_at_home(chain_id: str, denom: str, clients: Clients) -> str:
    """`chain id/base` of a token that `chain_id` calls `denom`: its hops are walked back by the checkpoints, newest
    first.

    Where they do not lead so far, or `denom` cannot be read, `chain_id/denom`.
    """
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
