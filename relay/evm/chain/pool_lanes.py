"""Lanes of a pool where gas is free: accounts cost nothing there, so a count per account bounds nobody.

Accounts that are named, such as relays whose work the chain has seen, always find room and most of a block; all others
together share what is left. A tip buys nothing where it is paid to nobody.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import Enum
from heapq import heappop, heappush
from typing import Protocol

from hutong.relay.evm.errors import InvalidReason, InvalidTransaction
from hutong.relay.evm.vm.native import Address
from hutong.relay.evm.vm.transaction import SignedTransaction

OPEN_PART = 2
"""Of a pool's places and bytes, 1/2 at most for accounts that are not named."""
NAMED_WEIGHT = 3
"""Gas of named accounts for each unit of the others' while both wait."""


class Lane(Enum):
    NAMED = "named"
    OPEN = "open"


class Waiting(Protocol):
    """An entry of the pool."""

    @property
    def transaction(self) -> SignedTransaction:
        """The transaction itself, whose gas limit is what its lane is charged for."""

    @property
    def arrival(self) -> int:
        """The pool's running number of this arrival; a replacement has a new one."""


class PoolLanes:
    """Called under the pool's lock. An account stays in its lane as long as it has anything in the pool."""

    def __init__(self, is_named: Callable[[Address], bool]) -> None:
        self._is_named = is_named
        self._lanes: dict[Address, Lane] = {}
        self._waiting: dict[Address, int] = {}
        self._open_transactions = 0
        self._open_bytes = 0

    def lane_of(self, sender: Address) -> Lane:
        """The lane that the sender has as long as it waits for anything; else the one that `is_named` gives it now."""
        known = self._lanes.get(sender)
        if known is not None:
            return known
        return Lane.NAMED if self._is_named(sender) else Lane.OPEN

    def check_room(self, transaction: SignedTransaction, most_transactions: int, most_bytes: int) -> None:
        """Refuse what the open lane has no room for: it has 1/OPEN_PART of the pool's places and bytes.

        Named accounts pass: they have the whole pool, whose own bounds the pool checks.

        Args:
            most_transactions, most_bytes: the whole pool's bounds.

        Raises:
            InvalidTransaction: POOL_FULL, with the lane's count or bytes.
        """
        if self.lane_of(transaction.sender) is Lane.NAMED:
            return
        detail = "for accounts that this node does not know as relays"
        if self._open_transactions >= most_transactions // OPEN_PART:
            most = most_transactions // OPEN_PART
            raise InvalidTransaction(InvalidReason.POOL_FULL, detail, self._open_transactions, most)
        used = self._open_bytes + len(transaction.raw)
        if used > most_bytes // OPEN_PART:
            raise InvalidTransaction(InvalidReason.POOL_FULL, f"bytes {detail}", used, most_bytes // OPEN_PART)

    def added(self, transaction: SignedTransaction) -> None:
        """Count a transaction that the pool has taken; the first of a sender fixes its lane."""
        sender = transaction.sender
        self._lanes.setdefault(sender, self.lane_of(sender))
        self._waiting[sender] = self._waiting.get(sender, 0) + 1
        if self._lanes[sender] is Lane.OPEN:
            self._open_transactions += 1
            self._open_bytes += len(transaction.raw)

    def removed(self, transaction: SignedTransaction) -> None:
        """Count a transaction that has left the pool; the last of a sender frees its lane.

        Raises:
            KeyError: it was never added, a bug of the pool.
        """
        sender = transaction.sender
        if self._lanes[sender] is Lane.OPEN:
            self._open_transactions -= 1
            self._open_bytes -= len(transaction.raw)
        self._waiting[sender] -= 1
        if not self._waiting[sender]:
            del self._waiting[sender], self._lanes[sender]

    def cleared(self) -> None:
        """Forget all counts and lanes, with the pool's content."""
        self._lanes.clear()
        self._waiting.clear()
        self._open_transactions = self._open_bytes = 0

    def lanes_of(self, senders: Sequence[Address]) -> dict[Address, Lane]:
        """The lane of each sender, as `lane_of`; a snapshot for `in_turns`, which runs outside the lock."""
        return {sender: self.lane_of(sender) for sender in senders}


def in_turns(runs: Mapping[Address, Sequence[Waiting]], lanes: Mapping[Address, Lane]) -> Iterator[SignedTransaction]:
    """The order of a block: lanes by weight of gas, and within a lane a round of all senders after the other.

    The first round has each sender's first transaction in the order of arrival, the second round the second ones. While
    both lanes wait, named accounts get NAMED_WEIGHT units of gas (limits, not use) for each of the others.

    Args:
        runs: each sender's executable transactions, by nonce.
        lanes: has every sender of `runs`.
    """
    heaps: dict[Lane, list[tuple[int, int, Address]]] = {Lane.NAMED: [], Lane.OPEN: []}
    for sender, run in runs.items():
        if run:
            heappush(heaps[lanes[sender]], (0, run[0].arrival, sender))
    # Gas times the other lane's weight, so that the comparison stays in integers.
    worked = {Lane.NAMED: 0, Lane.OPEN: 0}
    weights = {Lane.NAMED: 1, Lane.OPEN: NAMED_WEIGHT}
    while heaps[Lane.NAMED] or heaps[Lane.OPEN]:
        is_named = heaps[Lane.NAMED] and (not heaps[Lane.OPEN] or worked[Lane.NAMED] <= worked[Lane.OPEN])
        lane = Lane.NAMED if is_named else Lane.OPEN
        index, _, sender = heappop(heaps[lane])
        run = runs[sender]
        yield run[index].transaction
        worked[lane] += run[index].transaction.gas_limit * weights[lane]
        if index + 1 < len(run):
            heappush(heaps[lane], (index + 1, run[index + 1].arrival, sender))
