"""The owner of one key's nonces on one chain: every transaction of the key goes through here, in order.

A transaction is in the ledger before it is sent. From then on it ends in exactly one way: included, or its nonce was
used by another. The chain is asked again and again until then, and what pools drop is sent again, so that neither a
crash nor a pool leaves a gap (attack list G3, G4).
"""

import trio

from hutong.adapters.interface import (
    AccountState,
    AdapterError,
    AlreadyKnown,
    AlreadyRelayed,
    BroadcastRefused,
    Destination,
    EndpointUnavailable,
    InsufficientFunds,
    NonceTooHigh,
    NonceTooLow,
    PreparedTransaction,
    Signer,
    SigningFailed,
    TransactionOutcome,
    Underpriced,
)
from hutong.relay.archive import Evidence
from hutong.relay.core.account.fee_caps import within_caps
from hutong.relay.core.account.pending import Included, Jobs, Lost, Pending
from hutong.relay.core.account.recording import Recorder
from hutong.relay.core.errors import SubmissionRefused
from hutong.relay.core.history.history import packets_of
from hutong.relay.core.recent import Recent
from hutong.relay.core.watching.chain_context import ChainContext
from hutong.relay.ledger import Cause, TransactionState

MAX_SIGNINGS = 5
"""Of one batch in one call: each answers a refusal that another nonce or fee may mend."""
RAISE_PERCENT = 15
"""Pools ask for at least 10 % more before they replace a transaction."""
REBROADCAST_AFTER_S = 3.0
REPLACE_AFTER_S = 45.0
CHECK_EVERY_S = 5.0
"""Also when no new head comes."""
MAX_REFUSALS = 4
"""In a row of a transaction that a pool once had and that no dearer copy can replace, before its nonce is given to
another: a chain that checks pending transactions again drops those that have become pointless."""
LOST_AFTER_CHECKS = 4
"""Looks in a row that must see a nonce used in final blocks before our transaction is given up: endpoints lag behind
each other, and until a block is final nothing is known for good, however long that takes."""
REMEMBERED_SENT = 10_000
UNREAD_AFTER_CHECKS = 60
"""The same where every endpoint's receipt of it is refused: it was included, and the chain says what became of its packets."""


class Account:
    """Run `run` once; then `submit` from any task."""

    def __init__(self, chain: ChainContext, signer: Signer, recorder: Recorder, number: int = 0) -> None:
        """`number` is the key's place in the chain's configuration."""
        self._adapter: Destination = chain.adapter
        self._heads = chain.heads
        self._signer = signer
        self._address = chain.adapter.address_of(signer)
        self._recorder = recorder
        self._metrics = chain.metrics
        self.fees = chain.fees
        """What a transaction may cost; others hold from the next one that is signed."""
        self._number = number
        self.slots = trio.Semaphore(chain.in_flight)
        """Held from before a batch is built until its transaction has ended."""
        self._lock = trio.Lock()
        self._next: int | None = None
        self.pending: dict[int, Pending] = {}
        """By nonce, what was sent and has not ended."""
        self._sent: Recent[bytes, None] = Recent(REMEMBERED_SENT)
        self._recovered = trio.Event()
        self._activity = trio.Event()
        self._log = chain.log("account").bind(address=self._address)

    @property
    def address(self) -> str:
        """The key's account, as its chain writes addresses."""
        return self._address

    async def recovered(self) -> None:
        """Wait until transactions sent before a restart are known: `is_in_flight` is wrong about them until then."""
        await self._recovered.wait()

    def has_sent(self, transaction_hash: bytes) -> bool:
        """Whether this is one of ours, as far as it is remembered."""
        return transaction_hash in self._sent

    def is_in_flight(self, job_id: str) -> bool:
        """A transaction that carries this job has not ended, maybe one that was sent before a restart."""
        return any(entry.carries(job_id) for entry in self.pending.values())

    def calling(self, to: str) -> tuple[Pending, ...]:
        """Transactions to an account of the chain that have not ended, maybe sent before a restart.

        Args:
            to: as `PreparedTransaction.to` has it.
        """
        return tuple(entry for entry in self.pending.values() if entry.variants[-1].prepared.to == to)

    async def submit(self, prepared: PreparedTransaction, jobs: Jobs, evidence: tuple[Evidence, ...]) -> Pending:
        """Sign, record and send. Returns when the pool has it, or when nobody knows whether it has.

        Args:
            jobs: one entry for each message of the transaction, None for a client update.
            evidence: of the messages with a job, in their order.

        Raises:
            SubmissionRefused: it was not sent, and no nonce was used.
            AdapterError: the chain does not say what the next nonce is, or what holds the key does not sign
                (`SigningFailed`); nothing was sent.
            LedgerUnavailable: it cannot be written down, so it was not sent, or a refusal cannot be.
        """
        await self._recovered.wait()
        async with self._lock:
            for _ in range(MAX_SIGNINGS):
                prepared = self._within_caps(prepared)
                nonce = await self._next_nonce()
                signed = await self._adapter.sign(prepared, nonce, self._signer)
                # Not to be cancelled between the record and our knowing of it: another would sign with this nonce.
                with trio.CancelScope(shield=True):
                    await self._recorder.signed(signed, jobs, evidence)
                now_s = trio.current_time()
                entry = Pending(nonce, jobs, evidence, [signed], now_s, now_s)
                self._sent.put(signed.hash, None)
                self.pending[nonce] = entry
                self._next = nonce + 1
                self._activity.set()
                try:
                    await self._adapter.broadcast(signed)
                except AlreadyKnown:
                    pass
                except BroadcastRefused as refusal:
                    prepared = await self._take_back(entry, refusal)
                    continue
                except AdapterError as error:  # some pool may have it: only the chain can say
                    self._log.warning("not known to be sent", **_about(entry), reason=str(error))
                finally:
                    self._activity.set()  # also if this task is cancelled now: the entry is followed to its end
                self._metrics.nonce(self._adapter.name, self._number, nonce + 1)
                return entry
        raise SubmissionRefused(
            f"{self._adapter.name}: no nonce and fee was accepted in {MAX_SIGNINGS} tries", Cause.POOL_REFUSED
        )

    async def run(self) -> None:
        """Recover what an earlier process left, then follow every transaction to its end, for ever.

        Raises:
            AdapterError, LedgerUnavailable: the supervisor calls it again; what is in memory stays.
        """
        await self._recover()
        while True:
            if not self.pending:
                await self._activity.wait()
            self._activity = trio.Event()
            await self._next_look()
            await self._check_all()

    async def _recover(self) -> None:
        """Once; a restarted task has everything in memory."""
        if self._recovered.is_set():
            return
        for signed, jobs in await self._recorder.unended():
            self._sent.put(signed.hash, None)
            entry = self.pending.get(signed.nonce)
            if entry is None:
                # Never broadcast as far as we know: the first look asks the chain, and sends it if it is not there.
                self.pending[signed.nonce] = Pending(
                    signed.nonce, jobs, (), [signed], trio.current_time(), -REBROADCAST_AFTER_S
                )
            else:
                entry.variants.append(signed)
                if jobs != entry.jobs:
                    entry.other_jobs[signed.hash] = jobs
        if self.pending:
            self._log.info("transactions of an earlier run are being followed", nonces=sorted(self.pending))
        self._recovered.set()
        await self._check_all()

    async def _next_look(self) -> None:
        with trio.move_on_after(CHECK_EVERY_S):
            head = await self._heads.head()
            await self._heads.wait_for_height(head.height + 1)

    async def _check_all(self) -> None:
        state: AccountState | None = None
        used: int | None = None
        for nonce in sorted(self.pending):
            entry = self.pending.get(nonce)
            if entry is None:
                continue
            unread: EndpointUnavailable | None = None
            try:
                if await self._included(entry):
                    continue
            except EndpointUnavailable as error:
                unread = error  # of its receipt alone, or of everything: then nobody tells the account's state either
            if unread is None and trio.current_time() - entry.broadcast_at_s < REBROADCAST_AFTER_S:
                continue  # most are included by then: ask about the account only where something may be wrong
            if state is None:
                state = await self._adapter.account(self.address)
            if state.latest_nonce > nonce:
                # Used; if by one of ours, its outcome comes when its block is final and every endpoint has it.
                if used is None:
                    used = await self._adapter.final_nonce(self.address)
                entry.misses = entry.misses + 1 if used > nonce else 0
                if unread is None and entry.misses >= LOST_AFTER_CHECKS:
                    await self._lost(entry, "another transaction with this key used the nonce")
                elif unread is not None and entry.misses >= UNREAD_AFTER_CHECKS:
                    await self._lost(entry, f"its nonce is used, and no endpoint can say by what: {unread}")
                continue
            if unread is not None:
                continue
            if state.pending_nonce < min(self.pending, default=nonce):
                # Nonces below all of ours are free: the chain went back, or our counter was ahead of it.
                entry.misses += 1
                if entry.misses >= LOST_AFTER_CHECKS:
                    await self._lost(entry, f"nonce {state.pending_nonce} was never used, so this one cannot be")
                    # Or what comes next would wait for the same nonce, while any of those above it is pending.
                    self._next = state.pending_nonce
                continue
            entry.misses = 0
            if state.pending_nonce <= nonce:
                await self._send_again(entry)
            elif trio.current_time() - entry.sent_at_s > REPLACE_AFTER_S:
                if entry.variants[-1].prepared.is_replaceable:
                    await self._replace(entry)
                else:
                    entry.sent_at_s = trio.current_time()
                    await self._send_again(entry)

    async def _included(self, entry: Pending) -> bool:
        for signed in reversed(entry.variants):
            outcome = await self._adapter.outcome(signed.hash)
            if outcome is not None:
                await self._end(entry, outcome)
                return True
        return False

    async def _end(self, entry: Pending, outcome: TransactionOutcome) -> None:
        name = self._adapter.name
        for signed in entry.variants:
            if signed.hash != outcome.transaction_hash:
                await self._recorder.never_included(signed)
        self._recorder.included(outcome, entry.jobs_of(outcome.transaction_hash))
        result = "included" if outcome.reverted is None else "reverted"
        self._metrics.transaction(name, result, outcome.gas_used, outcome.fee_wei)
        if outcome.reverted is not None:
            self._log.warning(
                "transaction reverted", **_about(entry, outcome.transaction_hash), reason=outcome.reverted
            )
        self._forget(entry)
        entry.finish(Included(outcome))

    def _forget(self, entry: Pending) -> None:
        """Its nonce may be another's by now: of one that was taken back while it was looked at."""
        if self.pending.get(entry.nonce) is entry:
            del self.pending[entry.nonce]

    async def _lost(self, entry: Pending, reason: str) -> None:
        if self.pending.get(entry.nonce) is not entry:
            return
        for signed in entry.variants:
            await self._recorder.never_included(signed, reason)
        self._metrics.transaction(self._adapter.name, "replaced")
        self._log.warning("transaction lost", **_about(entry), reason=reason)
        self._forget(entry)
        self._next = None
        entry.finish(Lost(reason))

    async def _send_again(self, entry: Pending) -> None:
        now_s = trio.current_time()
        if now_s - entry.broadcast_at_s < REBROADCAST_AFTER_S:
            return
        entry.broadcast_at_s = now_s
        try:
            await self._adapter.broadcast(entry.variants[-1])
        except (AlreadyKnown, EndpointUnavailable, NonceTooLow):
            return
        except NonceTooHigh as refusal:
            if entry.nonce != min(self.pending):
                return
            if entry.variants[-1].prepared.is_replaceable:
                await self._lost(entry, "the chain's nonce went back below ours")
            else:  # the endpoint may only be a block behind the one that took those before this
                await self._refused(entry, refusal)
        except Underpriced:
            await self._replace(entry)
        except BroadcastRefused as refusal:
            self._log.error("a pending transaction is refused", **_about(entry), reason=str(refusal))
            if not entry.variants[-1].prepared.is_replaceable:
                await self._refused(entry, refusal)
        except AdapterError as error:
            self._log.warning("not known to be sent", **_about(entry), reason=str(error))
        else:
            entry.refusals = 0
            self._log.info("sent again", **_about(entry))

    async def _refused(self, entry: Pending, refusal: BroadcastRefused) -> None:
        """Should a pool have it all the same, one of it and its successor is included: messages of packets bear that.

        Those after it wait for its nonce in vain, so they end with it.
        """
        entry.refusals += 1
        if entry.refusals < MAX_REFUSALS:
            return
        for nonce in sorted(nonce for nonce in self.pending if nonce > entry.nonce):
            await self._lost(self.pending[nonce], f"the one of nonce {entry.nonce} before it is refused now")
        await self._lost(entry, f"pools refuse it now: {refusal.reason}")

    async def _replace(self, entry: Pending) -> None:
        async with self._lock:
            if self.pending.get(entry.nonce) is not entry:
                return
            try:
                dearer = self._within_caps(entry.variants[-1].prepared.with_raised_fee(RAISE_PERCENT))
            except SubmissionRefused as refusal:
                self._log.warning("waiting longer", **_about(entry), reason=str(refusal))
                entry.sent_at_s = trio.current_time()
                return
            try:
                signed = await self._adapter.sign(dearer, entry.nonce, self._signer)
            except SigningFailed as error:  # those after it are to be looked at all the same
                self._log.warning("waiting longer", **_about(entry), reason=str(error))
                entry.sent_at_s = trio.current_time()
                return
            if signed.hash == entry.variants[-1].hash:
                self._log.warning("waiting longer", **_about(entry), reason="the fee per gas is at its cap")
                entry.sent_at_s = trio.current_time()
                return
            if not entry.evidence:  # of an earlier process, or there is none
                entry.evidence = await self._recorder.kept(entry.jobs)
            with trio.CancelScope(shield=True):
                await self._recorder.signed(signed, entry.jobs, entry.evidence)
            entry.variants.append(signed)
            self._sent.put(signed.hash, None)
            entry.sent_at_s = entry.broadcast_at_s = trio.current_time()
            try:
                await self._adapter.broadcast(signed)
            except AdapterError as error:
                self._log.warning("replacement not taken", **_about(entry), reason=str(error))
            else:
                self._log.info("replaced by a dearer copy", **_about(entry))

    async def _take_back(self, entry: Pending, refusal: BroadcastRefused) -> PreparedTransaction:
        """A refused transaction is recorded as such; returns what to sign next, or raises SubmissionRefused."""
        name, signed = self._adapter.name, entry.variants[0]
        self._forget(entry)
        self._metrics.transaction(name, "refused")
        state = TransactionState.REPLACED if isinstance(refusal, NonceTooLow) else TransactionState.REFUSED
        await self._recorder.never_included(signed, str(refusal), state)
        self._log.warning("transaction refused", **_about(entry), reason=str(refusal))
        self._next = None
        match refusal:
            case NonceTooLow():
                return signed.prepared
            case NonceTooHigh():
                for lower in sorted(self.pending):
                    self.pending[lower].broadcast_at_s = trio.current_time() - REBROADCAST_AFTER_S
                    await self._send_again_unlocked(self.pending[lower])
                return signed.prepared
            case Underpriced():
                account = await self._adapter.account(self.address)
                if account.pending_nonce > entry.nonce:  # someone else's transaction waits at this nonce
                    return signed.prepared
                return signed.prepared.with_raised_fee(RAISE_PERCENT)
            case InsufficientFunds():
                raise SubmissionRefused(
                    f"{name}: the wallet {self.address} cannot pay: {refusal.reason}", Cause.WALLET_EMPTY
                ) from refusal
            case AlreadyRelayed():  # the jobs are looked at again, and a smaller batch would fare no better
                raise SubmissionRefused(f"{name}: {refusal.reason}") from refusal
            case _:
                raise SubmissionRefused(f"{name}: {refusal}", Cause.POOL_REFUSED) from refusal

    async def _send_again_unlocked(self, entry: Pending) -> None:
        try:
            await self._adapter.broadcast(entry.variants[-1])
        except (BroadcastRefused, EndpointUnavailable) as refusal:
            self._log.info("not taken again", **_about(entry), reason=str(refusal))

    async def _next_nonce(self) -> int:
        if self._next is None:
            ours = max(self.pending, default=-1) + 1
            self._next = max(await self._account_nonce(), ours if self.pending else 0)
        while self._next in self.pending:
            self._next += 1
        return self._next

    async def _account_nonce(self) -> int:
        """The lower of two answers where there is nothing of ours to hold one against: one that is too low is refused, one
        that is too high leaves a gap, and everything after it waits."""
        state = await self._adapter.account(self.address)
        nonce = max(state.latest_nonce, state.pending_nonce)
        if not self.pending and nonce:
            again = await self._adapter.account(self.address)
            nonce = min(nonce, max(again.latest_nonce, again.pending_nonce))
        return nonce

    def _within_caps(self, prepared: PreparedTransaction) -> PreparedTransaction:
        return within_caps(self._adapter.name, self.fees, prepared)


def _about(entry: Pending, transaction_hash: bytes | None = None) -> dict[str, object]:
    """What every line of the log says of a transaction: nonce, hash (of the newest variant) and its packets."""
    return {
        "nonce": entry.nonce,
        "transaction": entry.variants[-1].hash if transaction_hash is None else transaction_hash,
        "packets": packets_of(entry.jobs),
    }
