"""Case 14 as an auditor judges it: a title's way, its mileage by licensed entries, and every forgery of them."""

from dataclasses import replace
from functools import cache

import pytest
from eth_abi.abi import encode

from hutong.light_clients.crypto import keccak256
from hutong.light_clients.interface import PredicateFailed
from hutong.light_clients.proofs import merkle
from hutong.relay.archive.anchored_root import item_slots
from hutong.relay.audit.cases import CaseTrust, Shown
from hutong.relay.audit.cases.credentials.vehicle_passport import conclude
from hutong.relay.audit.cases.statements import EntryStatement, Fate, ShownEntry
from hutong.relay.audit.cases.trust import ChainMeant
from hutong.relay.audit.inquiry import Inquiry
from tests.relay.audit.cases.credentials.sealed_evidence import DIPLOMA, ISSUER, NOW_S, SCHEMA, between
from tests.relay.audit.cases.credentials.test_diploma_rule import shown_of, state_of
from tests.relay.audit.cases.feed_evidence import said_message
from tests.relay.services.identity.rules.seals.sample_seals import filled

MAKER, BUYER, INSPECTOR, BOOK, TITLE, ANCHOR = (filled(byte, 20) for byte in (0x31, 0x32, 0x33, 0x77, 0x79, 0x7A))
LOCAL, CONTENT = filled(0x41), filled(0x42)
MILEAGE = b"mileage".ljust(32, b"\0")
TRACES = ("", "client-0>bft-evm-2", "client-1>bft-evm-0/client-0>bft-evm-2")
LIVE, AWAY, RETIRED = 1, 3, 5
LICENCE = replace(DIPLOMA, shown=())


@cache
def moved(mileage, receiver, trace, issuer=MAKER, local=LOCAL, content=CONTENT, name=MILEAGE, fate=Fate.DELIVERED):
    said = (
        *(False, trace, f"0x{issuer.hex()}", local, content, "0x", f"0x{receiver.hex()}"),
        name + mileage.to_bytes(32, "big"),
    )
    value = encode(["(bool,string,string,bytes32,bytes32,string,string,bytes)"], [said])
    source, destination = ("p1", "7101") if trace == "" else ("7101", "e2")
    return between(said_message(value, "title", "hutong-title-1", fate=fate), source, destination)


class Sold:
    """What a run leaves, with what a test changes."""

    def __init__(self, mileages=(10, 20), sold_km=20, booked=None, licence=None):
        self.made = shown_of(LICENCE, "licence", {})
        digest = self.made.digest if licence is None else licence
        entries = [self.entry(km, NOW_S + at, digest) for at, km in enumerate(mileages)]
        self.found = {
            "licence": self.made,
            "made": moved(0, filled(0x35, 20), TRACES[0]),
            "sold": moved(sold_km, BUYER, TRACES[1]),
        }
        for at, (chain, state) in enumerate((("p1", AWAY), ("e1", AWAY), ("e2", LIVE))):
            self.title(at, chain, state, BUYER if chain == "e2" else bytes(20))
        self.book(entries if booked is None else booked)
        self.anchor(entries)
        self.values = {"authority": f"did:hutong:h:{ISSUER.hex()}", "schema": SCHEMA.hex(), "anchor": "0"}
        self.values |= {"hub-at-e1": "client-0", "hub-at-e2": "client-1"}

    @staticmethod
    def entry(km, time_s, licence, content=CONTENT):
        return encode(["bytes32", "uint128", "uint64", "bytes32"], [content, km, time_s, licence])

    @staticmethod
    def first_slot(at):
        name = keccak256(encode(["string", "string", "bytes32"], [TRACES[at], f"0x{MAKER.hex()}", LOCAL]))
        return name, keccak256(name + (1).to_bytes(32, "big"))

    @staticmethod
    def id_of(chain):
        """E1 is where the licence is presented."""
        return "7101" if chain == "e1" else chain

    def title(self, at, chain, state, holder=bytes(20), lien=0):
        slot = self.first_slot(at)[1]
        word = (int.from_bytes(holder, "big") << 8 | state).to_bytes(32, "big")
        self.found[f"title-{chain}"] = state_of(f"title-{chain}", TITLE, slot, word, self.id_of(chain))
        after = (int.from_bytes(slot, "big") + 1).to_bytes(32, "big")
        self.found[f"lien-{chain}"] = state_of(
            f"lien-{chain}", TITLE, after, lien.to_bytes(32, "big"), self.id_of(chain)
        )

    def book(self, entries):
        head = bytes(32)
        for entry in entries:
            head = keccak256(head + keccak256(entry))
        slot = keccak256(self.first_slot(1)[0] + (1).to_bytes(32, "big"))
        self.found["book"] = state_of("book", BOOK, slot, head)

    def anchor(self, entries):
        root, window = (len(entries)) | (NOW_S - 9) << 64 | (NOW_S - 1) << 128 | NOW_S << 192, item_slots(INSPECTOR, 0)
        words = (merkle.root(entries), root.to_bytes(32, "big"))
        for part, slot, word in zip(("root", "window"), window, words, strict=True):
            self.found[f"entry-{part}"] = state_of(f"entry-{part}", ANCHOR, slot, word, "p1")
        for at, entry in enumerate(entries):
            proof = merkle.prove(entries, at)
            name = f"entry-{at:04}"
            statement = EntryStatement(name, entry, at, len(entries), proof.aunts, "entry-root", 0)
            self.found[name] = ShownEntry(statement, words[0], self.found["entry-root"])

    def judged(self):
        chains = {
            name: ChainMeant(name, self.id_of(name), client, {"title": TITLE, "book": BOOK, "anchor": ANCHOR})
            for name, client in (("p1", "bft-evm-2"), ("e1", "bft-evm-0"), ("e2", "x-0"))
        }
        people = {"maker": MAKER, "buyer": BUYER, "inspector": INSPECTOR}
        trust = CaseTrust("hutong-1", chains, people, self.values)
        return conclude(Inquiry(lambda _: None), Shown(dict(sorted(self.found.items()))), trust)

    def refusal(self):
        with pytest.raises(PredicateFailed) as caught:
            self.judged()
        return caught.value.predicate


def test_a_vehicle_with_its_mileage():
    assert Sold().judged() == {"inspections": 2, "mileage_km": "20", "content": CONTENT.hex()}


def test_attack_N194_a_mileage_that_goes_down_or_is_another():
    for changed, rule in (
        ({"mileages": (20, 10), "sold_km": 10}, "mileage_goes_up"),
        ({"mileages": (10, 10), "sold_km": 10}, "mileage_goes_up"),
        ({"sold_km": 19}, "mileage_goes_up"),
        ({"licence": filled(0x66)}, "mileage_goes_up"),
        ({"booked": ()}, "book_has_these_entries"),
    ):
        assert Sold(**changed).refusal() == rule, changed
    place = Sold()
    entries = [place.entry(10, NOW_S, place.made.digest), place.entry(20, NOW_S - 1, place.made.digest)]
    place.book(entries)
    place.anchor(entries)
    assert place.refusal() == "mileage_goes_up"
    entries[1] = place.entry(20, NOW_S, place.made.digest, filled(0x43))
    place.anchor(entries)
    assert place.refusal() == "mileage_goes_up"
    place = Sold()
    del place.found["entry-0001"]
    assert place.refusal() == "window_is_whole"


def test_attack_N194_a_title_that_is_live_elsewhere_under_a_lien_or_anothers():
    for at, chain, state, holder, lien, rule in (
        (0, "p1", LIVE, bytes(20), 0, "title_stands_so"),
        (1, "e1", LIVE, BUYER, 0, "title_stands_so"),
        (2, "e2", RETIRED, BUYER, 0, "title_stands_so"),
        (2, "e2", LIVE, MAKER, 0, "title_stands_so"),
        (2, "e2", LIVE, BUYER, 7, "no_lien_is_left"),
        (1, "e1", AWAY, bytes(20), 1, "no_lien_is_left"),
    ):
        place = Sold()
        place.title(at, chain, state, holder, lien)
        assert place.refusal() == rule, (chain, state)
    place = Sold()
    place.values["hub-at-e2"] = "client-7"
    assert place.refusal() == "slot_is_meant"


def test_attack_N194_another_vehicle_maker_way_or_licence():
    for changed, rule in (
        ({"issuer": filled(0x39, 20)}, "title_moved"),
        ({"trace": "client-9>bft-evm-2"}, "title_moved"),
        ({"name": bytes(32)}, "mileage_of"),
        ({"fate": Fate.REFUSED}, "title_moved"),
        ({"local": filled(0x4A)}, "is_the_same_title"),
        ({"content": filled(0x4B)}, "is_the_same_title"),
        ({"receiver": MAKER}, "is_the_same_title"),
    ):
        place = Sold()
        place.found["sold"] = moved(**{"mileage": 20, "receiver": BUYER, "trace": TRACES[1]} | changed)
        assert place.refusal() == rule, changed
    place = Sold()
    place.found["made"] = moved(1, filled(0x35, 20), TRACES[0])
    assert place.refusal() == "vehicle_was_new"
    place = Sold()
    place.found["made"], place.found["sold"] = place.found["sold"], place.found["made"]
    assert place.refusal() == "message_is_between"
    place = Sold()
    place.found["licence"] = shown_of(replace(LICENCE, schema=filled(0x45)), "licence", {})
    assert place.refusal() == "credential_is_meant"
