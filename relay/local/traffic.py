"""Users of the demo: they call `Mailbox` and `Transfer` of their own chain and know nothing of the relay."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Protocol

from eth_account.signers.local import LocalAccount

from hutong.relay.local.chain import DemoChain

LIFETIME_S = 1_800
TOKEN_AMOUNT = 10**18
LEAST_WITH_TIMEOUTS = 8


@dataclass(frozen=True, slots=True)
class Traffic:
    """How many packets of each kind the users send. Every token that goes out comes home."""

    messages: int
    tokens_out: int
    late_first_leg: int
    late_second_leg: int

    @classmethod
    def of(cls, packets: int) -> "Traffic":
        """A fifth tokens out, a fifth home, a tenth that times out, the rest messages.

        Fewer than LEAST_WITH_TIMEOUTS are all messages. The parts add up to `packets`.
        """
        if packets < LEAST_WITH_TIMEOUTS:
            return cls(packets, 0, 0, 0)
        late = max(1, packets // 20)
        out = packets // 5
        return cls(packets - 2 * out - 2 * late, out, late, late)

    @property
    def packets(self) -> int:
        """All packets that users send, those that come home included."""
        return self.messages + 2 * self.tokens_out + self.late_first_leg + self.late_second_leg


class Destination(Protocol):
    """A chain behind the hub, of any kind."""

    @property
    def client_on_hub(self) -> str:
        """The hub's client of it, which a sender names as the next hop."""


class User:
    """One account on one chain. Sends without waiting for blocks, so its nonces are counted here."""

    def __init__(self, chain: DemoChain, account: LocalAccount) -> None:
        self.chain = chain
        self.account = account
        self._nonce = chain.next_nonce(account.address)

    @property
    def receiver(self) -> str:
        """As remote chains write it: the address in lower case."""
        return self.account.address.lower()

    def timeout_s(self, lifetime_s: int = LIFETIME_S) -> int:
        """A time in seconds of Unix time, `lifetime_s` after the newest block of this user's chain."""
        return self.chain.time_s(self.chain.head()) + lifetime_s

    def send_message(self, to: DemoChain, text: str) -> None:
        """Send a text to the receiving contract of another chain, by way of the hub; does not wait for a block.

        Raises:
            web3.exceptions.Web3RPCError: the node refuses the transaction; the nonce is then not used.
        """
        mailbox = self.chain.mailbox
        data = mailbox.encode_abi(
            "sendForwarded",
            (
                self.chain.hub_client,
                to.client_on_hub,
                to.receiver_address.lower(),
                text.encode(),
                self.timeout_s(),
            ),
        )
        self._transact(mailbox.address, data)

    def send_tokens(self, to: Destination, receiver: str, token: str, amount: int, timeout_timestamp_s: int) -> None:
        """Send tokens by way of the hub: an own token goes out, a voucher goes home. Does not wait for a block.

        Args:
            token: address on this chain.
            amount: in the token's smallest unit.
            timeout_timestamp_s: for the destination's clock; the hub's is earlier by the contract's margin.

        Raises:
            web3.exceptions.Web3RPCError: the node refuses the transaction; the nonce is then not used.
        """
        transfer = self.chain.transfer
        data = transfer.encode_abi(
            "sendForwarded",
            (self.chain.hub_client, to.client_on_hub, token, amount, receiver, timeout_timestamp_s),
        )
        self._transact(transfer.address, data)

    def _transact(self, contract: str, data: str) -> None:
        self.chain.transact(self.account, self._nonce, {"to": contract, "data": data, "value": 0})
        self._nonce += 1


Users = dict[str, User]
Send = Callable[[Users], None]


def first_sends(chains: Sequence[DemoChain], traffic: Traffic, amount: Callable[[], int]) -> list[tuple[str, Send]]:
    """Messages and tokens that go out, in all directions by turns: (chain, what its user does).

    Args:
        amount: gives each packet of tokens its own, in the smallest unit.
    """
    directions = list(permutations(chains, 2))
    sends: list[tuple[str, Send]] = []
    for number in range(traffic.messages):
        here, there = directions[number % len(directions)]
        sends.append((here.name, _message(here, there, f"{here.name} to {there.name}, message {number + 1}")))
    for number in range(traffic.tokens_out):
        here, there = directions[number % len(directions)]
        sends.insert(number * 3 + 1, (here.name, _tokens(here, there, amount())))
    return sends


def _message(here: DemoChain, there: DemoChain, text: str) -> Send:
    return lambda users: users[here.name].send_message(there, text)


def _tokens(here: DemoChain, there: DemoChain, amount: int) -> Send:
    def send(users: Users) -> None:
        user = users[here.name]
        user.send_tokens(there, users[there.name].receiver, here.token_address, amount, user.timeout_s())

    return send
