"""The energy of the green certificates: who mints, sells and claims it, and what is stated of it."""

from dataclasses import dataclass

from eth_account.signers.local import LocalAccount
from web3.contract import Contract

from hutong.relay.cases.assets.erc20 import SUPPLY_SLOT, balance_slot
from hutong.relay.cases.assets.title_lane import TitleLane, state_slot
from hutong.relay.cases.assets.token_lane import TokenLane
from hutong.relay.cases.case import CaseRun
from hutong.relay.cases.case_feed import CaseFeed
from hutong.relay.cases.city_file import City

KWH, SOLD_KWH, SETTLE_S = 1_000, 750, 240
CERTIFIED_SLOT = (5).to_bytes(32, "big")
"""Of a certificate; of what is sold as tokens; `ExampleGreenRegistry.certified`."""


@dataclass(frozen=True)
class Energy:
    """Who issues, holds and claims how many certificates."""

    grid: LocalAccount
    seller: LocalAccount
    buyer: LocalAccount
    feed: CaseFeed
    registry: Contract
    lane: TitleLane
    tokens: TokenLane
    count: int

    @property
    def kwh(self) -> int:
        """All that is metered: of the certificates, and what is sold as tokens."""
        return self.count * KWH + SOLD_KWH


def state(run: CaseRun, city: City, energy: Energy, packets: list[str]) -> None:
    """Readings, the registry's sum, and each certificate's way and end."""
    evidence, lane, feed, places = run.evidence, energy.lane, energy.feed, {}
    evidence.contract("e1", "registry", energy.registry.address)
    evidence.values |= {"meter-feed": f"0x{feed.id.hex()}", "buyer-hub-client": lane.destination.client_of_hub}
    for number, packet in enumerate(packets):
        name = f"move-{number:04}"
        evidence.message(name, city.bundle(packet, SETTLE_S), "delivered")
        places[name] = state_slot(lane.id_here(number)), state_slot(lane.id_there(number))
    for chain, contract, slots in (
        ("p1", city.chain("p1").contracts["feed"], {"feed-p1": feed.slot}),
        ("e1", lane.source.contracts["feed"], {"feed-e1": feed.slot}),
        ("e1", lane.source.contracts["title"], {f"{name}-e1": here for name, (here, _) in places.items()}),
        ("e2", lane.destination.contracts["title"], {f"{name}-e2": there for name, (_, there) in places.items()}),
    ):
        bundle = city.operator.prove(chain, contract, list(slots.values()))
        for name, slot in slots.items():
            evidence.own_slot(name, contract, slot, bundle, city.chain(chain).time_s)
    claimed = [[TitleLane.local_id(number).hex(), str(KWH)] for number in range(len(packets))]
    total = str(len(packets) * KWH)
    sums = {"metered_kwh": str(energy.kwh), "minted_kwh": str(energy.kwh), "certified_kwh": total, "claimed_kwh": total}
    evidence.conclusion = sums | {"sold_kwh": str(SOLD_KWH), "claimed": claimed}


def state_tokens(run: CaseRun, city: City, energy: Energy, sale: str) -> None:
    """The sale, what is sold on e2, and then on e1 what exists, what is in certificates, and what is away."""
    evidence, registry, voucher = run.evidence, energy.registry.address, energy.tokens.voucher.address
    evidence.message("sale", city.bundle(sale, SETTLE_S), "delivered")
    evidence.contract("e2", "voucher", voucher)
    away = balance_slot(energy.tokens.here.address)
    for chain, contract, slots in (
        ("e2", voucher, {"sold": SUPPLY_SLOT}),
        ("e1", registry, {"supply": SUPPLY_SLOT, "certified": CERTIFIED_SLOT, "away": away}),
    ):
        bundle = city.operator.prove(chain, contract, list(slots.values()))
        for name, slot in slots.items():
            evidence.own_slot(name, contract, slot, bundle, city.chain(chain).time_s)
