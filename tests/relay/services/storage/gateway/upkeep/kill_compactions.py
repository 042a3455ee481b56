"""Compactions that are killed at one of their steps, before or after it has its effect: nothing stored is lost, and nothing is left over.

    python -m tests.relay.services.storage.gateway.upkeep.kill_compactions 200

A step is whatever leaves the process: a transaction of the catalogue, a call of the hub, a request to an operator. Each round puts objects in one
batch, removes some, kills a compaction, opens everything again over what is on disk and on the hub, reads all, and compacts to the end.
"""

import argparse
import random
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import trio

from hutong.relay.services.storage.catalogue.packs import totals
from hutong.relay.services.storage.rules.operator_api.documents import ShardState
from tests.relay.hub.application.storage.storage_hub import StorageHub
from tests.relay.services.storage.gateway.network import Network, drawn
from tests.relay.services.storage.gateway.upkeep.hub_network import GatewayDoor, compacted, open_hub_network
from tests.relay.services.storage.gateway.upkeep.test_compaction import packs_of, together

CODE = (2, 2)


class Killed(BaseException):
    """The process is gone at this step."""


@dataclass
class Steps:
    """Counts steps, and kills at one, or at the first of a name, before it has its effect or after. None: never."""

    at: int | str | None
    is_after: bool = False
    done: int = 0
    has_killed: bool = False

    async def step(self, name: str, act: Any, *arguments: Any, **named: Any) -> Any:
        self.done += 1
        kills = self.at in (self.done, name)
        self.has_killed = self.has_killed or kills
        if kills and not self.is_after:
            raise Killed
        found = await act(*arguments, **named)
        if kills:
            raise Killed
        return found


def watched(network: Network, door: GatewayDoor, steps: Steps) -> None:
    """From here on every step is counted."""

    def over(owner: Any, name: str) -> None:
        act = getattr(owner, name)
        setattr(owner, name, lambda *arguments, **named: steps.step(name, act, *arguments, **named))

    over(network.catalogue, "run")
    for name in ("place", "store", "remove", "record"):
        over(door, name)
    for switch in network.switches:
        over(switch, "handle_async_request")


async def killed(home: Path, world: StorageHub, steps: Steps) -> None:
    """A compaction that is killed."""
    try:
        async with open_hub_network(home, world, *CODE) as (network, door):
            watched(network, door, steps)
            await compacted(network, door)
    except BaseException as error:
        if not has_killed(error):
            raise


def has_killed(error: BaseException) -> bool:
    """Whether it is the kill, alone or in a group."""
    if isinstance(error, BaseExceptionGroup):
        return any(map(has_killed, error.exceptions))
    return isinstance(error, Killed)


async def finished(network: Network, door: GatewayDoor) -> None:
    """Compact until nothing waits."""
    for _ in range(6):
        done = await compacted(network, door)
        if not done.waiting and not done.packs_emptied:
            return
        door.next_epoch()
    raise AssertionError(done)


async def left_over(network: Network, keys: list[bytes]) -> list[str]:
    """Shards that operators hold in signed parts and no object needs."""
    needed = {source.name.hex() for key in keys for source in await packs_of(network, key)}
    rows = await network.catalogue.run(lambda one: one.rows("SELECT name FROM storage_packs"))
    needed |= {bytes(name).hex() for (name,) in rows}
    found = []
    for link in network.desk.links.values():
        page = await link.document("/v1/shards?count=1000")
        assert page["next"] is None
        found += [
            f"{row['state']} {row['pack']}"
            for row in page["shards"]
            if row["state"] not in (ShardState.REMOVED, ShardState.PENDING) and row["pack"] not in needed
        ]
    return found


@dataclass
class Life:
    """One hub, one home, and what was answered as stored."""

    home: Path
    world: StorageHub
    contents: dict[bytes, bytes]
    number: int = 0

    async def round(self, at: int | str | None, *, is_after: bool = False) -> tuple[Steps, list[str]]:
        """Returns the steps of the compaction that was killed, and what was left over at the end."""
        self.number += 1
        async with open_hub_network(self.home, self.world, *CODE) as (network, door):
            if self.number == 1:
                await network.store.make_bucket("ward-3")
            new = {b"%d/%d" % (self.number, number): drawn(3_000) for number in range(3)}
            await together(network, new)
            self.contents |= new
            for key in (b"%d/0" % self.number, b"%d/1" % (self.number - 1)):
                if await network.store.remove("ward-3", key):
                    del self.contents[key]
            door.next_epoch()
        steps = Steps(at, is_after)
        await killed(self.home, self.world, steps)
        async with open_hub_network(self.home, self.world, *CODE) as (network, door):
            await self._whole(network)
            await finished(network, door)
            await self._whole(network)
            assert (await network.catalogue.run(totals)).removals == 0
            return steps, await left_over(network, list(self.contents))

    async def _whole(self, network: Network) -> None:
        assert (await network.catalogue.run(totals)).objects == len(self.contents)
        for key, octets in self.contents.items():
            assert await network.get(key) == octets, key


def begun(home: Path) -> Life:
    """A new one."""
    return Life(home, StorageHub(sum(CODE), data=CODE[0], parity=CODE[1]), {})


async def rounds(home: Path, count: int, seed: int) -> int:
    """Kill at steps drawn over all of a compaction. Returns how many steps one has."""
    chance = random.Random(seed)
    life = begun(home)
    whole, left = await life.round(None)
    assert left == []
    for _ in range(count):
        steps, left = await life.round(chance.randint(1, whole.done), is_after=chance.random() < 0.5)
        assert steps.has_killed and left == []
    return whole.done


def main() -> int:
    """Exit code 0 where nothing was lost or left over in any round."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rounds", type=int)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        steps = trio.run(rounds, Path(folder), arguments.rounds, arguments.seed)
    print(f"{arguments.rounds} kills over {steps} steps of a compaction: nothing stored was lost, nothing is left over")
    return 0


if __name__ == "__main__":
    sys.exit(main())
