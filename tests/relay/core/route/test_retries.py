"""What fails is tried again by what it failed for: soon where that costs nothing, rarely where it is paid for."""

import inspect

import pytest
import trio

from hutong.adapters.simulated.router import OutOfGas
from hutong.relay.dispatch import Route
from hutong.relay.ledger import Cause
from tests.relay.core.world import CLIENT, World, making_blocks

TO_BETA = Route("alpha", "beta", CLIENT)


class Pausable:
    """An app whose receiving is refused for now, as Transfer's is while its pauser says so."""

    def __init__(self) -> None:
        self.paused = False

    def __call__(self, _packet) -> bytes:
        if self.paused:
            raise OutOfGas
        return b"\x01"


class Counting:
    """An adapter that counts what is asked of it."""

    def __init__(self, adapter, counts) -> None:
        self._adapter, self._counts = adapter, counts

    def __getattr__(self, name):
        value = getattr(self._adapter, name)
        if not inspect.iscoroutinefunction(value) or name == "wait_for_height":
            return value

        async def call(*arguments, **options):
            self._counts[name] = self._counts.get(name, 0) + 1
            return await value(*arguments, **options)

        return call


async def settled(world, count, at_most_s):
    """Seconds until all are, looked at each second: looking costs."""
    start_s = trio.current_time()
    with trio.fail_after(at_most_s):
        while world.unsettled() or not world.live_sent(count):  # noqa: ASYNC110
            await trio.sleep(1)
    return trio.current_time() - start_s


def paid_failures(world, chain="beta"):
    return sum(len(receipt.failures) + bool(receipt.reverted) for receipt in world.transactions(chain))


@pytest.mark.long
@pytest.mark.parametrize(
    "minutes", [0.5, 2, pytest.param(20, marks=pytest.mark.long), pytest.param(50, marks=pytest.mark.long)]
)
async def test_parity_pain_14_a_pause_ends_and_all_is_delivered_within_a_minute(
    tmp_path, valkey, autojump_clock, minutes
):
    app = Pausable()
    world = World(tmp_path, valkey.url, apps={"vault": app})
    async with making_blocks(world), world.relay().running():
        app.paused = True
        count = 0
        for _ in range(10):
            world.send("alpha", 12, port="vault", timeout_s=2 * 3_600)
            count += 12
            await trio.sleep(minutes * 60 / 10)
        assert world.received() == 0
        app.paused = False
        waited_s = await settled(world, count, 300)
    print(f"\npaused for {minutes} min: {count} packets delivered and acknowledged {waited_s:.0f} s after its end")
    assert waited_s <= 60
    assert paid_failures(world) == 0


@pytest.mark.long
async def test_parity_pain_14_live_packets_do_not_wait_for_those_that_fail(tmp_path, valkey, autojump_clock):
    app = Pausable()
    world = World(tmp_path, valkey.url, apps={"vault": app})
    app.paused = True
    async with making_blocks(world), world.relay().running():
        world.send("alpha", 100, port="vault", timeout_s=7_200)
        await trio.sleep(60)
        world.send("alpha", 10)
        waited_s = await world.until(lambda: len(world.unsettled()) == 100, at_most_s=30)
    assert waited_s < 6


@pytest.mark.long
@pytest.mark.parametrize("minutes", [20, pytest.param(60, marks=pytest.mark.long)])
async def test_parity_row_34_what_fails_in_a_block_is_paid_for_every_five_minutes(
    tmp_path, valkey, autojump_clock, minutes
):
    """Simulations succeed, so that no probe can tell."""
    executing = []

    def fails(_packet):
        if executing:
            raise OutOfGas
        return b"\x01"

    world = World(tmp_path, valkey.url, apps={"trap": fails})
    beta = world.chains["beta"]
    make = beta.produce_block

    def produce_block(time_s=None):
        executing.append(True)
        try:
            return make(time_s)
        finally:
            executing.clear()

    beta.produce_block = produce_block
    async with making_blocks(world), world.relay().running() as process:
        world.send("alpha", 1, port="trap", timeout_s=20 * 3_600)
        await trio.sleep(minutes * 60)
        first = paid_failures(world)
        await trio.sleep(minutes * 60)
        second = paid_failures(world) - first
        (letter,) = await process.queue.dead_letters(TO_BETA)
    print(f"\npaid failures: {first} in the first {minutes} minutes, {second} in the next")
    assert 1 <= second <= minutes / 5 and first <= minutes / 5 + 7
    assert letter.cause == Cause.FAILED or "fail" in letter.reason


async def poisoned(world, count, run_s):
    """(requests a second while poison rests, the same without any)."""
    counts = {}
    around = lambda name, service: Counting(service, counts) if name in world.chains else service  # noqa: E731
    async with making_blocks(world), world.relay(around=around, clear_interval_s=3_600).running() as process:
        await trio.sleep(5)
        before = sum(counts.values())
        await trio.sleep(300)
        idle = (sum(counts.values()) - before) / 300
        for _ in range(count // 500):
            world.send("alpha", 500, port="poison", timeout_s=20 * 3_600)
            await trio.sleep(1)
        with trio.fail_after(3_600):
            while (await process.queue.statistics(TO_BETA)).asleep < count:  # noqa: ASYNC110
                await trio.sleep(5)
        await trio.sleep(60)
        counts.clear()
        await trio.sleep(run_s)
        busy = sum(counts.values()) / run_s
        print(
            f"\n{count} poison packets: {busy:.2f} requests a second, {idle:.2f} without; {dict(sorted(counts.items()))}"
        )
        assert paid_failures(world) == 0
        return busy - idle


@pytest.mark.long
@pytest.mark.parametrize("count", [500, 10_000])
async def test_parity_pain_14_poison_costs_less_than_a_request_a_second(tmp_path, valkey, autojump_clock, count):
    def poison(_packet):
        raise OutOfGas

    world = World(tmp_path, valkey.url, apps={"poison": poison})
    assert await poisoned(world, count, 1_200) < 1


@pytest.mark.long
async def test_parity_pain_14_poison_hides_no_paused_app(tmp_path, valkey, autojump_clock):
    app = Pausable()

    def poison(_packet):
        raise OutOfGas

    world = World(tmp_path, valkey.url, apps={"vault": app, "poison": poison})
    app.paused = True
    async with making_blocks(world), world.relay().running():
        world.send("alpha", 300, port="poison", timeout_s=20 * 3_600)
        await trio.sleep(30)
        world.send("alpha", 20, port="vault", timeout_s=7_200)
        await trio.sleep(300)
        app.paused = False
        waited_s = await world.until(lambda: len(world.unsettled()) == 300, at_most_s=120)
    print(f"\namong 300 poison packets: 20 delivered {waited_s:.0f} s after the pause")
    assert waited_s <= 60
