"""A court's orders and what its custodian released: who may write what, and what proofs read of it."""

import pytest

from hutong.light_clients.crypto import keccak256
from tests.contracts.evm import SENDER, Evm, Reverted

CUSTODIAN, READER = b"\x41" * 20, b"\x42" * 20
EXHIBIT = b"\x43" * 32
ITEMS = [int.from_bytes(keccak256(slot.to_bytes(32, "big")), "big") for slot in range(2)]


def opened():
    evm = Evm()
    return evm, evm.deploy("ExampleCourtOrders", CUSTODIAN)


def refusal(contract, name, *arguments, sender):
    with pytest.raises(Reverted) as error:
        contract.call(name, *arguments, sender=sender)
    return error.value.name


def test_order_and_release_stand_where_proofs_read_them():
    evm, book = opened()
    with evm.at(1_000):
        book.transact("order", EXHIBIT, READER, 1_500)
    with evm.at(1_499):
        book.transact("release", 0, sender=CUSTODIAN)
        book.transact("release", 0, sender=CUSTODIAN)
    assert [evm.storage(book.address, slot) for slot in (0, 1)] == [1, 2]
    who, what = (evm.storage(book.address, ITEMS[0] + at) for at in range(2))
    assert who == 2 << 224 | 1_500 << 160 | int.from_bytes(READER, "big")
    assert what.to_bytes(32, "big") == EXHIBIT
    assert [evm.storage(book.address, ITEMS[1] + at) for at in range(2)] == [1_499, 1_499]
    assert book.call("orders", 0) == (f"0x{READER.hex()}", 1_500, 2, EXHIBIT)


def test_only_the_court_orders_and_only_the_custodian_releases():
    evm, book = opened()
    with evm.at(1_000):
        for sender in (CUSTODIAN, READER):
            assert refusal(book, "order", EXHIBIT, READER, 1_500, sender=sender) == "NotYours"
        book.transact("order", EXHIBIT, READER, 1_500)
        for sender in (SENDER, READER):
            assert refusal(book, "release", 0, sender=sender) == "NotYours"
        assert refusal(book, "release", 1, sender=CUSTODIAN) == "NoOrder"


def test_an_order_ends():
    evm, book = opened()
    with evm.at(1_000):
        assert refusal(book, "order", EXHIBIT, READER, 1_000, sender=SENDER) == "OrderOver"
        book.transact("order", EXHIBIT, READER, 1_001)
        assert book.call("release", 0, sender=CUSTODIAN) == ()
    with evm.at(1_001):
        assert refusal(book, "release", 0, sender=CUSTODIAN) == "OrderOver"
