"""The trio driver of consensus: timers, signatures and disk around the pure transition function."""

import heapq
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

import trio

from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.tendermint.skip_certificate import SkipCertificate, is_certificate
from hutong.light_clients.tendermint.types import BlockId, Commit
from hutong.relay.evm.chain.mempool import Mempool
from hutong.relay.evm.vm.stack import run_with_evm_stack
from hutong.relay.evm.vm.transaction import decode_cached
from hutong.relay.hub.application.genesis import HubParams
from hutong.relay.hub.application.governance.coming import RevisionEnded
from hutong.relay.hub.chain.ledger import HubLedger
from hutong.relay.hub.consensus.blocks import block_id_of, decode_block, encode_block, make_block
from hutong.relay.hub.consensus.lost_log import WithoutLog, without_log
from hutong.relay.hub.consensus.replay import resume
from hutong.relay.hub.consensus.signing import LastSigned
from hutong.relay.hub.consensus.transition import RoundState, step
from hutong.relay.hub.consensus.types import (
    Block,
    BlockPrepared,
    BlockReceived,
    Decided,
    Effect,
    Equivocation,
    Event,
    HeightStarted,
    PrepareBlock,
    Proposal,
    ProposalReceived,
    ScheduleTimeout,
    SignProposal,
    SignVote,
    Step,
    TimeoutElapsed,
    Vote,
    VoteReceived,
)
from hutong.relay.hub.engine.standing import why_no_blocks
from hutong.relay.hub.engine.wal import WAL_FILE, EventLog
from hutong.relay.hub.home.home import PROPOSAL_FILE
from hutong.relay.hub.skipping.desk import SkipDesk

T = TypeVar("T")
ROOM_FOR_COMMIT_BYTES = 64 * 1024
"""Kept free of transactions in a block: header and a commit of 100 validators."""


SKIP_POLL_S = 1.0
"""A certificate may also be put into the home."""


def why_waiting_for_skip(height: int) -> str:
    """What the operator is told while a decided block of `height` waits for its certificate, as one sentence."""
    return (
        f"no block {height + 1}: this key signed that block {height} counts as empty, so it waits for the certificate"
        " (`hutong hub skip combine`, then `hutong hub skip apply`)"
    )


class SignerAway(Exception):
    """The key cannot be asked now: one sentence. Nothing was signed, or what was will be signed again in the same way."""


class BlockSigner(Protocol):
    """What the driver needs of the validator's key; blocking."""

    @property
    def record(self) -> LastSigned:
        """What the key has signed last, as it is on disk. A signer that was never reached yet may have an empty one."""

    def sign_vote(self, vote: Vote) -> Vote:
        """The vote with its signature, after the record of it is on disk.

        The time may be that of an earlier signature for the same vote. An address that is not this key's is not
        noticed.

        Raises:
            DoubleSignRefused: the key signed something else at that height, round and step, or something later.
            SignerAway: the key cannot be asked now.
            OSError: the record cannot be written; then there is no signature.
        """

    def sign_proposal(self, proposal: Proposal) -> Proposal:
        """The proposal with its signature, in everything as `sign_vote`.

        Raises:
            DoubleSignRefused, SignerAway, OSError: as `sign_vote`.
        """

    def passed(self, height: int) -> None:
        """The others decided `height`, and this key takes no part in it any more: nothing is signed up to it.

        Raises:
            OSError: the record cannot be written.
        """

    def save_proposal(self, height: int, block: bytes) -> None:
        """Keep the encoded block that is proposed at `height`, durably, before it is signed.

        It replaces that of any other height.

        Raises:
            OSError: it cannot be written.
        """

    def saved_proposal(self, height: int) -> bytes | None:
        """The encoded block kept for `height`, unchecked; None where none or another height's is kept."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds. Rounds grow longer, so that in the end everyone meets in one."""

    propose_s: float = 3.0
    vote_s: float = 1.0
    growth_s: float = 0.5
    factor: float = 1.0
    most_s: float = 30.0

    @classmethod
    def without_peers(cls) -> "Timeouts":
        """For a validator that decides alone: long enough not to spin.

        No message of others can come, so an absent proposer need not be waited for.
        """
        return cls(0.05, 0.05, 0.05)

    @classmethod
    def among_peers(cls, params: HubParams) -> "Timeouts":
        """Short where `block_interval_ms` is: 0.8 to 3 s for a proposal, 0.4 to 1 s for votes.

        Each round is half as long again as the one before, which makes good within a few rounds what is too short.
        """
        interval_s = params.block_interval_ms / 1000
        return cls(min(3.0, max(0.8, 3 * interval_s)), min(1.0, max(0.4, interval_s)), 0.0, 1.5)

    def of(self, timer: Step, round_: int) -> float:
        """Seconds that `timer` runs in round `round_` (from 0), at most `most_s`.

        Every timer but that of proposals has `vote_s`.
        """
        base = self.propose_s if timer is Step.PROPOSE else self.vote_s
        return min(self.most_s, base * self.factor ** min(round_, 100) + self.growth_s * round_)


_THREADS: trio.lowlevel.RunVar[trio.CapacityLimiter] = trio.lowlevel.RunVar("threads of consensus")


def _own_threads() -> trio.CapacityLimiter:
    """Which no reader of the node's ports can hold."""
    try:
        return _THREADS.get()
    except LookupError:
        limiter = trio.CapacityLimiter(4)
        _THREADS.set(limiter)
        return limiter


async def in_evm_thread(function: Callable[[], T]) -> T:
    """Run blocking work in a thread with the stack that the EVM needs; what it returns or raises comes through.

    At most four run at once, in threads that no reader of the node's ports can hold.
    """
    return await trio.to_thread.run_sync(run_with_evm_stack, function, limiter=_own_threads())


class ConsensusDriver:
    """Runs one validator. `on_block` is awaited after each block is on disk. Ends with UnknownRulesVersion before a block that
    this code cannot execute.

    Where the key alone cannot decide a height, or the revision has ended, `on_waiting` is told why, nothing is signed, and
    the rest of the node goes on: others may still need the last blocks.
    """

    def __init__(
        self,
        ledger: HubLedger,
        signer: BlockSigner,
        own_address: bytes,
        mempool: Mempool,
        on_block: Callable[[int], Awaitable[None]],
        *,
        log: EventLog,
        on_waiting: Callable[[str], None],
        now_ns: Callable[[], int] = time.time_ns,
        run_blocking: Callable[[Callable[[], object]], Awaitable[object]] = in_evm_thread,
        timeouts: Timeouts | None = None,
        skips: SkipDesk | None = None,
    ) -> None:
        self._ledger = ledger
        self._skips = skips
        self._signer = signer
        self._own_address = own_address
        self._mempool = mempool
        self._on_block = on_block
        self._log = log
        self._abstains_at: int | None = None
        self._on_waiting = on_waiting
        self._now_ns = now_ns
        self._run_blocking = run_blocking
        self._timeouts = Timeouts() if timeouts is None else timeouts
        self._events: deque[Event] = deque()
        self._timers: list[tuple[float, int, int, int, Step]] = []
        self._timer_count = 0
        self._next_block_at = trio.current_time()
        self._block_started_at = trio.current_time()
        tip = ledger.tip
        self._state = RoundState(tip.chain_id, own_address, tip.height, tip.validators, tip.time_ns)

    async def run(self) -> None:
        """Produce blocks until cancelled. A bug, or what the key or the disk refuses, ends it with its reason.

        Raises:
            DoubleSignRefused: the key signed something else before.
            UnknownRulesVersion: the next block needs rules that this code lacks.
            ExecutionFailed: a decided block cannot be executed here.
            SkipRefused, UnusableHome: a promise to skip, or a certificate of a skip, cannot be read or followed.
            StoreFull, OSError: the disk takes nothing more.
        """
        await self._begin()
        while True:
            if self._events:
                await self._take(self._events.popleft())
            else:
                await self._wait()

    async def _take(self, event: Event) -> None:
        """Apply one event. Everything that changes the state passes here."""
        if isinstance(event, HeightStarted):
            await self._begin_height(event)
        height = event.height if isinstance(event, HeightStarted) else self._state.height
        own_address = None if height == self._abstains_at else self._own_address
        before = self._state
        if before.own_address != own_address:
            before = replace(before, own_address=own_address)
        self._state, effects = step(before, event)
        # What was heard without a vote of its own must not pass for what a vote followed from.
        if (effects or self._state is not before) and self._state.height != self._abstains_at:
            self._log.append(event)
        for effect in effects:
            await self._carry_out(effect)

    async def _begin_height(self, event: HeightStarted) -> None:
        reason = self._why_none(event)
        if reason is not None:
            self._on_waiting(reason)
            await self._rest(event)

    async def _rest(self, event: HeightStarted) -> None:
        """No block of that height will come from here."""
        await trio.sleep_forever()

    async def _wait(self) -> None:
        """Until there is an event; without peers only a timer brings one."""
        await self._wait_for_timer()

    async def _begin(self) -> None:
        """Where the log left off, or at the height's first round, or by `without_log`."""
        tip = self._ledger.tip
        height, record = tip.height + 1, self._signer.record
        resumed = resume(self._state, self._log.replay(height), record)
        bound = self._skips is not None and self._skips.bound_above(tip.height)
        if resumed.signs and resumed.state is not self._state and not bound:
            self._state = resumed.state
            for effect in resumed.effects:
                await self._carry_out(effect)
            return
        begins = WithoutLog(0, signs=True)
        if not resumed.signs:
            begins = without_log(record, tip.chain_id, tip.validators, self._own_address)
            self._abstains_at = None if begins.signs else height
        if bound:
            begins, self._abstains_at = WithoutLog(0, signs=False), height
        now_ns = self._now_ns()
        self._events.append(HeightStarted(height, tip.validators, tip.time_ns, now_ns, begins.round))
        self._events.extend(VoteReceived(vote, now_ns) for vote in begins.votes)
        block = await self._blocking(lambda: self._saved_block(height)) if begins.votes else None
        if block is not None:
            self._events.append(BlockReceived(block, block_id_of(block), accepted=True, now_ns=now_ns))
        elif not begins.signs:
            self._only_listens(height)

    def _only_listens(self, height: int) -> None:
        self._on_waiting(
            f"no block {height}: this validator decided one, of which its log and its copy of the block are gone, so it signs no"
            f" other; put back {WAL_FILE} or {PROPOSAL_FILE} and start again"
        )

    def _why_none(self, event: HeightStarted) -> str | None:
        return self._why_ended(event.height) or why_no_blocks(event.validators, event.height, self._own_address)

    def _why_ended(self, height: int) -> str | None:
        """Raises UnknownRulesVersion."""
        try:
            self._ledger.application.coming.require_block(height)
        except RevisionEnded as error:
            return str(error)
        return None

    async def _wait_for_timer(self) -> None:
        deadline, _, height, round_, timer = heapq.heappop(self._timers)
        await trio.sleep_until(deadline)
        if timer is Step.NEW_HEIGHT:
            self._block_started_at = trio.current_time()
        self._events.append(TimeoutElapsed(height, round_, timer, self._now_ns()))

    async def _carry_out(self, effect: Effect) -> None:
        match effect:
            case ScheduleTimeout():
                self._schedule(effect)
            case PrepareBlock():
                await self._prepare(effect)
            case SignProposal():
                await self._sign_proposal(effect)
            case SignVote():
                await self._sign_vote(effect.vote)
            case Decided():
                await self._apply(effect.block, effect.block_id, effect.commit)
            case Equivocation():
                self._equivocated(effect)

    def _equivocated(self, effect: Equivocation) -> None:
        raise RuntimeError(f"validator {effect.first.validator_address.hex()} equivocated at one validator's hub")

    async def _sign_vote(self, vote: Vote) -> Vote:
        signed = await self._blocking(lambda: self._logged_sign(vote))
        self._events.append(VoteReceived(signed, self._now_ns()))
        return signed

    def _logged_sign(self, vote: Vote) -> Vote:
        self._log.sync()
        return self._signer.sign_vote(vote)

    async def _blocking(self, function: Callable[[], T]) -> T:
        found: list[T] = []
        await self._run_blocking(lambda: found.append(function()))
        return found[0]

    def _schedule(self, effect: ScheduleTimeout) -> None:
        if effect.step is Step.NEW_HEIGHT:
            deadline = self._next_block_at
        else:
            deadline = trio.current_time() + self._timeout_s(effect.step, effect.round)
        self._timer_count += 1
        heapq.heappush(self._timers, (deadline, self._timer_count, effect.height, effect.round, effect.step))

    def _timeout_s(self, timer: Step, round_: int) -> float:
        return self._timeouts.of(timer, round_)

    async def _prepare(self, effect: PrepareBlock) -> None:
        block = await self._blocking(lambda: self._block_for(effect.height, effect.last_commit))
        self._events.append(BlockPrepared(effect.height, effect.round, block, block_id_of(block), self._now_ns()))

    def _block_for(self, height: int, last_commit: Commit | None) -> Block:
        """The block saved before a crash, if it still follows; else a new one from the pool."""
        saved = self._saved_block(height)
        if saved is not None:
            return saved
        ledger = self._ledger
        base_fee_wei = ledger.application.next_base_fee_wei
        evidence = ledger.evidence.for_block(ledger.params.evidence_max_bytes)
        room = ledger.params.block_max_bytes - ROOM_FOR_COMMIT_BYTES - sum(map(len, evidence))
        proposed = ledger.application.prepare_proposal(self._mempool.select(base_fee_wei), room)
        self._mempool.drop_unpayable(proposed.unpayable)
        commit = ledger.last_commit() if last_commit is None else last_commit
        return make_block(ledger.tip, commit, proposed.transactions, self._own_address, evidence)

    def _saved_block(self, height: int) -> Block | None:
        saved = self._signer.saved_proposal(height)
        try:
            block = None if saved is None else decode_block(saved)
            return block if block is not None and self._ledger.accepts(block) else None
        except MalformedInput:
            # Then nothing was signed for it on this chain, or signing another will be refused by the record.
            return None

    async def _sign_proposal(self, effect: SignProposal) -> tuple[Proposal, bytes]:
        """With the encoded block."""
        proposal, block = effect.proposal, effect.block

        def sign() -> tuple[Proposal, bool, bytes]:
            accepted = self._ledger.accepts(block)
            encoded = encode_block(block)
            if self._signer.saved_proposal(proposal.height) != encoded:
                self._signer.save_proposal(proposal.height, encoded)
            self._log.sync()
            return self._signer.sign_proposal(proposal), accepted, encoded

        signed, accepted, encoded = await self._blocking(sign)
        self._events.append(ProposalReceived(signed, block, signed.block_id, accepted, self._now_ns()))
        return signed, encoded

    async def _apply(self, block: Block, block_id: BlockId, commit: Commit) -> None:
        ledger = self._ledger
        skip = await self._skip_of(block, block_id)
        applied = await self._blocking(lambda: ledger.apply(block, block_id, commit, skip))
        self._forget(block, applied.refused)
        delay_ms = ledger.application.coming.interval_ms(changed=applied.app_hash_changed)
        self._next_block_at = max(self._block_started_at + delay_ms / 1000, trio.current_time())
        self._timers.clear()
        await self._on_block(applied.height)
        tip = ledger.tip
        self._events.append(HeightStarted(tip.height + 1, tip.validators, tip.time_ns, self._now_ns()))

    async def _skip_of(self, block: Block, block_id: BlockId) -> SkipCertificate | None:
        """By which the decided block counts as empty. Waits where this key promised not to execute it."""
        desk, height = self._skips, block.header.height
        if desk is None:
            return None
        found = await self._blocking(lambda: desk.certificate(height, block_id.hash))
        if found is None and await self._blocking(lambda: desk.forbids(height, block_id.hash)):
            return await self._await_certificate(desk, height, block_id.hash)
        return found

    async def _await_certificate(self, desk: SkipDesk, height: int, block_hash: bytes) -> SkipCertificate | None:
        """None where the block may be executed after all."""
        self._on_waiting(why_waiting_for_skip(height))
        while True:
            await trio.sleep(SKIP_POLL_S)
            found = await self._blocking(lambda: desk.certificate(height, block_hash))
            if found is not None:
                return found

    def _forget(self, block: Block, refused: tuple[bytes, ...]) -> None:
        chain_id = self._ledger.genesis.evm_chain_id
        sent = (
            block.transactions[1:]
            if block.transactions and is_certificate(block.transactions[0])
            else block.transactions
        )
        transactions = tuple(decode_cached(raw, chain_id) for raw in sent)
        self._mempool.remove_included(tuple(item for item in transactions if item.raw not in refused))
        for item in transactions:
            if item.raw in refused:
                self._mempool.drop(item.hash)
