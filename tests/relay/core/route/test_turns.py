"""Relays of several owners on one path: what is paid in vain, and what a silent one costs."""

from contextlib import AsyncExitStack

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from hutong.adapters.interface import PacketEventKind, PooledPacket
from hutong.adapters.simulated import ChainTraits
from hutong.relay.core.watching.turns import MOST_POOL_WAIT_S, rank
from tests.relay.core.world import CLIENT, World, key, making_blocks


def in_turn(addresses):
    return lambda packet, ours: rank(packet, ours, [one for one in addresses if one not in ours])


@given(st.lists(st.text(min_size=1, max_size=8), min_size=1, max_size=12, unique=True), st.text(max_size=20))
def test_parity_row_54_every_relay_draws_the_same_order(addresses, packet):
    """Exactly one is first, one second, …, whoever counts."""
    place = in_turn(addresses)
    assert sorted(place(packet, {one}) for one in addresses) == list(range(len(addresses)))


@given(st.text(max_size=20))
def test_parity_row_54_an_owner_of_several_accounts_has_its_best_rank(packet):
    addresses = [f"0x{number:040x}" for number in range(6)]
    place = in_turn(addresses)
    group = set(addresses[:3])
    before = [one for one in addresses[3:] if all(place(packet, {one}) < place(packet, {mine}) for mine in group)]
    assert place(packet, group) == len(before)


def report(name, world, packets):
    paid = 2 * packets
    vain = world.paid_in_vain()
    print(f"\n{name}: {vain} of {paid} messages paid in vain ({100 * vain / paid:.2f} %)")
    return vain / paid


WARM_UP = 3
"""Packets by which strangers meet: until then nobody knows of the other."""


async def carry(world, relays, packets, per_second):
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(making_blocks(world))
        for relay in relays:
            await stack.enter_async_context(relay.running())
        world.send("alpha", WARM_UP)
        await world.all_settled(WARM_UP)
        await trio.sleep(world.chains["alpha"].finality_depth + 5)
        before = world.paid_in_vain()
        for _ in range(packets // per_second):
            world.send("alpha", per_second)
            await trio.sleep(1)
        with trio.fail_after(600):
            while world.unsettled() or not world.live_sent(WARM_UP + packets):  # noqa: ASYNC110  looking costs
                await trio.sleep(5)
        await trio.sleep(world.chains["alpha"].finality_depth + 5)
    return before


TURNS: dict = {}
NO_TURNS = {"turns": {"most_ms": 0}}


@pytest.mark.long
@pytest.mark.parametrize("per_second", [20, 1_000], ids=["stream", "burst"])
@pytest.mark.parametrize("finality_depth", [0, 12])
async def test_parity_row_54_two_strangers_pay_for_few_packets_twice(
    tmp_path, valkey, autojump_clock, finality_depth, per_second
):
    world = World(tmp_path, valkey.url, traits=ChainTraits(finality_depth=finality_depth))
    relays = [world.relay(signer=key(number), prefix=f"owner-{number}", **TURNS) for number in (1, 2)]
    await carry(world, relays, 1_000, per_second)
    assert report(f"two strangers, finality {finality_depth}, {per_second} a second", world, 1_000) <= 0.02
    assert not world.unsettled()


@pytest.mark.long
async def test_parity_row_54_without_turns_everything_is_paid_twice(tmp_path, valkey, autojump_clock):
    """What it was before; that turns are what makes the difference."""
    world = World(tmp_path, valkey.url)
    relays = [world.relay(signer=key(number), prefix=f"owner-{number}", **NO_TURNS) for number in (1, 2)]
    await carry(world, relays, 60, 5)
    without = report("two strangers, no turns", world, 60)
    (tmp_path / "with").mkdir()
    world = World(tmp_path / "with", valkey.url)
    relays = [world.relay(signer=key(number), prefix=f"other-{number}", **TURNS) for number in (1, 2)]
    await carry(world, relays, 60, 5)
    assert without > 0.4
    assert report("two strangers, turns", world, 60) < 0.1


async def latencies(world, packets):
    """Seconds from each packet's sending to its receipt, one packet a second."""
    found = []
    for _ in range(packets):
        before = world.received()
        start_s = trio.current_time()
        world.send("alpha", 1)
        await world.until(lambda before=before: world.received() > before, at_most_s=60)
        found.append(trio.current_time() - start_s)
        await trio.sleep(0.5)
    return sorted(found)


def p95(values):
    return values[-1 - len(values) // 20]


@pytest.mark.long
async def test_parity_row_54_twenty_silent_relayers_of_one_owner_cost_two_seconds(tmp_path, valkey, autojump_clock):
    """They were seen a moment ago, are first for nearly every packet, and do nothing any more."""
    world = World(tmp_path, valkey.url)
    for chain in world.chains.values():
        for number in range(10, 30):
            chain.fund(key(number).address, 10**18)
    async with making_blocks(world):
        await trio.sleep(2)
        async with world.relay(signer=key(1), prefix="alone").running():
            alone = p95(await latencies(world, 40))
        async with world.relay(signer=key(1), prefix="ours").running() as ours:
            others = [tuple(key(number) for number in range(start, start + 5)) for start in range(10, 30, 5)]
            async with AsyncExitStack() as stack:
                for number, signers in enumerate(others):
                    process = world.relay(signers=signers, prefix=f"many-{number}")
                    await stack.enter_async_context(process.running())
                for _ in range(40):
                    world.send("alpha", 4)
                    await trio.sleep(1)
                await trio.sleep(10)
            seen = len(ours.relay.turns["beta"].others(CLIENT))
            silent = p95(await latencies(world, 40))
    print(f"\np95 of receiving: {alone:.2f} s alone, {silent:.2f} s with {seen} silent relayers before")
    assert seen == 20
    assert silent <= alone + 2.01


@pytest.mark.long
async def test_attack_G7_a_transaction_that_stays_in_the_pool_holds_a_packet_for_seconds_alone(
    tmp_path, valkey, autojump_clock
):
    """A stranger's transaction is seen for ever, and never included."""
    world = World(tmp_path, valkey.url)
    held = []

    class Liar:
        def __init__(self, adapter):
            self._adapter = adapter

        def __getattr__(self, name):
            return getattr(self._adapter, name)

        async def pooled_packets(self):
            kind = PacketEventKind.WRITE_ACKNOWLEDGEMENT
            return tuple(PooledPacket(kind, CLIENT, sequence, "0xstranger") for sequence in range(1, 50))

    async with making_blocks(world):
        process = world.relay(wrap=Liar)
        async with process.running():
            process.relay.turns["beta"]._meet(CLIENT, key(9).address)
            for _ in range(3):
                held += await latencies(world, 1)
    print(f"\nheld for {held} s")
    assert MOST_POOL_WAIT_S - 1 < min(held) and max(held) < MOST_POOL_WAIT_S + 6
