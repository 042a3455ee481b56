"""Cases 2 and 14: prescriptions that each pharmacy dispenses on once, and a vehicle's mileage by licensed inspectors."""

from dataclasses import replace

from eth_abi.abi import encode

from hutong.light_clients.crypto import keccak256
from hutong.relay.services.identity.rules.seals import seal_digest
from tests.contracts.evm import SENDER
from tests.contracts.identity.case_desk import MAILBOX, OTHER, CaseDesk, licence, refused, told
from tests.contracts.identity.gate_lane import SCHEMA, THIEF
from tests.contracts.title.title_city import MILEAGE, text, title_id

E1, E2 = b"\xe1" * 20, b"\xe2" * 20
PHARMACIES = (("e1", E1), ("e2", E2))
NUMBER, CONTENT = b"\x01" * 32, b"\x02" * 32


class Book:
    def __init__(self):
        self.desk = desk = CaseDesk()
        sources = [keccak256(encode(["string", "string"], [chain, text(sender)])) for chain, sender in PHARMACIES]
        self.contract = desk.gate("ExamplePrescriptions", MAILBOX, desk.title.address, SCHEMA, sources)

    def prescribe(self, number=NUMBER, refills=3, **more):
        return self.desk.present(self.contract, "prescribe", number, CONTENT, refills, **more)

    def dispense(self, leaves, chain="e1", sender=E1, number=NUMBER, by=MAILBOX):
        return told(self.contract, chain, sender, encode(["bytes32", "uint128"], [number, leaves]), by)

    def left(self, number=NUMBER):
        """As the book has it, which is what the title's counter says."""
        found = self.contract.call("left", number)
        assert self.desk.counter(title_id(issuer=self.contract.address, local_id=number)) == found
        return found


def test_a_prescription_is_dispensed_on_down_to_nothing():
    book = Book()
    book.prescribe()
    assert book.contract.call("prescribedUnder", NUMBER) == seal_digest(licence().seal)
    for leaves, (chain, sender) in ((2, PHARMACIES[0]), (1, PHARMACIES[1]), (0, PHARMACIES[0])):
        book.dispense(leaves, chain, sender)
        assert book.left() == leaves


def test_attack_N193_a_strangers_message_dispenses_nothing():
    """The Mailbox brings everybody's messages: another sender, a pharmacy's account on another chain, and no Mailbox at all."""
    book = Book()
    book.prescribe()
    for chain, sender in (("e1", OTHER), ("e1", E2), ("e2", E1), ("p2", E1), ("", E1)):
        assert refused(book.dispense, 2, chain, sender) == "NotAPharmacy"
    assert refused(book.dispense, 2, by=E1) == "OnlyMailbox"
    assert book.left() == 3
    book.dispense(2)
    assert book.left() == 2


def test_attack_N193_the_second_of_two_who_leave_as_many_is_refused():
    book = Book()
    book.prescribe()
    book.dispense(2)
    for leaves in (2, 0, 3, 2**128 - 1):
        assert refused(book.dispense, leaves, "e2", E2) == "Spent"
    book.dispense(1, "e2", E2)
    book.dispense(0)
    for leaves in (0, 2**128 - 1):
        assert refused(book.dispense, leaves) == "Spent"
    assert refused(book.dispense, 2, number=b"\x09" * 32) == "Spent", "nobody prescribed this one"


def test_attack_N193_only_a_licensed_doctor_prescribes_and_each_name_once():
    book = Book()
    assert refused(book.prescribe, shown=replace(licence(), signer=THIEF)) == "SealNotSigned"
    assert refused(book.prescribe, shown=replace(licence(), holder=THIEF)) == "HolderNotSigned"
    book.prescribe()
    book.dispense(2)
    assert refused(book.prescribe) == "TitleExists"
    assert book.left() == 2, "another prescription of that name brings no refill back"


class Inspected:
    """A vehicle of SENDER's, whose recorder is the book of inspectors."""

    def __init__(self):
        self.desk = desk = CaseDesk()
        self.vehicle = desk.mint(SENDER, counters=((MILEAGE, False, 0),))
        self.book = desk.gate("ExampleInspections", desk.title.address, SCHEMA)
        desk.title.transact("setRecorder", self.vehicle, self.book.address)

    def inspect(self, mileage, time_s=7, **more):
        return self.desk.present(self.book, "inspect", self.vehicle, mileage, time_s, **more)


def test_entries_of_inspectors_are_the_mileage_and_one_word():
    place = Inspected()
    head, seal = bytes(32), seal_digest(licence().seal)
    for mileage, time_s in ((900, 7), (1_800, 8)):
        place.inspect(mileage, time_s)
        said = encode(["bytes32", "uint128", "uint64", "bytes32"], [b"\x51" * 32, mileage, time_s, seal])
        head = keccak256(head + keccak256(said))
        assert place.desk.counter(place.vehicle) == mileage
    assert place.book.call("heads", place.vehicle) == head


def test_attack_N194_a_mileage_that_goes_down_or_of_nobody_licensed():
    place = Inspected()
    place.inspect(900)
    head = place.book.call("heads", place.vehicle)
    assert refused(place.inspect, 899) == "CounterWentBack"
    assert refused(place.inspect, 900) == "CounterWentBack"
    assert refused(place.inspect, 901, shown=replace(licence(), signer=THIEF)) == "SealNotSigned"
    assert refused(place.inspect, 901, shown=replace(licence(), holder=THIEF)) == "HolderNotSigned"
    assert place.book.call("heads", place.vehicle) == head
    place.inspect(901)
