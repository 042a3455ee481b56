"""Relays of several owners on one path: what is paid in vain, and what a silent one costs."""

from contextlib import AsyncExitStack

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st
from world import World, key, making_blocks

from relay.core.turns import rank


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


TURNS = {"turns": {"most_ms": 2_000}}
NO_TURNS = {"turns": {"most_ms": 0}}


@pytest.mark.long
@pytest.mark.parametrize("per_second", [20, 1_000], ids=["stream", "burst"])
@pytest.mark.parametrize("finality_depth", [0, 12])
async def test_parity_row_54_two_strangers_pay_for_few_packets_twice(
    tmp_path, valkey, autojump_clock, finality_depth, per_second
):
    world = World(tmp_path, valkey.url, finality_depth=finality_depth)
    relays = [world.relay(signer=key(number), prefix=f"owner-{number}", **TURNS) for number in (1, 2)]
    await carry(world, relays, 1_000, per_second)
    assert report(f"two strangers, finality {finality_depth}, {per_second} a second", world, 1_000) <= 0.02
    assert not world.unsettled()


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
