"""Case 21, trade: a bill of lading of a licensed carrier on p1, sold by an exporter on e1 to a bank on e2 against payment, and
surrendered to the carrier, who then releases the cargo. Customs on e1 sees what is declared, and nothing else."""

from dataclasses import replace
from functools import partial

from web3.contract import Contract

from hutong.relay.cases.assets.erc20 import state_balances
from hutong.relay.cases.assets.title_lane import AWAY, LIVE
from hutong.relay.cases.case import Case, CaseRun, Sizes
from hutong.relay.cases.city_file import City
from hutong.relay.cases.credentials.evidence import mapping_slot, state_credential
from hutong.relay.cases.credentials.seals import Claim, Presented, issue
from hutong.relay.cases.credentials.trade import DECLARED, LICENCE, MANIFEST, PRICE, Trade

AUTHORITY, ARRIVE_S, SALE_S, GOODS, KG, VALUE = "port-authority", 300, 3_000, "0901.21", 18_400, 95_000
PAID_SLOT, PRICE_SLOT, DECLARED_SLOT, RELEASED_SLOT = 1, 5, 1, 0
"""`ExampleLetterOfCredit.paidFor` and its price, `ExampleCustoms.declared`, `ExampleCargo.releasedTo`."""
Proof = list[Presented]


def run(city: City, bills: int, run: CaseRun) -> None:
    """Ship, sell and release cargoes, one after another; the evidence is of the last."""
    for left in reversed(range(bills)):
        trade = Trade.begin(city, city.operator.organisation(AUTHORITY))
        letters = (trade.credit(run, trade.bill, SALE_S), trade.credit(run, trade.late, 0))
        packets, presented = ship(run, city, trade, letters)
        if left == 0:
            state(run, city, trade, letters)
            for name, packet in packets.items():
                run.evidence.message(name, city.bundle(packet, ARRIVE_S), "delivered")
            records = trade.desk.records(trade.authority)
            for name, one in presented.items():
                state_credential(run, city, name, records, one)


def ship(
    run: CaseRun, city: City, trade: Trade, letters: tuple[Contract, Contract]
) -> tuple[dict[str, str], dict[str, Presented]]:
    """Ship and declare; sell against payment; surrender and release; beside it a bill that comes too late."""
    bill, late, (letter, overdue), p1 = trade.bill, trade.late, letters, city.chain("p1")
    for title in (bill, late):
        run.paid(p1.call(trade.carrier, title.make()))
    packets = {"shipped": bill.sent(run, 0, trade.carrier, trade.exporter.address)}
    packets["late"] = late.sent(run, 0, trade.carrier, overdue.address)
    presented = {"manifest": declare(run, trade)}
    city.until("the bill is the exporter's on e1", lambda: bill.state(1) == LIVE, ARRIVE_S)
    packets["sold"] = bill.sent(run, 1, trade.exporter, letter.address)
    city.until("the bill is at the bank's on e2", lambda: bill.state(2) == LIVE, ARRIVE_S)
    presented["licence"] = pay(run, trade, letter)
    refuse(run, trade, letter)
    too_late(run, city, trade, overdue)
    packets["surrendered"] = bill.sent(run, 2, trade.bank, trade.cargo.address)
    city.until("the bill is back at the carrier's on p1", lambda: bill.state(3) == LIVE, ARRIVE_S)
    run.paid(p1.call(trade.bank, trade.cargo.functions.release(bill.id_at(3))))
    got = trade.cargo.functions.releasedTo(bill.id_at(3)).call()
    run.check("the cargo is released after payment and surrender", got == trade.bank.address)
    run.refused("the cargo released again", (said := trade.cargo_refusal()) == "NotLive", said)
    city.until(
        "every chain knows that the bill is away", lambda: [bill.state(at) for at in range(3)] == [AWAY] * 3, ARRIVE_S
    )
    return packets, presented


def declare(run: CaseRun, trade: Trade) -> Presented:
    """Customs is shown code and weight of the goods, and not their value or to whom they go."""
    authority, border, e1 = trade.authority, trade.border, trade.border.chain
    claims: dict[str, Claim] = {"goods_code": GOODS, "weight_kg": KG, "value": VALUE, "consignee": "Red Star Coffee"}
    manifest = issue(authority, MANIFEST, authority.free_index(), claims, e1.time_s() + SALE_S)
    shown: Proof = []
    receipt = border.accepted(run, authority, trade.exporter, partial(trade.declare, manifest, DECLARED, shown))
    (declared,) = shown
    data = bytes(e1.web3.eth.get_transaction(receipt["transactionHash"])["input"])
    hidden = not any(salt in data for name, salt in manifest.salts.items() if name not in DECLARED)
    run.check("customs sees the declared fields only", hidden and b"Red Star" not in data)
    said = border.refused(run, authority, trade.exporter, trade.declare(manifest, (*DECLARED, "value"), shown))
    run.refused("a declaration that shows the value too", said == "TooMuchShown", said)
    return declared


def pay(run: CaseRun, trade: Trade, letter: Contract) -> Presented:
    """The exporter is paid, and the bank has the bill; nobody is for a bill of somebody who is no licensed carrier."""
    title, desk, authority = trade.bill.id_at(2), trade.desk, trade.authority
    shown: Proof = []
    said = trade.cargo_refusal()
    run.refused("the cargo before payment and surrender", said == "NotLive", said)
    forger, other = trade.exporter, (authority, LICENCE, authority.free_index(), {"name": "Red Line"}, 2**40)
    for what, licence, error in (
        ("a forged carrier", issue(replace(authority, signer=forger), *other[1:], forger), "SealNotSigned"),
        ("a bill of another carrier than the licensed one", issue(*other, forger), "OtherBill"),
    ):
        said = desk.refused(run, authority, trade.exporter, trade.present(letter, title, licence, shown))
        run.refused(what, said == error, said)
    desk.accepted(run, authority, trade.exporter, partial(trade.present, letter, title, trade.licence, shown))
    holder = trade.bill.title(2).functions.holderOf(title).call()
    bought = (trade.held(trade.exporter.address), trade.held(letter.address), holder) == (PRICE, 0, trade.bank.address)
    run.check("the exporter has the price and the bank the bill", bought)
    return shown[0]


def refuse(run: CaseRun, trade: Trade, letter: Contract) -> None:
    """A bill that was paid for is presented again."""
    again = trade.present(letter, trade.bill.id_at(2), trade.licence, [])
    said = trade.desk.refused(run, trade.authority, trade.exporter, again)
    run.refused("a bill presented twice", said == "NotNow", said)
    said = trade.border.chain.refusal(trade.exporter, trade.bill.move(1, letter.address))
    run.refused("a bill that was sold, sent again", said == "NotLive", said)


def too_late(run: CaseRun, city: City, trade: Trade, overdue: Contract) -> None:
    """After the deadline the money goes back, and so does the bill."""
    e2, late, functions = trade.desk.chain, trade.late, overdue.functions
    city.until("the late bill is on e2", lambda: late.state(1) == LIVE, ARRIVE_S)
    call = trade.present(overdue, late.id_at(1), trade.licence, [])
    said = trade.desk.refused(run, trade.authority, trade.exporter, call)
    run.refused("a bill presented after the deadline", said == "NotNow", said)
    run.paid(e2.call(trade.exporter, functions.giveBack(late.id_at(1))))
    holder = late.title(1).functions.holderOf(late.id_at(1)).call()
    returned = (trade.held(trade.bank.address), holder) == (PRICE, trade.exporter.address)
    run.check("after the deadline both went back", returned)


def state(run: CaseRun, city: City, trade: Trade, letters: tuple[Contract, Contract]) -> None:
    """Where both bills are, what was paid, declared and released, and who has the money."""
    evidence, bill, late, cargo = run.evidence, trade.bill, trade.late, trade.cargo
    paid, places = (
        PAID_SLOT.to_bytes(32, "big"),
        [("bill", bill, at) for at in range(4)] + [("late", late, 0), ("late", late, 1)],
    )
    wanted = [
        (f"{name}-{at}", way.way[at], way.way[at].contracts["title"], way.slots(at)[0]) for name, way, at in places
    ]
    wanted += [
        (f"paid-{name}", trade.desk.chain, one.address, paid)
        for name, one in zip(("bill", "late"), letters, strict=True)
    ]
    wanted.append(("price", trade.desk.chain, letters[0].address, PRICE_SLOT.to_bytes(32, "big")))
    wanted.append(("declared", trade.border.chain, trade.customs.address, mapping_slot(bill.content, DECLARED_SLOT)))
    wanted.append(("released", bill.way[0], cargo.address, mapping_slot(bill.id_at(3), RELEASED_SLOT)))
    for name, chain, address, slot in wanted:
        evidence.own_slot(name, address, slot, city.operator.prove(chain.name, address, [slot]), chain.time_s)
    holders = {"exporter": trade.exporter.address, "bank": trade.bank.address}
    holders |= {name: one.address for name, one in zip(("letter", "overdue"), letters, strict=True)}
    state_balances(city, evidence, trade.desk.chain, ("money", trade.money), holders)
    trade.name(evidence, letters)
    evidence.conclusion = {"price": str(PRICE), "declared": [GOODS, KG], "cargo": bill.content.hex()}


CASE = Case(21, "bill-of-lading", "Bill of lading and payment", Sizes("bills", 1, 5), run)
