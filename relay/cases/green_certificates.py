"""Case 23, energy: tokens on e1 for energy that meters and grid reported on p1, sold to e2 as tokens and as certificates, which are
claimed once."""

from functools import partial

from hutong.relay.cases.assets.energy import KWH, SETTLE_S, SOLD_KWH, Energy, state, state_tokens
from hutong.relay.cases.assets.title_lane import AWAY, LIVE, RETIRED, TitleLane
from hutong.relay.cases.assets.token_lane import TokenLane
from hutong.relay.cases.case import Case, CaseRun, Sizes
from hutong.relay.cases.case_feed import CaseFeed, SignedReport
from hutong.relay.cases.chain import CaseChain
from hutong.relay.cases.city_file import City

METERS, THRESHOLD, HEARTBEAT_S, MAX_AGE_S, CHUNK = 3, 2, 60, 900, 20


def run(city: City, certificates: int, run: CaseRun) -> None:
    """Meter, issue, move, claim; on the way everything that must be refused."""
    e1, e2, grid = city.chain("e1"), city.chain("e2"), city.person(2)
    feed = CaseFeed.of_new_signers(METERS, THRESHOLD, HEARTBEAT_S, "wind-farm-kwh")
    contracts = (e1.contracts["feed"], feed.id, e1.contracts["title"], MAX_AGE_S, grid.address)
    registry = e1.deploy(grid, "ExampleGreenRegistry", *contracts)
    lane = TitleLane(e1, e2, registry.address)
    tokens = TokenLane(e1, e2, registry)
    energy = Energy(grid, city.person(3), city.person(4), feed, registry, lane, tokens, certificates)
    time_s, reports = meter(run, city.chain("p1"), energy)
    mint(run, energy)
    sale = sell(run, energy)
    packets = deliver(run, city, energy)
    claim(run, city, energy)
    state(run, city, energy, packets)
    state_tokens(run, city, energy, sale)
    run.evidence.report("metered", feed.document, time_s, reports, "feed-e1")


def meter(run: CaseRun, p1: CaseChain, energy: Energy) -> tuple[int, list[SignedReport]]:
    """All energy so far, as two meters and the grid report it: on p1, and the same reports on e1."""
    feed, e1, kwh = energy.feed, energy.lane.source, energy.kwh
    time_s = min(p1.time_s(), e1.time_s())
    reports = feed.reports(time_s, {0: kwh, 1: kwh + 3, 2: kwh - 2})
    there, here = p1.app("feed", "IFeed"), e1.app("feed", "IFeed")
    for name, pushed, error in (
        ("a report by one signer", reports[:1], "InvalidReportCount"),
        ("a doubled meter reading", [reports[0], reports[0]], "SignersNotAscending"),
    ):
        said = p1.refusal(energy.grid, feed.push(there, time_s, pushed))
        run.refused(name, said == error, said)
    run.paid(p1.call(energy.grid, feed.push(there, time_s, reports)))
    run.paid(e1.call(energy.grid, feed.push(here, time_s, reports)))
    doubled = feed.reports(time_s, dict.fromkeys(range(METERS), 2 * kwh))
    run.paid(e1.call(energy.grid, feed.push(here, time_s, doubled)))
    metered = here.functions.read(feed.id, MAX_AGE_S).call()[0]
    run.check("metered on e1 as on p1", metered == there.functions.latest(feed.id).call()[0] == kwh, metered)
    run.refused("a second reading for one round adds nothing", metered == kwh, metered)
    return time_s, reports


def mint(run: CaseRun, energy: Energy) -> None:
    """All of the metered energy as tokens, to the last kWh, and not one more; then certificates of them."""
    functions, e1, seller = energy.registry.functions, energy.lane.source, energy.seller
    said = e1.refusal(seller, functions.mint(seller.address, KWH))
    run.refused("only the grid mints", said == "OnlyGrid", said)
    run.paid(e1.call(energy.grid, functions.mint(seller.address, energy.kwh)))
    said = e1.refusal(energy.grid, functions.mint(seller.address, 1))
    run.refused("one kWh more than metered", said == "MoreThanMetered", said)
    for at in range(0, energy.count, CHUNK):
        ids = [TitleLane.local_id(number) for number in range(at, min(at + CHUNK, energy.count))]
        run.paid(*e1.receipts([e1.send(seller, functions.certify(one, KWH)) for one in ids]))
    minted, left = int(functions.minted().call()), int(functions.balanceOf(seller.address).call())
    run.check("minted, as tokens and as certificates, is what was metered", minted == energy.kwh, f"{minted} kWh")
    run.check("a kWh is a token or in a certificate", left == SOLD_KWH, f"{left} kWh are tokens")


def sell(run: CaseRun, energy: Energy) -> str:
    """The seller sends what is left as tokens to the buyer; then it is in no certificate any more. The packet's id."""
    e1, seller, tokens, certify = energy.lane.source, energy.seller, energy.tokens, energy.registry.functions.certify
    run.paid(
        e1.call(seller, tokens.approve(SOLD_KWH)), sent := e1.call(seller, tokens.send(SOLD_KWH, energy.buyer.address))
    )
    run.messages += 1
    said = e1.refusal(seller, certify(TitleLane.local_id(energy.count), 1))
    run.refused("a certificate of a kWh that was sold as a token", said == "ERC20InsufficientBalance", said)
    return tokens.packet_of(sent)


def deliver(run: CaseRun, city: City, energy: Energy) -> list[str]:
    """The seller sends every certificate to the buyer; ids of the packets."""
    packets, lane, count = [], energy.lane, energy.count
    for at in range(0, count, CHUNK):
        moves = [lane.move(number, energy.buyer.address) for number in range(at, min(at + CHUNK, count))]
        receipts = lane.source.receipts([lane.source.send(energy.seller, move) for move in moves])
        run.paid(*receipts)
        packets += [lane.packet_of(receipt) for receipt in receipts]
    run.messages += count
    city.until("all certificates arrive on e2", lambda: lane.all_are(LIVE, count, there=True), SETTLE_S)
    held = partial(energy.tokens.held_there, energy.buyer.address)
    city.until("the tokens arrive on e2", lambda: held() > 0, SETTLE_S)
    run.check("the tokens are the buyer's on e2", held() == SOLD_KWH, f"{held()} kWh")
    run.check("every certificate is the buyer's on e2", lane.all_are(LIVE, count, there=True))
    return packets


def claim(run: CaseRun, city: City, energy: Energy) -> None:
    """The buyer claims each by retiring it; then it is neither claimed nor moved nor sold again."""
    lane, e1, e2, count = energy.lane, energy.lane.source, energy.lane.destination, energy.count
    retired = lane.there.functions.retire
    for at in range(0, count, CHUNK):
        calls = [retired(lane.id_there(number)) for number in range(at, min(at + CHUNK, count))]
        run.paid(*e2.receipts([e2.send(energy.buyer, call) for call in calls]))
    run.check("every certificate is claimed", lane.all_are(RETIRED, count, there=True))
    city.until("e1 knows that all are away", lambda: lane.all_are(AWAY, count), SETTLE_S)
    here, one = lane.here.functions, lane.id_here(0)
    for name, chain, who, call in (
        ("claimed again on e2", e2, energy.buyer, retired(lane.id_there(0))),
        ("claimed again on e1", e1, energy.seller, here.retire(one)),
        ("sold again on e1", e1, energy.seller, here.transfer(one, energy.grid.address)),
        ("moved again from e1", e1, energy.seller, lane.move(0, energy.buyer.address)),
    ):
        said = chain.refusal(who, call)
        run.refused(f"a claimed certificate, {name}", said == "NotLive", said)


CASE = Case(23, "green-certificates", "Green certificates", Sizes("certificates", 10, 100), run)
