"""Titles of one issuer that go from one chain to another over the hub, as a dapp's author sees both ends."""

from dataclasses import dataclass
from typing import Any

from web3 import Web3
from web3.contract import Contract
from web3.logs import DISCARD

from hutong.relay.cases.chain import CaseChain

TITLES_SLOT = 1
LIVE, AWAY, RETIRED = 1, 3, 5
"""`TitleState`."""
TIMEOUT_S = 3_600


@dataclass(frozen=True)
class TitleLane:
    """`issuer` is the contract on `source` that mints, under the numbers 0, 1 and so on."""

    source: CaseChain
    destination: CaseChain
    issuer: str

    @property
    def here(self) -> Contract:
        """`Title` of the source."""
        return self.source.app("title", "ITitle")

    @property
    def there(self) -> Contract:
        """`Title` of the destination."""
        return self.destination.app("title", "ITitle")

    @staticmethod
    def local_id(number: int) -> bytes:
        """The issuer's own name of a title."""
        return (number + 1).to_bytes(32, "big")

    def id_here(self, number: int) -> bytes:
        """On the source."""
        return bytes(self.here.functions.idOf("", self.issuer.lower(), self.local_id(number)).call())

    def id_there(self, number: int) -> bytes:
        """On the destination, which it came to by the hub."""
        route = f"{self.destination.client_of_hub}>{self.source.hub_client}"
        return bytes(self.there.functions.idOf(route, self.issuer.lower(), self.local_id(number)).call())

    def move(self, number: int, receiver: str) -> Any:
        """The holder's call that sends one."""
        clients, until_s = (self.source.client_of_hub, self.destination.hub_client), self.destination.time_s()
        return self.here.functions.moveForwarded(*clients, self.id_here(number), receiver.lower(), until_s + TIMEOUT_S)

    def packet_of(self, receipt: Any) -> str:
        """The id of the packet that a move sent."""
        (event,) = self.here.events.MoveSent().process_receipt(receipt, errors=DISCARD)
        return f"{self.source.name}/{self.source.client_of_hub}/{event.args.sequence}"

    def all_are(self, state: int, count: int, *, there: bool = False) -> bool:
        """Whether all of the first `count` titles are in that state on one of the chains."""
        title, id_of = (self.there, self.id_there) if there else (self.here, self.id_here)
        return all(title.functions.titleOf(id_of(number)).call()[0] == state for number in range(count))


def state_slot(title: bytes) -> bytes:
    """The storage slot of `Title` whose lowest byte is the state of a title (its id, 32 bytes)."""
    return bytes(Web3.keccak(title + TITLES_SLOT.to_bytes(32, "big")))
