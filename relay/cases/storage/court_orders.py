"""A court's book of orders on p1 (ExampleCourtOrders): what it refuses, and all of it stated."""

from dataclasses import dataclass

from eth_account.signers.local import LocalAccount
from web3 import Web3
from web3.contract import Contract

from hutong.relay.cases.case import CaseRun
from hutong.relay.cases.chain import CaseChain
from hutong.relay.cases.city_file import City

HOUR_S = 3_600
ORDERS, RELEASES = 0, 1
"""Slots of the two lists."""


@dataclass(frozen=True)
class CourtOrders:
    """`court` orders, `custodian` keeps the exhibits and releases."""

    chain: CaseChain
    book: Contract
    court: LocalAccount
    custodian: LocalAccount

    @classmethod
    def opened(cls, chain: CaseChain, court: LocalAccount, custodian: LocalAccount) -> "CourtOrders":
        """A new book of the court's."""
        book = chain.deploy(court, "ExampleCourtOrders", custodian.address)
        return cls(chain, book, court, custodian)

    def released_to(self, run: CaseRun, record: bytes, reader: LocalAccount, stranger: LocalAccount) -> None:
        """An order for the reader and a release under it, and what is refused before."""
        exhibit, until_s, calls = bytes(Web3.keccak(record)), self.chain.time_s() + HOUR_S, self.book.functions
        by_police = self.chain.refusal(self.custodian, calls.order(exhibit, stranger.address, until_s))
        run.refused("an order by the police itself", by_police == "NotYours", by_police)
        early = self.chain.refusal(self.custodian, calls.release(0))
        run.refused("a release without an order", early == "NoOrder", early)
        run.paid(self.chain.call(self.court, calls.order(exhibit, reader.address, until_s)))
        by_reader = self.chain.refusal(reader, calls.release(0))
        run.refused("a release that the reader writes down", by_reader == "NotYours", by_reader)
        run.paid(self.chain.call(self.custodian, calls.release(0)))

    def state(self, run: CaseRun, city: City) -> list[dict[str, str | int]]:
        """State the one order and release of `released_to`; the accesses, as the case concludes them."""
        places = {
            "orders-count": _word(ORDERS),
            "order-0000-who": _item(ORDERS, 0),
            "order-0000-what": _item(ORDERS, 1),
            "releases-count": _word(RELEASES),
            "release-0000": _item(RELEASES, 0),
        }
        bundle = city.operator.prove(self.chain.name, self.book.address, list(places.values()))
        words = {
            name: run.evidence.own_slot(name, self.book.address, slot, bundle, self.chain.time_s)
            for name, slot in places.items()
        }
        run.evidence.contract(self.chain.name, "orders", self.book.address)
        reader = (words["order-0000-who"] & (1 << 160) - 1).to_bytes(20, "big")
        return [{"order": 0, "reader": f"0x{reader.hex()}", "released_at_s": words["release-0000"] & (1 << 64) - 1}]


def _word(number: int) -> bytes:
    return (number % 2**256).to_bytes(32, "big")


def _item(slot: int, index: int) -> bytes:
    """Of a list of words."""
    return _word(int.from_bytes(Web3.keccak(_word(slot)), "big") + index)
