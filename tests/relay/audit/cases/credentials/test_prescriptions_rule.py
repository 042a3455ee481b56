"""Case 2 as an auditor judges it: each refill dispensed once, whoever else asked refused; and every forgery of it."""

from dataclasses import replace
from functools import cache

import pytest
from eth_abi.abi import encode

from hutong.light_clients.crypto import keccak256
from hutong.light_clients.ibc.gmp import GmpPacketData, encode_message
from hutong.light_clients.interface import PredicateFailed
from hutong.relay.audit.cases import CaseTrust, Shown
from hutong.relay.audit.cases.credentials.prescriptions import conclude
from hutong.relay.audit.cases.statements import Fate, ShownState
from hutong.relay.audit.cases.trust import ChainMeant
from hutong.relay.audit.inquiry import Inquiry
from tests.relay.audit.cases.credentials.sealed_evidence import DIPLOMA, ISSUER, SCHEMA, between
from tests.relay.audit.cases.credentials.test_diploma_rule import shown_of, state_of
from tests.relay.audit.cases.feed_evidence import said_message
from tests.relay.services.identity.rules.seals.sample_seals import filled

BOOK, PHARMACIST, STRANGER = filled(0x77, 20), filled(0x01, 20), filled(0x02, 20)
LICENCE = replace(DIPLOMA, shown=())
ASKED = ((0, 2, True), (0, 2, False), (1, 2, False), (1, 2, True), (0, 1, True), (0, 0, True), (0, 0, False))
"""Prescription, what it leaves, whether it arrived."""


@cache
def dispensing(number, leaves, arrived, receiver=BOOK, source="1", sender=PHARMACIST):
    said = encode(["bytes32", "uint128"], [number.to_bytes(32, "big"), leaves])
    version, value = encode_message(GmpPacketData(f"0x{sender.hex()}", f"0x{receiver.hex()}", b"", said, ""))
    fate = Fate.DELIVERED if arrived else Fate.REFUSED
    return between(said_message(value, "gmpport", version, fate=fate), source, "7101")


class Dispensed:
    """What a run leaves, with what a test changes."""

    def __init__(self, asked=ASKED, left=(0, 2)):
        self.found = {f"dispensing-{at:04}": dispensing(*one) for at, one in enumerate(asked)}
        self.found["stranger"] = dispensing(1, 1, False, sender=STRANGER)
        self.found["licence"] = shown_of(LICENCE, "licence", {})
        self.found["suspended"] = shown_of(LICENCE, "suspended", refused_by="status_is_valid")
        for number, more in enumerate(left):
            self.word(f"under-{number:04}", number, 1, self.found["licence"].digest)
            self.word(f"left-{number:04}", number, 2, more.to_bytes(32, "big"))
        self.values = {"board": f"did:hutong:h:{ISSUER.hex()}", "schema": SCHEMA.hex(), "refills": "3"}

    def word(self, name, number, slot, word):
        place = keccak256(number.to_bytes(32, "big") + slot.to_bytes(32, "big"))
        self.found[name] = state_of(name, BOOK, place, word)

    def judged(self):
        chains = {
            "e1": ChainMeant("e1", "1", "x-0", {}),
            "e2": ChainMeant("e2", "2", "x-1", {}),
            "p1": ChainMeant("p1", "7101", "x-2", {"book": BOOK}),
        }
        trust = CaseTrust("hutong-1", chains, {"pharmacist": PHARMACIST}, self.values)
        return conclude(Inquiry(lambda _: None), Shown(dict(sorted(self.found.items()))), trust)

    def refusal(self):
        with pytest.raises(PredicateFailed) as caught:
            self.judged()
        return caught.value.predicate


def test_every_refill_was_dispensed_once():
    place = Dispensed()
    assert place.judged() == {
        "prescriptions": 2,
        "dispensed": 4,
        "refused": 3,
        "left": [0, 2],
        "suspended": place.found["licence"].digest.hex(),
    }


def test_attack_N193_a_refill_dispensed_twice_or_left_out():
    once = "each_refill_is_dispensed_once"
    for asked, left, rule in (
        ((*ASKED, (1, 2, True)), (0, 2), once),
        (ASKED[:4], (0, 2), once),
        (ASKED, (1, 2), once),
        (ASKED, (0, 1), once),
        (((0, 2, True), (0, 0, True), *ASKED[2:4]), (0, 2), once),
        ((*ASKED, (1, 1, False)), (0, 2), "refused_were_spent"),
        ((*ASKED, (5, 2, True)), (0, 2), "every_prescription_is_shown"),
        (ASKED[:2], (2, 3), "every_prescription_is_shown"),
    ):
        assert Dispensed(asked, left).refusal() == rule, (asked, left)
    place = Dispensed()
    place.values["refills"] = "4"
    assert place.refusal() == once
    for text in ("", "0", "-3", "9999", "³"):
        place.values["refills"] = text
        assert place.refusal() == "refills_are_meant"


def test_attack_N193_another_licence_book_chain_or_name():
    place = Dispensed()
    place.word("under-0001", 1, 1, filled(0x55))
    assert place.refusal() == "prescribed_under_the_licence"
    place = Dispensed()
    place.found["suspended"] = shown_of(replace(LICENCE, index=9), "suspended", refused_by="status_is_valid")
    assert place.refusal() == "suspended_is_the_licence"
    place.found["suspended"] = shown_of(LICENCE, "suspended", {})
    assert place.refusal() == "refused_as_meant"
    place = Dispensed()
    place.found["licence"] = shown_of(LICENCE, "licence", {"name": "Dr. Ada"})
    assert place.refusal() == "nothing_else_is_shown"
    place = Dispensed()
    for changed in ({"receiver": filled(0x78, 20)}, {"source": "7101"}, {"source": "3"}, {"sender": STRANGER}):
        place.found["dispensing-0003"] = dispensing(1, 2, True, **changed)
        assert place.refusal() == "pharmacy_asked"
    place.found["dispensing-0003"] = dispensing(1, 2, True, source="2")
    assert place.judged()["dispensed"] == 4
    place = Dispensed()
    place.found["dispensing-0003"] = replace(
        place.found["dispensing-0003"],
        statement=replace(place.found["dispensing-0003"].statement, fate=Fate.TIMED_OUT),
    )
    assert place.refusal() == "pharmacy_asked"
    place = Dispensed()
    for arrived, changed in (
        (False, {}),
        (True, {"sender": STRANGER}),
        (False, {"sender": STRANGER, "source": "7101"}),
    ):
        place.found["stranger"] = dispensing(1, 1, arrived, **changed)
        assert place.refusal() == "stranger_was_refused"
    del place.found["stranger"]
    assert place.refusal() == "statement_is_there"
    place = Dispensed()
    place.found["dispensing-0009"] = place.found.pop("dispensing-0006")
    assert place.refusal() == "statements_are_numbered"
    place = Dispensed()
    one = place.found["left-0001"]
    assert isinstance(one, ShownState)
    place.found["left-0001"] = replace(
        one, statement=replace(one.statement, what=place.found["left-0000"].statement.what)
    )
    assert place.refusal() == "slot_is_meant"
