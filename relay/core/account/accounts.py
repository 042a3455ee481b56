"""A chain's keys as one: a batch goes with the account that has the most room."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import trio

from hutong.relay.core.account.account import Account
from hutong.relay.core.account.pending import Pending

REST_S = 30.0
"""An account that cannot submit (its wallet is empty) is passed over for so long, where there are others."""


@dataclass(frozen=True, slots=True, eq=False)
class Slot:
    """A place for one batch under way, which `Accounts.acquire` gave out; two slots of one account are not the same."""

    account: Account


class Accounts:
    """Every account of one chain. Jobs are in one transaction at a time, whichever account sends it."""

    def __init__(self, accounts: Sequence[Account]) -> None:
        """At least one, each with its own key."""
        self._accounts = tuple(accounts)
        self._freed = trio.Event()
        self._given: set[Slot] = set()
        self._resting_until_s = dict.fromkeys(range(len(accounts)), 0.0)
        self._turn = 0

    def __iter__(self) -> Iterator[Account]:
        return iter(self._accounts)

    async def acquire(self) -> Slot:
        """A slot of the account with the most free ones; waits until any account has one.

        Accounts that rest (`rest`) are chosen only where no other has a free slot. The caller gives the slot back with
        `release`, also after a failure.
        """
        while True:
            account = self._with_room()
            if account is not None:
                account.slots.acquire_nowait()
                slot = Slot(account)
                self._given.add(slot)
                return slot
            await self._freed.wait()

    def _with_room(self) -> Account | None:
        now_s, count = trio.current_time(), len(self._accounts)
        order = [(self._turn + step) % count for step in range(count)]
        free = [number for number in order if self._accounts[number].slots.value]
        if not free:
            return None
        fit = [number for number in free if self._resting_until_s[number] <= now_s] or free
        best = max(fit, key=lambda number: self._accounts[number].slots.value)
        self._turn = (best + 1) % count
        return self._accounts[best]

    def release(self, slot: Slot) -> None:
        """Give back a slot that `acquire` gave out, and wake everyone who waits for one.

        Raises:
            ValueError: it was given back before; the account would have more batches under way than configured.
        """
        if slot not in self._given:
            raise ValueError(f"a slot of {slot.account.address} is released that is not held: it was released before")
        self._given.remove(slot)
        slot.account.slots.release()
        self._freed.set()
        self._freed = trio.Event()

    def rest(self, account: Account) -> None:
        """Pass the account over for REST_S, where others have a free slot: it was refused a submission for a reason of
        its own.
        """
        self._resting_until_s[self._accounts.index(account)] = trio.current_time() + REST_S

    async def recovered(self) -> None:
        """Wait until every account knows the transactions sent before a restart."""
        for account in self._accounts:
            await account.recovered()

    def has_sent(self, transaction_hash: bytes) -> bool:
        """Whether it is a transaction of one of these accounts, as far as that is remembered."""
        return any(account.has_sent(transaction_hash) for account in self._accounts)

    def calling(self, to: str) -> tuple[Pending, ...]:
        """Transactions of any account to `to` that have not ended; as `is_in_flight`, right once `recovered` has
        returned.
        """
        return tuple(pending for account in self._accounts for pending in account.calling(to))

    def is_in_flight(self, job_id: str) -> bool:
        """Whether a transaction of any account carries this job and has not ended.

        Wrong about transactions sent before a restart until `recovered` has returned.
        """
        return any(account.is_in_flight(job_id) for account in self._accounts)
