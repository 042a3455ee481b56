"""Case 15 as an auditor judges it: a day's trips counted again, and every forgery of them."""

from dataclasses import replace
from functools import cache

import pytest
from eth_abi.abi import encode

from hutong.light_clients.crypto import keccak256
from hutong.light_clients.ibc.gmp import GmpPacketData, encode_message
from hutong.light_clients.ibc.transfer import TransferData, encode_transfer
from hutong.light_clients.interface import PredicateFailed
from hutong.light_clients.proofs import merkle
from hutong.relay.audit.cases import CaseTrust, Shown
from hutong.relay.audit.cases.credentials.one_ticket import conclude
from hutong.relay.audit.cases.statements import EntryStatement, Fate, ShownEntry
from hutong.relay.audit.cases.trust import ChainMeant
from hutong.relay.audit.inquiry import Inquiry
from hutong.relay.cases.credentials.trips import TRIP_BYTES, Day, nets
from tests.relay.audit.cases.credentials.sealed_evidence import DIPLOMA, ISSUER, SCHEMA, between
from tests.relay.audit.cases.credentials.test_diploma_rule import shown_of, state_of
from tests.relay.audit.cases.feed_evidence import said_message
from tests.relay.services.identity.rules.seals.sample_seals import filled

OPERATORS, CHAINS = ("metro", "bus", "bikes"), {"metro": "p1", "bus": "e2", "bikes": "l"}
PEOPLE = {name: filled(byte, 20) for byte, name in enumerate(OPERATORS, 0x61)}
CLEARING, MONEY = filled(0x77, 20), filled(0x71, 20)
DAY, DEPOSIT = 24_000, 10_000
LICENCE = replace(DIPLOMA, shown=())
IDS = {"p1": "7103", "e1": "7101", "e2": "7102", "l": "tlog-1"}


@cache
def ridden():
    """A day of 24 trips, and what is owed of it."""
    day = Day(DAY, tuple(filled(byte) for byte in range(1, 6)))
    told = day.ridden(24, 15)
    owed, wrong = day.count(told)
    assert not wrong and all(told)
    return day, told, owed


@cache
def reported(place, day, root, batches, owed, fate=Fate.DELIVERED, receiver=CLEARING):
    said = encode(["uint256", "bytes32", "uint64", "int256[3]"], [day, root, batches, owed])
    sender = f"0x{PEOPLE[OPERATORS[place]].hex()}"
    version, value = encode_message(GmpPacketData(sender, f"0x{receiver.hex()}", b"", said, ""))
    message = said_message(value, "gmpport", version, fate=fate)
    return between(message, IDS[CHAINS[OPERATORS[place]]], "7101")


class Cleared:
    """What a run leaves, with what a test changes."""

    def __init__(self, told=None, owed=None, day=DAY):
        _, true, counted = ridden()
        told, owed = told or true, owed or counted
        self.found, net, home = {}, nets(counted), 7
        for place, name in enumerate(OPERATORS):
            root = merkle.root(told[place])
            message = reported(place, day if place else DAY, root, len(told[place]), tuple(owed[place]))
            self.found[f"report-{name}"] = message
            for at, batch in enumerate(told[place]):
                proof, called = merkle.prove(told[place], at), f"{name}-{at:04}"
                offset = message.said.value.index(root)
                statement = EntryStatement(called, batch, at, len(told[place]), proof.aunts, f"report-{name}", offset)
                self.found[called] = ShownEntry(statement, root, message)
            licence = shown_of(LICENCE, f"licence-{name}", {"name": name})
            asked = replace(licence.statement.presentation, caller=PEOPLE[name])
            self.found[f"licence-{name}"] = replace(licence, statement=replace(licence.statement, presentation=asked))
            self.word(f"account-{name}", 1 + place, bytes(12) + PEOPLE[name])
            source = keccak256(encode(["string", "string"], [CHAINS[name], f"0x{PEOPLE[name].hex()}"]))
            self.word(f"source-{name}", 4 + place, source)
            held = DEPOSIT + net[place] - (home if place == 0 else 0)
            self.money(name, held)
        self.word("money-supply", 2, (3 * DEPOSIT).to_bytes(32, "big"), MONEY)
        again = reported(1, DAY, filled(0x11), 1, (0, 0, 0), Fate.REFUSED)
        self.found |= {"second-report": again, "home": self.home(home)}
        self.values = {"authority": f"did:hutong:h:{ISSUER.hex()}", "schema": SCHEMA.hex(), "deposit": str(DEPOSIT)}

    def word(self, name, slot, word, contract=CLEARING):
        place = slot if isinstance(slot, bytes) else slot.to_bytes(32, "big")
        self.found[name] = state_of(name, contract, place, word)

    def money(self, name, held):
        slot = keccak256(bytes(12) + PEOPLE[name] + bytes(32))
        self.word(f"money-{name}", slot, held.to_bytes(32, "big"), MONEY)

    @staticmethod
    def home(amount, money=MONEY, receiver=PEOPLE["metro"], **statement):
        data = TransferData(f"0x{money.hex()}", "0x", f"0x{receiver.hex()}", amount)
        value = encode_transfer(data, "application/x-solidity-abi")
        return between(said_message(value, "transfer", "ics20-1", **statement), "7101", "7103")

    def judged(self):
        contracts = {"clearing": CLEARING, "money": MONEY}
        chains = {name: ChainMeant(name, IDS[name], f"x-{at}", contracts) for at, name in enumerate(IDS)}
        trust = CaseTrust("hutong-1", chains, PEOPLE, self.values)
        return conclude(Inquiry(lambda _: None), Shown(dict(sorted(self.found.items()))), trust)

    def refusal(self):
        with pytest.raises(PredicateFailed) as caught:
            self.judged()
        return caught.value.predicate


def test_a_day_of_trips_cleared():
    _, _, owed = ridden()
    assert Cleared().judged() == {"day": DAY, "trips": 24, "owed": owed, "net": nets(owed)}


def test_attack_N195_a_trip_that_is_forged_told_twice_or_left_out():
    _, told, owed = ridden()
    (first, *_), rest = told[0], told[1:]
    dearer = first[:28] + bytes([first[28] ^ 1]) + first[29:]
    fewer = first[TRIP_BYTES:]
    for batches, rule in (
        ([dearer], "trips_are_their_riders"),
        ([first, first[:TRIP_BYTES]], "no_trip_is_told_twice"),
        ([fewer], "shares_are_recounted"),
        ([first[:-1]], "trips_are_their_riders"),
        ([first, b""], "trips_are_their_riders"),
    ):
        assert Cleared([batches, *rest]).refusal() == rule
    # the metro tells as its own what the bus carried
    assert Cleared([told[1], *rest]).refusal() == "trips_are_their_riders"
    place = Cleared()
    del place.found["bus-0000"]
    assert place.refusal() == "window_is_whole"
    more = [[one + (at == 0) for at, one in enumerate(owed[0])], *owed[1:]]
    assert Cleared(owed=more).refusal() == "shares_are_recounted"
    assert Cleared(day=DAY + 1).refusal() == "trips_are_their_riders"


def test_attack_N195_other_payments_places_or_licences():
    net = nets(ridden()[2])
    place = Cleared()
    place.money("bus", DEPOSIT + net[1] + 1)
    assert place.refusal() == "net_was_paid"
    place = Cleared()
    place.found["home"] = place.home(8)
    assert place.refusal() == "net_was_paid"
    for changed in ({"money": CLEARING}, {"receiver": PEOPLE["bus"]}, {"fate": Fate.REFUSED}):
        place.found["home"] = place.home(7, **changed)
        assert place.refusal() == "share_came_home", changed
    for name, slot in (("account-bus", 2), ("source-bus", 5)):
        place = Cleared()
        place.word(name, slot, filled(0x13))
        assert place.refusal() == "place_is_the_operators"
    place = Cleared()
    licence = place.found["licence-bus"]
    place.found["licence-bus"] = replace(licence, statement=place.found["licence-metro"].statement)
    assert place.refusal() == "presented_by_the_operator"
    place.found["licence-bus"] = replace(licence, claims={"name": "metro"})
    assert place.refusal() == "licence_is_of_the_operator"
    place.found["licence-bus"] = replace(licence, claims={})
    assert place.refusal() == "nothing_else_is_shown"
    place = Cleared()
    place.found["second-report"] = reported(1, DAY, filled(0x11), 1, (0, 0, 0))
    assert place.refusal() == "operator_reported"
    place.found["second-report"] = reported(1, DAY + 1, filled(0x11), 1, (0, 0, 0), Fate.REFUSED)
    assert place.refusal() == "reports_are_of_one_day"
    for text in ("", "x", "9" * 31):
        place = Cleared()
        place.values["deposit"] = text
        assert place.refusal() == "deposit_is_meant"
