"""A token of one chain that goes to another over the hub, as a dapp's author sees both ends."""

from dataclasses import dataclass
from typing import Any

from web3.contract import Contract
from web3.logs import DISCARD

from hutong.relay.cases.chain import CaseChain

TIMEOUT_S = 3_600


@dataclass(frozen=True)
class TokenLane:
    """`token` is on `source`; on `destination` there are vouchers of it."""

    source: CaseChain
    destination: CaseChain
    token: Contract

    @property
    def here(self) -> Contract:
        """`Transfer` of the source, which keeps what is away."""
        return self.source.app("transfer", "ITransfer")

    def approve(self, amount: int) -> Any:
        """The holder's call that lets `Transfer` take so much."""
        return self.token.functions.approve(self.here.address, amount)

    def send(self, amount: int, receiver: str) -> Any:
        """The holder's call that sends tokens."""
        clients, until_s = (self.source.client_of_hub, self.destination.hub_client), self.destination.time_s()
        sent = (*clients, self.token.address, amount, receiver.lower(), until_s + TIMEOUT_S)
        return self.here.functions.sendForwarded(*sent)

    def packet_of(self, receipt: Any) -> str:
        """The id of the packet that a sending sent."""
        (event,) = self.here.events.TransferSent().process_receipt(receipt, errors=DISCARD)
        return f"{self.source.name}/{self.source.client_of_hub}/{event.args.sequence}"

    @property
    def voucher(self) -> Contract:
        """Of the token on the destination, also before it exists."""
        hops = f"transfer/{self.destination.client_of_hub}/transfer/{self.source.hub_client}"
        there = self.destination.app("transfer", "ITransfer")
        address = there.functions.voucherAddress(f"{hops}/{self.token.address.lower()}").call()
        return self.destination.contract("ExampleToken", address)

    def held_there(self, holder: str) -> int:
        """How much of it somebody has on the destination."""
        voucher = self.voucher
        if not self.destination.web3.eth.get_code(voucher.address):
            return 0
        return int(voucher.functions.balanceOf(holder).call())
