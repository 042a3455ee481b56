"""Transactions waiting for a block, by sender and nonce."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush
from itertools import islice

from hutong.relay.evm.chain.pool_lanes import PoolLanes, in_turns
from hutong.relay.evm.errors import InvalidReason, InvalidTransaction
from hutong.relay.evm.vm.native import Address
from hutong.relay.evm.vm.transaction import SignedTransaction

DEFAULT_MAX_TRANSACTIONS = 20_000
DEFAULT_MAX_BYTES = 64 * 1024 * 1024
DEFAULT_MAX_PER_SENDER = 4_096
"""A relayer on a fee-free chain has no balance to lose, so count is what bounds one account."""
DEFAULT_LIFETIME_S = 3_600.0
"""What no block took for so long waits behind a gap that nobody closes, or for a price that does not come back."""
MAX_NONCE_GAP = 1_024
"""Furthest nonce above the account's own: what lies beyond would only wait and take room."""
REPLACEMENT_BUMP_PERCENT = 10
MAX_FREE_REPLACEMENTS = 8
"""Of one nonce, where neither pays. Those replaced are remembered, or an engine that still has one would bring it
back."""
REMEMBERED_ARRIVALS = 4_096


@dataclass(frozen=True, slots=True)
class SenderAccount:
    """What the newest state says of a sender."""

    nonce: int
    balance_wei: int


@dataclass(frozen=True, slots=True)
class MempoolStatistics:
    transactions: int
    bytes: int
    senders: int
    executable: int
    """Those with no gap before them."""


@dataclass(frozen=True, slots=True)
class WaitingOfSender:
    """By nonce. `queued` ones wait behind a gap."""

    sender: Address
    executable: tuple[SignedTransaction, ...]
    queued: tuple[SignedTransaction, ...]


@dataclass(slots=True)
class _Entry:
    transaction: SignedTransaction
    arrival: int
    arrived_s: float
    replaced: tuple[bytes, ...] = ()
    """Hashes that it replaced without paying more."""
    announced: bool = False


@dataclass(slots=True)
class _Queue:
    """One sender's: executable are the nonces from `next_nonce` up to, without, `run_end`."""

    next_nonce: int
    run_end: int
    entries: dict[int, _Entry] = field(default_factory=dict)
    cost_wei: int = 0

    def extend_run(self) -> None:
        self.run_end = max(self.run_end, self.next_nonce)
        while self.run_end in self.entries:
            self.run_end += 1

    def run(self) -> list[_Entry]:
        return [self.entries[nonce] for nonce in range(self.next_nonce, self.run_end)]


class Mempool:
    """Bounded; thread safe. Knows each sender's next nonce as its owner reports it after each block.

    Replacement (same sender and nonce) needs both fees 10 % higher. Where both offer nothing, only one that waits
    behind a gap is replaced: an executable one may be in a proposal by now. A full pool refuses, except that an
    executable transaction displaces one that waits behind a gap, or else the last of another sender whose tip at the
    present base fee is 10 % less.
    """

    def __init__(
        self,
        *,
        max_transactions: int = DEFAULT_MAX_TRANSACTIONS,
        max_bytes: int = DEFAULT_MAX_BYTES,
        max_per_sender: int = DEFAULT_MAX_PER_SENDER,
        lifetime_s: float = DEFAULT_LIFETIME_S,
        now_s: Callable[[], float] = time.monotonic,
        lanes: PoolLanes | None = None,
    ) -> None:
        """`lanes` are for chains where gas is free."""
        self._lanes = lanes
        self._max_transactions = max_transactions
        self._max_bytes = max_bytes
        self._max_per_sender = max_per_sender
        self._lifetime_s = lifetime_s
        self._now_s = now_s
        self._lock = threading.Lock()
        self._queues: dict[Address, _Queue] = {}
        self._by_hash: dict[bytes, _Entry] = {}
        """In order of arrival."""
        self._bytes = 0
        self._arrivals = 0
        self._announced: deque[bytes] = deque(maxlen=REMEMBERED_ARRIVALS)
        self._announcements = 0
        self.listeners: set[Callable[[], None]] = set()
        """Told of announced transactions."""

    def add(
        self,
        transaction: SignedTransaction,
        account_nonce: int,
        balance_wei: int | None = None,
        *,
        base_fee_wei: int = 0,
    ) -> None:
        """Take a transaction that its owner has checked against the state. Listeners are called before it returns.

        Args:
            account_nonce: the sender's next nonce in the newest state.
            balance_wei: where given, it must also pay for everything that waits of this sender.
            base_fee_wei: the next block's, by which a full pool compares tips.

        Raises:
            InvalidTransaction: ALREADY_KNOWN, NONCE_TOO_LOW, NONCE_TOO_HIGH, INSUFFICIENT_FUNDS,
                REPLACEMENT_UNDERPRICED or POOL_FULL; the pool holds what it held, but for what has expired and room
                that was already made.
        """
        with self._lock:
            before = self._announcements
            self._expire()
            self._add(transaction, account_nonce, balance_wei, base_fee_wei)
            listeners = tuple(self.listeners) if self._announcements > before else ()
        for listener in listeners:
            listener()

    def get(self, transaction_hash: bytes) -> SignedTransaction | None:
        """A waiting transaction by its 32-byte hash; None where it does not wait (any more)."""
        with self._lock:
            entry = self._by_hash.get(transaction_hash)
            return None if entry is None else entry.transaction

    def next_nonce(self, sender: Address, account_nonce: int) -> int:
        """The nonce after the unbroken run of waiting transactions: eth_getTransactionCount at `pending`.

        Args:
            account_nonce: the sender's next nonce in the newest state; the answer is never below it.
        """
        with self._lock:
            queue = self._queues.get(sender)
            if queue is None:
                return account_nonce
            nonce = max(account_nonce, queue.run_end)
            while nonce in queue.entries:
                nonce += 1
            return nonce

    def select(self, base_fee_wei: int = 0) -> Iterator[SignedTransaction]:
        """Executable transactions in block order, a snapshot of now.

        Highest tip first, then first come, each sender by nonce up to its first that offers less than the base fee.
        With lanes: as `in_turns` has it. The owner takes what fits and reports the result by `remove_included` and
        `drop`.
        """
        with self._lock:
            runs = {sender: queue.run() for sender, queue in self._queues.items()}
            lanes = None if self._lanes is None else self._lanes.lanes_of(list(runs))
        if lanes is not None:
            yield from in_turns(runs, lanes)
            return
        heap = [(*_priority(run[0], base_fee_wei), sender, 0) for sender, run in runs.items() if run]
        heapify(heap)
        while heap:
            _, _, sender, index = heappop(heap)
            run = runs[sender]
            if run[index].transaction.max_fee_per_gas_wei < base_fee_wei:
                return  # and so does all that comes after it
            yield run[index].transaction
            if index + 1 < len(run):
                heappush(heap, (*_priority(run[index + 1], base_fee_wei), sender, index + 1))

    def remove_included(self, transactions: tuple[SignedTransaction, ...]) -> None:
        """After a block: these are done, and so is everything of the same senders up to their nonces.

        What follows them may become executable, of which the listeners are told.
        """
        with self._lock:
            before = self._announcements
            for transaction in transactions:
                self._advance(transaction.sender, transaction.nonce + 1)
            self._expire()
            listeners = tuple(self.listeners) if self._announcements > before else ()
        for listener in listeners:
            listener()

    def drop(self, transaction_hash: bytes) -> None:
        """Forget one that can no longer be executed; later ones of its sender stay and wait.

        A hash that is not in the pool is ignored.
        """
        with self._lock:
            entry = self._by_hash.get(transaction_hash)
            if entry is not None:
                self._remove(entry.transaction)

    def drop_unpayable(self, transactions: Iterable[SignedTransaction]) -> None:
        """Forget each with its sender's later ones: they would be judged again for every block.

        An account that has money again sends them again.
        """
        with self._lock:
            for transaction in transactions:
                if transaction.hash in self._by_hash:
                    entries = self._queues[transaction.sender].entries
                    for entry in [entries[nonce] for nonce in entries if nonce >= transaction.nonce]:
                        self._remove(entry.transaction)

    def clear(self) -> None:
        """Forget everything that waits; the count of announcements goes on."""
        with self._lock:
            self._queues.clear()
            self._by_hash.clear()
            if self._lanes is not None:
                self._lanes.cleared()
            self._bytes = 0

    # --- for those who look on

    def statistics(self) -> MempoolStatistics:
        """Counts and bytes of what waits now, expired ones included until the next `add` or block."""
        with self._lock:
            return MempoolStatistics(
                transactions=len(self._by_hash),
                bytes=self._bytes,
                senders=len(self._queues),
                executable=sum(queue.run_end - queue.next_nonce for queue in self._queues.values()),
            )

    def waiting(self, sender: Address | None = None) -> tuple[WaitingOfSender, ...]:
        """All that waits, senders in the order of their addresses; or what waits of one sender.

        Returns:
            Only senders that have something in the pool: an empty tuple for any other.
        """
        with self._lock:
            senders = sorted(self._queues) if sender is None else [sender] if sender in self._queues else []
            return tuple(_waiting(sender, self._queues[sender]) for sender in senders)

    def announcements(self, since: int) -> tuple[int, tuple[bytes, ...]]:
        """How many transactions became executable so far, and the hashes of those after number `since`.

        The hashes reach back REMEMBERED_ARRIVALS: fewer than the difference of the counts means that some are
        forgotten.
        """
        with self._lock:
            new = min(self._announcements - since, len(self._announced))
            return self._announcements, tuple(islice(self._announced, len(self._announced) - new, None))

    def listen(self, listener: Callable[[], None]) -> None:
        """Call `listener` from whatever thread brings news: transactions that became executable.

        It is called outside the pool's lock and must not block; what it raises reaches whoever brought the news.
        """
        with self._lock:
            self.listeners.add(listener)

    def unlisten(self, listener: Callable[[], None]) -> None:
        """Call it no more; a call that has begun may still end. An unknown listener is ignored."""
        with self._lock:
            self.listeners.discard(listener)

    # --- inside, under the lock

    def _add(
        self, transaction: SignedTransaction, account_nonce: int, balance_wei: int | None, base_fee_wei: int
    ) -> None:
        if transaction.hash in self._by_hash:
            raise InvalidTransaction(InvalidReason.ALREADY_KNOWN, "", transaction.hash)
        if transaction.nonce < account_nonce:
            raise InvalidTransaction(InvalidReason.NONCE_TOO_LOW, "", transaction.nonce, account_nonce)
        if transaction.nonce > account_nonce + MAX_NONCE_GAP:
            raise InvalidTransaction(
                InvalidReason.NONCE_TOO_HIGH, "too far ahead", transaction.nonce, account_nonce + MAX_NONCE_GAP
            )
        self._advance(transaction.sender, account_nonce)
        queue = self._queues.get(transaction.sender)
        known = None if queue is None else queue.entries.get(transaction.nonce)
        if balance_wei is not None:
            cost_wei = transaction.most_cost_wei + (0 if queue is None else queue.cost_wei)
            cost_wei -= 0 if known is None else known.transaction.most_cost_wei
            if cost_wei > balance_wei:
                detail = "together with this sender's waiting ones"
                raise InvalidTransaction(InvalidReason.INSUFFICIENT_FUNDS, detail, balance_wei, cost_wei)
        replaced: tuple[bytes, ...] = ()
        if queue is not None and known is not None:
            replaced = _check_replacement(known, transaction, is_executable=transaction.nonce < queue.run_end)
            self._check_bytes_of_replacement(known.transaction, transaction)
            self._remove(known.transaction)
        else:
            self._make_room(transaction, account_nonce, base_fee_wei)
        self._insert(transaction, account_nonce, replaced)

    def _check_bytes_of_replacement(self, known: SignedTransaction, new: SignedTransaction) -> None:
        used = self._bytes - len(known.raw) + len(new.raw)
        if used > self._max_bytes:
            raise InvalidTransaction(InvalidReason.POOL_FULL, "bytes", used, self._max_bytes)

    def _make_room(self, transaction: SignedTransaction, account_nonce: int, base_fee_wei: int) -> None:
        queue = self._queues.get(transaction.sender)
        waiting = 0 if queue is None else len(queue.entries)
        if waiting >= self._max_per_sender:
            raise InvalidTransaction(InvalidReason.POOL_FULL, "for this sender", waiting, self._max_per_sender)
        if self._lanes is not None:
            self._lanes.check_room(transaction, self._max_transactions, self._max_bytes)
        is_executable = transaction.nonce <= (account_nonce if queue is None else queue.run_end)
        while len(self._by_hash) >= self._max_transactions or self._bytes + len(transaction.raw) > self._max_bytes:
            displaced = None
            if is_executable:
                displaced = self._newest_gapped() or self._cheapest_below(transaction, base_fee_wei)
            if displaced is None:
                raise InvalidTransaction(InvalidReason.POOL_FULL, "", len(self._by_hash), self._max_transactions)
            self._remove(displaced)

    def _newest_gapped(self) -> SignedTransaction | None:
        newest: _Entry | None = None
        for queue in self._queues.values():
            if queue.run_end - queue.next_nonce == len(queue.entries):
                continue
            for nonce, entry in queue.entries.items():
                if nonce > queue.run_end and (newest is None or entry.arrival > newest.arrival):
                    newest = entry
        return newest.transaction if newest else None

    def _cheapest_below(self, new: SignedTransaction, base_fee_wei: int) -> SignedTransaction | None:
        """The last of a sender's run, so that nobody gets a gap, if a proposer gets 10 % less for it than for `new`."""
        lasts = [
            queue.entries[queue.run_end - 1].transaction
            for sender, queue in self._queues.items()
            if sender != new.sender and queue.run_end > queue.next_nonce
        ]
        cheapest = min(lasts, key=lambda item: item.tip_wei(base_fee_wei), default=None)
        if cheapest is None or new.tip_wei(base_fee_wei) < _bumped(cheapest.tip_wei(base_fee_wei)):
            return None
        return cheapest

    def _insert(self, transaction: SignedTransaction, account_nonce: int, replaced: tuple[bytes, ...]) -> None:
        self._arrivals += 1
        queue = self._queues.setdefault(transaction.sender, _Queue(account_nonce, account_nonce))
        entry = _Entry(transaction, self._arrivals, self._now_s(), replaced)
        queue.entries[transaction.nonce] = entry
        queue.cost_wei += transaction.most_cost_wei
        self._by_hash[transaction.hash] = entry
        if self._lanes is not None:
            self._lanes.added(transaction)
        self._bytes += len(transaction.raw)
        self._extend(queue)

    def _extend(self, queue: _Queue) -> None:
        """Take what has become executable into the run, and tell of it."""
        begin = max(queue.run_end, queue.next_nonce)
        queue.extend_run()
        for nonce in range(begin, queue.run_end):
            entry = queue.entries[nonce]
            if not entry.announced:
                entry.announced = True
                self._announced.append(entry.transaction.hash)
                self._announcements += 1

    def _remove(self, transaction: SignedTransaction) -> None:
        del self._by_hash[transaction.hash]
        if self._lanes is not None:
            self._lanes.removed(transaction)
        self._bytes -= len(transaction.raw)
        queue = self._queues[transaction.sender]
        del queue.entries[transaction.nonce]
        queue.cost_wei -= transaction.most_cost_wei
        if queue.next_nonce <= transaction.nonce < queue.run_end:
            queue.run_end = transaction.nonce
        if not queue.entries:
            del self._queues[transaction.sender]

    def _advance(self, sender: Address, nonce: int) -> None:
        """The sender's next nonce is at least `nonce`: forget what it has already used."""
        queue = self._queues.get(sender)
        if queue is None or nonce <= queue.next_nonce:
            return
        for old in [entry.transaction for used, entry in queue.entries.items() if used < nonce]:
            self._remove(old)
        if queue.entries:
            queue.next_nonce = nonce
            queue.run_end = nonce
            self._extend(queue)

    def _expire(self) -> None:
        ends_s = self._now_s() - self._lifetime_s
        while self._by_hash:
            oldest = next(iter(self._by_hash.values()))
            if oldest.arrived_s > ends_s:
                return
            self._remove(oldest.transaction)


def _priority(entry: _Entry, base_fee_wei: int) -> tuple[int, int]:
    return -entry.transaction.tip_wei(base_fee_wei), entry.arrival


def _bumped(fee_wei: int) -> int:
    return max(fee_wei * (100 + REPLACEMENT_BUMP_PERCENT) // 100, fee_wei + 1)


def _check_replacement(known: _Entry, new: SignedTransaction, *, is_executable: bool) -> tuple[bytes, ...]:
    """Returns the hashes that the new one must remember. Raises InvalidTransaction."""
    old = known.transaction
    if new.hash in known.replaced:
        raise InvalidTransaction(InvalidReason.REPLACEMENT_UNDERPRICED, "was replaced itself", new.hash)
    if old.max_fee_per_gas_wei == new.max_fee_per_gas_wei == 0 and not is_executable:
        if len(known.replaced) >= MAX_FREE_REPLACEMENTS:
            detail = "free replacements of one nonce"
            raise InvalidTransaction(
                InvalidReason.REPLACEMENT_UNDERPRICED, detail, len(known.replaced), MAX_FREE_REPLACEMENTS
            )
        return (*known.replaced, old.hash)
    for old_wei, new_wei in (
        (old.max_fee_per_gas_wei, new.max_fee_per_gas_wei),
        (old.max_priority_fee_per_gas_wei, new.max_priority_fee_per_gas_wei),
    ):
        if new_wei < _bumped(old_wei):
            raise InvalidTransaction(InvalidReason.REPLACEMENT_UNDERPRICED, "", new_wei, _bumped(old_wei))
    return known.replaced


def _waiting(sender: Address, queue: _Queue) -> WaitingOfSender:
    ordered = sorted(queue.entries.items())
    return WaitingOfSender(
        sender,
        tuple(entry.transaction for nonce, entry in ordered if nonce < queue.run_end),
        tuple(entry.transaction for nonce, entry in ordered if nonce >= queue.run_end),
    )
