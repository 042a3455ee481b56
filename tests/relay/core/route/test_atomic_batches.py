"""Chains on which one failing message undoes the whole transaction (the Cosmos SDK): nobody else pays for it, nothing turns for ever."""

import pytest
import trio

from hutong.adapters.interface import AlreadyRelayed, BroadcastRefused, InsufficientFunds
from hutong.adapters.simulated import ChainTraits
from hutong.adapters.simulated.router import OutOfGas
from hutong.relay.dispatch import Route
from tests.relay.core.world import CLIENT, World, making_blocks

TO_BETA = Route("alpha", "beta", CLIENT)
MAX_ATTEMPTS = 3
POOL_BYTES = 20_000


def out_of_gas(_packet):
    raise OutOfGas


@pytest.fixture
def world(tmp_path, valkey):
    return World(tmp_path, valkey.url, apps={"poison": out_of_gas}, traits=ChainTraits(atomic_batches=True))


def simulation_that_lies(world):
    """What it simulates succeeds, whatever the block will say."""
    beta = world.chains["beta"]
    honest = beta.simulate

    def simulate(data):
        verdicts, gas_used = honest(data)
        return tuple(True for _ in verdicts), gas_used

    beta.simulate = simulate


async def dead_letters(process, count):
    with trio.fail_after(600):
        while True:
            letters = await process.queue.dead_letters(TO_BETA)
            if len(letters) >= count:
                return letters
            await trio.sleep(1)


def undone(world):
    return [receipt for receipt in world.transactions("beta") if receipt.reverted is not None]


async def test_attack_G6_poison_is_dropped_in_simulation_and_costs_nothing(world, autojump_clock):
    async with making_blocks(world), world.relay(max_attempts=MAX_ATTEMPTS).running() as process:
        world.send("alpha", 1, port="poison")
        world.send("alpha", 10)
        world.send("alpha", 1, port="poison")
        await world.until(lambda: world.received() == 10)
        assert len(await dead_letters(process, 2)) == 2
    assert undone(world) == [] and world.unsettled() == [1, 12]


@pytest.mark.long
async def test_attack_G6_named_culprit_pays_alone_when_the_simulation_lies(world, autojump_clock):
    simulation_that_lies(world)
    async with making_blocks(world), world.relay(max_attempts=MAX_ATTEMPTS).running() as process:
        world.send("alpha", 1, port="poison")
        world.send("alpha", 20)
        world.send("alpha", 1, port="poison")
        await world.until(lambda: world.received() == 20)
        letters = await dead_letters(process, 2)
        paid = len(undone(world))
        await trio.sleep(120)
        assert len(undone(world)) == paid, "what was given up is not sent again and again"
    assert paid == 2 * MAX_ATTEMPTS and all(f"{MAX_ATTEMPTS} attempts" in letter.reason for letter in letters)
    assert world.unsettled() == [1, 22]


async def test_attack_G6_unnamed_culprit_is_found_by_trying_each_alone(world, autojump_clock):
    simulation_that_lies(world)
    world.chains["beta"].names_culprits = False
    async with making_blocks(world), world.relay(max_attempts=MAX_ATTEMPTS).running() as process:
        world.send("alpha", 20)
        world.send("alpha", 1, port="poison")
        await world.until(lambda: world.received() == 20)
        await dead_letters(process, 1)
    companies = [receipt for receipt in undone(world) if len(receipt.transaction.data) > 10_000]
    assert len(undone(world)) <= MAX_ATTEMPTS + 2 and len(companies) <= 2
    assert world.unsettled() == [21]


@pytest.mark.long
async def test_attack_G8_account_that_cannot_pay_in_simulation_holds_the_route_and_costs_no_attempt(
    world, autojump_clock
):
    beta = world.chains["beta"]
    honest = beta.simulate

    def refused(_data):
        raise InsufficientFunds(bytes(32), "account beta1… not found")

    beta.simulate = refused
    async with making_blocks(world), world.relay(max_attempts=MAX_ATTEMPTS).running() as process:
        world.send("alpha", 4)
        await trio.sleep(200)
        assert await process.queue.dead_letters(TO_BETA) == [] and world.received() == 0
        beta.simulate = honest
        await world.all_settled(4)


async def test_attack_G9_pool_that_takes_small_transactions_only_gets_small_ones(world, autojump_clock):
    beta = world.chains["beta"]
    honest = beta.submit

    def submit(raw):
        if len(raw) > POOL_BYTES:
            raise BroadcastRefused(bytes(32), "the gas limit is above a block's")
        return honest(raw)

    beta.submit = submit
    async with making_blocks(world), world.relay(max_attempts=MAX_ATTEMPTS).running() as process:
        world.send("alpha", 20)
        await world.all_settled(20, at_most_s=400)
        assert await process.queue.dead_letters(TO_BETA) == []
    sizes = [len(receipt.transaction.raw) for receipt in world.transactions("beta")]
    assert max(sizes) <= POOL_BYTES and len(sizes) < 20


async def test_attack_G7_losing_races_makes_no_batch_smaller(world, autojump_clock):
    beta = world.chains["beta"]
    honest, refusals = beta.submit, []

    def submit(raw):
        if len(refusals) < 5:
            refusals.append(raw)
            raise AlreadyRelayed(bytes(32), "every packet in it was relayed by another already")
        return honest(raw)

    beta.submit = submit
    async with making_blocks(world), world.relay(max_attempts=MAX_ATTEMPTS).running():
        world.send("alpha", 20)
        await world.all_settled(20, at_most_s=400)
    assert len(refusals) == 5 and len(world.transactions("beta")) == 1


@pytest.mark.long
async def test_attack_E2_packets_that_expire_before_the_next_block_undo_no_others(tmp_path, valkey, autojump_clock):
    """On slow blocks a sender times packets so that the simulation takes them, and the block that they get into does not."""
    world = World(tmp_path, valkey.url, traits=ChainTraits(atomic_batches=True))
    alpha, beta = world.chains.values()
    async with trio.open_nursery() as nursery, world.relay(max_attempts=MAX_ATTEMPTS).running():

        async def blocks(chain, every_s):
            while True:
                await trio.sleep(every_s)
                chain.produce_block(max(world.now_ns() // 10**9, chain.newest.header.timestamp_s))

        async def attack():
            while True:
                made = len(beta.blocks)
                await world.until(lambda made=made: len(beta.blocks) > made)
                world.send("alpha", 1, timeout_s=6)
                world.send("alpha", 3)

        nursery.start_soon(blocks, alpha, 1)
        nursery.start_soon(blocks, beta, 6)
        nursery.start_soon(attack)
        await trio.sleep(120)
        nursery.cancel_scope.cancel()
    together = [receipt for receipt in undone(world) if len(receipt.transaction.data) > 6_000]
    assert together == []
    assert world.received() >= 3 * 18
