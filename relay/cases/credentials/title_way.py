"""One title on its way from chain to chain over the hub, as its issuer and holders see it."""

from dataclasses import dataclass
from typing import Any

from eth_abi.abi import encode
from eth_account.signers.local import LocalAccount
from web3 import Web3
from web3.contract import Contract
from web3.logs import DISCARD

from hutong.relay.cases.assets.title_lane import TIMEOUT_S, state_slot
from hutong.relay.cases.case import CaseRun
from hutong.relay.cases.chain import CaseChain


@dataclass(frozen=True)
class TitleWay:
    """`way` are the chains that it goes over, its issuer's first; `issuer` is an account there. `local` is the issuer's name for it
    (32 bytes), `content` the hash of what it is a title to, `counters` names of numbers that go up from zero."""

    way: tuple[CaseChain, ...]
    issuer: str
    local: bytes
    content: bytes
    counters: tuple[bytes, ...] = ()

    def title(self, at: int) -> Contract:
        """`Title` of the chain of that place on its way."""
        return self.way[at].app("title", "ITitle")

    def id_at(self, at: int) -> bytes:
        """What it is called there: by the routes that it came by, the last first."""
        hops = [f"{here.client_of_hub}>{last.hub_client}" for last, here in zip(self.way, self.way[1:], strict=False)]
        trace = "/".join(reversed(hops[:at]))
        return bytes(Web3.keccak(encode(["string", "string", "bytes32"], [trace, self.issuer.lower(), self.local])))

    def slots(self, at: int) -> tuple[bytes, bytes]:
        """The storage slots of its state there, and of whoever has a lien."""
        first = state_slot(self.id_at(at))
        return first, (int.from_bytes(first, "big") + 1).to_bytes(32, "big")

    def make(self) -> Any:
        """The issuer's call, for itself."""
        counters = [(name, False, 0) for name in self.counters]
        return self.title(0).functions.mint(self.local, self.issuer, self.content, counters)

    def move(self, at: int, receiver: str) -> Any:
        """The holder's call that sends it on from there."""
        here, there = self.way[at], self.way[at + 1]
        clients, until_s = (here.client_of_hub, there.hub_client), there.time_s() + TIMEOUT_S
        return self.title(at).functions.moveForwarded(*clients, self.id_at(at), receiver.lower(), until_s)

    def sent(self, run: CaseRun, at: int, holder: LocalAccount, receiver: str) -> str:
        """Send it on from there; the packet's id."""
        here = self.way[at]
        receipt = here.call(holder, self.move(at, receiver))
        run.paid(receipt)
        run.messages += 1
        (event,) = self.title(at).events.MoveSent().process_receipt(receipt, errors=DISCARD)
        return f"{here.name}/{here.client_of_hub}/{event.args.sequence}"

    def state(self, at: int) -> int:
        """`TitleState` there."""
        return int(self.title(at).functions.titleOf(self.id_at(at)).call()[0])

    def counter(self, at: int) -> int:
        """What its first counter says there."""
        *_, counters = self.title(at).functions.titleOf(self.id_at(at)).call()
        return int(counters[0][2])
