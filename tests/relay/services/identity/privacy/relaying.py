"""A relay between two chains, with its ledger, its evidence and its Redis: what a holder sends to a contract goes over it as messages.

It runs in a thread, by a clock of its own that does not wait.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import redis
import trio
import trio.testing
from prometheus_client import generate_latest

from hutong.relay.dispatch.embedded import EmbeddedValkey
from tests.relay.core.world import World, making_blocks

HELD_S = 30
"""For which the relay tries in vain to deliver what a chain refuses."""


@dataclass
class Relaying:
    """The chains, and the folders of the relay and of Redis."""

    home: Path
    redis_home: Path
    world: World
    sent: int = 0
    elapsed_s: float = 0.0
    seen: set[bytes] = field(default_factory=set)
    """Every key and value that was in Redis while messages were on their way."""

    async def relay(self, *values: bytes) -> None:
        """Each value as the payload of a message, delivered and acknowledged."""
        self.sent += len(values)
        await trio.to_thread.run_sync(self._run, values, self._settled)

    async def hold(self, value: bytes) -> None:
        """One more, which the other chain refuses: its job stays in the queue."""
        self.world.refuse_all("beta")
        await trio.to_thread.run_sync(self._run, (value,), self._wait)
        self.seen.update(self.keys())

    def _run(self, values: tuple[bytes, ...], end) -> None:
        clock = trio.testing.MockClock(autojump_threshold=0)
        clock.jump(self.elapsed_s)

        async def run() -> None:
            async with making_blocks(self.world), self.world.relay().running():
                for value in values:
                    self.world.send(value=value)
                await end()
                self.elapsed_s = trio.current_time()

        trio.run(run, clock=clock)

    async def _settled(self) -> None:
        await self.world.until(self._has_delivered)
        await self.world.all_settled(self.sent)

    def _has_delivered(self) -> bool:
        self.seen.update(self.keys())
        return self.world.received() == self.sent

    async def _wait(self) -> None:
        await trio.sleep(HELD_S)

    def keys(self) -> list[bytes]:
        """Every key of Redis with its value, whatever its type."""
        client = redis.Redis.from_url(self.world.redis_url)
        try:
            return [part for key in client.keys("*") for part in (key, *_values(client, key))]
        finally:
            client.close()

    @property
    def ledger(self) -> Path:
        (found,) = self.home.rglob("ledger.sqlite")
        return found

    @property
    def metrics(self) -> bytes:
        return generate_latest(self.world.metrics.registry)


def _values(client: redis.Redis, key: bytes) -> list[bytes]:
    match client.type(key):
        case b"string":
            return [client.get(key)]
        case b"hash":
            return [part for item in client.hgetall(key).items() for part in item]
        case b"stream":
            entries = client.xrange(key)
            return [
                part for number, said in entries for part in (number, *(one for item in said.items() for one in item))
            ]
        case b"zset":
            return client.zrange(key, 0, -1)
        case b"set":
            return list(client.smembers(key))
        case b"list":
            return client.lrange(key, 0, -1)
    raise AssertionError(f"a value of a type that is not looked through: {key!r}")


@asynccontextmanager
async def relaying(folder: Path) -> AsyncIterator[Relaying]:
    """Begun and empty; Redis ends with the block, its files stay."""
    server = EmbeddedValkey(folder / "redis")
    async with trio.open_nursery() as nursery:
        url = await nursery.start(server.serve)
        yield Relaying(folder / "relay", folder / "redis", World(folder / "relay", url))
        nursery.cancel_scope.cancel()
