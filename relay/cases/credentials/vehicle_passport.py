"""Case 14, transport: the passport of a vehicle from its maker on p1 over an owner on e1 to a buyer on e2. Its mileage goes on by
entries of licensed inspectors, whose log is l, and a lien blocks the sale until it is paid."""

import secrets
from dataclasses import replace
from functools import partial

from eth_account.signers.local import LocalAccount

from hutong.relay.cases.anchoring import anchored, state_entries
from hutong.relay.cases.assets.title_lane import AWAY, LIVE
from hutong.relay.cases.case import Case, CaseRun, Sizes
from hutong.relay.cases.city_file import City
from hutong.relay.cases.cold_chain import append
from hutong.relay.cases.credentials.desk import Asked, Desk, schema_of
from hutong.relay.cases.credentials.evidence import mapping_slot, state_credential
from hutong.relay.cases.credentials.seals import Presented, SealedCredential, issue
from hutong.relay.cases.credentials.title_way import TitleWay
from hutong.relay.cases.credentials.workshop import KM, Workshop, passport_of
from hutong.relay.cases.food_lots import window

LICENCE, AUTHORITY = schema_of("vehicle-inspector-1"), "vehicle-authority"
NUMBER, LOAN, NEXT, VALID_S, MAX_AGE_S, ARRIVE_S, YEAR_S = "LHT14-", 5_000, 10_000, 10**8, 60, 300, 31_536_000
HEADS_SLOT = 1
"""`ExampleInspections.heads`."""


def run(city: City, inspections: int, run: CaseRun) -> None:
    """Make, register and inspect; pledge, pay and sell; on the way everything that must be refused."""
    p1, e1, e2 = (city.chain(name) for name in ("p1", "e1", "e2"))
    maker, owner, buyer, inspector = (city.person(number) for number in (3, 4, 5, 7))
    desk, authority = Desk.open(city, e1, inspector), city.operator.organisation(AUTHORITY)
    book = e1.deploy(inspector, "ExampleInspections", desk.cache.address, MAX_AGE_S, e1.contracts["title"], LICENCE)
    passport = passport_of((p1, e1, e2), maker.address, NUMBER + secrets.token_hex(4))
    run.paid(p1.call(maker, passport.make()))
    packets = [passport.sent(run, 0, maker, owner.address)]
    city.until("the vehicle is registered on e1", lambda: passport.state(1) == LIVE, ARRIVE_S)
    run.paid(e1.call(owner, passport.title(1).functions.setRecorder(passport.id_at(1), book.address)))
    shop = Workshop(desk, passport, book, authority, inspector, e1.time_s() - YEAR_S)
    licence = issue(authority, LICENCE, authority.free_index(), {"name": "Grace"}, e1.time_s() + VALID_S)
    shown: list[Presented] = []
    for number in range(inspections):
        desk.accepted(run, authority, inspector, partial(shop.inspect, licence, KM * (number + 1), number, shown))
    last = KM * inspections
    run.check("the mileage is that of the last inspection", passport.counter(1) == last, f"{last} km")
    refuse(run, shop, licence, last)
    entries = [shop.entry(number, licence) for number in range(inspections)]
    records = write_down(run, city, inspector, entries)
    pledge(run, city, passport, owner, buyer)
    packets.append(passport.sent(run, 1, owner, buyer.address))
    city.until("the vehicle is the buyer's on e2", lambda: passport.state(2) == LIVE, ARRIVE_S)
    run.check("its mileage came along", passport.counter(2) == last, f"{last} km")
    for what, call in (
        ("sold", passport.title(1).functions.transfer(passport.id_at(1), buyer.address)),
        ("moved", passport.move(1, buyer.address)),
    ):
        said = e1.refusal(owner, call)
        run.refused(f"a vehicle that left e1, {what} there again", said == "NotLive", said)
    city.until("p1 and e1 know that it is away", lambda: [passport.state(at) for at in (0, 1)] == [AWAY] * 2, ARRIVE_S)
    for name, packet in zip(("made", "sold"), packets, strict=True):
        run.evidence.message(name, city.bundle(packet, ARRIVE_S), "delivered")
    state_entries(run, city, p1, p1.app("anchor", "Anchor"), inspector, records, "entry", entries)
    state(run, city, shop, licence)
    run.evidence.people |= {"maker": maker.address, "buyer": buyer.address, "inspector": inspector.address}
    run.evidence.values["anchor"] = str(records)
    run.evidence.conclusion = {"inspections": inspections, "mileage_km": str(last), "content": passport.content.hex()}


def refuse(run: CaseRun, shop: Workshop, licence: SealedCredential, last: int) -> None:
    """A mileage that goes down, and entries of somebody whose licence nobody gave, or who has another's."""
    desk, authority = shop.desk, shop.authority
    shown: list[Presented] = []
    self_made = replace(authority, signer=shop.inspector)
    forged = issue(self_made, LICENCE, authority.free_index(), {"name": "Mallory"}, int(licence.said["notAfter"]))
    stolen = replace(licence, holder=shop.inspector)
    for what, one, mileage, error in (
        ("a mileage that goes down", licence, last - 1, "CounterWentBack"),
        ("an entry of an unlicensed inspector", forged, last + 1, "SealNotSigned"),
        ("an entry under somebody else's licence", stolen, last + 1, "HolderNotSigned"),
    ):
        said = desk.refused(run, authority, shop.inspector, shop.inspect(one, mileage, NEXT, shown))
        run.refused(what, said == error, said)


def write_down(run: CaseRun, city: City, inspector: LocalAccount, entries: list[bytes]) -> int:
    """The entries in the inspectors' log l, and their root on p1; the index of the anchor."""
    places, p1 = append(city, entries), city.chain("p1")
    run.check("the log l holds every entry in its order", places == sorted(set(places)), f"{len(places)}")
    anchor = p1.app("anchor", "Anchor")
    return anchored(run, p1, anchor, inspector, entries, window(city, anchor, inspector.address))


def pledge(run: CaseRun, city: City, passport: TitleWay, owner: LocalAccount, buyer: LocalAccount) -> None:
    """A lender has a lien until the loan is paid: nothing is sold or moved meanwhile."""
    e1, lender, functions, one = city.chain("e1"), city.person(6), passport.title(1).functions, passport.id_at(1)
    money = e1.deploy(owner, "ExampleToken", "Cash", "CASH", LOAN)
    run.paid(e1.call(owner, functions.pledge(one, lender.address)))
    for what, call in (("sold", functions.transfer(one, buyer.address)), ("moved", passport.move(1, buyer.address))):
        said = e1.refusal(owner, call)
        run.refused(f"a vehicle under a lien, {what}", said == "UnderLien", said)
    run.paid(e1.call(owner, money.functions.transfer(lender.address, LOAN)))
    run.check("the loan is paid", money.functions.balanceOf(lender.address).call() == LOAN)
    run.paid(e1.call(lender, functions.releaseLien(one)))


def state(run: CaseRun, city: City, shop: Workshop, licence: SealedCredential) -> None:
    """The title on each chain, the book over all entries, and the licence under which they were written."""
    passport, evidence = shop.passport, run.evidence
    for at, chain in enumerate(passport.way):
        slots, address = passport.slots(at), chain.contracts["title"]
        proof = city.operator.prove(chain.name, address, slots)
        for part, slot in zip(("title", "lien"), slots, strict=True):
            evidence.own_slot(f"{part}-{chain.name}", address, slot, proof, chain.time_s)
    slot, e1 = mapping_slot(passport.id_at(1), HEADS_SLOT), shop.desk.chain
    evidence.own_slot("book", shop.book.address, slot, city.operator.prove("e1", shop.book.address, [slot]), e1.time_s)
    evidence.contract("e1", "book", shop.book.address)
    arguments = (passport.id_at(1), 0, shop.began_s)
    asked = Asked(shop.book, "inspect", ("bytes32", "uint128", "uint64"), arguments, shop.inspector, NEXT)
    presented = shop.desk.present(licence, shop.authority, (), asked)
    state_credential(run, city, "licence", shop.desk.records(shop.authority), presented)
    evidence.values |= {"authority": shop.authority.did, "schema": LICENCE.hex()}
    evidence.values |= {"hub-at-e1": e1.client_of_hub, "hub-at-e2": passport.way[2].client_of_hub}


CASE = Case(14, "vehicle-passport", "Vehicle passport", Sizes("inspections", 3, 40), run)
