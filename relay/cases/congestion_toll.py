"""Case 16, transport: a toll on e1 follows a published rule over seven roadside units, and a board on e2 shows it."""

from functools import partial
from random import Random

from web3.contract import Contract
from web3.logs import DISCARD

from hutong.relay.cases.anchoring import anchored, root_and_paths, state_entries
from hutong.relay.cases.case import Case, CaseRun, Sizes
from hutong.relay.cases.case_feed import CaseFeed, SignedReport
from hutong.relay.cases.chain import CaseChain
from hutong.relay.cases.city_file import City
from hutong.relay.cases.roadside import BASE, FREE, MAX_AGE_S, RATE, THRESHOLD, UNITS, Road, reading

SEED, CHUNK = 16, 10
GAS, AHEAD_S, SETTLE_S, DAY_SLOT, PRICE_SLOT = 400_000, 30, 180, bytes(32), (1).to_bytes(32, "big")


def run(city: City, rounds: int, run: CaseRun) -> None:
    """A day of rounds, then the announcement, what must be refused, silence, and the evidence."""
    e1, e2, p1, driver, owner = city.chain("e1"), city.chain("e2"), city.chain("p1"), city.person(0), city.person(1)
    feed = CaseFeed.of_new_signers(UNITS, THRESHOLD, MAX_AGE_S, "toll-ring-2")
    mailbox, rule = e1.contracts["mailbox"], [FREE, BASE, RATE]
    toll = e1.deploy(driver, "ExampleToll", e1.contracts["feed"], feed.id, mailbox, MAX_AGE_S, rule)
    told_by = (e2.contracts["mailbox"], e1.hub_client, toll.address.lower())
    board = e2.deploy(owner, "ExampleTollBoard", *told_by, MAX_AGE_S)
    road = Road(feed, e1, toll, driver, Random(SEED))  # noqa: S311 - a seed, not a secret
    drive(run, city, road, rounds)
    run.check("two units that lie have no effect", road.bounded)
    refuse(run, road)
    there, here = p1.app("feed", "IFeed"), road.contract
    run.paid(p1.call(owner, feed.push(there, *road.signed[-1])))
    same = there.functions.latest(feed.id).call() == here.functions.latest(feed.id).call()
    run.check("the same reports are good on the city's own chain", same)
    packet = announce(run, city, road, (e2, board))
    fall_silent(run, city, road, board)
    state(run, city, road, board, packet)
    keep_readings(run, city, road)


def drive(run: CaseRun, city: City, road: Road, rounds: int) -> None:
    """Push and price each round; signers' clocks may run ahead of the chain's by less than a minute."""
    sent, time_s = [], road.e1.time_s()
    for number in range(rounds):
        road.measure(time_s + number)
        calls = road.feed.push(road.contract, *road.signed[-1]), road.toll.functions.update()
        sent += [road.e1.send(road.paid_by, call, GAS) for call in calls]
        if number % CHUNK == CHUNK - 1 or number == rounds - 1:
            run.paid(*road.e1.receipts(sent))
            sent.clear()
            city.until("the chain's clock goes on", partial(road.has_come, time_s + number - AHEAD_S), SETTLE_S)
    price, last_s, _ = road.toll.functions.quote().call()
    run.check(f"{rounds} prices follow the rule", [last_s, str(price)] == road.prices[-1][::2], price)


def refuse(run: CaseRun, road: Road) -> None:
    """What no pusher can do."""
    feed, later_s = road.feed, road.signed[-1][0] + 1
    reports = feed.reports(later_s, dict.fromkeys(range(UNITS), 900))
    other = feed.reports(later_s - 1, dict.fromkeys(range(UNITS), 900))
    changed = [SignedReport(9_999, reports[0].signature), *reports[1:]]
    for name, pushed, errors in (
        ("four units of seven are silent: no round", reports[:3], ("InvalidReportCount",)),
        ("a unit counts once", [reports[0], *reports[:4]], ("SignersNotAscending",)),
        ("reports of another round are none of this one", other, ("NotSigner", "SignersNotAscending")),
        ("a value that its unit did not sign", changed, ("NotSigner", "SignersNotAscending")),
    ):
        said = road.e1.refusal(road.paid_by, feed.push(road.contract, later_s, pushed))
        run.refused(name, said in errors, said)


def announce(run: CaseRun, city: City, road: Road, shown: tuple[CaseChain, Contract]) -> str:
    """The toll contract tells the board the price over the hub; the packet's id."""
    (e2, board), e1 = shown, road.e1
    said = road.toll.functions.announce(e2.hub_client, board.address.lower(), e2.time_s() + 3_600)
    run.paid(receipt := e1.call(road.paid_by, said))
    run.messages += 1
    (event,) = e1.app("mailbox", "IMailbox").events.MessageSent().process_receipt(receipt, errors=DISCARD)
    last_s = road.signed[-1][0]
    city.until("the board shows the price", lambda: board.functions.quote().call()[1] == last_s, SETTLE_S)
    run.check("the board on e2 shows the toll's price", str(board.functions.quote().call()[0]) == road.prices[-1][2])
    return f"{e1.name}/{e1.client_of_hub}/{event.args.sequence}"


def fall_silent(run: CaseRun, city: City, road: Road, board: Contract) -> None:
    """Until the last price is stale."""
    last_s = road.signed[-1][0]
    city.until("the last round grows old", partial(road.has_come, last_s + MAX_AGE_S + 2), SETTLE_S)
    price, of_s, stale = road.toll.functions.quote().call()
    run.check("the old price stays and is marked stale", stale and [of_s, str(price)] == road.prices[-1][::2])
    run.check("on the board too", board.functions.quote().call()[2] is True)
    said = road.e1.refusal(road.paid_by, road.contract.functions.read(road.feed.id, MAX_AGE_S))
    made = road.e1.refusal(road.paid_by, road.toll.functions.update())
    run.refused("a stale round is not read, and makes no price", said == "StaleRound" and made is not None, said)


def state(run: CaseRun, city: City, road: Road, board: Contract, packet: str) -> None:
    """Everything that the day's prices are recomputed from."""
    evidence, e1 = run.evidence, road.e1
    evidence.contract("e1", "toll", road.toll.address)
    evidence.contract("e2", "board", board.address)
    evidence.values |= {"toll-feed": f"0x{road.feed.id.hex()}", "toll-rule": f"{FREE}/{BASE}/{RATE}/{MAX_AGE_S}"}
    feed, tolls = {"feed": road.feed.slot}, {"day": DAY_SLOT, "price": PRICE_SLOT}
    for address, slots in ((road.contract.address, feed), (road.toll.address, tolls)):
        bundle = city.operator.prove("e1", address, list(slots.values()))
        for name, slot in slots.items():
            evidence.own_slot(name, address, slot, bundle, e1.time_s)
    for number, (time_s, reports) in enumerate(road.signed):
        evidence.report(f"round-{number:04}", road.feed.document, time_s, reports, "feed")
    evidence.message("announced", city.bundle(packet, SETTLE_S), "delivered")
    evidence.conclusion = {"prices": road.prices, "announced": road.prices[-1][::2], "last_is_stale": True}


def keep_readings(run: CaseRun, city: City, road: Road) -> None:
    """The city anchors the day's readings on its own chain: what prices are recomputed from is then nobody's to change."""
    p1, owner, times = city.chain("p1"), city.person(1), [time_s for time_s, _ in road.signed]
    city.until("the day is over on p1 too", lambda: p1.time_s() > times[-1], SETTLE_S)
    leaves, anchor = [reading(road.feed.id, *one) for one in road.signed], p1.deploy(owner, "Anchor")
    index = anchored(run, p1, anchor, owner, leaves, (times[0], times[-1] + 1))
    _, paths = root_and_paths(leaves)
    held = [
        anchor.functions.includes(owner.address, index, leaf, at, paths[at]).call() for at, leaf in enumerate(leaves)
    ]
    run.check("every round of the day is under the city's anchored root", all(held), f"{len(held)} rounds")
    time_s, reports = road.signed[0]
    other = reading(road.feed.id, time_s, reports[1:])
    found = anchor.functions.includes(owner.address, index, other, 0, paths[0]).call()
    run.refused("a reading that was altered is not under it", not found)
    late = p1.refusal(owner, anchor.functions.anchor(bytes([1]) * 32, 1, times[0], times[-1] + 1))
    run.refused("another day of the same time", late == "WindowGoesBack", late)
    state_entries(run, city, p1, anchor, owner, index, "reading", leaves)
    run.evidence.contract("p1", "readings", anchor.address)
    run.evidence.people["city"] = owner.address
    run.evidence.values["readings"] = str(index)


CASE = Case(16, "congestion-toll", "Congestion toll", Sizes("rounds", 24, 288), run)
