"""Case 13, finance: tokens on e1, e2 and the Cosmos chain t, of which no more exists than three of five custodians report to hold."""

from functools import partial
from hashlib import sha256

from hutong.relay.cases.assets.reserve_branch import (
    COMMITTED_SLOT,
    MAX_AGE_S,
    SLOTS,
    Branch,
    as_value,
    observe,
    open_branch,
)
from hutong.relay.cases.case import Case, CaseRun, Sizes
from hutong.relay.cases.case_feed import CaseFeed, SignedReport
from hutong.relay.cases.city_file import City

CUSTODIANS, THRESHOLD, HEARTBEAT_S, STALE_S = 5, 3, 600, 3_600
AMOUNT, SEEN_S, APART_S, REPORTED_EVERY = 1_000, 600, 180, 5
"""Custodians report again every so many mints, before their report is too old to mint on."""


def run(city: City, mints: int, run: CaseRun) -> None:
    """Report, mint up to the reserve on both EVM chains in turn, and try what must be refused."""
    issuer, stranger = city.person(5), city.person(6)
    feed = CaseFeed.of_new_signers(CUSTODIANS, THRESHOLD, HEARTBEAT_S, "reserve-usd")
    branches = tuple(open_branch(city.chain(name), feed, issuer) for name in ("e1", "e2"))
    e1, e2 = branches
    exists = there(run, city)
    for here, other in ((e1, e2), (e2, e1)):
        keys = [other.key(COMMITTED_SLOT), *([] if city.cosmos is None else [city.cosmos.record_key])]
        run.paid(here.do(here.token.functions.tell(sorted(keys, key=lambda key: sha256(key).digest()))))
    observe(city, branches)
    pause(run, feed, branches)
    reserve = mints * AMOUNT + exists
    report(run, feed, branches, reserve)
    value = e1.chain.app("feed", "IFeed").functions.read(feed.id, MAX_AGE_S).call()[0]
    run.check("a custodian who lies has no effect", value == reserve, value)
    for number in range(mints):
        if number and number % REPORTED_EVERY == 0:
            report(run, feed, branches, reserve)
        branch = branches[number % 2]
        run.paid(branch.do(branch.token.functions.commit(AMOUNT)))
        city.until(f"mint {number} is allowed", partial(branch.says, None), SEEN_S)
        run.paid(branch.do(branch.token.functions.mint(issuer.address)))
    supplies = [int(branch.token.functions.totalSupply().call()) for branch in branches]
    run.check("all of the reserve is minted, over all chains", sum(supplies) + exists == reserve, [*supplies, exists])
    run.paid(e2.do(e2.token.functions.commit(1)))
    city.until("e2 has seen the others after its promise", lambda: not e2.says("NotSeenElsewhere"), SEEN_S)
    run.refused("one unit past the reserves", e2.says("PastReserves"))
    run.paid(e2.do(e2.token.functions.commit(0)))
    said = e1.chain.refusal(stranger, e1.token.functions.commit(1))
    run.refused("a stranger who commits", said == "OnlyIssuer", said)
    time_s, reports = report(run, feed, branches, reserve)
    run.evidence.report("reported", feed.document, time_s, reports, "reserve")
    state(run, city, (feed, time_s), branches)


def there(run: CaseRun, city: City) -> int:
    """What exists on the Cosmos chain; without one the case goes on over two chains, and says so."""
    if city.cosmos is None:
        run.say(f"left out: chain t ({city.left_out.get('t', 'the city has none')})")
        return 0
    exists = city.cosmos.supply()
    run.check("the token exists on the Cosmos chain t too", exists > 0, exists)
    return exists


def pause(run: CaseRun, feed: CaseFeed, branches: tuple[Branch, ...]) -> None:
    """Without a fresh report of three custodians nothing is minted."""
    e1, pusher = branches[0], branches[0].issuer
    contract, now_s = e1.chain.app("feed", "IFeed"), e1.chain.time_s()
    run.paid(e1.do(e1.token.functions.commit(AMOUNT)))
    run.refused("minting without any report", e1.says("NothingReported"))
    old = feed.reports(now_s - STALE_S, dict.fromkeys(range(THRESHOLD), AMOUNT))
    run.paid(e1.do(feed.push(contract, now_s - STALE_S, old)))
    run.refused("minting by a stale report", e1.says("StaleRound"))
    two = feed.reports(now_s, dict.fromkeys(range(THRESHOLD - 1), AMOUNT))
    said = e1.chain.refusal(pusher, feed.push(contract, now_s, two))
    run.refused("a report by two of five custodians", said == "InvalidReportCount", said)
    run.refused("minting is still paused after it", e1.says("StaleRound"))
    run.paid(e1.do(e1.token.functions.commit(0)))


def report(run: CaseRun, feed: CaseFeed, branches: tuple[Branch, ...], reserve: int) -> tuple[int, list[SignedReport]]:
    """Three of five, one of whom lies: the median is what the others say. The same reports are good on both chains."""
    time_s = min(branch.chain.time_s() for branch in branches)
    reports = feed.reports(time_s, {0: reserve, 2: reserve, 4: 1_000 * reserve})
    for branch in branches:
        run.paid(branch.do(feed.push(branch.chain.app("feed", "IFeed"), time_s, reports)))
    return time_s, reports


def state(run: CaseRun, city: City, reported: tuple[CaseFeed, int], branches: tuple[Branch, ...]) -> None:
    """The reserve on e1, and what the hub's records say of the tokens, all of blocks from the report on."""
    (feed, since_s), evidence, e1 = reported, run.evidence, branches[0].chain
    evidence.values |= {"reserve-feed": f"0x{feed.id.hex()}", "reserve-apart-s": str(APART_S)}
    contract = e1.contracts["feed"]
    bundle = city.operator.prove("e1", contract, [feed.slot])
    word = evidence.own_slot("reserve", contract, feed.slot, bundle, e1.time_s)
    supplies, committed = {}, 0
    for branch in branches:
        chain, supply = branch.chain, int(branch.token.functions.totalSupply().call())
        evidence.contract(chain.name, "reserve-token", branch.token.address)
        for name, slot in SLOTS.items():
            wanted = (chain.hub_client, branch.token.address, slot)
            bundle = city.observed(branch.key(slot), as_value(supply), since_s, SEEN_S)
            found = evidence.observed_slot(f"{name}-{chain.name}", *wanted, bundle)
            committed += found if name == "committed" else 0
        supplies[chain.name] = str(supply)
    if city.cosmos is not None:
        token, exists = city.cosmos, city.cosmos.supply()
        bundle = city.observed(token.record_key, str(exists).encode(), since_s, SEEN_S)
        place = (token.store, token.supply_key)
        evidence.observed_key(f"supply-{token.chain}", token.hub_client, token.record_key, place, bundle)
        evidence.values["reserve-denom"] = token.denom
        supplies[token.chain], committed = str(exists), committed + exists
    evidence.conclusion = {
        "reserve": str(word & (2**128 - 1)),
        "supplies": supplies,
        "supply": str(sum(map(int, supplies.values()))),
        "committed": str(committed),
        "custodians": f"{THRESHOLD} of {CUSTODIANS}",
    }


CASE = Case(13, "reserves", "Reserves against supply", Sizes("mints", 4, 20), run)
