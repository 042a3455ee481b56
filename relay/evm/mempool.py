"""Transactions waiting for a block, by sender and nonce."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from heapq import heapify, heappop, heappush

from relay.evm.errors import InvalidReason, InvalidTransaction
from relay.evm.native import Address
from relay.evm.transaction import SignedTransaction

DEFAULT_MAX_TRANSACTIONS = 20_000
DEFAULT_MAX_BYTES = 64 * 1024 * 1024
DEFAULT_MAX_PER_SENDER = 4_096
"""A relayer on a fee-free chain has no balance to lose, so count is what bounds one account."""
MAX_NONCE_GAP = 1_024
"""Furthest nonce above the account's own: what lies beyond would only wait and take room."""
REPLACEMENT_BUMP_PERCENT = 10


@dataclass(frozen=True, slots=True)
class MempoolStatistics:
    transactions: int
    bytes: int
    senders: int
    executable: int
    """Those with no gap before them."""


@dataclass(slots=True)
class _Entry:
    transaction: SignedTransaction
    arrival: int


class Mempool:
    """Bounded; thread safe. Knows each sender's next nonce as its owner reports it after each block.

    Replacement (same sender and nonce) needs both fees 10 % higher; where both are zero nothing replaces. A
    full pool refuses, except that a transaction that closes a sender's gap displaces one that waits behind a gap.
    """

    def __init__(
        self,
        *,
        max_transactions: int = DEFAULT_MAX_TRANSACTIONS,
        max_bytes: int = DEFAULT_MAX_BYTES,
        max_per_sender: int = DEFAULT_MAX_PER_SENDER,
    ) -> None:
        self._max_transactions = max_transactions
        self._max_bytes = max_bytes
        self._max_per_sender = max_per_sender
        self._lock = threading.Lock()
        self._by_sender: dict[Address, dict[int, _Entry]] = {}
        self._by_hash: dict[bytes, SignedTransaction] = {}
        self._next_nonce: dict[Address, int] = {}
        self._bytes = 0
        self._arrivals = 0

    def add(self, transaction: SignedTransaction, account_nonce: int) -> None:
        """Take a transaction that its owner has checked against the state. Raises InvalidTransaction."""
        with self._lock:
            if transaction.hash in self._by_hash:
                raise InvalidTransaction(InvalidReason.ALREADY_KNOWN, "", transaction.hash)
            if transaction.nonce < account_nonce:
                raise InvalidTransaction(InvalidReason.NONCE_TOO_LOW, "", transaction.nonce, account_nonce)
            if transaction.nonce > account_nonce + MAX_NONCE_GAP:
                raise InvalidTransaction(
                    InvalidReason.NONCE_TOO_HIGH, "too far ahead", transaction.nonce, account_nonce + MAX_NONCE_GAP
                )
            self._advance(transaction.sender, account_nonce)
            known = self._by_sender.get(transaction.sender, {}).get(transaction.nonce)
            if known is not None:
                _check_replacement(known.transaction, transaction)
                self._remove(known.transaction)
            else:
                self._make_room(transaction, account_nonce)
            self._insert(transaction, account_nonce)

    def get(self, transaction_hash: bytes) -> SignedTransaction | None:
        with self._lock:
            return self._by_hash.get(transaction_hash)

    def next_nonce(self, sender: Address, account_nonce: int) -> int:
        """The nonce after the unbroken run of waiting transactions: eth_getTransactionCount at `pending`."""
        with self._lock:
            queued = self._by_sender.get(sender, {})
            nonce = account_nonce
            while nonce in queued:
                nonce += 1
            return nonce

    def select(self, base_fee_wei: int = 0) -> Iterator[SignedTransaction]:
        """Executable transactions in block order: highest tip first, then first come, each sender by nonce.

        A snapshot: the owner takes what fits and reports the result by `remove_included` and `drop`.
        """
        with self._lock:
            runs = {sender: self._executable(sender) for sender in self._by_sender}
        heap = [(*_priority(run[0], base_fee_wei), sender, 0) for sender, run in runs.items() if run]
        heapify(heap)
        while heap:
            _, _, sender, index = heappop(heap)
            run = runs[sender]
            yield run[index].transaction
            if index + 1 < len(run):
                heappush(heap, (*_priority(run[index + 1], base_fee_wei), sender, index + 1))

    def remove_included(self, transactions: tuple[SignedTransaction, ...]) -> None:
        """After a block: these are done, and so is everything of the same senders up to their nonces."""
        with self._lock:
            for transaction in transactions:
                self._advance(transaction.sender, transaction.nonce + 1)

    def drop(self, transaction_hash: bytes) -> None:
        """Forget one that can no longer be executed."""
        with self._lock:
            transaction = self._by_hash.get(transaction_hash)
            if transaction is not None:
                self._remove(transaction)

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            for table in (self._by_sender, self._by_hash, self._next_nonce):
                table.clear()
            self._bytes = 0

    def statistics(self) -> MempoolStatistics:
        with self._lock:
            return MempoolStatistics(
                transactions=len(self._by_hash),
                bytes=self._bytes,
                senders=len(self._by_sender),
                executable=sum(len(self._executable(sender)) for sender in self._by_sender),
            )

    def _executable(self, sender: Address) -> list[_Entry]:
        queued = self._by_sender[sender]
        run = []
        nonce = self._next_nonce[sender]
        while nonce in queued:
            run.append(queued[nonce])
            nonce += 1
        return run

    def _make_room(self, transaction: SignedTransaction, account_nonce: int) -> None:
        queued = self._by_sender.get(transaction.sender, {})
        if len(queued) >= self._max_per_sender:
            raise InvalidTransaction(InvalidReason.POOL_FULL, "for this sender", len(queued), self._max_per_sender)
        while len(self._by_hash) >= self._max_transactions or self._bytes + len(transaction.raw) > self._max_bytes:
            run_end = account_nonce
            while run_end in queued:
                run_end += 1
            displaced = self._newest_gapped() if transaction.nonce <= run_end else None
            if displaced is None:
                raise InvalidTransaction(InvalidReason.POOL_FULL, "", len(self._by_hash), self._max_transactions)
            self._remove(displaced)

    def _newest_gapped(self) -> SignedTransaction | None:
        newest: _Entry | None = None
        for sender, queued in self._by_sender.items():
            executable = len(self._executable(sender))
            if executable == len(queued):
                continue
            end = self._next_nonce[sender] + executable
            for nonce, entry in queued.items():
                if nonce > end and (newest is None or entry.arrival > newest.arrival):
                    newest = entry
        return newest.transaction if newest else None

    def _insert(self, transaction: SignedTransaction, account_nonce: int) -> None:
        self._arrivals += 1
        self._next_nonce[transaction.sender] = max(account_nonce, self._next_nonce.get(transaction.sender, 0))
        self._by_sender.setdefault(transaction.sender, {})[transaction.nonce] = _Entry(transaction, self._arrivals)
        self._by_hash[transaction.hash] = transaction
        self._bytes += len(transaction.raw)

    def _remove(self, transaction: SignedTransaction) -> None:
        del self._by_hash[transaction.hash]
        self._bytes -= len(transaction.raw)
        queued = self._by_sender[transaction.sender]
        del queued[transaction.nonce]
        if not queued:
            del self._by_sender[transaction.sender]
            del self._next_nonce[transaction.sender]

    def _advance(self, sender: Address, nonce: int) -> None:
        """The sender's next nonce is at least `nonce`: forget what it has already used."""
        queued = self._by_sender.get(sender)
        if queued is None:
            return
        self._next_nonce[sender] = max(nonce, self._next_nonce[sender])
        for old in [entry.transaction for used, entry in queued.items() if used < nonce]:
            self._remove(old)


def _priority(entry: _Entry, base_fee_wei: int) -> tuple[int, int]:
    tip_wei = entry.transaction.effective_gas_price_wei(base_fee_wei) - base_fee_wei
    return -tip_wei, entry.arrival


def _check_replacement(known: SignedTransaction, new: SignedTransaction) -> None:
    for old_wei, new_wei in (
        (known.max_fee_per_gas_wei, new.max_fee_per_gas_wei),
        (known.max_priority_fee_per_gas_wei, new.max_priority_fee_per_gas_wei),
    ):
        needed_wei = max(old_wei * (100 + REPLACEMENT_BUMP_PERCENT) // 100, old_wei + 1)
        if new_wei < needed_wei:
            raise InvalidTransaction(InvalidReason.REPLACEMENT_UNDERPRICED, "", new_wei, needed_wei)
