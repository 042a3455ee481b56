"""Case 15: three places, each of one licensed operator, whose reports are cleared once all have confirmed what all reported."""

from dataclasses import replace

import pytest
from eth_abi.abi import encode

from hutong.light_clients.crypto import keccak256
from tests.contracts.identity.case_desk import MAILBOX, OTHER, CaseDesk, licence, refused, told
from tests.contracts.identity.gate_lane import INDEX, SCHEMA, THIEF
from tests.contracts.title.title_city import text

NAMES, CHAINS, DEPOSIT, DAY = ("metro", "bus", "bikes"), ("p1", "e2", "l"), 10_000, 21
ACCOUNTS = tuple(bytes([byte]) * 20 for byte in (0x61, 0x62, 0x63))
OWED = ((0, 300, 70), (5, 0, 0), (900, 1, 0))
NET = (300 + 70 - 5 - 900, 5 - 300 - 1, 901 - 70)


def source_of(place):
    return keccak256(encode(["string", "string"], [CHAINS[place], text(ACCOUNTS[place])]))


def shown_of(place, **more):
    return licence(NAMES[place], ("name",), INDEX + place, **more)


class Clearing:
    def __init__(self, joined=3):
        self.desk = desk = CaseDesk()
        self.money = desk.evm.deploy("ExampleToken", "Clearing", "CLR", 3 * DEPOSIT)
        self.contract = desk.gate("ExampleClearing", MAILBOX, self.money.address, SCHEMA)
        for place in range(joined):
            self.join(place)
            self.money.transact("transfer", ACCOUNTS[place], DEPOSIT)
            self.money.transact("approve", self.contract.address, DEPOSIT, sender=ACCOUNTS[place])

    def join(self, place, shown=None, source=None, caller=None):
        shown, source = shown or shown_of(place), source or source_of(place)
        caller = caller or ACCOUNTS[place]
        return self.desk.present(self.contract, "join", place, source, shown=shown, caller=caller)

    def report(self, place, day=DAY, owed=None, by=MAILBOX, chain=None, sender=None):
        said = [day, b"\x07" * 32, 1, owed or OWED[place]]
        payload = encode(["uint256", "bytes32", "uint64", "int256[3]"], said)
        return told(self.contract, chain or CHAINS[place], sender or ACCOUNTS[place], payload, by)

    def confirm(self, place, day=DAY, caller=None):
        return self.contract.transact("confirm", day, place, sender=caller or ACCOUNTS[place])

    def settle(self, day=DAY):
        return self.contract.transact("settle", day)

    def held(self):
        return tuple(self.money.call("balanceOf", one) for one in (*ACCOUNTS, self.contract.address))


def test_a_day_is_cleared_and_everybody_has_what_is_net():
    clearing = Clearing()
    for place in range(3):
        assert clearing.contract.call("accounts", place) == text(ACCOUNTS[place])
        clearing.report(place)
    for place in range(3):
        clearing.confirm(place)
    clearing.settle()
    paid = (*(DEPOSIT + net for net in NET), 0)
    assert clearing.held() == paid and sum(NET) == 0
    clearing.settle()
    assert clearing.held() == paid, "nothing is owed any more"


def test_attack_N195_one_operator_has_one_place_whatever_licences_it_has():
    """The same licence with a new nonce, another one of that name for another holder, and either by another account."""
    clearing = Clearing(joined=1)
    for shown in (shown_of(0), licence("metro", ("name",), INDEX + 5, holder=THIEF)):
        for caller in (ACCOUNTS[0], OTHER):
            assert refused(clearing.join, 1, shown, caller=caller) == "PlaceTaken"
    clearing.join(1)
    clearing.join(2)


def test_attack_N195_a_place_or_a_source_that_somebody_has():
    clearing = Clearing(joined=1)
    assert refused(clearing.join, 0, shown_of(1), source_of(1), ACCOUNTS[1]) == "PlaceTaken"
    assert refused(clearing.join, 1, source=source_of(0)) == "PlaceTaken", "the metro's reports are the metro's"
    clearing.join(1)
    assert clearing.contract.call("sources", 1) == source_of(1)


def test_attack_N195_an_operator_without_its_own_licence():
    clearing = Clearing(joined=0)
    assert refused(clearing.join, 0, replace(shown_of(0), signer=THIEF)) == "SealNotSigned"
    assert refused(clearing.join, 0, replace(shown_of(0), names=())) == "OtherClaim"
    clearing.join(0)


@pytest.mark.parametrize(
    "changed", [{"by": OTHER}, {"sender": OTHER}, {"chain": "e2"}, {"chain": "l", "sender": ACCOUNTS[1]}]
)
def test_attack_N195_reports_are_an_operators_by_the_mailbox(changed):
    clearing = Clearing()
    assert refused(clearing.report, 0, **changed) == "NotNow"
    clearing.report(0)
    assert refused(clearing.report, 0, owed=(0, 9, 9)) == "NotNow", "a day is reported once"
    clearing.report(0, DAY + 1)


def test_attack_N195_nothing_is_paid_before_all_have_confirmed_what_all_reported():
    clearing = Clearing()
    before = clearing.held()
    clearing.report(0)
    clearing.report(1)
    for place in range(3):
        clearing.confirm(place)
    assert refused(clearing.settle) == "NotNow", "the bikes have not reported"
    clearing.report(2)
    assert refused(clearing.settle) == "NotNow", "what was confirmed is not what all reported"
    clearing.confirm(0)
    clearing.confirm(1)
    assert refused(clearing.confirm, 2, caller=ACCOUNTS[0]) == "NotNow"
    assert refused(clearing.settle) == "NotNow"
    assert refused(clearing.settle, DAY + 1) == "NotNow"
    assert clearing.held() == before
    clearing.confirm(2)
    clearing.settle()
    assert clearing.held() != before
