"""The rule of case 13: what exists of a token on e1, e2 and, where the reader names it, the Cosmos chain t, and what is promised, is
at most what custodians report to hold.

Supplies are the hub's records of both chains, the reserve is the round that stands in the feed on e1 and that the reports made.
A supply grows alone, so that what is read at the time of the report or later is no less than what there was then; how much later,
the reader says in seconds (`reserve-apart-s`), and no more than `MOST_APART_S`, the oldest report on which a token is made.
"""

from hutong.light_clients.feeds import Round
from hutong.light_clients.interface import PredicateFailed, rule
from hutong.light_clients.records import StorePlace
from hutong.relay.audit.cases.conclusion import Conclusion
from hutong.relay.audit.cases.feeds_meant import (
    id_is_given,
    report_is_of_the_feed,
    reports_made_what_stands,
    standing_round,
)
from hutong.relay.audit.cases.named import report_is_there, state_is_there
from hutong.relay.audit.cases.shown import Shown, slot_is_meant
from hutong.relay.audit.cases.statements import SPEC, ShownState
from hutong.relay.audit.cases.trust import CaseTrust
from hutong.relay.audit.inquiry import Inquiry

CASE = "reserves"
CHAINS, FEED_CHAIN, TOKEN, FEED_ID = ("e1", "e2"), "e1", "reserve-token", "reserve-feed"
SLOTS = {"supply": (2).to_bytes(32, "big"), "committed": (5).to_bytes(32, "big")}
COSMOS_CHAIN, DENOM, BANK_STORE, SUPPLY_PREFIX = "t", "reserve-denom", b"bank", b"\0"
"""Cosmos SDK: `bank/types.SupplyKey` before the denomination; the amount is decimal text."""
MAX_AMOUNT_DIGITS = 38
APART, MOST_APART_S, MAX_DIGITS = "reserve-apart-s", 900, 4


def conclude(inquiry: Inquiry, shown: Shown, trust: CaseTrust) -> Conclusion:
    """See `CaseRule`."""
    judge = inquiry.about("reserve")
    feed, apart_s = judge(id_is_given, trust, FEED_ID), judge(bound_is_given, trust)
    reserve = standing_round(judge, shown, trust, "reserve", (FEED_CHAIN, feed))
    report = judge(report_is_there, shown, "reported")
    judge(report_is_of_the_feed, report, feed)
    judge(reports_made_what_stands, report, reserve)
    found: dict[str, dict[str, int]] = {name: {} for name in SLOTS}
    for chain in CHAINS:
        for name, slot in SLOTS.items():
            judge = inquiry.about(f"{name} on {chain}")
            state = judge(state_is_there, shown, f"{name}-{chain}")
            judge(state_is_observed, state)
            judge(times_are_near, state, reserve, apart_s)
            found[name][chain] = judge(slot_is_meant, state, trust, chain, TOKEN, slot)
    if COSMOS_CHAIN in trust.chains:
        judge = inquiry.about(f"supply on {COSMOS_CHAIN}")
        state = judge(state_is_there, shown, f"supply-{COSMOS_CHAIN}")
        judge(state_is_observed, state)
        judge(times_are_near, state, reserve, apart_s)
        # what exists there is promised too: nobody mints it by promises
        for name in SLOTS:
            found[name][COSMOS_CHAIN] = judge(bank_supply_is_meant, state, trust)
    inquiry.about("sum")(supply_is_covered, found["supply"], found["committed"], reserve)
    described = report.statement.feed
    return {
        "reserve": str(reserve.value),
        "supplies": {chain: str(amount) for chain, amount in found["supply"].items()},
        "supply": str(sum(found["supply"].values())),
        "committed": str(sum(found["committed"].values())),
        "custodians": f"{reserve.count} of {len(described.signers)}",
    }


@rule(SPEC)
def state_is_observed(state: ShownState) -> None:
    """It is a record of the hub: what the hub's client of the chain shows.

    Raises:
        PredicateFailed: it is a chain's own state.
    """
    if state.statement.client is None:
        raise PredicateFailed("state_is_observed", "is not a record of the hub", got=state.statement.chain_id)


@rule(SPEC)
def bound_is_given(trust: CaseTrust) -> int:
    """How many seconds after the report a supply may have been read, as the reader's trust file says it.

    Raises:
        PredicateFailed: the text is not 1 to `MOST_APART_S`.
        MissingTrust: it is not said.
    """
    text = trust.value(APART)
    if not (text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS and 1 <= int(text) <= MOST_APART_S):
        raise PredicateFailed("bound_is_given", f"{APART} is no bound", text, f"1 to {MOST_APART_S} seconds")
    return int(text)


@rule(SPEC)
def times_are_near(state: ShownState, reserve: Round, apart_s: int) -> None:
    """What exists was read in a block that is not older than the report, and at most `apart_s` younger.

    Raises:
        PredicateFailed: it was read before the report, or too long after it.
    """
    after_s = state.statement.time_s - reserve.time_s
    if not 0 <= after_s <= apart_s:
        raise PredicateFailed(
            "times_are_near", "seconds from the report until the supply was read", after_s, f"0 to {apart_s}"
        )


@rule(SPEC)
def bank_supply_is_meant(state: ShownState, trust: CaseTrust) -> int:
    """The state is the supply of the denomination that the reader means, as the bank module of the chain keeps it, by the hub's
    client of that chain. Returns it.

    Raises:
        PredicateFailed: it is of another place, hub or client, or no amount in decimal.
        MissingTrust: the reader does not say which denomination is meant.
    """
    name, said = "bank_supply_is_meant", state.statement
    expected = StorePlace(BANK_STORE, SUPPLY_PREFIX + trust.value(DENOM).encode())
    if said.what != expected:
        raise PredicateFailed(name, "is not the supply that is asked for", said.what, expected)
    shown_by = trust.hub_chain_id, trust.chain(COSMOS_CHAIN).hub_client
    if (said.chain_id, said.client) != shown_by:
        raise PredicateFailed(name, f"is not shown of {COSMOS_CHAIN}", (said.chain_id, said.client), shown_by)
    digits = said.value or b""
    if not (digits.isdigit() and len(digits) <= MAX_AMOUNT_DIGITS):
        raise PredicateFailed(name, "is no amount in decimal", digits[:80], f"1 to {MAX_AMOUNT_DIGITS} digits")
    return int(digits)


@rule(SPEC)
def supply_is_covered(supplies: dict[str, int], committed: dict[str, int], reserve: Round) -> None:
    """What exists on a chain is within what it committed, and all commitments are within the reserve.

    Raises:
        PredicateFailed: they are not.
    """
    name = "supply_is_covered"
    for chain, supply in supplies.items():
        if supply > committed[chain]:
            raise PredicateFailed(name, f"more exists on {chain} than it committed", supply, committed[chain])
    if sum(committed.values()) > reserve.value:
        raise PredicateFailed(name, "more is committed than is held", sum(committed.values()), reserve.value)
