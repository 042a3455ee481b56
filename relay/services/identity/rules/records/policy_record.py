"""What stands under `identity/policy/`: who controls a DID, and who may recover it."""

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final

from hutong.light_clients.crypto import keccak256
from hutong.light_clients.ibc.abi import encode_abi
from hutong.light_clients.interface import MalformedInput
from hutong.relay.services.identity.rules.records.encoding import (
    ADDRESS_BYTES,
    HASH_BYTES,
    address_bytes,
    check_bytes,
    check_number,
    decode_value,
    encode_value,
)

STRUCT: Final = "(uint8,address[],bytes32,uint8,address[],uint64)"
MAX_ACCOUNTS = 16
MIN_DELAY_S = 3_600
MAX_DELAY_S = 2_592_000
NO_POLICY: Final = bytes(HASH_BYTES)


def _check_quorum(name: str, threshold: int, accounts: tuple[bytes, ...]) -> None:
    if len(accounts) > MAX_ACCOUNTS:
        raise MalformedInput(name, f"at most {MAX_ACCOUNTS} accounts", got=len(accounts))
    for account in accounts:
        check_bytes(name, account, ADDRESS_BYTES)
        if account == bytes(ADDRESS_BYTES):
            raise MalformedInput(name, "the zero address signs nothing")
    if any(first >= second for first, second in pairwise(accounts)):
        raise MalformedInput(name, "accounts must ascend, none twice")
    check_number(f"{name}.threshold", threshold, least=1, most=len(accounts))


@dataclass(frozen=True, slots=True)
class Controllers:
    """`threshold` of these hub accounts decide; the accounts ascend.

    `next_policy` is the `policy_commitment` of those who alone may follow them, or `NO_POLICY`.
    """

    threshold: int
    accounts: tuple[bytes, ...]
    next_policy: bytes = NO_POLICY

    def __post_init__(self) -> None:
        _check_quorum("policy.controllers", self.threshold, self.accounts)
        check_bytes("policy.next_policy", self.next_policy)


@dataclass(frozen=True, slots=True)
class Guardians:
    """`threshold` of these accounts may begin a recovery, which takes effect after `delay_s`. All zero where there are none."""

    threshold: int = 0
    accounts: tuple[bytes, ...] = ()
    delay_s: int = 0

    def __post_init__(self) -> None:
        if not self.accounts:
            if (self.threshold, self.delay_s) != (0, 0):
                raise MalformedInput(
                    "policy.guardians", "nobody: no threshold and no delay", (self.threshold, self.delay_s)
                )
            return
        _check_quorum("policy.guardians", self.threshold, self.accounts)
        check_number("policy.recovery_delay_s", self.delay_s, least=MIN_DELAY_S, most=MAX_DELAY_S)


@dataclass(frozen=True, slots=True)
class PolicyRecord:
    """Who controls a DID, and who may recover it."""

    controllers: Controllers
    guardians: Guardians = field(default_factory=Guardians)

    def members(self) -> tuple[Any, ...]:
        """As the struct of ABI values."""
        controllers, guardians = self.controllers, self.guardians
        return (
            controllers.threshold,
            list(controllers.accounts),
            controllers.next_policy,
            guardians.threshold,
            list(guardians.accounts),
            guardians.delay_s,
        )

    @classmethod
    def of(cls, members: tuple[Any, ...]) -> "PolicyRecord":
        """Inverse of `members`, with addresses as text.

        Raises:
            MalformedInput: a member out of its rule.
        """
        threshold, accounts, next_policy, guardian_threshold, guardians, delay_s = members
        return cls(
            Controllers(threshold, tuple(map(address_bytes, accounts)), next_policy),
            Guardians(guardian_threshold, tuple(map(address_bytes, guardians)), delay_s),
        )


def encode_policy_record(record: PolicyRecord) -> bytes:
    """Inverse of `decode_policy_record`."""
    return encode_value(STRUCT, record.members())


def decode_policy_record(data: bytes) -> PolicyRecord:
    """The policy of a DID.

    Raises:
        MalformedInput: an unknown version, another encoding, or a member out of its rule.
    """
    return PolicyRecord.of(decode_value(STRUCT, data, "policy"))


def policy_commitment(threshold: int, accounts: tuple[bytes, ...], salt: bytes) -> bytes:
    """What `next_policy` holds of the controllers that are to follow: Keccak-256, with a random salt of 32 bytes.

    The accounts stay unknown until they take over, so that whoever steals today's keys does not know whose to steal next.
    """
    return keccak256(encode_abi(("uint8", "address[]", "bytes32"), [threshold, list(accounts), salt]))
