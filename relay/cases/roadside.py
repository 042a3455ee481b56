"""Roadside units of the congestion toll: what they count in each round, two of them lying, and what the published rule makes of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

from eth_abi.abi import encode
from eth_account.signers.local import LocalAccount
from web3 import Web3
from web3.contract import Contract

from hutong.relay.cases.case_feed import CaseFeed, SignedReport
from hutong.relay.cases.chain import CaseChain

UNITS, THRESHOLD, LIARS = 7, 5, 2
"""Five of seven: two who lie have no effect whichever reports are pushed, and two may be silent."""
FREE, BASE, RATE, MAX_AGE_S = 1_000, 200, 3, 20
LIES = (-(2**127), 2**127 - 1)
READING = ["bytes32", "uint64", "int128[]", "bytes"]


def reading(feed: bytes, time_s: int, reports: Sequence[SignedReport]) -> bytes:
    """A round as it is anchored: the hash of what was pushed."""
    signatures = b"".join(one.signature for one in reports)
    return bytes(Web3.keccak(encode(READING, [feed, time_s, [one.value for one in reports], signatures])))


@dataclass
class Road:
    """What was signed and priced so far; `paid_by` pushes, as anybody may."""

    feed: CaseFeed
    e1: CaseChain
    toll: Contract
    paid_by: LocalAccount
    random: Random
    signed: list[tuple[int, list[SignedReport]]] = field(default_factory=list)
    prices: list[list[int | str]] = field(default_factory=list)
    bounded: bool = True

    @property
    def contract(self) -> Contract:
        return self.e1.app("feed", "IFeed")

    def has_come(self, time_s: int) -> bool:
        return self.e1.time_s() >= time_s

    def measure(self, time_s: int) -> None:
        """A round: five units count nearly the same, two lie; the price is what the rule makes of the median."""
        true = self.random.randrange(500, 2_500)
        liars = self.random.sample(range(UNITS), LIARS)
        honest = {place: true + self.random.randrange(-20, 21) for place in range(UNITS) if place not in liars}
        reports = self.feed.reports(time_s, honest | {place: self.random.choice(LIES) for place in liars})
        median = sorted(one.value for one in reports)[UNITS // 2]
        self.bounded &= min(honest.values()) <= median <= max(honest.values())
        self.signed.append((time_s, reports))
        self.prices.append([time_s, str(median), str(BASE + max(0, median - FREE) * RATE)])
