"""The token of the reserves on one EVM chain, and which of its words the relay keeps as records."""

from dataclasses import dataclass
from typing import Any

from eth_account.signers.local import LocalAccount
from web3.contract import Contract

from hutong.relay.cases.assets.erc20 import SUPPLY_SLOT
from hutong.relay.cases.case_feed import CaseFeed
from hutong.relay.cases.chain import CaseChain
from hutong.relay.cases.city_file import City
from hutong.relay.cases.operator import ObservedSlot

MAX_AGE_S, RENEWED_S = 900, 4
"""Each mint waits for a record that is later than its promise: of a slot that does not change, for its renewal."""
COMMITTED_SLOT = (5).to_bytes(32, "big")
SLOTS = {"supply": SUPPLY_SLOT, "committed": COMMITTED_SLOT}


@dataclass(frozen=True)
class Branch:
    """The token on one chain, and how the hub names its slots."""

    chain: CaseChain
    token: Contract
    issuer: LocalAccount

    def key(self, slot: bytes) -> bytes:
        """Of the hub's record of a slot."""
        return f"observation/slot/{self.chain.hub_client}/".encode() + bytes.fromhex(self.token.address[2:]) + slot

    def do(self, function: Any) -> Any:
        """The issuer's call."""
        return self.chain.call(self.issuer, function)

    def says(self, *errors: str | None) -> bool:
        """Whether `mint` would be refused by one of these errors now; None: whether it would be done."""
        return self.chain.refusal(self.issuer, self.token.functions.mint(self.issuer.address)) in errors


def open_branch(chain: CaseChain, feed: CaseFeed, issuer: LocalAccount) -> Branch:
    """Deploy the token of a chain."""
    contracts = (chain.contracts["feed"], feed.id, chain.contracts["reader"], MAX_AGE_S)
    return Branch(chain, chain.deploy(issuer, "ExampleReserveToken", *contracts), issuer)


def observe(city: City, branches: tuple[Branch, ...]) -> None:
    """The relay keeps each token's slots as records, and brings what is committed to the other chain's reader."""
    wanted = []
    for branch, other in zip(branches, branches[::-1], strict=True):
        for name, slot in SLOTS.items():
            label = f"{name} {branch.chain.name} {branch.token.address[:10]}"
            pushed = (other.chain.name,) if name == "committed" else ()
            wanted.append(ObservedSlot(label, branch.chain.name, branch.token.address, slot, RENEWED_S, pushed))
    token = city.cosmos
    city.operator.observe([*wanted, *([] if token is None else [token.observed(RENEWED_S, ("e1", "e2"))])])


def as_value(amount: int) -> bytes:
    """Of an EVM slot, without leading zeros."""
    return amount.to_bytes(32, "big").lstrip(b"\0")
