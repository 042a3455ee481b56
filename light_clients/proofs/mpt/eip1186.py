"""A whole `eth_getProof` answer as one claim: an account and some of its slots under a state root."""

from collections.abc import Iterator
from dataclasses import dataclass

from light_clients.interface import Check
from light_clients.proofs.mpt.account import (
    EIP1186_SOURCE,
    EMPTY_ACCOUNT,
    Account,
    account_matches,
    storage_checks,
    verify_account,
)


@dataclass(frozen=True, slots=True)
class SlotClaim:
    """`slot` holds `word` (32 bytes), or nothing with None."""

    slot: bytes
    word: bytes | None
    nodes: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class AccountClaim:
    """`address` has exactly `account` and these slots.

    Nodes answer about an absent account as about an empty one, so `EMPTY_ACCOUNT` claims either (EIP-161).
    """

    address: bytes
    account: Account
    nodes: tuple[bytes, ...]
    slots: tuple[SlotClaim, ...]


def eip1186_checks(state_root: bytes, claim: AccountClaim) -> Iterator[Check]:
    """Every predicate of the claim, in order; slots are judged under the storage root that the first two checks proved."""
    proven: list[Account] = []
    yield Check(
        "account_path_is_proven",
        EIP1186_SOURCE,
        lambda: proven.append(verify_account(state_root, claim.address, claim.nodes) or EMPTY_ACCOUNT),
    )
    yield Check("account_matches", EIP1186_SOURCE, lambda: account_matches(proven[0], claim.account))
    for slot in claim.slots:
        yield from storage_checks(proven[0].storage_root, slot.slot, slot.nodes, slot.word, f"slot_{slot.slot.hex()}.")
