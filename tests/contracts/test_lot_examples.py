"""Example contracts of lots: a shop that a recall from another chain blocks, and a book in which nothing comes from nothing."""

import pytest
from eth_abi.abi import encode

from hutong.light_clients.crypto import keccak256
from hutong.light_clients.proofs import merkle
from hutong.relay.cases.assets.lots import Record, lot_id, season
from hutong.relay.cases.recall import RECALLED_SLOT
from tests.contracts.evm import Evm, Reverted

FARM, PROCESSOR, STRANGER, MAILBOX = b"\x21" * 20, b"\x22" * 20, b"\x23" * 20, b"\x24" * 20
MAKER = f"0x{PROCESSOR.hex()}"
LOT, OTHER = lot_id(1), lot_id(2)
HARVESTS = [Record(lot_id(number), 100 + number) for number in range(3)]


def refused(contract, *call, sender=STRANGER) -> tuple[str, tuple]:
    with pytest.raises(Reverted) as caught:
        contract.transact(*call, sender=sender)
    return caught.value.name, caught.value.arguments


def told(shop, lots, chain="p1", sender=MAKER, by=MAILBOX):
    origin = (chain, "bft-evm-1", "gmpport", 1, True)
    return shop.transact("onMessage", origin, sender, encode(["uint256", "bytes32[]"], [7, lots]), sender=by)


def certified(contract, leaves, log="l", sender=FARM, by=MAILBOX):
    """Somebody's root over certificates, as the Mailbox brings it."""
    origin = (log, "c2sp-tlog-0", "gmpport", 1, True)
    payload = encode(["bytes32", "uint64"], [merkle.root(leaves), len(leaves)])
    return contract.transact("onMessage", origin, f"0x{sender.hex()}", payload, sender=by)


def test_a_recalled_lot_is_not_given_out_and_others_are():
    evm = Evm()
    shop = evm.deploy("ExampleShop", MAILBOX, "p1", MAKER)
    shop.transact("giveOut", LOT)
    (said,) = told(shop, [LOT]).named("LotsRecalled")
    assert said == {"madeAt": 7, "lots": (LOT,)}
    assert refused(shop, "giveOut", LOT) == ("LotRecalled", (LOT, evm.timestamp_s))
    shop.transact("giveOut", OTHER)
    slot = int.from_bytes(keccak256(LOT + RECALLED_SLOT.to_bytes(32, "big")), "big")
    assert evm.storage(shop.address, slot) == evm.timestamp_s == shop.call("recalledAt", LOT)
    with evm.at(evm.timestamp_s + 9):
        told(shop, [LOT, OTHER])
    assert shop.call("recalledAt", LOT) == evm.timestamp_s, "a second recall changes nothing"
    assert shop.call("recalledAt", OTHER) == evm.timestamp_s + 9


def test_attack_F11_contract_nobody_but_the_maker_recalls():
    shop = Evm().deploy("ExampleShop", MAILBOX, "p1", MAKER)
    for changed, error in (
        ({"chain": "p2"}, "NotTheMaker"),
        ({"sender": f"0x{STRANGER.hex()}"}, "NotTheMaker"),
        ({"by": STRANGER}, "OnlyMailbox"),
    ):
        with pytest.raises(Reverted) as caught:
            told(shop, [LOT], **changed)
        assert caught.value.name == error
    shop.transact("giveOut", LOT)


class Book:
    """With the farm's certificates, and by itself the two harvests of them."""

    def __init__(self, harvests=HARVESTS):
        self.evm = Evm()
        self.certificates = [one.certificate for one in harvests]
        self.root = merkle.root(self.certificates)
        self.origins = self.evm.deploy("ExampleCertificates", MAILBOX, "l", f"0x{FARM.hex()}")
        certified(self.origins, self.certificates)
        self.contract = self.evm.deploy("ExampleLotBook", self.origins.address)
        self.processor = b"\x11" * 20

    def call_of(self, record, root=None):
        if record.inputs:
            return "make", record.lot, record.amount, list(record.inputs), list(record.inputs.values())
        place = self.certificates.index(record.certificate) if record.certificate in self.certificates else 0
        path = merkle.prove(self.certificates, place).aunts
        return "harvest", record.lot, record.amount, self.root if root is None else root, place, list(path)

    def enter(self, record):
        return self.contract.transact(*self.call_of(record), sender=self.processor)

    def refusal(self, record, root=None) -> str:
        return refused(self.contract, *self.call_of(record, root), sender=self.processor)[0]


def test_a_season_is_entered_and_one_word_holds_all_of_it():
    records = season(40)
    book = Book([record for record in records if not record.inputs])
    head = bytes(32)
    for record in records:
        assert book.enter(record).gas_used < 400_000
        head = keccak256(head + keccak256(record.leaf))
    assert book.contract.call("head") == head == book.evm.storage(book.contract.address, 0).to_bytes(32, "big")
    taken = {record.lot: 0 for record in records}
    for record in records:
        for source, amount in record.inputs.items():
            taken[source] += amount
    for record in records:
        assert book.contract.call("lots", record.lot) == (record.amount, record.amount - taken[record.lot])


def test_no_more_comes_out_than_goes_in():
    book = Book()
    for record in HARVESTS:
        book.enter(record)
    first, second, third = (record.lot for record in HARVESTS)
    for record in (
        Record(lot_id(9), 11, {first: 10}),
        Record(lot_id(9), 10, {first: 101}),
        Record(lot_id(9), 10, {lot_id(8): 1}),
    ):
        assert book.refusal(record) == "TooMuch"
    book.enter(Record(lot_id(9), 150, {first: 60, second: 90}))
    assert book.refusal(Record(lot_id(10), 41, {first: 41})) == "TooMuch"
    book.enter(Record(lot_id(10), 40, {first: 40}))
    assert book.refusal(Record(lot_id(9), 1, {third: 1})) == "InvalidLot"
    assert book.refusal(Record(lot_id(11), 0, {third: 1})) == "InvalidLot"
    short = ("make", lot_id(11), 1, [third, second], [1])
    assert refused(book.contract, *short, sender=book.processor)[0] == "Panic"
    assert refused(book.contract, "make", lot_id(11), 1, [third], [1, 1], sender=book.processor)[0] == "InvalidLot"
    assert refused(book.contract, *book.call_of(Record(lot_id(12), 1, {third: 1})))[0] == "OnlyProcessor"


def test_no_harvest_without_the_farms_certificate():
    book = Book()
    false = Record(lot_id(9), 5_000)
    assert book.refusal(false) == "NotCertified"
    assert book.refusal(Record(HARVESTS[0].lot, 101)) == "NotCertified"
    with pytest.raises(Reverted):
        certified(book.origins, [false.certificate], sender=STRANGER)
    alone = ("harvest", false.lot, false.amount, merkle.root([false.certificate]), 0, [])
    assert refused(book.contract, *alone, sender=book.processor)[0] == "NotCertified"
    for root in (bytes(32), b"\1" * 32):
        assert book.refusal(HARVESTS[0], root) == "NotCertified"
    book.enter(HARVESTS[0])
    assert book.refusal(HARVESTS[0]) == "InvalidLot"
    certified(book.origins, [false.certificate])
    book.contract.transact(*alone, sender=book.processor)


def test_attack_F11_contract_nobody_but_the_issuer_certifies():
    place = Evm().deploy("ExampleCertificates", MAILBOX, "l", f"0x{FARM.hex()}")
    leaves = [HARVESTS[0].certificate]
    for changed, error in (
        ({"log": "p1"}, "NotTheIssuer"),
        ({"sender": STRANGER}, "NotTheIssuer"),
        ({"by": STRANGER}, "OnlyMailbox"),
    ):
        with pytest.raises(Reverted) as caught:
            certified(place, leaves, **changed)
        assert caught.value.name == error
    assert place.call("countOf", merkle.root(leaves)) == 0
    certified(place, leaves)
    assert place.call("countOf", merkle.root(leaves)) == 1
    assert place.call("includes", merkle.root(leaves), leaves[0], 0, []) is True
    assert place.call("includes", merkle.root(leaves), leaves[0], 1, []) is False
