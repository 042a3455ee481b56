"""What gas costs on a hub whose genesis names a base fee; without one everything here is zero."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from hutong.relay.evm.vm.base_fee import next_base_fee_wei
from hutong.relay.evm.vm.native import Address
from hutong.relay.evm.vm.transaction import SignedTransaction
from hutong.relay.hub.state import StateView
from hutong.relay.hub.state.keys import BASE_FEE_KEY

NOBODY: Address = bytes(20)
"""Coinbase where nobody is named: what is paid to it is burnt."""
FEE_BYTES = 32
MAX_UNPAYABLE = 1_024
"""Senders that one proposal passes over: each costs a read of its account."""


@dataclass(frozen=True, slots=True)
class FeeRules:
    """`base_fee_wei` is that of the first blocks and the least one of all."""

    base_fee_wei: int
    recipient: Address = NOBODY
    """Gets the tips; the base fee is burnt."""


def base_fee_after(view: StateView, rules: FeeRules | None) -> int:
    """Wei a unit of gas in the block that follows this state; 0 where gas is free.

    It is in the state, so that a node that was given the state alone judges alike.
    """
    if rules is None:
        return 0
    stored = view.get(BASE_FEE_KEY)
    return rules.base_fee_wei if stored is None else int.from_bytes(stored, "big")


def settle_base_fee(view: StateView, rules: FeeRules | None, base_fee_wei: int, gas_used: int, gas_limit: int) -> None:
    """Write the next block's base fee (EIP-1559) where it differs from this one's.

    So a block at rest leaves the state as it was. `gas_used` is what the block used and `gas_limit` what it may use at
    most.
    """
    if rules is None:
        return
    following_wei = next_base_fee_wei(base_fee_wei, gas_used, gas_limit, rules.base_fee_wei)
    if following_wei != base_fee_wei:
        view.set(BASE_FEE_KEY, following_wei.to_bytes(FEE_BYTES, "big"))


def payable(
    candidates: Iterable[SignedTransaction],
    base_fee_wei: int,
    balance_wei: Callable[[Address], int],
    unpayable: list[SignedTransaction],
) -> Iterator[SignedTransaction]:
    """Those that offer the base fee and that their senders can pay with what the earlier ones leave.

    One that cannot be paid for would take room in the block and pay for nothing. A sender's later ones go with it:
    their nonces would not be next. Balances are asked once a sender.

    Args:
        unpayable: the first unpayable one of each sender is appended here; at MAX_UNPAYABLE nothing more is judged.
    """
    left_wei: dict[Address, int] = {}
    skipped: set[Address] = set()
    for transaction in candidates:
        sender = transaction.sender
        if sender in skipped:
            continue
        if sender not in left_wei:
            left_wei[sender] = balance_wei(sender)
        left_wei[sender] -= transaction.most_cost_wei
        if transaction.max_fee_per_gas_wei < base_fee_wei:
            skipped.add(sender)
            continue
        if left_wei[sender] < 0:
            skipped.add(sender)
            unpayable.append(transaction)
            if len(unpayable) == MAX_UNPAYABLE:
                return
            continue
        yield transaction
