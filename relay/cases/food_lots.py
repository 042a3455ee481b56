"""Case 22, supply chain: lots of food from a farm with a log l, through a processor on p1, to shops on e1 and e2; and a recall."""

from collections.abc import Sequence
from typing import Any

from eth_abi.abi import encode
from eth_account.signers.local import LocalAccount
from web3 import Web3
from web3.contract import Contract

from hutong.relay.cases.anchoring import anchored, root_and_paths, state_entries
from hutong.relay.cases.assets.lots import Record, lot_id, season, to_recall
from hutong.relay.cases.case import Case, CaseRun, Sizes
from hutong.relay.cases.chain import CaseChain
from hutong.relay.cases.city_file import CaseBrokeOff, City
from hutong.relay.cases.cold_chain import append
from hutong.relay.cases.log_messages import log_message, send_from_log
from hutong.relay.cases.recall import BUNDLE_S, WAIT_S, forged, open_shop, recall

CHUNK, ENTRY_GAS = 25, 400_000


def window(city: City, anchor: Contract, publisher: str) -> tuple[int, int]:
    """From the end of the publisher's last window until now."""
    p1, count = city.chain("p1"), int(anchor.functions.countOf(publisher).call())
    from_s = p1.time_s() - 1 if count == 0 else int(anchor.functions.anchorAt(publisher, count - 1).call()[3])
    city.until("the clock of p1 goes on", lambda: p1.time_s() > from_s, 60)
    return from_s, p1.time_s()


def run(city: City, lots: int, run: CaseRun) -> None:
    """Certify, harvest, split and merge; try what must be refused; give out; recall."""
    p1, e1, e2 = city.chain("p1"), city.chain("e1"), city.chain("e2")
    farm, processor, customer = city.person(5), city.person(6), city.person(7)
    shops = [open_shop(chain, "p1", processor, customer) for chain in (e1, e2)]
    anchor, records = p1.app("anchor", "Anchor"), season(lots)
    certificates = [record.certificate for record in records if not record.inputs]
    places = append(city, certificates)
    run.check("the farm's log holds every certificate", places == sorted(set(places)), f"{len(places)}")
    root, paths = root_and_paths(certificates)
    origins = p1.deploy(processor, "ExampleCertificates", p1.contracts["mailbox"], city.log_name, farm.address.lower())
    message = certifying(farm, origins, certificates)
    packet = send_from_log(run, city, p1, message, places[-1] + 1)
    city.until("the farm's message arrives", lambda: origins.functions.countOf(root).call() > 0, WAIT_S)
    known = int(origins.functions.countOf(root).call())
    run.check("the farm's certificates reach p1 by a message of its log", known == len(certificates), f"{known}")
    book = p1.deploy(processor, "ExampleLotBook", origins.address)

    def entered(record: Record, under: bytes = root) -> Any:
        if record.inputs:
            inputs, amounts = list(record.inputs), list(record.inputs.values())
            return book.functions.make(record.lot, record.amount, inputs, amounts)
        place = certificates.index(record.certificate) if record.certificate in certificates else 0
        return book.functions.harvest(record.lot, record.amount, under, place, paths[place] if under == root else [])

    enter(run, p1, processor, [entered(record) for record in records])
    head = bytes(32)
    for record in records:
        head = bytes(Web3.keccak(head + Web3.keccak(record.leaf)))
    run.check("the book holds every lot in its order", bytes(book.functions.head().call()) == head, f"{lots} lots")
    refuse(run, city, origins, records, entered)

    source, affected = to_recall(records)
    leaves = [record.leaf for record in records]
    records_at = anchored(run, p1, anchor, processor, leaves, window(city, anchor, processor.address))
    for shop in shops:
        run.paid(shop.chain.call(customer, shop.contract.functions.giveOut(affected[0])))
    good = next(record.lot for record in records if record.lot not in affected)
    forged(run, city, farm, shops[0], good)
    took = recall(run, city, processor, shops, affected)
    for shop in shops:
        blocked = {record.lot for record in records if shop.refusal(record.lot) is not None}
        run.check(
            f"{shop.chain.name} blocks exactly what the search of the graph finds",
            blocked == set(affected),
            f"{len(blocked)}",
        )
    state_certificates(run, city, packet, message, certificates)
    state_entries(run, city, p1, anchor, processor, records_at, "lot", leaves)
    state_book(run, city, book)
    run.evidence.contract("p1", "certificates", origins.address)
    run.evidence.people["farm"] = farm.address
    run.evidence.values |= {"recalled": source.hex(), "records": str(records_at)}
    run.evidence.conclusion = {
        "lots": lots,
        "harvested": len(certificates),
        "recalled": source.hex(),
        "affected": [lot.hex() for lot in affected],
        "blocked_after_s": took,
    }


def enter(run: CaseRun, p1: CaseChain, processor: LocalAccount, calls: Sequence[Any]) -> None:
    """Every lot into the book, in their order."""
    for at in range(0, len(calls), CHUNK):
        receipts = p1.receipts([p1.send(processor, call, ENTRY_GAS) for call in calls[at : at + CHUNK]])
        run.paid(*receipts)
        if any(receipt["status"] != 1 for receipt in receipts):
            raise CaseBrokeOff(f"the book refused one of the lots {at} to {at + CHUNK}")


def certifying(who: LocalAccount, origins: Contract, certificates: Sequence[bytes]) -> bytes:
    """The message that says somebody's root over certificates."""
    payload = encode(["bytes32", "uint64"], [root_and_paths(certificates)[0], len(certificates)])
    return log_message(who, origins.address, payload)


def state_certificates(run: CaseRun, city: City, packet: str, message: bytes, certificates: Sequence[bytes]) -> None:
    """The farm's message, and every certificate under the root that it says."""
    root, paths = root_and_paths(certificates)
    run.evidence.message("certified", city.bundle(packet, BUNDLE_S), "delivered")
    run.evidence.entries("certificate", certificates, paths, "certified", message.index(root))


def state_book(run: CaseRun, city: City, book: Contract) -> None:
    """What the book holds over all of its records."""
    bundle = city.operator.prove("p1", book.address, [bytes(32)])
    run.evidence.own_slot("book-head", book.address, bytes(32), bundle, city.chain("p1").time_s)
    run.evidence.contract("p1", "book", book.address)


def refuse(run: CaseRun, city: City, origins: Contract, records: Sequence[Record], entered: Any) -> None:
    """What the book must not take."""
    p1, processor = city.chain("p1"), city.person(6)
    foreign, more = Record(lot_id(10**6), 5_000), Record(records[0].lot, records[0].amount + 1)
    for name, record in (("that the farm did not certify", foreign), ("of more than its certificate says", more)):
        found = p1.refusal(processor, entered(record))
        run.refused(f"a harvest {name}", found == "NotCertified", found)
    (place,) = append(city, [foreign.certificate])
    packet = send_from_log(run, city, p1, certifying(processor, origins, [foreign.certificate]), place + 1)
    run.evidence.message("forged-certificates", city.bundle(packet, BUNDLE_S), "refused")
    found = p1.refusal(processor, entered(foreign, root_and_paths([foreign.certificate])[0]))
    run.refused("certificates of somebody who is not the farm, in the same log", found == "NotCertified", found)
    for name, made in (
        ("a lot of more than goes into it", Record(foreign.lot, 11, {records[-1].lot: 10})),
        ("a lot out of more than is left", Record(foreign.lot, 10, {records[-1].lot: 10**9})),
        ("a lot out of one that there is not", Record(foreign.lot, 10, {lot_id(10**6 + 1): 10})),
    ):
        found = p1.refusal(processor, entered(made))
        run.refused(name, found == "TooMuch", found)


CASE = Case(22, "food-lots", "Food lots and recall", Sizes("lots", 100, 1_000), run)
