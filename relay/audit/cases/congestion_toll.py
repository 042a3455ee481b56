"""Case 16, congestion toll: every price of a day is what the published rule makes of what the roadside units reported.

Shown: the feed's slot, the toll contract's two words, and the signed reports of every round, all on e1; the message that
tells a board on e2 the price; the city's anchor on p1, and under it a hash of each round's reports (`reading-root`,
`reading-window`, `reading-0000` on). The reader says the feed's id, the rule's four numbers, the contracts and the city.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hutong.light_clients.crypto import keccak256
from hutong.light_clients.feeds import Round
from hutong.light_clients.ibc.abi import decode_canonical, encode_abi
from hutong.light_clients.ibc.gmp import GMP_PORT, decode_gmp
from hutong.light_clients.interface import Judge, PredicateFailed, rule
from hutong.relay.audit.cases.anchored import judge_window
from hutong.relay.audit.cases.conclusion import Conclusion
from hutong.relay.audit.cases.feeds_meant import (
    id_is_given,
    report_is_of_the_feed,
    reports_made_what_stands,
    standing_round,
)
from hutong.relay.audit.cases.named import message_is_there, state_is_there
from hutong.relay.audit.cases.numbered import statements_are_numbered
from hutong.relay.audit.cases.readings import readings_are_anchored
from hutong.relay.audit.cases.shown import Shown, message_is_between, slot_is_meant
from hutong.relay.audit.cases.statements import SPEC, Fate, ShownMessage, ShownReport
from hutong.relay.audit.cases.trust import CaseTrust
from hutong.relay.audit.inquiry import Inquiry

CASE = "congestion-toll"
TOLL_CHAIN, BOARD_CHAIN = "e1", "e2"
DAY_SLOT, PRICE_SLOT = bytes(32), (1).to_bytes(32, "big")
_DAY_TYPES = ("bytes32", "uint64", "int128", "uint128")
_UINT128, _UINT64 = 2**128 - 1, 2**64 - 1
MAX_DIGITS = 39


@dataclass(frozen=True, slots=True)
class TollRule:
    """`free` vehicles an hour cost `base`, each one more adds `rate`, in cents; a price is stale after `max_age_s`."""

    free: int
    base: int
    rate: int
    max_age_s: int

    def price(self, flow: int) -> int:
        """In cents, of so many vehicles an hour."""
        return self.base + max(0, flow - self.free) * self.rate


@rule(SPEC)
def rule_is_given(trust: CaseTrust) -> TollRule:
    """The published rule, as the reader's trust file says it: `free/base/rate/max age`.

    Raises:
        PredicateFailed: the text is malformed.
        MissingTrust: it is not said.
    """
    text = trust.value("toll-rule")
    parts = text.split("/")
    if len(parts) != 4 or not all(part.isdecimal() and part.isascii() and len(part) <= MAX_DIGITS for part in parts):
        raise PredicateFailed("rule_is_given", "toll-rule is no rule", text, "free/base/rate/max age")
    return TollRule(*map(int, parts))


@rule(SPEC)
def rounds_ascend(rounds: Sequence[Round]) -> None:
    """Each round is later than the one before, so that none is there twice.

    Raises:
        PredicateFailed: one is not later.
    """
    times = [made.time_s for made in rounds]
    if times != sorted(set(times)):
        raise PredicateFailed("rounds_ascend", "rounds do not ascend in time", times[:10])


@rule(SPEC)
def day_is_recomputed(rounds: Sequence[Round], published: TollRule, day: int, price_word: int) -> list[int]:
    """The toll contract's words are what the rule makes of these rounds: each price, their order, and how many there are.

    Returns the prices in cents.

    Raises:
        PredicateFailed: a round is missing, too many, or another; or the contract followed another rule.
    """
    name, running, prices = "day_is_recomputed", bytes(32), [published.price(made.value) for made in rounds]
    for made, price in zip(rounds, prices, strict=True):
        if price > _UINT128:
            raise PredicateFailed(name, "the rule makes a price that no contract can hold", price, _UINT128)
        running = keccak256(encode_abi(_DAY_TYPES, (running, made.time_s, made.value, price)))
    if running != day.to_bytes(32, "big"):
        raise PredicateFailed(name, "the day's prices are others", running, day.to_bytes(32, "big"))
    last = (prices[-1], rounds[-1].time_s, len(rounds))
    stands = (price_word & _UINT128, price_word >> 128 & _UINT64, price_word >> 192)
    if stands != last:
        raise PredicateFailed(name, "another price stands", stands, last)
    return prices


@rule(SPEC)
def announced_by_the_toll(message: ShownMessage, trust: CaseTrust) -> tuple[int, int]:
    """The message is the toll contract's, to the board that the reader means, and arrived. Returns price and time.

    Raises:
        PredicateFailed: it is of another sender, port or receiver, or did not arrive.
        MalformedInput: it says no price.
        MissingTrust: the reader does not say which contracts are meant.
    """
    name, said = "announced_by_the_toll", message.said
    if message.statement.fate is not Fate.DELIVERED or (said.source_port, said.destination_port) != (
        GMP_PORT,
        GMP_PORT,
    ):
        raise PredicateFailed(name, "is no message that arrived", (message.statement.fate, said.destination_port))
    packet = decode_gmp(said.value)
    meant = [
        f"0x{trust.chain(chain).contract(contract).hex()}"
        for chain, contract in ((TOLL_CHAIN, "toll"), (BOARD_CHAIN, "board"))
    ]
    found = [packet.sender, packet.receiver.lower()]
    if found != meant:
        raise PredicateFailed(name, "is between other contracts", found, meant)
    price, time_s = decode_canonical(["uint128", "uint64"], packet.payload, "announced", 64)
    return price, time_s


@rule(SPEC)
def announced_is_of_the_day(announced: tuple[int, int], rounds: Sequence[Round], prices: Sequence[int]) -> None:
    """What was announced, price and time, is one of the day's prices: the reader sees of which round.

    Raises:
        PredicateFailed: it is of a round that the evidence does not show.
    """
    made = {(price, one.time_s) for one, price in zip(rounds, prices, strict=True)}
    if announced not in made:
        raise PredicateFailed("announced_is_of_the_day", "no round of the day has that price", announced)


def conclude(inquiry: Inquiry, shown: Shown, trust: CaseTrust) -> Conclusion:
    """The day's prices, what was announced, and whether the last price was stale when it was looked at.

    Raises:
        VerificationError: the first rule that does not hold.
        MissingTrust: the reader does not say which chain, contract, feed or rule is meant.
    """
    judge = inquiry.about("toll")
    feed, published = judge(id_is_given, trust, "toll-feed"), judge(rule_is_given, trust)
    stands = standing_round(judge, shown, trust, "feed", (TOLL_CHAIN, feed))
    rounds = _rounds(judge, shown, feed, stands)
    window, readings = judge_window(inquiry, shown, trust, "reading", "readings", "city", "readings")
    said = [one.statement for one in shown.of_kind(ShownReport).values()]
    inquiry.about("readings")(readings_are_anchored, readings, said, window)
    day = judge(state_is_there, shown, "day")
    price = judge(state_is_there, shown, "price")
    prices = judge(
        day_is_recomputed,
        rounds,
        published,
        judge(slot_is_meant, day, trust, TOLL_CHAIN, "toll", DAY_SLOT),
        judge(slot_is_meant, price, trust, TOLL_CHAIN, "toll", PRICE_SLOT),
    )
    message = judge(message_is_there, shown, "announced")
    judge(message_is_between, message, trust, TOLL_CHAIN, BOARD_CHAIN)
    announced = judge(announced_by_the_toll, message, trust)
    judge(announced_is_of_the_day, announced, rounds, prices)
    return _concluded(rounds, prices, announced, price.statement.time_s - rounds[-1].time_s >= published.max_age_s)


def _rounds(judge: Judge, shown: Shown, feed: bytes, stands: Round) -> list[Round]:
    named = shown.of_kind(ShownReport)
    judge(statements_are_numbered, named, "round")
    reports = list(named.values())
    for report in reports:
        judge.tacitly(report_is_of_the_feed, report, feed)
    rounds = [report.made for report in reports]
    judge(rounds_ascend, rounds)
    judge(reports_made_what_stands, reports[-1], stands)
    return rounds


def _concluded(
    rounds: Sequence[Round], prices: Sequence[int], announced: tuple[int, int], stale: bool
) -> dict[str, Any]:
    return {
        "prices": [[made.time_s, str(made.value), str(price)] for made, price in zip(rounds, prices, strict=True)],
        "announced": [announced[1], str(announced[0])],
        "last_is_stale": stale,
    }
