"""Case 21 as an auditor judges it: a bill's way against its price, and every forgery of it."""

from dataclasses import replace
from functools import cache

import pytest
from eth_abi.abi import encode

from hutong.light_clients.crypto import keccak256
from hutong.light_clients.interface import PredicateFailed
from hutong.relay.audit.cases import CaseTrust, Shown
from hutong.relay.audit.cases.credentials.bill_of_lading import conclude
from hutong.relay.audit.cases.statements import Fate
from hutong.relay.audit.cases.trust import ChainMeant
from hutong.relay.audit.inquiry import Inquiry
from hutong.relay.services.identity.rules.seals import Gate
from tests.relay.audit.cases.credentials.sealed_evidence import DIPLOMA, ISSUER, SCHEMA, between
from tests.relay.audit.cases.credentials.test_diploma_rule import shown_of, state_of
from tests.relay.audit.cases.feed_evidence import said_message
from tests.relay.services.identity.rules.seals.sample_seals import HOLDER_SECRET, account_of, filled

CARRIER = account_of(HOLDER_SECRET)
EXPORTER, BANK, LETTER, OVERDUE, CARGO, CUSTOMS, TITLE, MONEY = (filled(byte, 20) for byte in range(0x51, 0x59))
CONTRACTS = {"letter": LETTER, "overdue": OVERDUE, "cargo": CARGO, "customs": CUSTOMS, "title": TITLE, "money": MONEY}
IDS = {"p1": "7103", "e1": "7101", "e2": "7102"}
CLIENTS = {"p1": "bft-evm-1", "e1": "bft-evm-0", "e2": "attestation-0"}
BILL, LATE = ("p1", "e1", "e2", "p1"), ("p1", "e2")
LIVE, AWAY, RETIRED = 1, 3, 5
LICENCE = replace(DIPLOMA, claims={"name": "Blue Line"}, shown=(), gate=Gate(7_102, LETTER))
GOODS = {"goods_code": "0901.21", "weight_kg": 9}
MANIFEST = replace(DIPLOMA, claims=GOODS | {"value": 5}, shown=tuple(GOODS), schema=filled(0x45))
PRICE, SUPPLY = 40, 100


def trace(way, at):
    hops = [f"hub-{here}>{CLIENTS[before]}" for before, here in zip(way, way[1:], strict=False)]
    return "/".join(reversed(hops[:at]))


def id_at(way, at, local):
    return keccak256(encode(["string", "string", "bytes32"], [trace(way, at), f"0x{CARRIER.hex()}", local]))


@cache
def moved(way, at, receiver, local, content, fate=Fate.DELIVERED, issuer=CARRIER):
    said = (False, trace(way, at), f"0x{issuer.hex()}", local, content, "0x", f"0x{receiver.hex()}", b"")
    value = encode(["(bool,string,string,bytes32,bytes32,string,string,bytes)"], [said])
    return between(said_message(value, "title", "hutong-title-1", fate=fate), IDS[way[at]], IDS[way[at + 1]])


class Shipped:
    """What a run leaves, with what a test changes."""

    local, content, late = filled(0x41), filled(0x42), filled(0x43)

    def __init__(self):
        self.found = {
            "licence": shown_of(LICENCE, "licence", {}),
            "manifest": shown_of(replace(MANIFEST, gate=Gate(7_101, CUSTOMS)), "manifest", GOODS),
            "late": moved(LATE, 0, OVERDUE, self.late, filled(0x44)),
        }
        for at, (name, receiver) in enumerate((("shipped", EXPORTER), ("sold", LETTER), ("surrendered", CARGO))):
            self.found[name] = moved(BILL, at, receiver, self.local, self.content)
            self.title("bill", BILL, at, self.local, AWAY)
        self.title("bill", BILL, 3, self.local, RETIRED, CARGO)
        self.title("late", LATE, 0, self.late, AWAY)
        self.title("late", LATE, 1, self.late, LIVE, EXPORTER)
        self.slot("paid-bill", "e2", "letter", 1, id_at(BILL, 2, self.local))
        self.slot("paid-late", "e2", "overdue", 1, b"\xff" * 32)
        self.slot("price", "e2", "letter", 5, PRICE.to_bytes(32, "big"))
        self.released(BANK)
        self.declared(9)
        self.money()
        self.values = {"authority": f"did:hutong:h:{ISSUER.hex()}", "licence": SCHEMA.hex(), "manifest": "45" * 32}
        self.values |= {f"hub-at-{chain}": f"hub-{chain}" for chain in IDS}

    def slot(self, name, chain, contract, slot, word):
        place = slot if isinstance(slot, bytes) else slot.to_bytes(32, "big")
        self.found[name] = state_of(name, CONTRACTS[contract], place, word, IDS[chain])

    def title(self, name, way, at, local, state, holder=bytes(20)):
        slot = keccak256(id_at(way, at, local) + (1).to_bytes(32, "big"))
        word = (int.from_bytes(holder, "big") << 8 | state).to_bytes(32, "big")
        self.slot(f"{name}-{at}", way[at], "title", slot, word)

    def released(self, receiver):
        slot = keccak256(id_at(BILL, 3, self.local) + bytes(32))
        self.slot("released", "p1", "cargo", slot, bytes(12) + receiver)

    def declared(self, weight):
        said = [self.found["manifest"].digest, "0901.21", weight]
        word = keccak256(encode(["bytes32", "string", "int256"], said))
        self.slot("declared", "e1", "customs", keccak256(self.content + (1).to_bytes(32, "big")), word)

    def money(self, exporter=PRICE, bank=SUPPLY - PRICE, letter=0, overdue=0):
        self.slot("money-supply", "e2", "money", 2, SUPPLY.to_bytes(32, "big"))
        for name, holder, amount in (
            ("exporter", EXPORTER, exporter),
            ("bank", BANK, bank),
            ("letter", LETTER, letter),
            ("overdue", OVERDUE, overdue),
        ):
            slot = keccak256(bytes(12) + holder + bytes(32))
            self.slot(f"money-{name}", "e2", "money", slot, amount.to_bytes(32, "big"))

    def judged(self):
        chains = {name: ChainMeant(name, IDS[name], CLIENTS[name], CONTRACTS) for name in IDS}
        people = {"carrier": CARRIER, "exporter": EXPORTER, "bank": BANK}
        trust = CaseTrust("hutong-1", chains, people, self.values)
        return conclude(Inquiry(lambda _: None), Shown(dict(sorted(self.found.items()))), trust)

    def refusal(self):
        with pytest.raises(PredicateFailed) as caught:
            self.judged()
        return caught.value.predicate


def test_a_cargo_released_against_payment_and_surrender():
    expected = {"price": "40", "declared": ["0901.21", 9], "cargo": Shipped.content.hex()}
    assert Shipped().judged() == expected


def test_attack_N196_a_bill_that_is_elsewhere_unpaid_or_not_surrendered():
    for name, way, at, state, holder in (
        ("bill", BILL, 0, LIVE, CARRIER),
        ("bill", BILL, 1, LIVE, EXPORTER),
        ("bill", BILL, 2, LIVE, BANK),
        ("bill", BILL, 3, LIVE, CARGO),
        ("bill", BILL, 3, RETIRED, BANK),
        ("late", LATE, 1, LIVE, OVERDUE),
    ):
        place = Shipped()
        place.title(name, way, at, place.late if name == "late" else place.local, state, holder)
        assert place.refusal() == "title_stands_so", (name, at)
    place = Shipped()
    place.released(EXPORTER)
    assert place.refusal() == "contract_keeps"
    for name, contract in (("paid-bill", "letter"), ("paid-late", "overdue")):
        place = Shipped()
        place.slot(name, "e2", contract, 1, bytes(32))
        assert place.refusal() == "contract_keeps", name
    for changed in ({"exporter": 41}, {"bank": 20}, {"letter": 40, "exporter": 0}, {"overdue": 1, "bank": 59}):
        place = Shipped()
        place.money(**changed)
        assert place.refusal() == "price_was_paid", changed


def test_attack_N196_another_carrier_bill_receiver_or_declaration():
    other, stranger = filled(0x4B), filled(0x6A, 20)
    for name, message, rule in (
        ("sold", moved(BILL, 1, BANK, Shipped.local, Shipped.content), "is_the_same_title"),
        ("sold", moved(BILL, 1, LETTER, other, Shipped.content), "is_the_same_title"),
        ("surrendered", moved(BILL, 2, CARGO, Shipped.local, other), "is_the_same_title"),
        ("shipped", moved(BILL, 0, EXPORTER, Shipped.local, Shipped.content, issuer=stranger), "title_moved"),
        ("sold", moved(BILL, 1, LETTER, Shipped.local, Shipped.content, fate=Fate.REFUSED), "title_moved"),
        ("late", moved(LATE, 0, LETTER, Shipped.late, filled(0x44)), "is_the_same_title"),
        ("surrendered", moved(BILL, 1, LETTER, Shipped.local, Shipped.content), "message_is_between"),
    ):
        place = Shipped()
        place.found[name] = message
        assert place.refusal() == rule, name
    place = Shipped()
    seal = replace(place.found["licence"].statement.seal, holder=stranger)
    statement = replace(place.found["licence"].statement, seal=seal)
    place.found["licence"] = replace(place.found["licence"], statement=statement)
    assert place.refusal() == "licence_is_the_issuers"
    place = Shipped()
    place.declared(8)
    assert place.refusal() == "contract_keeps"
    for claims in (GOODS | {"value": 5}, {"goods_code": "0901.21"}):
        place = Shipped()
        place.found["manifest"] = replace(place.found["manifest"], claims=claims)
        assert place.refusal() == "nothing_else_is_shown"
    place = Shipped()
    place.found["manifest"] = replace(place.found["manifest"], claims={"goods_code": 1, "weight_kg": 9})
    assert place.refusal() == "goods_are_declared"
