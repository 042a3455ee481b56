"""Cases 5 and 21: a bill of lading against its price and for its cargo, what customs sees of it, and a diploma's degree and year."""

from dataclasses import replace

from eth_abi.abi import encode

from hutong.light_clients.crypto import keccak256
from hutong.relay.services.identity.rules.seals import Claim, seal_digest
from tests.contracts.evm import SENDER
from tests.contracts.identity.case_desk import OTHER, CaseDesk, licence, refused
from tests.contracts.identity.gate_lane import HOLDING, SCHEMA, THIEF, account_of

CARGO, PRICE, WITHIN_S = b"\x51" * 32, 700, 5
CARRIER, BANK, EXPORTER = account_of(HOLDING), b"\xba" * 20, b"\xe4" * 20
GOODS = (Claim("goods_code", "0901.21", b"\x02" * 32), Claim("weight_kg", 18_400, b"\x03" * 32))
DIPLOMA = (Claim("degree", "M.Sc.", b"\x02" * 32), Claim("year", 2_031, b"\x03" * 32))


class Credit:
    """A letter of credit over a cargo, with the bank's money in it, and a bill of the carrier's that is given to it."""

    def __init__(self, content=CARGO, issuer=CARRIER, given=True):
        self.desk = desk = CaseDesk()
        self.money = desk.evm.deploy("ExampleToken", "Cash", "CASH", PRICE)
        self.deadline = desk.evm.timestamp_s + WITHIN_S
        terms = (BANK, EXPORTER, self.money.address, PRICE, CARGO, self.deadline)
        self.letter = desk.gate("ExampleLetterOfCredit", desk.title.address, SCHEMA, terms)
        self.money.transact("transfer", self.letter.address, PRICE)
        self.bill = desk.mint(self.letter.address if given else EXPORTER, content=content, issuer=issuer)

    def present(self, **more):
        return self.desk.present(self.letter, "present", self.bill, **more)

    def give_back(self):
        return self.letter.transact("giveBack", self.bill, sender=OTHER)

    def held(self):
        return tuple(self.money.call("balanceOf", one) for one in (EXPORTER, BANK, self.letter.address))


def test_attack_N196_a_bill_is_paid_once_and_the_bank_has_it():
    credit = Credit()
    assert refused(credit.give_back) == "NotNow", "before the deadline"
    credit.present()
    assert (credit.held(), credit.desk.holder(credit.bill)) == ((PRICE, 0, 0), BANK)
    credit.money.transact("transfer", credit.letter.address, PRICE, sender=EXPORTER)
    assert refused(credit.present) == "NotNow"
    with credit.desk.evm.at(credit.deadline + 1):
        assert refused(credit.give_back) == "NotNow", "what was paid for is not given back"
    assert credit.held() == (0, 0, PRICE)


def test_attack_N196_a_bill_of_another_cargo_carrier_or_holder_is_not_paid():
    assert refused(Credit(content=b"\x52" * 32).present) == "OtherBill"
    assert refused(Credit(issuer=OTHER).present) == "OtherBill"
    elsewhere = Credit(given=False)
    assert refused(elsewhere.present) == "BillNotHere"
    elsewhere.desk.title.transact("transfer", elsewhere.bill, elsewhere.letter.address, sender=EXPORTER)
    assert refused(elsewhere.present, shown=replace(licence(), signer=THIEF)) == "SealNotSigned"
    elsewhere.present()


def test_attack_N196_after_the_deadline_both_go_back_once():
    credit = Credit()
    with credit.desk.evm.at(credit.deadline):
        assert refused(credit.give_back) == "NotNow", "the last second is the bill's"
    desk = credit.desk
    desk.evm.timestamp_s = credit.deadline + 1
    assert refused(credit.present) == "NotNow"
    credit.give_back()
    assert (credit.held(), desk.holder(credit.bill)) == ((0, PRICE, 0), EXPORTER)
    credit.money.transact("transfer", credit.letter.address, PRICE, sender=BANK)
    assert refused(credit.give_back) == "NotNow"


def test_the_money_goes_back_though_the_bill_never_came():
    credit = Credit(given=False)
    with credit.desk.evm.at(credit.deadline + 1):
        credit.give_back()
    assert (credit.held(), credit.desk.holder(credit.bill)) == ((0, PRICE, 0), EXPORTER)


def test_attack_N196_cargo_is_released_once_against_its_bill():
    desk = CaseDesk()
    cargo = desk.evm.deploy("ExampleCargo", desk.title.address)
    bill = desk.mint(BANK, issuer=CARRIER)
    for who in (BANK, OTHER):
        assert refused(cargo.transact, "release", bill, sender=who) == "NotSurrendered"
    desk.title.transact("transfer", bill, cargo.address, sender=BANK)
    cargo.transact("release", bill, sender=BANK)
    assert bytes.fromhex(cargo.call("releasedTo", bill)[2:]) == BANK
    assert refused(cargo.transact, "release", bill, sender=OTHER) == "NotLive"


def test_attack_N196_customs_is_shown_what_is_declared_and_nothing_else():
    desk = CaseDesk()
    customs = desk.gate("ExampleCustoms", SCHEMA)
    names = tuple(one.name for one in GOODS)
    manifest = licence("Red Star", names, more=GOODS)
    for shown in ((*names, "name"), names[:1], names[::-1]):
        error = "OtherClaim" if shown == names[::-1] else "TooMuchShown"
        assert refused(desk.present, customs, "declare", CARGO, shown=replace(manifest, names=shown)) == error
    desk.present(customs, "declare", CARGO, shown=manifest)
    said = encode(["bytes32", "string", "int256"], [seal_digest(manifest.seal), "0901.21", 18_400])
    assert customs.call("declared", CARGO) == keccak256(said)


def test_attack_N192_a_diploma_applies_once_and_shows_degree_and_year_alone():
    desk, position = CaseDesk(), b"\x0b" * 32
    employer = desk.gate("ExampleEmployer", SCHEMA)
    names = tuple(one.name for one in DIPLOMA)
    diploma = licence("Ada", names, more=DIPLOMA)

    def apply(shown, caller=SENDER):
        return desk.present(employer, "applyFor", position, shown=shown, caller=caller)

    for shown in ((*names, "name"), names[:1]):
        assert refused(apply, replace(diploma, names=shown)) == "TooMuchShown"
    assert refused(apply, replace(diploma, names=names[::-1])) == "OtherClaim"
    apply(diploma)
    digest = seal_digest(diploma.seal)
    said = encode(["bytes32", "string", "int256"], [position, "M.Sc.", 2_031])
    assert employer.call("applications", digest) == keccak256(said)
    assert refused(apply, diploma) == "AppliedAlready"
    assert refused(apply, diploma, OTHER) == "AppliedAlready"
    apply(licence("Ada", names, diploma.seal.index + 1, more=DIPLOMA))
