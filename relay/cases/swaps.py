"""Case 11, finance: a bond on p1 against cash on e1. Both legs of every trade are paid or neither, whatever happens to relays."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Any

from eth_account.signers.local import LocalAccount
from web3.contract import Contract
from web3.logs import DISCARD

from hutong.relay.cases.assets.erc20 import state_balances
from hutong.relay.cases.case import Case, CaseRun, Sizes
from hutong.relay.cases.chain import CaseChain
from hutong.relay.cases.city_file import City
from hutong.relay.cases.operator import Operator

SEED, SUPPLY, TRADES_A_KILL, CHUNK = 11, 10**12, 20, 25
"""`SEED` fixes where the relay is killed, and which trades nobody funds."""
TIMEOUT_S, SETTLE_S, BUNDLE_S = 3_000, 1_800, 120
PAID, RETURNED = ENDED = 2, 3
Terms = tuple[str, str, str, str, str, int, str, int, bytes]


@dataclass(frozen=True)
class Market:
    """Leg A is the maker's bond on p1, leg B the taker's cash on e1. Routes are as `Swap` writes them."""

    p1: CaseChain
    e1: CaseChain
    maker: LocalAccount
    taker: LocalAccount
    bond: Contract
    cash: Contract

    @property
    def swaps(self) -> tuple[Contract, Contract]:
        return self.p1.app("swap", "Swap"), self.e1.app("swap", "Swap")

    @property
    def routes(self) -> tuple[str, str]:
        return f"{self.p1.client_of_hub}>{self.e1.hub_client}", f"{self.e1.client_of_hub}>{self.p1.hub_client}"

    def terms(self, number: int) -> Terms:
        """Of the trade of that number: another price each, so that totals tell trades apart."""
        maker, taker, bonds = self.maker.address, self.taker.address, 100 + number
        salt = number.to_bytes(32, "big")
        return maker, maker, taker, taker, self.bond.address, bonds, self.cash.address, 2 * bonds, salt

    def open(self, terms: Terms) -> Any:
        """The maker's call on p1."""
        timeout_s = self.e1.time_s() + TIMEOUT_S
        return self.swaps[0].functions.openForwarded(self.p1.client_of_hub, self.e1.hub_client, terms, timeout_s)

    def fund(self, terms: Terms) -> Any:
        """The taker's call on e1."""
        return self.swaps[1].functions.fund(self.routes[1], terms)

    def legs(self, terms: Terms) -> tuple[int, int]:
        """How far legs A and B are."""
        leg_a, leg_b = (
            swap.functions.stateOf(swap.functions.idOf(opened, route, terms).call()).call()
            for swap, route, opened in zip(self.swaps, self.routes, (True, False), strict=True)
        )
        return int(leg_a), int(leg_b)

    def has_ended(self, terms: Terms) -> bool:
        """Whether leg A is decided."""
        return self.legs(terms)[0] in ENDED


def run(city: City, trades: int, run: CaseRun) -> None:
    """Fund, open and settle; kill the relay on the way; then claim, count, and try what must be refused."""
    p1, e1, maker, taker = city.chain("p1"), city.chain("e1"), city.person(0), city.person(1)
    bond = p1.deploy(maker, "ExampleToken", "Bond 2036", "BOND", SUPPLY)
    cash = e1.deploy(taker, "ExampleToken", "Cash", "CASH", SUPPLY)
    market = Market(p1, e1, maker, taker, bond, cash)
    random = Random(SEED)  # noqa: S311 - a seed, not a secret
    every = [market.terms(number) for number in range(trades)]
    unfunded = set(random.sample(range(trades), max(1, trades // 10)))
    kills = dict.fromkeys(random.sample(range(trades), max(1, trades // TRADES_A_KILL)), city.operator)
    run.paid(p1.call(maker, bond.functions.approve(market.swaps[0].address, SUPPLY)))
    run.paid(e1.call(taker, cash.functions.approve(market.swaps[1].address, SUPPLY)))
    for at in range(0, trades, CHUNK):
        funded = [every[number] for number in range(at, min(at + CHUNK, trades)) if number not in unfunded]
        run.paid(*e1.receipts([e1.send(taker, market.fund(terms)) for terms in funded]))
    packets, killed = open_all(run, market, every, kills)
    run.messages = trades
    for number, terms in enumerate(every):
        city.until(f"trade {number} is settled or refunded", partial(market.has_ended, terms), SETTLE_S)
    run.check("the relay was killed while trades were under way", killed > 0, f"{killed} times")
    judge(run, market, every, unfunded)
    for number, packet in enumerate(packets):
        fate = "refused" if number in unfunded else "delivered"
        run.evidence.message(f"trade-{number:04}", city.bundle(packet, BUNDLE_S), fate)
    run.evidence.people |= (people := {"maker": maker.address, "taker": taker.address})
    counts = {"trades": trades, "settled": trades - len(unfunded), "refunded": len(unfunded)}
    run.evidence.conclusion = (
        counts
        | state_balances(city, run.evidence, p1, ("bond", bond), people | {"swap": market.swaps[0].address})
        | state_balances(city, run.evidence, e1, ("cash", cash), people | {"swap": market.swaps[1].address})
    )


def open_all(run: CaseRun, market: Market, every: list[Terms], kills: Mapping[int, Operator]) -> tuple[list[str], int]:
    """The maker opens each trade, and the relay dies at the chosen ones. Ids of the packets, and how often it died."""
    packets, killed, p1 = [], 0, market.p1
    for at in range(0, len(every), CHUNK):
        hashes = []
        for number in range(at, min(at + CHUNK, len(every))):
            hashes.append(p1.send(market.maker, market.open(every[number])))
            if number in kills:
                killed += kills[number].kill_relay()
        receipts = p1.receipts(hashes)
        run.paid(*receipts)
        for receipt in receipts:
            (event,) = market.swaps[0].events.SwapOpened().process_receipt(receipt, errors=DISCARD)
            packets.append(f"{p1.name}/{p1.client_of_hub}/{event.args.sequence}")
    return packets, killed


def judge(run: CaseRun, market: Market, every: list[Terms], unfunded: set[int]) -> None:
    """What the chains themselves say, before and after everybody claims."""
    legs, (swap_a, swap_b) = [market.legs(one) for one in every], market.swaps
    p1, e1, maker, taker = market.p1, market.e1, market.maker, market.taker
    paid = [number for number, leg in enumerate(legs) if leg == (PAID, PAID)]
    back = [number for number, (leg_a, leg_b) in enumerate(legs) if leg_a == RETURNED and leg_b != PAID]
    run.check("every trade is settled or refunded on both sides", len(paid) + len(back) == len(every), len(every))
    run.refused("trades of a taker without funds, which are refunded", set(back) == unfunded, len(back))
    done = every[paid[0]]
    for name, said in (
        ("leg A of a settled trade, opened again", p1.refusal(maker, market.open(done))),
        ("leg B of a settled trade, funded again", e1.refusal(taker, market.fund(done))),
        ("a paid leg B, taken back", e1.refusal(taker, swap_b.functions.withdraw(market.routes[1], done))),
    ):
        run.refused(name, said == "WrongState", said)
    claims = ((p1, swap_a, maker, market.bond), (p1, swap_a, taker, market.bond), (e1, swap_b, maker, market.cash))
    for chain, swap, who, token in claims:
        run.paid(chain.call(who, swap.functions.claim(who.address, token.address)))
    for name, token, swap in (("bonds", market.bond, swap_a), ("cash", market.cash, swap_b)):
        *held, left = (int(token.functions.balanceOf(one.address).call()) for one in (maker, taker, swap))
        run.check(
            f"{name}: the total is unchanged, and nothing stays in the swap",
            left == 0 and sum(held) == SUPPLY,
            held,
        )


CASE = Case(11, "swaps", "Bond against cash", Sizes("trades", 30, 500), run)
