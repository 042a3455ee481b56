"""The trio driver of consensus: timers, signatures and disk around the pure transition function."""

import heapq
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import TypeAlias, TypeVar

import trio

from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.tendermint.skip_certificate import SkipCertificate, is_certificate
from hutong.light_clients.tendermint.types import BlockId, Commit
from hutong.relay.evm.chain.mempool import Mempool
from hutong.relay.evm.vm.stack import run_with_evm_stack
from hutong.relay.evm.vm.transaction import decode_cached
from hutong.relay.hub.application.governance.coming import RevisionEnded
from hutong.relay.hub.chain.ledger import HubLedger
from hutong.relay.hub.consensus.blocks import block_id_of, decode_block, encode_block, make_block
from hutong.relay.hub.consensus.lost_log import WithoutLog, without_log
from hutong.relay.hub.consensus.replay import resume
from hutong.relay.hub.consensus.signing import DoubleSignRefused
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
from hutong.relay.hub.engine.block_signer import BlockSigner, SignerAway
from hutong.relay.hub.engine.surroundings import Surroundings
from hutong.relay.hub.engine.timeouts import Timeouts
from hutong.relay.hub.engine.wal import EventLog
from hutong.relay.hub.skipping.desk import SkipDesk

T = TypeVar("T")
RunBlocking: TypeAlias = Callable[[Callable[[], object]], Awaitable[object]]
ROOM_FOR_COMMIT_BYTES = 64 * 1024
"""Kept free of transactions in a block: header and a commit of 100 validators."""


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


@dataclass(frozen=True, slots=True)
class DrivenValidator:
    """One validator: what it decides blocks over and signs them with."""

    ledger: HubLedger
    signer: BlockSigner
    own_address: bytes
    """20 bytes; that of the signer's key."""
    mempool: Mempool
    log: EventLog
    on_block: Callable[[int], Awaitable[None]]
    """Awaited after each block is on disk, with its height."""
    timeouts: Timeouts
    skips: SkipDesk | None = None
    now_ns: Callable[[], int] = time.time_ns
    """Nanoseconds of Unix time."""
    run_blocking: RunBlocking | None = None
    """Where blocking work runs; None for threads of each part's own."""


class ConsensusDriver:
    """Runs one validator amid its surroundings. Ends with UnknownRulesVersion before a block that this code cannot execute.

    Where no block of a height can come from here, or the revision has ended, the surroundings are told why, nothing is
    signed, and the rest of the node goes on: others may still need the last blocks.
    """

    def __init__(self, validator: DrivenValidator, surroundings: Surroundings) -> None:
        self._validator = validator
        self._surroundings = surroundings
        self._run_blocking = in_evm_thread if validator.run_blocking is None else validator.run_blocking
        self._abstains_at: int | None = None
        self._events: deque[Event] = deque()
        self._timers: list[tuple[float, int, int, int, Step]] = []
        self._timer_count = 0
        self._next_block_at = trio.current_time()
        self._block_started_at = trio.current_time()
        tip = validator.ledger.tip
        self._state = RoundState(tip.chain_id, validator.own_address, tip.height, tip.validators, tip.time_ns)

    @property
    def state(self) -> RoundState:
        """Where the round stands; immutable, so that it may be read at any time."""
        return self._state

    @property
    def has_events(self) -> bool:
        """Whether something is to be taken before anything else."""
        return bool(self._events)

    @property
    def abstains_at(self) -> int | None:
        """The height at which this validator signs nothing; None for no such height."""
        return self._abstains_at

    def abstain_at(self, height: int) -> None:
        """Sign nothing at this height. It takes the place of an earlier one."""
        self._abstains_at = height

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
                await self.take(self._events.popleft())
            elif not await self._surroundings.attend(self._timers[0][0] if self._timers else float("inf")):
                await self._wait_for_timer()

    async def take(self, event: Event) -> None:
        """Apply one event. Everything that changes the state passes here."""
        if isinstance(event, HeightStarted):
            await self._begin_height(event)
        height = event.height if isinstance(event, HeightStarted) else self._state.height
        own_address = None if height == self._abstains_at else self._validator.own_address
        before = self._state
        if before.own_address != own_address:
            before = replace(before, own_address=own_address)
        self._state, effects = step(before, event)
        # What was heard without a vote of its own must not pass for what a vote followed from.
        if (effects or self._state is not before) and self._state.height != self._abstains_at:
            self._validator.log.append(event)
        for effect in effects:
            await self.carry_out(effect)
        self._surroundings.stepped()

    async def _begin_height(self, event: HeightStarted) -> None:
        reason = self._why_ended(event.height)
        if reason is None:
            reason = self._surroundings.why_none(event, self._validator.own_address)
        if reason is not None:
            # At the height after the last: peers that lack the last block see that it is here.
            self._state = RoundState(
                self._state.chain_id, None, event.height, event.validators, event.last_block_time_ns
            )
            await self._surroundings.rest(reason)
        self._surroundings.height_begins()

    async def _begin(self) -> None:
        """Where the log left off, or at the height's first round, or by `without_log`."""
        own = self._validator
        tip = own.ledger.tip
        height, record = tip.height + 1, own.signer.record
        resumed = resume(self._state, own.log.replay(height), record)
        bound = own.skips is not None and own.skips.bound_above(tip.height)
        if resumed.signs and resumed.state is not self._state and not bound:
            self._state = resumed.state
            for effect in resumed.effects:
                await self.carry_out(effect)
            return
        begins = WithoutLog(0, signs=True)
        if not resumed.signs:
            begins = without_log(record, tip.chain_id, tip.validators, own.own_address)
            self._abstains_at = None if begins.signs else height
        if bound:
            begins, self._abstains_at = WithoutLog(0, signs=False), height
        now_ns = own.now_ns()
        self._events.append(HeightStarted(height, tip.validators, tip.time_ns, now_ns, begins.round))
        self._events.extend(VoteReceived(vote, now_ns) for vote in begins.votes)
        block = await self.blocking(lambda: self._saved_block(height)) if begins.votes else None
        if block is not None:
            self._events.append(BlockReceived(block, block_id_of(block), accepted=True, now_ns=now_ns))
        elif not begins.signs:
            self._surroundings.only_listens(height)

    def _why_ended(self, height: int) -> str | None:
        """Raises UnknownRulesVersion."""
        try:
            self._validator.ledger.application.coming.require_block(height)
        except RevisionEnded as error:
            return str(error)
        return None

    async def _wait_for_timer(self) -> None:
        deadline, _, height, round_, timer = heapq.heappop(self._timers)
        await trio.sleep_until(deadline)
        if timer is Step.NEW_HEIGHT:
            self._block_started_at = trio.current_time()
        self._events.append(TimeoutElapsed(height, round_, timer, self._validator.now_ns()))

    async def carry_out(self, effect: Effect) -> None:
        """Do what the transition asks for.

        Raises:
            DoubleSignRefused, SignerAway: the key did not sign, and the surroundings do not let that pass.
            StoreFull, OSError: the disk takes nothing more.
        """
        match effect:
            case ScheduleTimeout():
                self._schedule(effect)
            case PrepareBlock():
                await self._prepare(effect)
            case SignProposal():
                await self._sign_proposal(effect)
            case SignVote():
                await self._sign_vote(effect)
            case Decided():
                await self.apply(effect.block, effect.block_id, effect.commit)
            case Equivocation():
                self._surroundings.equivocated(effect)

    async def _sign_vote(self, effect: SignVote) -> None:
        try:
            signed = await self.blocking(lambda: self._logged_sign(effect.vote))
        except (DoubleSignRefused, SignerAway) as error:
            self._surroundings.not_signed(effect, error)
            return
        self._events.append(VoteReceived(signed, self._validator.now_ns()))
        self._surroundings.voted(signed)

    def _logged_sign(self, vote: Vote) -> Vote:
        self._validator.log.sync()
        return self._validator.signer.sign_vote(vote)

    async def blocking(self, function: Callable[[], T]) -> T:
        """Run what blocks where it stops nobody; what it returns or raises comes through."""
        found: list[T] = []
        await self._run_blocking(lambda: found.append(function()))
        return found[0]

    def _schedule(self, effect: ScheduleTimeout) -> None:
        if effect.step is Step.NEW_HEIGHT:
            self._next_block_at = max(self._next_block_at, self._surroundings.earliest_start_s())
            deadline = self._next_block_at
        else:
            rounds = effect.round + self._surroundings.patience
            deadline = trio.current_time() + self._validator.timeouts.of(effect.step, rounds)
        self._timer_count += 1
        heapq.heappush(self._timers, (deadline, self._timer_count, effect.height, effect.round, effect.step))

    async def _prepare(self, effect: PrepareBlock) -> None:
        block = await self.blocking(lambda: self._block_for(effect.height, effect.last_commit))
        now_ns = self._validator.now_ns()
        self._events.append(BlockPrepared(effect.height, effect.round, block, block_id_of(block), now_ns))

    def _block_for(self, height: int, last_commit: Commit | None) -> Block:
        """The block saved before a crash, if it still follows; else a new one from the pool."""
        saved = self._saved_block(height)
        if saved is not None:
            return saved
        own = self._validator
        ledger = own.ledger
        base_fee_wei = ledger.application.next_base_fee_wei
        evidence = ledger.evidence.for_block(ledger.params.evidence_max_bytes)
        room = ledger.params.block_max_bytes - ROOM_FOR_COMMIT_BYTES - sum(map(len, evidence))
        proposed = ledger.application.prepare_proposal(own.mempool.select(base_fee_wei), room)
        own.mempool.drop_unpayable(proposed.unpayable)
        commit = ledger.last_commit() if last_commit is None else last_commit
        return make_block(ledger.tip, commit, proposed.transactions, own.own_address, evidence)

    def _saved_block(self, height: int) -> Block | None:
        saved = self._validator.signer.saved_proposal(height)
        try:
            block = None if saved is None else decode_block(saved)
            return block if block is not None and self._validator.ledger.accepts(block) else None
        except MalformedInput:
            # Then nothing was signed for it on this chain, or signing another will be refused by the record.
            return None

    async def _sign_proposal(self, effect: SignProposal) -> None:
        own, proposal, block = self._validator, effect.proposal, effect.block

        def sign() -> tuple[Proposal, bool, bytes]:
            accepted = own.ledger.accepts(block)
            encoded = encode_block(block)
            if own.signer.saved_proposal(proposal.height) != encoded:
                own.signer.save_proposal(proposal.height, encoded)
            own.log.sync()
            return own.signer.sign_proposal(proposal), accepted, encoded

        try:
            signed, accepted, encoded = await self.blocking(sign)
        except (DoubleSignRefused, SignerAway) as error:
            self._surroundings.not_signed(effect, error)
            return
        self._events.append(ProposalReceived(signed, block, signed.block_id, accepted, own.now_ns()))
        self._surroundings.proposed(signed, encoded)

    async def apply(self, block: Block, block_id: BlockId, commit: Commit) -> None:
        """Write a decided block and its state to disk, and begin the next height.

        Raises:
            ExecutionFailed, SkipRefused, UnusableHome, StoreFull, OSError: as `run`.
        """
        ledger = self._validator.ledger
        await self._surroundings.decided(block.header.height, commit)
        skip = await self._skip_of(block, block_id)
        applied = await self.blocking(lambda: ledger.apply(block, block_id, commit, skip))
        self._forget(block, applied.refused)
        delay_ms = ledger.application.coming.interval_ms(changed=applied.app_hash_changed)
        self._next_block_at = max(self._block_started_at + delay_ms / 1000, trio.current_time())
        self._timers.clear()
        await self._validator.on_block(applied.height)
        tip = ledger.tip
        self._events.append(HeightStarted(tip.height + 1, tip.validators, tip.time_ns, self._validator.now_ns()))

    async def _skip_of(self, block: Block, block_id: BlockId) -> SkipCertificate | None:
        """By which the decided block counts as empty. Waits where this key promised not to execute it."""
        desk, height = self._validator.skips, block.header.height
        if desk is None:
            return None

        async def look() -> SkipCertificate | None:
            return await self.blocking(lambda: desk.certificate(height, block_id.hash))

        found = await look()
        if found is not None:
            return found
        promised = await self.blocking(lambda: desk.forbids(height, block_id.hash))
        return await self._surroundings.skip_certificate(height, block_id.hash, look, promised=promised)

    def _forget(self, block: Block, refused: tuple[bytes, ...]) -> None:
        own = self._validator
        chain_id = own.ledger.genesis.evm_chain_id
        sent = (
            block.transactions[1:]
            if block.transactions and is_certificate(block.transactions[0])
            else block.transactions
        )
        transactions = tuple(decode_cached(raw, chain_id) for raw in sent)
        own.mempool.remove_included(tuple(item for item in transactions if item.raw not in refused))
        for item in transactions:
            if item.raw in refused:
                own.mempool.drop(item.hash)
