"""A whole `eth_getProof` answer as one claim: an account and some of its slots under a state root."""

from collections.abc import Sequence
from dataclasses import dataclass

from hutong.light_clients.interface import Judge, rule
from hutong.light_clients.proofs.mpt.account import (
    EIP1186_SOURCE,
    EMPTY_ACCOUNT,
    Account,
    account_matches,
    judge_storage,
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


@rule(EIP1186_SOURCE)
def account_path_is_proven(state_root: bytes, address: bytes, nodes: Sequence[bytes]) -> Account:
    """The account at `address`; an absent one counts as an empty one.

    Raises:
        MalformedInput, PredicateFailed: as `verify_account`.
    """
    return verify_account(state_root, address, nodes) or EMPTY_ACCOUNT


def judge_eip1186(judge: Judge, state_root: bytes, claim: AccountClaim) -> None:
    """Every rule of the claim, in order; slots are judged under the storage root that the first two rules proved.

    Raises:
        MalformedInput, PredicateFailed: the first rule that does not hold; an audit shows which slot it is of.
    """
    proven = judge(account_path_is_proven, state_root, claim.address, claim.nodes)
    judge(account_matches, proven, claim.account)
    for slot in claim.slots:
        judge_storage(judge.under(f"slot_{slot.slot.hex()}."), proven.storage_root, slot.slot, slot.nodes, slot.word)
