"""A feed as a case uses it: signers with new keys who sign as a wallet does (EIP-712), and the call that anybody pushes with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from eth_abi.abi import encode
from eth_account import Account
from eth_account.signers.local import LocalAccount
from web3 import Web3
from web3.contract import Contract

MEDIAN = 1
SLOT_TYPES = ("bytes32", "uint256")
_ID_TYPES = ("string", "address[]", "uint8", "uint8", "uint8", "uint32", "string")
_DOMAIN = {"name": "hutong feed", "version": "1"}
_TYPES = {
    "Report": [
        {"name": "feed", "type": "bytes32"},
        {"name": "time", "type": "uint64"},
        {"name": "value", "type": "int128"},
    ]
}


class SignedReport(NamedTuple):
    """What one signer said of a round."""

    value: int
    signature: bytes


@dataclass(frozen=True)
class CaseFeed:
    """`signers` ascend by address."""

    signers: tuple[LocalAccount, ...]
    threshold: int
    heartbeat_s: int
    label: str

    @classmethod
    def of_new_signers(cls, count: int, threshold: int, heartbeat_s: int, label: str) -> "CaseFeed":
        """Whole numbers as values, by signers whom nobody knew before."""
        accounts = sorted((Account.create() for _ in range(count)), key=lambda account: int(account.address, 16))
        return cls(tuple(accounts), threshold, heartbeat_s, label)

    @property
    def description(self) -> tuple[list[str], int, int, int, int, str]:
        """As `IFeed` takes it."""
        return [one.address for one in self.signers], self.threshold, MEDIAN, 0, self.heartbeat_s, self.label

    @property
    def document(self) -> dict[str, Any]:
        """As evidence and `hutong feed` have it (docs/spec/feeds.md)."""
        return {
            "format": "hutong-feed",
            "version": 1,
            "signers": [one.address.lower() for one in self.signers],
            "threshold": self.threshold,
            "rule": "median",
            "decimals": 0,
            "heartbeat_s": self.heartbeat_s,
            "label": self.label,
        }

    @cached_property
    def id(self) -> bytes:
        """32 bytes that name it on every chain."""
        return bytes(Web3.keccak(encode(_ID_TYPES, ("hutong-feed-1", *self.description))))

    @property
    def slot(self) -> bytes:
        """Of its newest round in a `Feed`."""
        return bytes(Web3.keccak(encode(SLOT_TYPES, (self.id, 0))))

    def reports(self, time_s: int, values: Mapping[int, int]) -> list[SignedReport]:
        """Of one round, by the signers at these places, ascending."""
        return [self.report(place, time_s, values[place]) for place in sorted(values)]

    def report(self, place: int, time_s: int, value: int) -> SignedReport:
        """One signer's."""
        message = {"feed": self.id, "time": time_s, "value": value}
        signed = self.signers[place].sign_typed_data(_DOMAIN, _TYPES, message)
        return SignedReport(value, bytes(signed.signature))

    def push(self, contract: Contract, time_s: int, reports: Sequence[SignedReport]) -> Any:
        """The call that stores the round."""
        values, signatures = [one.value for one in reports], b"".join(one.signature for one in reports)
        return contract.functions.push(self.description, time_s, values, signatures)
