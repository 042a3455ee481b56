"""What goes to which peer: own votes and proposals to all at once, everything else where a status shows that it lacks."""

from collections.abc import Awaitable, Callable
from functools import partial
from itertools import islice
from random import Random
from typing import TypeAlias

import trio

from hutong.light_clients.tendermint.skip_certificate import SkipCertificate
from hutong.relay.evm.chain.mempool import Mempool, SenderAccount
from hutong.relay.evm.errors import InvalidTransaction
from hutong.relay.evm.vm.transaction import SignedTransaction, decode_cached
from hutong.relay.hub.application.application import HubApplication
from hutong.relay.hub.chain.block_records import BlockRecords
from hutong.relay.hub.consensus.types import Proposal, Vote
from hutong.relay.hub.network.block_sync import BlockSync
from hutong.relay.hub.network.inbox import Judge, ReceivedBlock, ReceivedProposal, ReceivedSkip, ReceivedVote
from hutong.relay.hub.network.link.codec import MAX_ANSWER_BYTES, transaction_batches
from hutong.relay.hub.network.link.link import Link
from hutong.relay.hub.network.link.messages import (
    BlocksRequest,
    CommittedBlock,
    Message,
    ProposalMessage,
    SkipMessage,
    Status,
    Transactions,
    VoteMessage,
)
from hutong.relay.hub.network.peer_driver import NetworkDriver
from hutong.relay.hub.network.score import Offence
from hutong.relay.hub.network.standing import proposals_lacked, status_of, votes_lacked
from hutong.relay.hub.network.switchboard import Switchboard
from hutong.relay.hub.skipping.desk import SkipDesk

STATUS_INTERVAL_S = 0.5
POOL_INTERVAL_S = 2.0
MAX_POOL_TRANSACTIONS = 4_096
"""Of the pool, told again to a peer that may have missed some."""
_PROPOSAL, _SKIP = 3, 4
MAX_THREADS = 4


RunBlocking: TypeAlias = Callable[[Callable[[], object]], Awaitable[object]]


class Gossip:
    """Implements `Peers` for the driver and handles what links bring. `switchboard` and `driver` are set once, at start."""

    switchboard: Switchboard
    driver: NetworkDriver

    def __init__(
        self,
        records: BlockRecords,
        application: HubApplication,
        mempool: Mempool,
        random: Random,
        run_blocking: RunBlocking | None = None,
        skips: SkipDesk | None = None,
    ) -> None:
        self._skips = skips
        self._records = records
        self._application = application
        self._mempool = mempool
        self._random = random
        self._sync = BlockSync(self._offend)
        self._threads = trio.CapacityLimiter(MAX_THREADS)
        self._run_blocking = self._in_thread if run_blocking is None else run_blocking
        self._missed_pool: set[str] = set()

    def _offend(self, link: Link, offence: Offence, reason: str) -> None:
        self._sync.forget(link)
        self.switchboard.offend(link, offence, reason)

    # What the driver says.

    def voted(self, vote: Vote) -> None:
        """Send this validator's own vote to every peer, ahead of what waits for them that is not urgent."""
        for link in self.switchboard.links:
            link.tell(vote.height, _vote_key(vote))
        self.switchboard.broadcast(VoteMessage(vote))

    def proposed(self, proposal: Proposal, block: bytes) -> None:
        """Send this validator's own proposal to every peer, with its encoded block."""
        for link in self.switchboard.links:
            link.tell(proposal.height, (proposal.round, _PROPOSAL, 0, b""))
        self.switchboard.broadcast(ProposalMessage(proposal, block))

    def moved(self) -> None:
        """Tell every peer where this node stands, and see whether blocks are to be asked for."""
        self.switchboard.broadcast(status_of(self.driver.state, self.driver.set_aside))
        self._sync.consider(self.driver.state.height, self.switchboard.links)

    def highest(self) -> int:
        """The height that the furthest connected peer says it decides, 0 without peers."""
        return max((link.height for link in self.switchboard.links), default=0)

    # What peers say.

    def connected(self, link: Link) -> None:
        """A new link: it is told where this node stands, and in time the pool."""
        link.send(status_of(self.driver.state, self.driver.set_aside))
        self._missed_pool.add(link.node_id)

    async def handle(self, link: Link, message: Message, size: int) -> None:
        """Take one message of `size` bytes from `link`; waits only for what this peer alone is answerable for.

        What is wrong with a message is found later, by the driver, and counted against the link then.
        """
        match message:
            case Status():
                self._on_status(link, message)
            case VoteMessage():
                link.tell(message.vote.height, _vote_key(message.vote))
                self.driver.post(ReceivedVote(message.vote, self._judge(link, size)))
            case ProposalMessage():
                link.tell(message.proposal.height, (message.proposal.round, _PROPOSAL, 0, b""))
                self.driver.post(ReceivedProposal(message.proposal, message.block, self._judge(link, size)))
            case BlocksRequest():
                await self._answer(link, message)
            case CommittedBlock():
                if self._sync.received(link, message.height, len(message.block)):
                    self.driver.post(ReceivedBlock(message, self._judge(link, size)))
            case Transactions():
                raw = message.raw
                await self._run_blocking(lambda: self._admit(raw))
            case SkipMessage():
                self.driver.post(ReceivedSkip(message.certificate, self._judge(link, size)))

    def _judge(self, link: Link, size: int) -> Judge:
        link.handed_over(size)

        def judge(offence: Offence | None, reason: str) -> None:
            link.judged(size)
            if offence is not None:
                self._offend(link, offence, reason)

        return judge

    def _on_status(self, link: Link, status: Status) -> None:
        link.status = status
        state = self.driver.state
        if status.height == state.height and link.may_answer_status():
            for vote in votes_lacked(state, status):
                if link.tell(vote.height, _vote_key(vote)):
                    link.send(VoteMessage(vote))
            for proposal in proposals_lacked(state, status):
                block = self.driver.encoded(proposal.block_id)
                if block is not None and link.tell(proposal.height, (proposal.round, _PROPOSAL, 0, b"")):
                    link.send(ProposalMessage(proposal, block))
        self._tell_skip(link, status.height)
        self._sync.consider(state.height, self.switchboard.links)

    def skip_came(self) -> None:
        """Send the certificate to every peer that it may help; others get it when they say where they are."""
        for link in self.switchboard.links:
            self._tell_skip(link, link.height)

    def _tell_skip(self, link: Link, height: int) -> None:
        """A peer that decides that height, or has executed the block below it, may wait for nothing else."""
        found = None if self._skips is None else self._skips.newest()
        if found is None or found.statement.height not in (height - 1, height):
            return
        if link.tell(height, (0, _SKIP, 0, found.statement.block_hash)):
            link.send(SkipMessage(found))

    async def _answer(self, link: Link, request: BlocksRequest) -> None:
        sent = 0
        for height in range(request.first, request.first + request.count):
            found = await self._run_blocking(partial(self._committed, height))
            if not isinstance(found, CommittedBlock) or sent > MAX_ANSWER_BYTES:
                return
            skip = await self._run_blocking(partial(self._application.skips.certificate, height))
            if isinstance(skip, SkipCertificate) and not link.send(SkipMessage(skip), urgent=False):
                return
            if not link.send(found, urgent=False):
                return
            sent += len(found.block)

    async def _in_thread(self, function: Callable[[], object]) -> object:
        return await trio.to_thread.run_sync(function, limiter=self._threads)

    def _committed(self, height: int) -> CommittedBlock | None:
        block, commit = self._records.encoded_block(height), self._records.commit(height)
        return None if block is None or commit is None else CommittedBlock(height, commit, block)

    # Transactions.

    async def pass_on(self, transaction: SignedTransaction, sender: SenderAccount) -> None:
        """Take a transaction of this node's own clients into the pool, and send it to every peer.

        Raises:
            InvalidTransaction: the pool refuses it; then no peer hears of it.
        """
        self._add(transaction, sender)
        data = Transactions((transaction.raw,))
        for link in self.switchboard.links:
            if not link.send(data, urgent=False):
                self._missed_pool.add(link.node_id)

    def _add(self, transaction: SignedTransaction, sender: SenderAccount) -> None:
        base_fee_wei = self._application.next_base_fee_wei
        self._mempool.add(transaction, sender.nonce, sender.balance_wei, base_fee_wei=base_fee_wei)

    def _admit(self, raw: tuple[bytes, ...]) -> None:
        """What this state refuses another may take: nobody is blamed."""
        for item in raw:
            try:
                transaction = decode_cached(item, self._application.genesis.evm_chain_id)
                if self._mempool.get(transaction.hash) is None:
                    self._add(transaction, self._application.check_sender(transaction))
            except InvalidTransaction:
                continue

    async def run(self) -> None:
        """What heals: a status at an interval, and the pool to peers that may have missed some of it.

        Until cancelled.
        """
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._say_status)
            nursery.start_soon(self._say_pool)

    async def _say_status(self) -> None:
        while True:
            await trio.sleep(STATUS_INTERVAL_S * (0.8 + 0.4 * self._random.random()))
            self.moved()

    async def _say_pool(self) -> None:
        while True:
            await trio.sleep(POOL_INTERVAL_S * (0.8 + 0.4 * self._random.random()))
            links = [
                link for link in self.switchboard.links if link.node_id in self._missed_pool and link.outbox.is_idle
            ]
            if not links:
                continue
            raw = [transaction.raw for transaction in islice(self._mempool.select(), MAX_POOL_TRANSACTIONS)]
            batches = transaction_batches(raw)
            for link in links:
                if all(link.send(batch, urgent=False) for batch in batches):
                    self._missed_pool.discard(link.node_id)


def _vote_key(vote: Vote) -> tuple[int, int, int, bytes]:
    """With its block: who heard a liar's other vote still lacks this one."""
    return vote.round, int(vote.message_type), vote.validator_index, vote.block_id.hash
