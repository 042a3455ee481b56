"""A shipment: a carrier on p1 with a licence, an exporter on e1, a bank on e2, customs on e1, and their contracts."""

import secrets
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from eth_account.signers.local import LocalAccount
from web3.contract import Contract

from hutong.relay.cases.case import CaseRun
from hutong.relay.cases.city_file import City
from hutong.relay.cases.credentials.desk import Asked, Desk, acceptance, schema_of
from hutong.relay.cases.credentials.seals import Presented, SealedCredential, issue
from hutong.relay.cases.credentials.title_way import TitleWay
from hutong.relay.cases.evidence import EvidenceWriter
from hutong.relay.cases.organisation import Organisation

LICENCE, MANIFEST = schema_of("carrier-1"), schema_of("manifest-1")
DECLARED = ("goods_code", "weight_kg")
PRICE, MAX_AGE_S, VALID_S = 40_000, 60, 10**8


@dataclass(frozen=True)
class Trade:
    """`bill` goes p1, e1, e2 and back to p1; `late` from p1 to e2 alone. The bank is at e2's `desk`, customs at e1's."""

    city: City
    authority: Organisation
    carrier: LocalAccount
    exporter: LocalAccount
    bank: LocalAccount
    desk: Desk
    border: Desk
    money: Contract
    cargo: Contract
    customs: Contract
    licence: SealedCredential
    bill: TitleWay
    late: TitleWay

    @classmethod
    def begin(cls, city: City, authority: Organisation) -> "Trade":
        """With new contracts, a licence for the carrier's own account, and two bills."""
        p1, e1, e2 = (city.chain(name) for name in ("p1", "e1", "e2"))
        carrier, exporter, bank = (city.person(number) for number in (8, 9, 0))
        desk, border = Desk.open(city, e2, bank), Desk.open(city, e1, exporter)
        customs = e1.deploy(exporter, "ExampleCustoms", border.cache.address, MAX_AGE_S, MANIFEST)
        until_s = e2.time_s() + VALID_S
        licence = issue(authority, LICENCE, authority.free_index(), {"name": "Blue Line"}, until_s, carrier)
        bills = [TitleWay(way, carrier.address, *named()) for way in ((p1, e1, e2, p1), (p1, e2))]
        money = e2.deploy(bank, "ExampleToken", "Cash", "CASH", 2 * PRICE)
        cargo = p1.deploy(carrier, "ExampleCargo", p1.contracts["title"])
        people = (carrier, exporter, bank)
        return cls(city, authority, *people, desk, border, money, cargo, customs, licence, *bills)

    def credit(self, run: CaseRun, bill: TitleWay, within_s: int) -> Contract:
        """A letter of credit over a bill's cargo, to be presented so soon, with the bank's money in it."""
        e2, gate = self.desk.chain, (self.desk.cache.address, MAX_AGE_S)
        terms = (self.bank.address, self.exporter.address, self.money.address, PRICE, bill.content)
        until_s = e2.time_s() + within_s
        letter = e2.deploy(self.bank, "ExampleLetterOfCredit", *gate, e2.contracts["title"], LICENCE, (*terms, until_s))
        run.paid(e2.call(self.bank, self.money.functions.transfer(letter.address, PRICE)))
        return letter

    def present(self, letter: Contract, title: bytes, licence: SealedCredential, shown: list[Presented]) -> Any:
        """The exporter's call for payment, with the carrier's licence for it, which is then all of `shown`."""
        asked = Asked(letter, "present", ("bytes32",), (title,), self.exporter, secrets.randbits(64))
        shown[:] = [self.desk.present(licence, self.authority, (), asked)]
        return asked.call(acceptance(shown[0], self.authority))

    def declare(self, manifest: SealedCredential, names: tuple[str, ...], shown: list[Presented]) -> Any:
        """The exporter's declaration, with these claims of the manifest; it is then all of `shown`."""
        asked = Asked(self.customs, "declare", ("bytes32",), (self.bill.content,), self.exporter, secrets.randbits(64))
        shown[:] = [self.border.present(manifest, self.authority, names, asked)]
        return asked.call(acceptance(shown[0], self.authority))

    def held(self, holder: str) -> int:
        """How much money somebody has on e2."""
        return int(self.money.functions.balanceOf(holder).call())

    def cargo_refusal(self) -> str | None:
        """What the carrier's warehouse says to whoever asks for the cargo now."""
        return self.bill.way[0].refusal(self.bank, self.cargo.functions.release(self.bill.id_at(3)))

    def name(self, evidence: EvidenceWriter, letters: tuple[Contract, Contract]) -> None:
        """Say which contracts, people and values are meant."""
        for chain, name, contract in (
            ("e2", "letter", letters[0]),
            ("e2", "overdue", letters[1]),
            ("e1", "customs", self.customs),
            ("p1", "cargo", self.cargo),
        ):
            evidence.contract(chain, name, contract.address)
        people = {"carrier": self.carrier, "exporter": self.exporter, "bank": self.bank}
        evidence.people |= {name: account.address for name, account in people.items()}
        evidence.values |= {"authority": self.authority.did, "licence": LICENCE.hex(), "manifest": MANIFEST.hex()}
        evidence.values |= {f"hub-at-{chain.name}": chain.client_of_hub for chain in self.bill.way[:3]}


def named() -> tuple[bytes, bytes]:
    """A new bill's name, and the hash of its cargo."""
    return secrets.token_bytes(32), sha256(secrets.token_bytes(32)).digest()
