"""Relays of several owners on one path take turns, without knowing of each other and without any of them being needed.

Who relays is read from the chain: the senders of transactions that lately brought packets over a client. Every relay
draws the same rank of each of them for a packet, and waits a moment for those before it. What nobody brings by then is
brought by who comes next: a silent relay costs the packets that it is first for its delay, and no more.
"""

from collections import deque
from collections.abc import Callable, Collection, Iterable
from hashlib import sha256

import trio

from hutong.adapters.interface import AdapterError, PacketEvent, PacketEventKind
from hutong.relay.config import TurnsConfig
from hutong.relay.core.recent import Recent
from hutong.relay.core.topology.peers import Peers
from hutong.relay.core.watching.chain_context import ChainContext
from hutong.relay.core.watching.relay_context import RelayContext
from hutong.relay.dispatch import Job, JobKind

MAX_RELAYERS = 256
"""Of one client; beyond it who was seen longest ago is forgotten."""
MAX_UNREAD = 256
"""Transactions whose sender is still to be asked for; beyond it the oldest are not asked for at all."""
BLOCKS_READ_BACK = 200
BUSY_S = 3.0
BUSY_FACTOR = 4
"""A first relay that was seen at work within BUSY_S has so many times `most_ms` for a backlog."""
MAX_BEGUN = 20_000
POOL_FRESH_S = 0.5
"""For so long what a pool said is taken for what it says."""
POOL_SILENT_S = 300.0
"""An endpoint that does not tell its pool is not asked again for so long."""
MOST_POOL_WAIT_S = 10.0
"""For a transaction that stays in the pool: who put it there may not hold a packet for longer."""
_SETTLES = frozenset({PacketEventKind.WRITE_ACKNOWLEDGEMENT, PacketEventKind.ACKNOWLEDGE, PacketEventKind.TIMEOUT})
_LEAVES = {
    JobKind.RECEIVE: PacketEventKind.WRITE_ACKNOWLEDGEMENT,
    JobKind.ACKNOWLEDGE: PacketEventKind.ACKNOWLEDGE,
    JobKind.TIMEOUT: PacketEventKind.TIMEOUT,
}


def rank(packet: str, ours: Collection[str], others: Iterable[str]) -> int:
    """How many of `others` come before the first of `ours` for a packet, by SHA-256 of `packet address`.

    Addresses as the chain writes them; `packet` is kind, chain id of the sender, source client and sequence, so that it
    is the same text for everybody.
    """

    first = min(drawn(packet, address) for address in ours)
    return sum(drawn(packet, address) < first for address in others)


def drawn(packet: str, address: str) -> bytes:
    """The lot of one relayer for a packet, 32 bytes (SHA-256); the lowest is first. For `packet` see `rank`."""
    return sha256(f"{packet} {address}".encode()).digest()


class Turns:
    """Of one chain, for all routes that end there. `run` it under supervision."""

    def __init__(self, chain: ChainContext, relay: RelayContext, peers: Peers, config: TurnsConfig) -> None:
        self._chain = chain.name
        self._adapters = relay.adapters
        self._adapter = chain.adapter
        self._paths = relay.paths
        self._peers = peers
        self._config = config
        self._metrics = chain.metrics
        self._seen: dict[str, Recent[str, float]] = {}
        self._unread: deque[tuple[str | None, bytes]] = deque(maxlen=MAX_UNREAD)
        self._noted: Recent[bytes, None] = Recent(MAX_BEGUN)
        self._activity = trio.Event()
        self._begun: Recent[str, float] = Recent(MAX_BEGUN)
        self._pooled_since: Recent[str, float] = Recent(MAX_BEGUN)
        self._pool: frozenset[tuple[PacketEventKind, str, int]] = frozenset()
        self._pool_asked_at_s = -POOL_FRESH_S
        self._pool_silent_until_s = 0.0
        self._pool_lock = trio.Lock()
        self._log = chain.log("turns")

    def saw(self, events: Iterable[PacketEvent], is_ours: Callable[[bytes], bool]) -> None:
        """Note events of final blocks. Whose transactions they are is asked for later, once a transaction, of others
        alone.

        The same is asked of transactions that came too late: a relay that always loses leaves no other trace, and is to
        be given its turns.
        """
        met = [(event.transaction_hash, event.client_id) for event in events if event.kind in _SETTLES]
        idle = self._adapter.idle_transactions()
        if not self._config.most_ms:
            return
        for transaction_hash, client_id in (*met, *((one, None) for one in idle)):
            if transaction_hash in self._noted:
                continue
            self._noted.put(transaction_hash, None)
            of_a_path = client_id is None or self._paths.end(self._chain, client_id) is not None
            if of_a_path and not is_ours(transaction_hash):
                self._unread.append((client_id, transaction_hash))
                self._activity.set()

    async def run(self) -> None:
        """For ever. Begins with the blocks before the start, so that a relay is polite from its first packet on.

        What an endpoint cannot say is logged and not asked again. With `most_ms` 0 nothing is asked at all.
        """
        if self._config.most_ms:
            await self._read_back()
        while True:
            while self._unread:
                client_id, transaction_hash = self._unread.pop()  # the newest first
                try:
                    relayed = await self._adapter.relayed_by(transaction_hash)
                except AdapterError as error:
                    self._log.info("the sender of a transaction is not known", reason=str(error))
                    continue
                if relayed is not None and relayed.sender not in self._peers.all(self._chain):
                    for one in relayed.client_ids | ({client_id} if client_id is not None else set()):
                        self._meet(one, relayed.sender)
            self._activity = trio.Event()
            await self._activity.wait()

    async def _read_back(self) -> None:
        try:
            head = (await self._adapter.head()).height
            events = await self._adapter.packet_events(max(0, head - BLOCKS_READ_BACK + 1), head)
        except AdapterError as error:
            self._log.info("who relayed before the start is not known", reason=str(error))
            return
        self.saw(events, lambda _: False)

    def _meet(self, client_id: str, sender: str) -> None:
        if self._paths.end(self._chain, client_id) is None:
            return
        relayers = self._seen.setdefault(client_id, Recent(MAX_RELAYERS))
        if sender not in relayers:
            self._log.info("another relay is on this path", client=client_id, relayer=sender)
        relayers.put(sender, trio.current_time())

    def others(self, client_id: str) -> tuple[str, ...]:
        """Addresses of relayers of the client that were seen within `seen_within_s` and are not ours or our queue's."""
        since_s, ours = trio.current_time() - self._config.seen_within_s, self._peers.all(self._chain)
        relayers = self._seen.get(client_id)
        if relayers is None:
            return ()
        return tuple(name for name, at_s in relayers.items() if at_s >= since_s and name not in ours)

    def has_others(self, client_id: str) -> bool:
        """Somebody else may deliver what this relay is about to: a stranger seen lately, or who shares our queue."""
        has_peers = len(self._peers.all(self._chain)) > len(self._peers.own(self._chain))
        return has_peers or bool(self.others(client_id))

    def wait_s(self, job: Job) -> float:
        """How many seconds the job is left to those who come before us; 0 when it is our turn, or no other relay was
        seen.

        The first call for a job begins its wait, and later ones count it down.
        """
        others = self.others(job.route.client)
        if not others:
            return 0.0
        now_s = trio.current_time()
        begun_s = self._begun.first(job.id, now_s)
        ours = self._peers.all(self._chain)
        name = self._name(job)
        place = rank(name, ours, others)
        waits_s = min(place * self._config.rank_ms, self._config.most_ms) / 1000
        if place and self._is_busy(job.route.client, min(others, key=lambda one: drawn(name, one)), now_s):
            waits_s = BUSY_FACTOR * self._config.most_ms / 1000
        left_s = max(0.0, begun_s + waits_s - now_s)
        if begun_s == now_s:
            self._metrics.rank_wait(self._chain, waits_s)
        return left_s

    def _is_busy(self, client_id: str, relayer: str, now_s: float) -> bool:
        """It is at work on this client just now: what it has not sent yet, it probably has under way."""
        seen_at_s = self._seen[client_id].get(relayer)
        return seen_at_s is not None and now_s - seen_at_s < BUSY_S

    def _name(self, job: Job) -> str:
        sender = job.source if job.kind is JobKind.RECEIVE else job.destination
        return f"{job.kind} {self._adapters[sender].chain_id}/{job.packet.source_client}/{job.packet.sequence}"

    async def pooled(self, jobs: Collection[Job]) -> set[str]:
        """Ids of those jobs that a pending transaction of another is about to do. Asked only where there are others.

        A relay that shares our queue counts here: one that ended may have left a transaction.

        Args:
            jobs: of one route.
        """
        if not jobs or not self._config.most_ms or not self.has_others(next(iter(jobs)).route.client):
            return set()
        now_s = trio.current_time()
        if now_s < self._pool_silent_until_s:
            return set()
        await self._look(now_s)
        found = set()
        for job in jobs:
            if (_LEAVES[job.kind], job.route.client, job.packet.sequence) not in self._pool:
                continue
            if now_s - self._pooled_since.first(job.id, now_s) < MOST_POOL_WAIT_S:
                found.add(job.id)
        return found

    async def _look(self, now_s: float) -> None:
        async with self._pool_lock:
            if now_s < self._pool_asked_at_s + POOL_FRESH_S:
                return
            packets = await self._adapter.pooled_packets()
            self._pool_asked_at_s = trio.current_time()
            if packets is None:
                self._log.info("no endpoint tells what is in the pool; going without it")
                self._pool_silent_until_s = trio.current_time() + POOL_SILENT_S
            ours = self._peers.own(self._chain)
            self._pool = frozenset(
                (one.kind, one.client_id, one.sequence) for one in packets or () if one.sender not in ours
            )
