"""Packets that nobody received in time come back, by the destination's clock and by proof."""

from dataclasses import replace

import pytest
import trio

from hutong.light_clients.ibc.commitment import PathKind, path_key
from hutong.relay.config import PathEnd
from hutong.relay.dispatch import JobKind, Route
from hutong.relay.ledger import LedgerReader, Outcome, Step
from tests.relay.core.world import CLIENT, GENESIS_S, World, making_blocks

TO_BETA = Route("alpha", "beta", CLIENT)
TO_ALPHA = Route("beta", "alpha", CLIENT)
END = PathEnd(chain="alpha", client=CLIENT)


@pytest.fixture
def world(tmp_path, valkey):
    return World(tmp_path, valkey.url)


def out_of_gas(_packet):
    from hutong.adapters.simulated import OutOfGas

    raise OutOfGas


def is_received(world, sequence: int) -> bool:
    beta = world.chains["beta"]
    key = path_key(CLIENT, PathKind.RECEIPT, sequence)
    return beta.store.get(beta.newest.router.storage_root, key) is not None


async def test_packet_that_expired_before_the_relay_ran_is_refunded_with_evidence(world, autojump_clock):
    world.send("alpha", 1, timeout_s=2)
    async with making_blocks(world):
        await trio.sleep(5)
        async with world.relay().running() as process:
            await world.all_settled(1)
            await trio.sleep(3)
            (delivery,) = await process.ledger.deliveries(f"alpha/{CLIENT}/1")
            evidence = await process.archive.read("alpha", CLIENT, 1, "timeout")
            assert await process.queue.dead_letters(TO_BETA) == await process.queue.dead_letters(TO_ALPHA) == []
    assert (delivery.kind, delivery.chain) == ("timeout", "alpha")
    assert evidence.value is None and evidence.transaction_hash == delivery.transaction_hash
    assert (evidence.source_chain, evidence.destination_chain) == ("beta", "alpha")
    assert world.transactions("beta") == [] and world.received() == 0


async def test_packet_that_cannot_be_received_times_out_promptly(tmp_path, valkey, autojump_clock):
    """The job waits in the queue for its next attempt: the scheduler does not wait with it."""
    world = World(tmp_path, valkey.url, apps={"poison": out_of_gas})
    async with making_blocks(world), world.relay().running():
        world.send("alpha", 1, port="poison", timeout_s=30)
        world.send("alpha", 1, timeout_s=30)
        await world.until(lambda: world.received() == 1 and world.unsettled() == [1])
        took_s = await world.all_settled(2)
        assert world.now_ns() // 10**9 - GENESIS_S >= 30 and took_s < 35
    assert not is_received(world, 1) and is_received(world, 2)
    assert len(world.transactions("alpha")) == 2, "one acknowledgement, one timeout"


@pytest.mark.parametrize("before_the_relay", [False, True])
async def test_trial_T5_who_enqueues_a_timeout_notes_why(tmp_path, valkey, autojump_clock, before_the_relay):
    """The scheduler at a head of the destination, or the clearer: the worker that still tries to deliver is not asked."""
    world = World(tmp_path, valkey.url, apps={"poison": out_of_gas})
    async with making_blocks(world):
        if before_the_relay:
            world.send("alpha", 1, port="poison", timeout_s=2)
            await trio.sleep(5)
        async with world.relay().running() as process:
            if not before_the_relay:
                world.send("alpha", 1, port="poison", timeout_s=30)
            await world.all_settled(1)
            await trio.sleep(3)
            await process.ledger.flush()
            reader = LedgerReader.open_file(tmp_path / "hutong" / world.signer.address / "ledger.sqlite")
            life = reader.life(f"alpha/{CLIENT}/1")
            reader.close()
    steps = {(one.kind, one.step): one for one in life.steps}
    expired, queued = steps["receive", Step.EXPIRED], steps["timeout", Step.QUEUED]
    assert (expired.chain, expired.reason) == ("beta", "beta is past the packet's timeout")
    assert expired.count == 1 and expired.first_at_ns <= queued.first_at_ns
    assert expired.first_at_ns >= life.packet.timeout_timestamp_s * 10**9
    assert ("receive", Step.RETRIED) in steps or before_the_relay
    assert life.packet.outcome == Outcome.TIMED_OUT and life.packet.kind == "timeout"


async def test_dead_letter_of_a_packet_does_not_keep_it_from_its_refund(tmp_path, valkey, autojump_clock):
    world = World(tmp_path, valkey.url, apps={"poison": out_of_gas})
    async with making_blocks(world):
        async with world.relay(max_attempts=1).running() as process:
            world.send("alpha", 1, port="poison", timeout_s=60)
            with trio.fail_after(20):
                while not await process.queue.dead_letters(TO_BETA):  # noqa: ASYNC110  the server raises no event
                    await trio.sleep(0.5)
        async with world.relay(max_attempts=1).running():  # what the first process remembered is lost
            await world.all_settled(1)
    assert not is_received(world, 1)


@pytest.mark.parametrize("left_s", [1, 0])
async def test_attack_E2_relay_receives_a_second_before_the_timeout_and_not_at_it(world, autojump_clock, left_s):
    """The job is judged by the destination's head, at the very boundary."""
    process = world.relay()
    worker = next(worker for worker in process.relay.workers if worker.route == TO_BETA)
    for chain in world.chains.values():
        chain.produce_block(GENESIS_S + 10)
    world.chains["alpha"].send(CLIENT, GENESIS_S + 20, _payload())
    world.chains["alpha"].produce_block(GENESIS_S + 11)
    beta = world.chains["beta"].produce_block(GENESIS_S + 20 - left_s)
    assert await process.relay.clearer.clear(END) == 1
    expected = TO_BETA if left_s else TO_ALPHA
    await process.queue.open(expected)
    (taken,) = await process.queue.take(expected, 10)
    assert taken.job.kind is (JobKind.RECEIVE if left_s else JobKind.TIMEOUT)
    if left_s:
        head = await process.relay.adapters["beta"].head()
        assert head.height == beta.header.number
        assert await worker._is_due(taken, head)
        assert not await worker._is_due(taken, replace(head, time_ns=head.time_ns + 10**9))
        await process.queue.open(TO_ALPHA)
        (instead,) = await process.queue.take(TO_ALPHA, 10)
        assert instead.job.kind is JobKind.TIMEOUT and instead.job.packet == taken.job.packet
        assert (await process.queue.statistics(TO_BETA)).waiting == 0
    process.close()


def _payload():
    from hutong.light_clients.ibc.packet import Payload

    return Payload("mail", "echo", "v1", "text", b"hello")


@pytest.mark.parametrize("early_s", [1, 0])
async def test_attack_E2_timeout_is_proven_at_the_timeout_and_not_a_second_before(world, autojump_clock, early_s):
    """Also if somebody lied about the time when the job was made: then it is not paid for, and is found again later."""
    process = world.relay()
    worker = next(worker for worker in process.relay.workers if worker.route == TO_ALPHA)
    async with trio.open_nursery() as nursery:
        for chain in world.chains.values():
            chain.produce_block(GENESIS_S + 10)
        world.chains["alpha"].send(CLIENT, GENESIS_S + 20, _payload())
        world.chains["alpha"].produce_block(GENESIS_S + 11)
        for chain in world.chains.values():
            chain.produce_block(GENESIS_S + 20 - early_s)
        if early_s:
            beta = process.relay.adapters["beta"]
            honest = beta.head
            beta.head = lambda: _later(honest)
        assert await process.relay.clearer.clear(END) == 1
        if early_s:
            beta.head = honest
        for chain in process.relay.chains.values():
            nursery.start_soon(chain.heads.run)
        await process.queue.open(TO_ALPHA)
        (taken,) = await process.queue.take(TO_ALPHA, 10)
        assert taken.job.kind is JobKind.TIMEOUT
        built = await worker.builder.build([taken])
        if early_s:
            (refused,) = built.refused
            assert built.items == () and refused.settled and "is not past its timeout" in refused.reason
        else:
            (item,) = built.items
            assert item.message.packet == taken.job.packet and built.refused == ()
        nursery.cancel_scope.cancel()
    process.close()


async def _later(honest):
    head = await honest()
    return replace(head, time_ns=head.time_ns + 3600 * 10**9)


async def test_attack_E2_timeout_of_a_received_packet_becomes_its_acknowledgement(world, autojump_clock):
    """An endpoint hid the receipt: the proof does not, and nothing is paid for."""
    process = world.relay()
    beta = process.relay.adapters["beta"]
    honest = beta.receipt

    async def hidden(client_id, sequence, height=None):
        return None

    world.faults["beta"].hidden_events = 1.0  # the acknowledgement is not seen either
    async with making_blocks(world):
        async with world.relay(prefix="theirs").running():
            world.send("alpha", 1, timeout_s=8)
            await world.until(lambda: world.received() == 1)
        await trio.sleep(10)
        assert world.unsettled() == [1]
        beta.receipt = hidden
        async with process.running():
            await trio.sleep(5)
            beta.receipt = honest
            await world.all_settled(1)
            assert [one.kind for one in await process.ledger.deliveries(f"alpha/{CLIENT}/1")] == ["acknowledge"]
    assert all(not receipt.failures for receipt in world.transactions("alpha"))
    assert len(world.transactions("alpha")) == 1


async def test_attack_E2_in_every_race_with_the_timeout_exactly_one_settles(world, autojump_clock):
    """Two relays, packets that expire one second after the other while they are delivered."""
    async with making_blocks(world), world.relay(prefix="ours").running():
        async with world.relay(prefix="theirs").running():
            for timeout_s in range(2, 14):
                world.send("alpha", 1, timeout_s=timeout_s)
                world.pause_blocks = timeout_s % 3 == 0
                await trio.sleep(0.4)
            world.pause_blocks = False
            await world.all_settled(12)
            await trio.sleep(3)
    outcomes = [receipt for receipt in world.transactions("alpha") if receipt.reverted is None]
    assert outcomes
    events = world.settlements("alpha")
    assert sorted(sequence for _, sequence in events) == list(range(1, 13)), "each once"
    for kind, sequence in events:
        assert (kind == "acknowledge") == is_received(world, sequence)


@pytest.mark.parametrize("hours", [-1, 1])
async def test_attack_G12_host_clock_does_not_decide_about_timeouts(world, autojump_clock, hours):
    process = world.relay()
    wrong = lambda: world.now_ns() + hours * 3600 * 10**9  # noqa: E731
    process.relay.discovery._now_ns = wrong
    for worker in process.relay.workers:
        worker._now_ns = worker.builder._now_ns = wrong
    async with making_blocks(world), process.running():
        world.send("alpha", 1, timeout_s=1_800)
        await world.all_settled(1)
        assert world.received() == 1
        world.faults["beta"].unavailable = 1.0
        world.send("alpha", 1, timeout_s=5)
        await trio.sleep(10)
        assert world.unsettled() == [2]
        world.faults["beta"].unavailable = 0.0
        await world.all_settled(2)
    assert not is_received(world, 2)


async def test_attack_G12_destination_that_stands_still_times_nothing_out_until_it_goes_on(world, autojump_clock):
    process = world.relay()
    async with making_blocks(world), process.running():
        await trio.sleep(3)
        world.chains["beta"].produce_block = lambda _time_s, make=world.chains["beta"].produce_block: None
        world.send("alpha", 1, timeout_s=10)
        await trio.sleep(60)
        assert world.unsettled() == [1] and world.transactions("alpha") == []
        del world.chains["beta"].produce_block
        await world.all_settled(1)
    assert not is_received(world, 1)


@pytest.mark.long
async def test_attack_E20_timeout_during_a_pause_waits_and_costs_no_attempt(world, autojump_clock):
    """A pause does not stop the clock: what expires during it is refunded after it."""
    async with making_blocks(world), world.relay(max_attempts=2).running() as process:
        await trio.sleep(2)
        world.refuse_all("alpha")
        world.faults["alpha"].paused = True
        world.faults["beta"].unavailable = 1.0
        world.send("alpha", 2, timeout_s=5)
        await trio.sleep(10)
        world.faults["beta"].unavailable = 0.0
        await trio.sleep(600)
        assert world.unsettled() == [1, 2] and await process.queue.dead_letters(TO_ALPHA) == []
        world.refuse_all("alpha", refuse=False)
        world.faults["alpha"].paused = False
        await world.all_settled(2)
    assert world.received() == 0 and all(not receipt.failures for receipt in world.transactions("alpha"))


async def test_attack_E20_a_pause_that_lets_settlements_through_does_not_hold_them_for_what_it_refuses(
    tmp_path, valkey, autojump_clock
):
    """A receive that the pause refuses and an acknowledgement that it lets through are in one batch of one route."""
    world = World(tmp_path, valkey.url, apps={"poison": out_of_gas})
    async with making_blocks(world), world.relay(max_attempts=2).running() as process:
        await trio.sleep(2)
        world.faults["alpha"].paused = True
        world.send("beta", 3, port="poison", timeout_s=600)
        await trio.sleep(20)
        world.send("alpha", 2)
        await world.all_settled(2, at_most_s=60)
        assert world.unsettled("beta") == [1, 2, 3]
        assert await process.queue.dead_letters(TO_ALPHA) == []


@pytest.mark.long
async def test_scheduler_memory_follows_what_is_settled(world, autojump_clock):
    process = world.relay()
    scheduler = process.relay.timeouts
    async with making_blocks(world), process.running():
        world.send("alpha", 80)
        await trio.sleep(1.2)
        assert scheduler.watches("beta", f"alpha/{CLIENT}/1")
        await world.all_settled(80)
        await trio.sleep(3)
    assert not scheduler.watches("beta", f"alpha/{CLIENT}/1")
    assert not scheduler._ends["beta"] and len(scheduler._due["alpha", "beta"]) <= 64
