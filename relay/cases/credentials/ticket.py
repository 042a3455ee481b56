"""The operators of one ticket, and their clearing."""

from dataclasses import dataclass
from typing import Any

from eth_abi.abi import encode
from eth_account.signers.local import LocalAccount
from web3.contract import Contract

from hutong.relay.cases.anchoring import root_and_paths
from hutong.relay.cases.case import CaseRun
from hutong.relay.cases.city_file import City
from hutong.relay.cases.cold_chain import append
from hutong.relay.cases.credentials.desk import Asked, Desk, acceptance, schema_of
from hutong.relay.cases.credentials.saying import ROOT_AT, say, source_of
from hutong.relay.cases.credentials.seals import Presented, SealedCredential
from hutong.relay.cases.log_messages import log_message, send_from_log
from hutong.relay.cases.organisation import Organisation

LICENCE, CHAINS, DEPOSIT = schema_of("operator-1"), ("p1", "e2", "l"), 10**9
LOG_ROOT_AT = ROOT_AT - 32
Proof = list[Presented]


@dataclass(frozen=True)
class Ticket:
    """Operators with accounts on every chain, and their clearing on e1 with money in it."""

    city: City
    desk: Desk
    authority: Organisation
    clearing: Contract
    money: Contract
    operators: tuple[LocalAccount, ...]

    def source(self, place: int) -> bytes:
        """From where an operator reports, as the clearing keeps it."""
        return source_of(CHAINS[place], self.operators[place])

    def join(self, licence: SealedCredential, place: int, shown: Proof) -> Any:
        """An operator's call for its place, with its licence, which is then `shown` at that place."""
        arguments = (place, self.source(place))
        asked = Asked(self.clearing, "join", ("uint256", "bytes32"), arguments, self.operators[place], place)
        shown[place:] = [self.desk.present(licence, self.authority, ("name",), asked)]
        return asked.call(acceptance(shown[-1], self.authority))

    def report(self, run: CaseRun, day: int, place: int, batches: list[bytes], owed: list[int]) -> str:
        """What an operator tells the clearing of a day; the packet's id."""
        said = [day, root_and_paths(batches)[0], len(batches), owed]
        payload, e1 = encode(["uint256", "bytes32", "uint64", "int256[3]"], said), self.desk.chain
        if CHAINS[place] != self.city.log_name:
            return say(run, (self.city.chain(CHAINS[place]), e1), self.operators[place], self.clearing, payload)
        message = log_message(self.operators[place], self.clearing.address, payload)
        (entry,) = append(self.city, [payload])
        return send_from_log(run, self.city, e1, message, entry + 1)

    def root_at(self, place: int) -> int:
        """Where the root of its batches is in what an operator said: a message of the log asks for no gas."""
        return LOG_ROOT_AT if CHAINS[place] == self.city.log_name else ROOT_AT

    def reported(self, day: int) -> bool:
        """Whether every operator has reported the day."""
        reports = self.clearing.functions.reports
        return all(any(reports(day, place).call()) for place in range(len(self.operators)))

    def paid(self) -> list[int]:
        """What each operator has on e1."""
        return [int(self.money.functions.balanceOf(one.address).call()) for one in self.operators]
