"""Queue lost and logs pruned: unsettled packets are brought on from the bytes in the ledger, once the state confirms them."""

from dataclasses import replace

import pytest
import trio
from sqlalchemy import delete, select, update

from hutong.adapters.interface import HeightUnavailable
from hutong.relay.dispatch import decode_job, encode_job
from hutong.relay.ledger.store.tables import RecordRow
from tests.relay.core.world import CLIENT, World, making_blocks

RECEIVE, ACKNOWLEDGE = ("receive", "beta"), ("acknowledge", "alpha")


@pytest.fixture
def world(tmp_path, valkey):
    return World(tmp_path, valkey.url)


def rows(ledger):
    with ledger.engine.connect() as connection:
        return [tuple(row) for row in connection.execute(select(RecordRow.packet_id, RecordRow.kind)).all()]


def change(ledger, statement):
    with ledger.engine.begin() as connection:
        connection.execute(statement)


def pruned(raises: bool):
    """No node has logs of before any more: it answers with none, or says so."""

    def wrap(adapter):
        async def nothing(*_):
            if raises:
                raise HeightUnavailable(adapter.name, 1, "pruned")

        adapter.sent_packet = adapter.written_acknowledgement = nothing
        return adapter

    return wrap


async def seen_and_stuck(world, refusing: str, count: int = 3) -> None:
    """A relay sees `count` packets of alpha, and `refusing` takes nothing; then the relay ends."""
    world.refuse_all(refusing)
    async with making_blocks(world), world.relay(max_attempts=1_000).running():
        await trio.sleep(5)
        world.send(count=count)
        await trio.sleep(20)
    world.refuse_all(refusing, refuse=False)
    assert len(world.unsettled()) == count


@pytest.mark.long
@pytest.mark.parametrize("raises", [False, True], ids=["silent", "said"])
@pytest.mark.parametrize(("kind", "refusing"), [RECEIVE, ACKNOWLEDGE], ids=["receive", "acknowledge"])
async def test_parity_pain_13_queue_and_logs_lost_and_every_packet_arrives(
    world, valkey, autojump_clock, kind, refusing, raises
):
    await seen_and_stuck(world, refusing)
    valkey.client.flushall()
    process = world.relay(wrap=pruned(raises))
    assert {(f"alpha/{CLIENT}/{number}", kind) for number in (1, 2, 3)} <= set(rows(process.ledger))
    async with making_blocks(world), process.running():
        await world.all_settled(3, at_most_s=60)
        await trio.sleep(5)
        assert rows(process.ledger) == [], "what is settled is kept no longer"
    assert {name for name, _ in world.settlements("alpha")} == {"acknowledge"} and world.received() == 3


@pytest.mark.long
@pytest.mark.parametrize(("kind", "refusing"), [RECEIVE, ACKNOWLEDGE], ids=["receive", "acknowledge"])
async def test_parity_pain_13_without_the_bytes_nothing_can_be_done(world, valkey, autojump_clock, kind, refusing):
    """The counter-proof: what brings them on are these bytes."""
    await seen_and_stuck(world, refusing)
    valkey.client.flushall()
    process = world.relay(wrap=pruned(False))
    change(process.ledger, delete(RecordRow))
    async with making_blocks(world), process.running():
        await trio.sleep(60)
    assert len(world.unsettled()) == 3


@pytest.mark.long
@pytest.mark.parametrize(("kind", "refusing"), [RECEIVE, ACKNOWLEDGE], ids=["receive", "acknowledge"])
async def test_attack_G2_bytes_of_the_ledger_are_compared_with_the_commitment(
    world, valkey, autojump_clock, kind, refusing
):
    """Another payload, another packet's bytes, rubbish: nothing is sent, and the relay goes on."""
    await seen_and_stuck(world, refusing)
    valkey.client.flushall()
    process = world.relay(wrap=pruned(False))
    with process.ledger.engine.connect() as connection:
        query = select(RecordRow.packet_id, RecordRow.record).where(RecordRow.kind == kind)
        found = dict(connection.execute(query).tuples().all())
    first, second, third = (f"alpha/{CLIENT}/{number}" for number in (1, 2, 3))
    job = decode_job(found[first])
    forged = replace(job.packet.payloads[0], value=b"forged")
    for packet_id, record in (
        (first, encode_job(replace(job, packet=replace(job.packet, payloads=(forged,))))),
        (second, found[first]),
        (third, b"\xff rubbish"),
    ):
        change(process.ledger, update(RecordRow).where(RecordRow.packet_id == packet_id).values(record=record))
    before = len(world.transactions(refusing))
    async with making_blocks(world), process.running():
        await trio.sleep(60)
        assert len(world.unsettled()) == 3 and len(world.transactions(refusing)) == before
        routes = [worker.route for worker in process.relay.workers]
        states = [await process.queue.states(route, [f"{kind}:{packet_id}" for packet_id in found]) for route in routes]
        assert states == [{}, {}], "no job came of them"
        world.send()
        await world.until(lambda: world.unsettled() == [1, 2, 3] and world.live_sent(4), at_most_s=60)


async def test_parity_pain_13_an_expired_packet_is_refunded_from_the_bytes(world, valkey, autojump_clock):
    world.refuse_all("beta")
    async with making_blocks(world), world.relay(max_attempts=1_000).running():
        await trio.sleep(5)
        world.send(timeout_s=20)
        await trio.sleep(10)
    valkey.client.flushall()
    async with making_blocks(world), world.relay(wrap=pruned(True)).running():
        await world.all_settled(1, at_most_s=90)
    assert world.settlements("alpha") == [("timeout", 1)]
