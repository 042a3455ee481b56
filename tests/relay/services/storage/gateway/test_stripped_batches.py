"""Anybody may give the hub a batch that its writer signed: one that lacks signatures which the writer collected is made whole."""

import pytest

from hutong.relay.hub.application.storage import interface
from hutong.relay.services.storage.gateway.hub_door import BatchRefused, SignedBatch
from hutong.relay.services.storage.gateway.rpc_hub import RpcHub
from hutong.relay.services.storage.hub.refusals import HubRefused
from hutong.relay.services.storage.rules.calls import SIGN_PART, STORAGE_ADDRESS, STORE_BATCH
from hutong.relay.services.storage.rules.records.members import OperatorState
from tests.relay.hub.application.storage.storage_hub import GAS, OUTSIDER, WRITER, Batch, StorageHub, account_of

pytestmark = pytest.mark.trio


class Node:
    """A node of the simulated hub, whose blocks run the module; `before` is done as the first call arrives."""

    def __init__(self, world: StorageHub, before=lambda: None) -> None:
        self.world, self.before = world, before
        self.sent: list[bytes] = []

    async def record(self, key: bytes) -> bytes | None:
        return self.world.get(key)

    async def send(self, call: bytes) -> None:
        self.sent.append(call[:4])
        before, self.before = self.before, lambda: None
        before()
        outcome = self.world.hub.send(STORAGE_ADDRESS, call, account_of(WRITER), gas=GAS)
        if not outcome.ok:
            raise HubRefused(outcome.log)


def signed(world: StorageHub, batch: Batch) -> SignedBatch:
    pairs = tuple((part, row[-1]) for part, row in zip(batch.parts, batch.given(), strict=True))
    return SignedBatch(batch.writer, batch.sequence, world.newest_map, pairs, batch.signature())


def stripped(world: StorageHub, batch: Batch, *left_out: int) -> None:
    """What a stranger sends, who saw the batch on its way."""
    rows = [(*row[:-1], b"") if index in left_out else row for index, row in enumerate(batch.given())]
    said = (batch.writer, batch.sequence, world.newest_map, rows, batch.signature())
    assert world.send(interface.STORE_BATCH, *said, account=OUTSIDER).ok


@pytest.mark.parametrize("is_sooner", [False, True])
async def test_attack_S65_a_batch_that_a_stranger_stripped_has_all_its_signatures(is_sooner):
    """Whether the stranger's batch is on the hub before the writer looks, or comes to it while the writer's is on its way."""
    world = StorageHub()
    batch = world.batch(0)
    left_out = sorted(batch.shards)[1]
    if is_sooner:
        stripped(world, batch, 1)
        assert world.log(left_out) is None
    node = Node(world, (lambda: None) if is_sooner else lambda: stripped(world, batch, 1))
    on_hub = await RpcHub(node).store(signed(world, batch))
    assert (on_hub.number, on_hub.not_counted) == (0, ())
    assert world.batch_of(0).signed == 0b111111
    assert world.log(left_out) is not None
    again = await RpcHub(node).store(signed(world, batch))
    assert (again, node.sent.count(SIGN_PART.selector)) == (on_hub, 1)


async def test_whole_batch_and_one_of_whom_an_operator_did_not_sign_are_one_call():
    world = StorageHub()
    for sequence, unsigned in ((0, 0), (1, 1)):
        batch = world.batch(sequence)
        batch.unsigned = set(sorted(batch.shards)[:unsigned])
        node = Node(world)
        assert (await RpcHub(node).store(signed(world, batch))).not_counted == ()
        assert node.sent == [STORE_BATCH.selector]


async def test_operator_that_left_meanwhile_is_told_as_not_counted():
    world = StorageHub()
    batch = world.batch(0)
    gone = sorted(batch.shards)[1]
    stripped(world, batch, 1)
    states = (OperatorState.DRAINING, OperatorState.LEFT)
    assert all(one.ok for one in world.decide(*(world.state(gone, int(state)) for state in states)))
    assert (await RpcHub(Node(world)).store(signed(world, batch))).not_counted == (gone,)


async def test_batch_that_the_hub_refuses_is_refused():
    world = StorageHub()
    batch = world.batch(0)
    batch.unsigned = set(sorted(batch.shards)[:3])
    with pytest.raises(BatchRefused, match="refuses the batch"):
        await RpcHub(Node(world)).store(signed(world, batch))
