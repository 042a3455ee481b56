"""Case 15, transport: one ticket for a metro on p1, a bus on e2 and bikes with a signed log l. Licensed operators tell a clearing on
e1 each day's trips, count them again, and pay what is net; the metro brings home to p1 what it got."""

import secrets
from dataclasses import replace
from functools import partial

from hutong.relay.cases.anchoring import anchored, root_and_paths
from hutong.relay.cases.assets.erc20 import state_balances
from hutong.relay.cases.assets.token_lane import TokenLane
from hutong.relay.cases.case import Case, CaseRun, Sizes
from hutong.relay.cases.city_file import City
from hutong.relay.cases.credentials.desk import Desk
from hutong.relay.cases.credentials.evidence import state_credential
from hutong.relay.cases.credentials.seals import Presented, issue
from hutong.relay.cases.credentials.ticket import DEPOSIT, LICENCE, Proof, Ticket
from hutong.relay.cases.credentials.trips import OPERATORS, TRIP_BYTES, TRIPS_A_RIDER, Batches, Day, nets
from hutong.relay.cases.food_lots import window

SEED, AUTHORITY, MAX_AGE_S, ARRIVE_S, VALID_S = 15, "transport-authority", 60, 600, 10**8


def run(city: City, trips: int, run: CaseRun) -> None:
    """Join, ride, report, count, confirm and settle; on the way everything that must be refused."""
    e1, operators = city.chain("e1"), tuple(city.person(number) for number in (1, 2, 3))
    desk, authority = Desk.open(city, e1, operators[0]), city.operator.organisation(AUTHORITY)
    money = e1.deploy(operators[0], "ExampleToken", "Clearing", "CLR", len(operators) * DEPOSIT)
    gate = (desk.cache.address, MAX_AGE_S, e1.contracts["mailbox"], money.address, LICENCE)
    ticket = Ticket(city, desk, authority, e1.deploy(operators[0], "ExampleClearing", *gate), money, operators)
    shown = join(run, ticket)
    riders = tuple(secrets.token_bytes(32) for _ in range(max(3, trips // TRIPS_A_RIDER)))
    day, later = (Day(e1.time_s() // 86_400 + more, riders) for more in (0, 1))
    told = day.ridden(trips, SEED)
    owed, wrong = day.count(told)
    run.check("every trip is its rider's, and told once", not wrong, f"{trips} trips")
    same = {day.address(one) for one in range(len(riders))} & {later.address(one) for one in range(len(riders))}
    run.check("riders have other ids on the next day", not same, f"{len(riders)} riders")
    packets = [ticket.report(run, day.number, place, told[place], owed[place]) for place in range(len(OPERATORS))]
    find_wrong(run, city, ticket, day, told)
    clear(run, city, ticket, day, owed)
    for name, packet in zip(OPERATORS, packets, strict=True):
        run.evidence.message(f"report-{name}", city.bundle(packet, ARRIVE_S), "delivered")
    home = bring_home(run, city, ticket, nets(owed)[0])
    again = ticket.report(run, day.number, 1, told[1], [DEPOSIT, 0, 0])
    run.evidence.message("second-report", city.bundle(again, ARRIVE_S), "refused")
    run.evidence.message("home", city.bundle(home, ARRIVE_S), "delivered")
    state(run, city, ticket, (told, shown))
    run.refused(
        "a second report of a day", ticket.paid() == expected(owed, home=True), "the clearing refused the message"
    )
    run.evidence.conclusion = {"day": day.number, "trips": trips, "owed": owed, "net": nets(owed)}


def expected(owed: list[list[int]], *, home: bool) -> list[int]:
    """What operators have on e1 after the settlement, and after the metro brought home what it got."""
    return [DEPOSIT + (0 if home and place == 0 else net) for place, net in enumerate(nets(owed))]


def join(run: CaseRun, ticket: Ticket) -> Proof:
    """Each operator takes its place by its licence; nobody does without one, or a second place with another."""
    authority, desk, e1 = ticket.authority, ticket.desk, ticket.desk.chain
    shown: Proof = []
    until_s = e1.time_s() + VALID_S
    forged = replace(authority, signer=ticket.operators[0])
    for place, account in enumerate(ticket.operators):
        licence, false = (
            issue(by, LICENCE, authority.free_index(), {"name": OPERATORS[place]}, until_s)
            for by in (authority, forged)
        )
        if place == 0:
            said = desk.refused(run, authority, account, ticket.join(false, place, []))
            run.refused("an unlicensed operator", said == "SealNotSigned", said)
        desk.accepted(run, authority, account, partial(ticket.join, licence, place, shown))
        if place == 0:
            more = issue(authority, LICENCE, authority.free_index(), {"name": OPERATORS[0]}, until_s)
            # by another account, for which the licence was shown: nothing but the name is wrong
            said = desk.refused(run, authority, ticket.operators[1], ticket.join(more, 1, []))
            run.refused("a second place for an operator with a second licence", said == "PlaceTaken", said)
        if place:
            run.paid(e1.call(ticket.operators[0], ticket.money.functions.transfer(account.address, DEPOSIT)))
        run.paid(e1.call(account, ticket.money.functions.approve(ticket.clearing.address, DEPOSIT)))
    return shown


def find_wrong(run: CaseRun, city: City, ticket: Ticket, day: Day, told: Batches) -> None:
    """A disputed trip is shown under the metro's anchored root; a forged one is not, and whoever counts finds it, and a double."""
    p1, metro, first = city.chain("p1"), ticket.operators[0], told[0][0]
    anchor, (_, paths) = p1.app("anchor", "Anchor"), root_and_paths(told[0])
    index = anchored(run, p1, anchor, metro, told[0], window(city, anchor, metro.address))
    dearer = bytearray(first)
    dearer[28] ^= 1
    forged, double = bytes(dearer), first[:TRIP_BYTES]
    includes = [anchor.functions.includes(metro.address, index, leaf, 0, paths[0]).call() for leaf in (first, forged)]
    run.check("a disputed trip is shown by its inclusion", includes[0])
    run.refused("a forged trip, under the anchored root", not includes[1])
    for what, batch, wrong in (("a forged trip", forged, "forged"), ("a trip told twice", first + double, "duplicate")):
        _, found = day.count([[batch]])
        run.refused(f"{what}, by whoever counts", found == [wrong], found)


def clear(run: CaseRun, city: City, ticket: Ticket, day: Day, owed: list[list[int]]) -> None:
    """All confirm once all have reported; then what is net is paid, and not before."""
    e1, functions = ticket.desk.chain, ticket.clearing.functions
    city.until("all reports arrive", lambda: ticket.reported(day.number), ARRIVE_S)
    for place, account in enumerate(ticket.operators):
        said = e1.refusal(account, functions.settle(day.number))
        run.refused(f"a settlement before {OPERATORS[place]} has counted", said == "NotNow", said)
        run.paid(e1.call(account, functions.confirm(day.number, place)))
    run.paid(e1.call(ticket.operators[0], functions.settle(day.number)))
    run.check("net payments are those of the recount", ticket.paid() == expected(owed, home=False), nets(owed))


def bring_home(run: CaseRun, city: City, ticket: Ticket, amount: int) -> str:
    """The metro sends what it got to its own chain; the packet's id."""
    e1, metro = ticket.desk.chain, ticket.operators[0]
    lane = TokenLane(e1, city.chain("p1"), ticket.money)
    run.paid(e1.call(metro, lane.approve(amount)), sent := e1.call(metro, lane.send(amount, metro.address)))
    run.messages += 1
    city.until("the metro's share is on p1", lambda: lane.held_there(metro.address) == amount, ARRIVE_S)
    run.check("the metro has its share at home", lane.held_there(metro.address) == amount, amount)
    return lane.packet_of(sent)


def state(run: CaseRun, city: City, ticket: Ticket, left: tuple[Batches, list[Presented]]) -> None:
    """Every trip under the operators' reports, their licences and places, and who has the money."""
    (told, shown), evidence, e1 = left, run.evidence, ticket.desk.chain
    for place, (name, batches) in enumerate(zip(OPERATORS, told, strict=True)):
        evidence.entries(name, batches, root_and_paths(batches)[1], f"report-{name}", ticket.root_at(place))
    bundle, slots = ticket.desk.records(ticket.authority), [at.to_bytes(32, "big") for at in range(1, 7)]
    proof = city.operator.prove("e1", ticket.clearing.address, slots)
    for place, name in enumerate(OPERATORS):
        state_credential(run, city, f"licence-{name}", bundle, shown[place])
        for part, slot in (("account", slots[place]), ("source", slots[place + 3])):
            evidence.own_slot(f"{part}-{name}", ticket.clearing.address, slot, proof, e1.time_s)
        evidence.people[name] = ticket.operators[place].address
    state_balances(city, evidence, e1, ("money", ticket.money), {name: evidence.people[name] for name in OPERATORS})
    evidence.contract("e1", "clearing", ticket.clearing.address)
    evidence.values |= {"authority": ticket.authority.did, "schema": LICENCE.hex(), "deposit": str(DEPOSIT)}


CASE = Case(15, "one-ticket", "One ticket, many operators", Sizes("trips", 5_000, 100_000), run)
