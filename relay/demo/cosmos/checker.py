"""What really happened in the Cosmos demo, read from the three chains: no queue, ledger, log or memory of the relay is
asked."""

from dataclasses import dataclass

from hutong.relay.demo.books import Books
from hutong.relay.demo.checker import RelayCost, cost_of, count_events
from hutong.relay.demo.cosmos.books import CosmosBooks
from hutong.relay.demo.cosmos.network import CosmosNetwork
from hutong.relay.demo.supply import Supply
from hutong.relay.local.chain import DemoChain

ACTIVE, FROZEN = "Active", "Frozen"
MAX_PAID_DUPLICATES_PER_KILL = 2
KILLS = 3


@dataclass(frozen=True, slots=True)
class Way:
    """What came of the transfers that went out from one chain, or came home to it."""

    sent: int
    delivered: int
    acknowledged: int


@dataclass(frozen=True, slots=True)
class Findings:
    """`late` counts timeouts: of first legs by the chain that sent, of second legs by the chain that was not
    reached."""

    intended: int
    ways: dict[str, Way]
    sent: int
    delivered: int
    acknowledged: int
    refunded: int
    refused: int
    lost: int
    duplicates: int
    unsettled: int
    paid_duplicates: int
    late_first_leg: dict[str, int]
    late_second_leg: dict[str, int]
    abroad: dict[str, bool]
    at_the_end: dict[str, bool]
    most_abroad: dict[str, int]
    costs: dict[str, RelayCost]

    @property
    def timed_out(self) -> int:
        """Timeouts of both legs, on all chains."""
        return sum(self.late_first_leg.values()) + sum(self.late_second_leg.values())

    @property
    def good(self) -> bool:
        """Every packet was delivered once and acknowledged, or came back; every token is where it belongs.

        Also: as many were sent as intended, and something was abroad of each token. What a relay paid for in vain does
        not count here.
        """
        return (
            not (self.lost or self.duplicates or self.unsettled or self.refused)
            and self.intended == self.sent == self.acknowledged + self.refunded
            and self.acknowledged == self.delivered
            and self.timed_out == self.refunded
            and all((*self.abroad.values(), *self.at_the_end.values()))
            and min(self.most_abroad.values()) > 0
        )


def check(
    network: CosmosNetwork, intended: int, abroad: tuple[Supply, ...], at_the_end: tuple[Supply, ...]
) -> Findings:
    """Read all chains once, when nothing moves any more. Blocks: call it in a thread.

    Args:
        intended: how many packets users wanted to send.
        abroad: simd's and alpha's token, read while all was out.
        at_the_end: the same, read now.
    """
    simd, alpha, hub = network.simd, network.alpha, network.hub.chain
    books = Books()
    of_simd = CosmosBooks(simd.token, network.relayers["simd"])
    of_simd.read(simd, books)
    books.read(alpha)
    return Findings(
        intended=intended,
        ways={
            "simd_to_alpha": _way(books, simd.token, outward=True),
            "alpha_to_simd": _way(books, alpha.token_address, outward=True),
            "home_to_simd": _way(books, simd.token, outward=False),
            "home_to_alpha": _way(books, alpha.token_address, outward=False),
        },
        sent=len(books.sent),
        delivered=len(books.delivered),
        acknowledged=len(books.acknowledged),
        refunded=len(books.refunded & books.sent),
        refused=len(books.refused),
        lost=len(books.lost),
        duplicates=books.duplicates,
        unsettled=simd.unsettled() + alpha.unsettled(),
        paid_duplicates=of_simd.paid_in_vain
        + sum(count_events(chain, "Noop", "BatchCallFailed") for chain in (alpha, hub)),
        late_first_leg={"simd": of_simd.timed_out, "alpha": count_events(alpha, "TimeoutPacket")},
        late_second_leg={chain.name: _timed_out_on_hub(hub, chain.client_on_hub) for chain in (simd, alpha)},
        abroad=_conserved(*abroad),
        at_the_end=_conserved(*at_the_end),
        most_abroad={supply.chain: supply.escrow for supply in abroad},
        costs={
            "simd": RelayCost(of_simd.transactions, of_simd.gas, of_simd.fee),
            **{chain.name: cost_of(chain, network.relayers[chain.name]) for chain in (alpha, hub)},
        },
    )


def _way(books: Books, token: str, *, outward: bool) -> Way:
    """Of the packets that reached their end; the late ones are counted by themselves."""
    base = token.lower()

    def count(names: set[object]) -> int:
        return sum(isinstance(name, tuple) and name[:2] == (base, outward) for name in names)

    return Way(count(books.sent - books.refunded), count(books.delivered), count(books.acknowledged))


def _timed_out_on_hub(hub: DemoChain, client: str) -> int:
    events = hub.events(hub.router, "TimeoutPacket", hub.head())
    return sum(str(event.args.packet.sourceClient) == client for event in events)


def _conserved(of_simd: Supply, of_alpha: Supply) -> dict[str, bool]:
    """Each chain's own books: its token at home, and its vouchers of the other's."""
    return {
        "simd": of_simd.conserved_at_home and of_alpha.conserved_abroad,
        "hub": of_simd.conserved_on_hub and of_alpha.conserved_on_hub,
        "alpha": of_alpha.conserved_at_home and of_simd.conserved_abroad,
    }
