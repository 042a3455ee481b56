"""One packet through the relay's queue: the process may be killed between any two steps, Redis may forget everything.

Each step is one of the product's atomic steps; what it does to queue, ledger and chain is stated beside it, and
`test_queue_model.py` runs the queue's steps against a real server.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

MAX_NONCES = 6


@dataclass(frozen=True, slots=True)
class Queue:
    """`entry` is where the job is: absent, waiting, taken by a living or by a dead consumer, delayed."""

    entry: str = "absent"

    def enqueue(self) -> "Queue":
        """ENQUEUE: an id in the index is never added again."""
        return Queue("waiting") if self.entry == "absent" else self

    def take(self) -> "Queue":
        """XREADGROUP: only what nobody has taken."""
        return Queue("taken") if self.entry == "waiting" else self

    def owner_died(self) -> "Queue":
        return Queue("orphaned") if self.entry == "taken" else self

    def claim(self) -> "Queue":
        """XAUTOCLAIM at start: what a dead consumer had."""
        return Queue("taken") if self.entry == "orphaned" else self

    def settle(self) -> "Queue":
        """SETTLE: the id is forgotten if it still means this entry."""
        return Queue() if self.entry == "taken" else self

    def retry(self) -> "Queue":
        """RETRY: nothing if the id is elsewhere by now."""
        return Queue("delayed") if self.entry == "taken" else self

    def promote(self) -> "Queue":
        """PROMOTE: due members go back to the stream."""
        return Queue("waiting") if self.entry == "delayed" else self


@dataclass(frozen=True, slots=True)
class Process:
    """The memory of one run: lost at a kill. `worker` is what it does with the job now."""

    recovered: bool = False
    watcher: str = "start"
    worker: str = "idle"
    nonce: int = -1
    followed: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class World:
    process: Process | None
    queue: Queue
    cursor_passed: bool = False
    recorded: frozenset[int] = frozenset()
    """Nonces of signed transactions that the ledger has and that have not ended in it."""
    pool: frozenset[int] = frozenset()
    mined: int = 0
    """How many transactions with the packet are in blocks: each was paid."""
    kills_left: int = 2
    wipes_left: int = 1
    drops_left: int = 1


@dataclass(frozen=True, slots=True)
class Rules:
    """Each can be turned off."""

    records_before_broadcast: bool = True
    looks_before_paying: bool = True
    waits_for_recovery: bool = True
    clears: bool = True
    cursor_after_enqueue: bool = True
    follows_recorded: bool = True


class RelayQueue:
    """The packet's event is on the source from the start; the destination counts what is paid for it."""

    def __init__(self, *, rules: Rules | None = None, kills: int = 2, wipes: int = 1, drops: int = 1) -> None:
        self.rules = rules or Rules()
        self.kills, self.wipes, self.drops = kills, wipes, drops

    def initial(self) -> World:
        return World(Process(), Queue(), kills_left=self.kills, wipes_left=self.wipes, drops_left=self.drops)

    def steps(self, world: World) -> Iterable[tuple[str, World]]:
        yield from self._surroundings(world)
        process = world.process
        if process is None:
            yield "restart", replace(world, process=Process())
            return
        yield from self._watcher(world, process)
        yield from self._account(world, process)
        yield from self._worker(world, process)
        if self.rules.clears and not world.mined and world.queue.entry == "absent":
            yield "clearer enqueues", replace(world, queue=world.queue.enqueue())

    @staticmethod
    def _surroundings(world: World) -> Iterable[tuple[str, World]]:
        if world.process is not None and world.kills_left:
            yield (
                "kill",
                replace(world, process=None, queue=world.queue.owner_died(), kills_left=world.kills_left - 1),
            )
        if world.wipes_left and world.queue.entry != "absent":
            yield "wipe of Redis", replace(world, queue=Queue(), wipes_left=world.wipes_left - 1)
        if world.mined in world.pool:
            yield "inclusion", replace(world, pool=world.pool - {world.mined}, mined=world.mined + 1)
        for nonce in sorted(world.pool) if world.drops_left else ():
            yield f"pool-drops {nonce}", replace(world, pool=world.pool - {nonce}, drops_left=world.drops_left - 1)
        if world.queue.entry == "delayed":
            yield "promote", replace(world, queue=world.queue.promote())

    def _watcher(self, world: World, process: Process) -> Iterable[tuple[str, World]]:
        def at(name: str, **changes) -> World:
            return replace(world, process=replace(process, watcher=name), **changes)

        if process.watcher == "start":
            yield "read", at("done" if world.cursor_passed else "read")
        elif process.watcher == "read":
            if self.rules.cursor_after_enqueue:
                yield "enqueue", at("enqueued", queue=world.queue.enqueue())
            else:
                yield "cursor", at("moved", cursor_passed=True)
        elif process.watcher == "enqueued":
            yield "cursor", at("done", cursor_passed=True)
        elif process.watcher == "moved":
            yield "enqueue", at("done", queue=world.queue.enqueue())

    def _account(self, world: World, process: Process) -> Iterable[tuple[str, World]]:
        if not process.recovered:
            followed = world.recorded if self.rules.follows_recorded else frozenset()
            yield "recover", replace(world, process=replace(process, recovered=True, followed=followed))
        for nonce in sorted(process.followed):
            if nonce < world.mined:
                ended = replace(process, followed=process.followed - {nonce})
                yield f"ledger-ends {nonce}", replace(world, process=ended, recorded=world.recorded - {nonce})
            elif nonce not in world.pool and not (process.worker == "recorded" and process.nonce == nonce):
                yield f"rebroadcast {nonce}", replace(world, pool=world.pool | {nonce})

    def _worker(self, world: World, process: Process) -> Iterable[tuple[str, World]]:
        def at(name: str, **changes) -> World:
            return replace(world, process=replace(process, worker=name), **changes)

        rules = self.rules
        match process.worker:
            case "idle":
                if rules.waits_for_recovery and not process.recovered:
                    return
                if world.queue.entry == "waiting":
                    yield "take", at("taken", queue=world.queue.take())
                if world.queue.entry == "orphaned":
                    yield "claim", at("taken", queue=world.queue.claim())
            case "taken":
                if process.followed:
                    yield "retry-in-flight", at("idle", queue=world.queue.retry())
                elif rules.looks_before_paying and world.mined:
                    yield "settle-done", at("idle", queue=world.queue.settle())
                else:
                    yield "prepare", at("prepared")
            case "prepared":
                if not process.recovered:
                    return
                nonce = max([world.mined, *(n + 1 for n in world.pool), *(n + 1 for n in process.followed)])
                if nonce >= MAX_NONCES:
                    return
                if rules.records_before_broadcast:
                    after = replace(process, worker="recorded", nonce=nonce, followed=process.followed | {nonce})
                    yield f"record {nonce}", replace(world, process=after, recorded=world.recorded | {nonce})
                else:
                    after = replace(process, worker="sent-unrecorded", nonce=nonce)
                    yield f"submit {nonce}", replace(world, process=after, pool=world.pool | {nonce})
            case "sent-unrecorded":
                after = replace(process, worker="sent", followed=process.followed | {process.nonce})
                yield (
                    f"record {process.nonce}",
                    replace(world, process=after, recorded=world.recorded | {process.nonce}),
                )
            case "recorded":
                yield f"submit {process.nonce}", at("sent", pool=world.pool | {process.nonce})
            case "sent":
                if process.nonce < world.mined and process.nonce not in process.followed:
                    yield (
                        "settle",
                        replace(world, process=replace(process, worker="idle", nonce=-1), queue=world.queue.settle()),
                    )

    def violation(self, world: World) -> str | None:
        if world.mined > 1:
            return f"paid {world.mined} times"
        return None

    def violation_at_end(self, world: World) -> str | None:
        if not world.mined:
            return "the packet was never submitted"
        if world.recorded:
            return "the ledger waits for a transaction for ever"
        if world.queue.entry != "absent":
            return f"the job is left {world.queue.entry} in the queue"
        return None


def settled(world: World) -> bool:
    """Paid once, and nobody remembers work to do."""
    return world.mined == 1 and not world.recorded and world.queue.entry == "absent"
