"""A gateway and operators in this process under the hub's own module: batches, epochs and removals are judged by its blocks."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import trio

from hutong.relay.hub.application import abi
from hutong.relay.hub.application.storage import interface
from hutong.relay.services.storage.gateway.hub_door import BatchRefused, OnHub, Placing, SignedBatch
from hutong.relay.services.storage.gateway.upkeep.compacting import Asked, Compacted, Compacting, Compactor
from hutong.relay.services.storage.gateway.upkeep.moving import Mover
from hutong.relay.services.storage.gateway.upkeep.removing import Remover
from hutong.relay.services.storage.gateway.upkeep.sequences import Sequences
from hutong.relay.services.storage.rules.records import keys
from hutong.relay.services.storage.rules.records.rounds import Phase
from tests.relay.hub.application.storage.storage_hub import HUB, WRITER, StorageHub, account_of
from tests.relay.services.storage.gateway.network import KEYS, Network, Surroundings, open_network
from tests.relay.services.storage.operator.test_operator_on_the_module import ModuleDoor


class GatewayDoor:
    """See `BatchDoor` and `RemovalDoor`: each call is a block."""

    is_hub = True

    def __init__(self, world: StorageHub) -> None:
        self.world = world
        self.around: Surroundings | None = None
        self.removals = 0
        self._following = trio.Lock()

    async def record(self, key: bytes) -> bytes | None:
        return self.world.get(key)

    async def place(self, writer: bytes, sequence: int) -> Placing:
        return Placing(self.world.newest_map, tuple(self.world.group(writer, sequence)))

    async def store(self, batch: SignedBatch) -> OnHub:
        parts = [(one.operator, one.part.leaves, one.part.entries, one.part.root, sign) for one, sign in batch.parts]
        said = (batch.writer, batch.sequence, batch.map, parts, batch.signature)
        outcome = self.world.send(interface.STORE_BATCH, *said)
        if not outcome.ok:
            raise BatchRefused(str(outcome.reverted_with(abi.VERIFICATION_FAILED)))
        await self.follow()
        number = self.world.get(keys.sequence_key(batch.writer, batch.sequence))
        assert number is not None
        return OnHub(int.from_bytes(number, "big"))

    async def remove(self, batch: int, pack: bytes, shown: Sequence[tuple[bytes, int, bytes]]) -> None:
        self.removals += 1
        outcome = self.world.send(interface.REMOVE_SHARDS, batch, pack, list(shown), account=account_of(WRITER))
        if not outcome.ok:
            raise BatchRefused(str(outcome.reverted_with(abi.VERIFICATION_FAILED)))

    async def next_sequence(self, writer: bytes, at_least: int) -> int:
        while self.world.get(keys.sequence_key(writer, at_least)) is not None:
            at_least += 1
        return at_least

    async def follow(self) -> None:
        """Operators take up what the hub has."""
        async with self._following:
            for work in self.around.followed:
                await work.follow()

    def next_epoch(self) -> None:
        """Up to the beginning of the next epoch, whose sets have every batch of before."""
        clock = self.world.clock
        self.world.until(Phase.COMMITTING, 1 if clock is None else clock.epoch + 1)


@asynccontextmanager
async def open_hub_network(
    home: Path, world: StorageHub, data: int = 2, parity: int = 2
) -> AsyncIterator[tuple[Network, GatewayDoor]]:
    """Over what is in `home` and on the hub already."""
    door = GatewayDoor(world)
    operators = [(one, bytes(account_of(one).key), ModuleDoor(world, one)) for one in world.operators]
    key = bytes(account_of(WRITER).key)
    door.around = Surroundings(HUB, WRITER, key, operators, door, lambda: world.hub.time_s)
    async with open_network(home, data, parity, around=door.around) as network:
        await door.follow()
        yield network, door


def compactor_of(network: Network, door: GatewayDoor) -> Compactor:
    """As the gateway's own."""
    parts = Compacting(network.catalogue, network.reader, KEYS.catalogue_root, lambda: door.world.hub.time_s)
    links = network.desk.links
    code = (network.pipeline.shape.data, network.pipeline.shape.parity)
    sequences = Sequences(network.catalogue, network.committer, door, links, WRITER, code)
    mover = Mover(network.catalogue, network.committer, network.reader)
    return Compactor(parts, mover, Remover(door, links), sequences, network.home)


async def compacted(network: Network, door: GatewayDoor, percent: int = 1) -> Compacted:
    """One run."""
    return await compactor_of(network, door).run(Asked(percent))
