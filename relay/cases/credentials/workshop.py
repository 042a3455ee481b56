"""Inspectors of vehicles, who write entries under a licence, into a contract and a log."""

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from eth_abi.abi import encode
from eth_account.signers.local import LocalAccount
from web3.contract import Contract

from hutong.relay.cases.chain import CaseChain
from hutong.relay.cases.credentials.desk import Asked, Desk, acceptance
from hutong.relay.cases.credentials.seals import Presented, SealedCredential
from hutong.relay.cases.credentials.title_way import TitleWay
from hutong.relay.cases.organisation import Organisation

MILEAGE = b"mileage".ljust(32, b"\0")
CERTIFICATE = b"built 2036-01-07, three seats, 58 kWh"
KM = 1_370
"""From one inspection to the next."""


def passport_of(way: tuple[CaseChain, ...], maker: str, number: str) -> TitleWay:
    """Of a new vehicle with this number on its frame."""
    local, content = (sha256(said).digest() for said in (number.encode(), f"{number} ".encode() + CERTIFICATE))
    return TitleWay(way, maker, local, content, (MILEAGE,))


@dataclass(frozen=True)
class Workshop:
    """Inspectors write into `book` on e1, the recorder of the title that the owner holds there."""

    desk: Desk
    passport: TitleWay
    book: Contract
    authority: Organisation
    inspector: LocalAccount
    began_s: int

    def entry(self, number: int, licence: SealedCredential) -> bytes:
        """What an inspector says of the vehicle, as its log has it: content of the title, mileage, time, licence."""
        said = [self.passport.content, KM * (number + 1), self.began_s + number, licence.digest]
        return encode(["bytes32", "uint128", "uint64", "bytes32"], said)

    def inspect(self, licence: SealedCredential, mileage: int, number: int, shown: list[Presented]) -> Any:
        """The inspector's call, with a presentation made now, which is then `shown` at that number."""
        arguments = (self.passport.id_at(1), mileage, self.began_s + number)
        asked = Asked(self.book, "inspect", ("bytes32", "uint128", "uint64"), arguments, self.inspector, number)
        shown[number:] = [self.desk.present(licence, self.authority, (), asked)]
        return asked.call(acceptance(shown[-1], self.authority))
