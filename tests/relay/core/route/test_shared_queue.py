"""Several relays of one owner on one Redis: each packet is one relay's work, and a dead one's is taken over soon."""

import pytest
import trio

from hutong.adapters.simulated import ChainTraits
from hutong.relay.dispatch import CLAIM_AFTER_MS, TOUCH_EVERY_S
from tests.relay.core.world import CLIENT, World, key, making_blocks


def shared(world, number, **options):
    return world.relay(signer=key(number), prefix="shared", alone=False, **options)


@pytest.mark.long
@pytest.mark.parametrize("finality_depth", [0, 12])
@pytest.mark.parametrize(
    ("packets", "per_second"), [(120, 10), pytest.param(1_000, 20, marks=pytest.mark.long)], ids=["120", "1000"]
)
async def test_parity_row_53_relays_on_one_redis_pay_for_nothing_twice(
    tmp_path, valkey, autojump_clock, packets, per_second, finality_depth
):
    world = World(tmp_path, valkey.url, traits=ChainTraits(finality_depth=finality_depth))
    async with making_blocks(world), shared(world, 1).running(), shared(world, 2).running():
        start_s = trio.current_time()
        for _ in range(packets // per_second):
            world.send("alpha", per_second)
            await trio.sleep(1)
        with trio.fail_after(600):
            while world.unsettled() or not world.live_sent(packets):  # noqa: ASYNC110  looking costs
                await trio.sleep(1)
        carried_s = trio.current_time() - start_s
        await trio.sleep(finality_depth + 5)  # what was paid in vain may be included after what did the work
    assert world.paid_in_vain() == 0
    by_sender = {}
    for chain in world.chains:
        for receipt in world.transactions(chain):
            by_sender[receipt.transaction.sender] = by_sender.get(receipt.transaction.sender, 0) + 1
    print(
        f"\n{packets} packets by two relays, finality {finality_depth}, in {carried_s:.0f} s, none paid for in vain; "
        f"transactions by relay: {by_sender}"
    )
    assert set(by_sender) == {key(1).address, key(2).address}, "the work is shared"
    assert carried_s < packets / per_second + 2 * finality_depth + 10, "peers do not wait for each other's turns"


@pytest.mark.long
async def test_parity_row_53_what_a_killed_relay_held_waits_ten_seconds_at_most(tmp_path, valkey, mock_clock):
    """In transactions that no pool has. At the pace of a real clock: leases are by the server's."""
    mock_clock.rate = 1.0
    world = World(tmp_path, valkey.url)
    assert CLAIM_AFTER_MS / 1000 + 2 * TOUCH_EVERY_S <= 10

    def silent(adapter):
        adapter.faults = type(adapter.faults)(lost_broadcast=1.0)  # what it sends reaches no pool
        return adapter

    life = trio.CancelScope()

    async def live(process, task_status=trio.TASK_STATUS_IGNORED):
        with life:
            await process.relay.run(task_status)

    async with making_blocks(world), trio.open_nursery() as nursery:
        await nursery.start(live, shared(world, 1, wrap=silent))
        world.send("alpha", 40)
        await trio.sleep(5)  # it holds them all, in transactions that nobody has
        async with shared(world, 2).running():
            await trio.sleep(3)
            assert world.received() == 0, "while it lives, what it holds is its own"
            life.cancel()
            killed_at_s = trio.current_time()
            await world.until(lambda: world.received() == 40, at_most_s=60)
            waited_s = trio.current_time() - killed_at_s
            await world.all_settled(40)
    print(f"\nkilled: what it held was received {waited_s:.1f} s later")
    assert waited_s <= 10
    assert world.paid_in_vain() == 0


async def test_parity_row_53_other_relays_on_the_server_have_another_prefix(tmp_path, valkey, autojump_clock):
    world = World(tmp_path, valkey.url)
    async with making_blocks(world), world.relay(signer=key(1), prefix="mine").running():
        world.send("alpha", 2)
        await world.all_settled(2)
        keys = valkey.client.keys("*")
    assert keys and all(name.startswith(b"mine:") for name in keys)
    assert any(CLIENT.encode() in name for name in keys)


async def test_parity_row_53_peers_know_each_other_by_the_queue_and_forget(tmp_path, valkey, autojump_clock):
    world = World(tmp_path, valkey.url)
    async with making_blocks(world), shared(world, 1).running() as first:
        peers = first.relay.peers
        await trio.sleep(1)
        assert peers.all("beta") == {key(1).address}
        async with shared(world, 2).running():
            await trio.sleep(12)
            assert peers.all("beta") == {key(1).address, key(2).address}
            assert peers.own("beta") == {key(1).address}
        await trio.sleep(75)
        assert peers.all("beta") == {key(1).address}
