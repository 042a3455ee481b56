"""Two simulated chains with a client of each other, and relays that can be killed at any await."""

from collections.abc import Callable
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Protocol

import trio

from hutong.adapters.ics26.events import ACK_PACKET_TOPIC, TIMEOUT_PACKET_TOPIC
from hutong.adapters.simulated import Faults, SequencedAdapter, SequencedChain, SimulatedAdapter, SimulatedChain
from hutong.light_clients.ibc.commitment import PathKind, path_key
from hutong.light_clients.ibc.packet import Payload
from hutong.relay.archive import Archive
from hutong.relay.config import Config
from hutong.relay.core.relay import Relay
from hutong.relay.core.services import Services
from hutong.relay.core.topology.logs import open_log
from hutong.relay.dispatch import Connection, Queue, QueueLimits
from hutong.relay.keys import Signer
from hutong.relay.ledger import Ledger
from hutong.relay.telemetry import Metrics

GENESIS_S = 1_800_000_000
CLIENT = "bft-evm-0"
FORTUNE_WEI = 10**18


async def in_line(call):
    return call()


@cache
def empty_ledger() -> bytes:
    """A new ledger's file: making its tables takes five times as long as opening it."""
    with TemporaryDirectory() as directory:
        path = Path(directory) / "ledger.sqlite"
        Ledger.open_file(path, run=in_line).close()
        return path.read_bytes()


def open_ledger(path: Path) -> Ledger:
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.write_bytes(empty_ledger())
    return Ledger.open_file(path, run=in_line)


def key(number: int) -> Signer:
    return Signer.in_memory(bytes(31) + bytes([number]))


def chain_table(name: str, chain_id: int, **more) -> dict:
    return {
        "name": name, "kind": "evm", "chain_id": chain_id, "consensus": "qbft", "rpc": ["http://127.0.0.1:1"],
        "router": "0x" + "11" * 20, "key": {"keystore": "k", "password_env": "P"}, **more,
    }  # fmt: skip


class World:
    """`alpha` and `beta`, one block a second each; `relay_key` signs for the relay on both."""

    def __init__(
        self, directory, redis_url: str, *, trusting_period_s: int = 86_400, sequenced: str = "", **chain_options
    ) -> None:
        """`sequenced` names the chain that has the pool and the atomic batches of a Cosmos SDK chain."""
        self.directory = directory
        self.redis_url = redis_url
        self.chains = {
            name: (SequencedChain if name == sequenced else SimulatedChain)(
                name, chain_id, genesis_time_s=GENESIS_S, **chain_options
            )
            for name, chain_id in (("alpha", 1001), ("beta", 1002))
        }
        self.signer = key(1)
        self.faults = {name: Faults() for name in self.chains}
        for chain in self.chains.values():
            chain.produce_block(GENESIS_S)
        alpha, beta = self.chains.values()
        for here, there in ((alpha, beta), (beta, alpha)):
            here.create_client("bft-evm", *there.states_at(1, trusting_period_s, 10))
            here.register_counterparty(CLIENT, CLIENT, (b"",))
            for number in range(1, 5):
                here.fund(key(number).address, FORTUNE_WEI)
        for chain in self.chains.values():
            for _ in range(1 + chain.finality_depth):
                chain.produce_block(GENESIS_S)
        self.pause_blocks = False
        self.metrics = Metrics(self.chains, {("alpha", CLIENT): "beta", ("beta", CLIENT): "alpha"})

    def config(self, turns: dict | None = None, logs: tuple = (), **relay_options) -> Config:
        return Config.model_validate(
            {
                "turns": turns or {},
                "logs": logs,
                "relay": {"home": str(self.directory), "clear_interval_s": 10, **relay_options},
                "chains": [chain_table("alpha", 1001), chain_table("beta", 1002)],
                "paths": [{"a": {"chain": "alpha", "client": CLIENT}, "b": {"chain": "beta", "client": CLIENT}}],
            }
        )

    @staticmethod
    def now_ns() -> int:
        return GENESIS_S * 10**9 + int(trio.current_time() * 1e9)

    async def make_blocks(self) -> None:
        """One second after the other for both, at the clock's time."""
        while True:
            await trio.sleep(1)
            if not self.pause_blocks:
                for chain in self.chains.values():
                    chain.produce_block(max(self.now_ns() // 10**9, chain.newest.header.timestamp_s))

    def adapter(self, name: str) -> SimulatedAdapter:
        chain = self.chains[name]
        kind = SequencedAdapter if isinstance(chain, SequencedChain) else SimulatedAdapter
        return kind(chain, self.faults[name])

    def relay(
        self,
        *,
        signers: tuple[Signer, ...] | None = None,
        signer: Signer | None = None,
        wrap: Callable = lambda adapter: adapter,
        **options,
    ) -> "Process":
        return Process(self, signers or (signer or self.signer,), wrap, options)

    def send(self, chain: str = "alpha", count: int = 1, *, port: str = "echo", timeout_s: int = 3_600, value=b"hello"):
        payload = Payload("mail", port, "v1", "text", value)
        for _ in range(count):
            self.chains[chain].send(CLIENT, self.now_ns() // 10**9 + timeout_s, payload)

    def unsettled(self, chain: str = "alpha") -> list[int]:
        block = self.chains[chain].newest
        last = block.router.next_sequences.get(CLIENT, 1)
        stored = self.chains[chain].store.get
        return [
            sequence
            for sequence in range(1, last)
            if stored(block.router.storage_root, path_key(CLIENT, PathKind.COMMITMENT, sequence)) is not None
        ]

    def live_sent(self, sequence: int, chain: str = "alpha") -> bool:
        return self.chains[chain].newest.router.next_sequences.get(CLIENT, 1) > sequence

    def received(self, chain: str = "beta") -> int:
        """How many packets have a receipt."""
        block = self.chains[chain].newest
        stored = self.chains[chain].store.get
        return sum(
            stored(block.router.storage_root, path_key(CLIENT, PathKind.RECEIPT, sequence)) is not None
            for sequence in range(1, 300)
        )

    def transactions(self, chain: str) -> list:
        return [receipt for block in self.chains[chain].blocks for receipt in block.receipts]

    def figure(self, name: str, **labels: str) -> float | None:
        """One of `/metrics`. The others are not collected for it, those of the process from /proc among them."""
        for metric in self.metrics.registry.restricted_registry([name]).collect():
            for sample in metric.samples:
                if sample.name == name and sample.labels == labels:
                    return sample.value
        return None

    def paid_in_vain(self) -> int:
        """Messages of packets that were paid for on either chain and found their work done."""
        return sum(len(receipt.noops) for chain in self.chains for receipt in self.transactions(chain))

    def settlements(self, chain: str) -> list[tuple[str, int]]:
        """(acknowledge or timeout, sequence) of every settlement in the order of the chain."""
        names = {ACK_PACKET_TOPIC: "acknowledge", TIMEOUT_PACKET_TOPIC: "timeout"}
        logs = [log for block in self.chains[chain].blocks for log in block.logs]
        return [(names[log.topics[0]], int.from_bytes(log.topics[2], "big")) for log in logs if log.topics[0] in names]

    def refuse_all(self, chain: str, *, refuse: bool = True) -> None:
        """The router of `chain` fails every message but client updates in simulation, as a paused one does."""
        target = self.chains[chain]
        if not refuse:
            del target.simulate
            return
        honest = target.simulate
        target.simulate = lambda data: _only_first(honest(data))

    async def until(self, condition: Callable[[], bool], at_most_s: float = 120) -> float:
        """Seconds until the condition held."""
        start = trio.current_time()
        with trio.fail_after(at_most_s):
            while not condition():  # noqa: ASYNC110  chains in memory raise no event for it
                await trio.sleep(0.05)
        return trio.current_time() - start

    async def all_settled(self, count: int, chain: str = "alpha", at_most_s: float = 120) -> float:
        return await self.until(
            lambda: (
                self.chains[chain].newest.router.next_sequences.get(CLIENT, 1) == count + 1
                and not self.unsettled(chain)
            ),
            at_most_s,
        )


def _only_first(verdicts):
    succeeded, gas_used = verdicts
    return (succeeded[0], *(False for _ in succeeded[1:])), gas_used


class Killed(BaseException):
    """What kill -9 is to a process: nothing of ours may catch it."""


class Process:
    """One relay process: its memory ends with it; ledger, archive, queue and chains stay."""

    _count = 0

    def __init__(self, world: World, signers: tuple[Signer, ...], wrap: Callable, options: dict) -> None:
        self.world = world
        prefix = options.pop("prefix", "hutong")
        directory = world.directory / prefix / signers[0].address
        self.ledger = open_ledger(directory / "ledger.sqlite")
        self.archive = Archive(directory / "evidence", run=in_line)
        self.connection = Connection(world.redis_url, run=in_line, seed=1)
        Process._count += 1
        self.queue = Queue(
            self.connection,
            f"process-{Process._count}",
            lambda: world.now_ns() // 10**6,
            prefix=prefix,
            limits=QueueLimits(max_attempts=options.pop("max_attempts", 8)),
            seed=1,
        )
        around = options.pop("around", lambda _, service: service)
        services = Services(
            around("queue", self.queue),
            around("ledger", self.ledger),
            around("archive", self.archive),
            world.metrics,
            world.now_ns,
            Random(1),
            in_line,
            alone=options.pop("alone", True),
            open_log=options.pop("open_log", open_log),
        )
        adapters = {name: around(name, wrap(world.adapter(name))) for name in world.chains}
        self.relay = Relay(world.config(**options), adapters, dict.fromkeys(world.chains, signers), services)

    def close(self) -> None:
        self.connection.close()
        self.ledger.close()

    @asynccontextmanager
    async def running(self):
        try:
            async with trio.open_nursery() as nursery:
                await nursery.start(self.relay.run)
                yield self
                nursery.cancel_scope.cancel()
        finally:
            self.close()

    async def run_until_killed(self) -> bool:
        """True if something raised Killed in it."""
        try:
            await self.relay.run()
        except BaseExceptionGroup as group:
            if group.subgroup(Killed) is None:
                raise
            self._forget()
            return True
        except Killed:
            self._forget()
            return True
        finally:
            self.close()
        return False

    def _forget(self) -> None:
        """What the ledger was told without waiting dies with the process, though `close` would write it."""
        self.ledger.owed.take()


class MakesBlocks(Protocol):
    async def make_blocks(self) -> None: ...


@asynccontextmanager
async def making_blocks(world: MakesBlocks):
    async with trio.open_nursery() as nursery:
        nursery.start_soon(world.make_blocks)
        yield
        nursery.cancel_scope.cancel()
