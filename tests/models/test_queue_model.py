"""A crash at every step: submitted at least once, paid for at most once; and the model's queue is the real one."""

from random import Random

import pytest

from hutong.relay.dispatch import Backoff, Connection, QueueLimits
from hutong.relay.dispatch import Queue as RealQueue
from tests.models.explorer import Violation, expect_progress, explore
from tests.models.relay_queue import Queue, RelayQueue, Rules, settled
from tests.relay.conftest import ManualClock, Server, in_line
from tests.relay.relay_values import job

STATED_DUPLICATES_A_KILL = 2
KILLS, WIPES = 2, 1


@pytest.mark.parametrize("drops", [0, 1])
def test_attack_I5_crash_at_every_step_submits_at_least_once_and_pays_at_most_once(drops):
    """Stronger than the stated bound of two paid duplicates a kill: with one relay there is none."""
    model = RelayQueue(kills=KILLS, wipes=WIPES, drops=drops)
    explored = explore(model)
    for step in ("kill", "restart", "wipe", "rebroadcast", "claim", "clearer", "retry-in-flight", "settle-done"):
        assert explored.taken[step], step
    expect_progress(explored, settled, "a settled packet")
    assert all(world.mined == 1 for world in explored.ends)


def paid(**rules) -> int:
    """The most that any run pays for."""
    model = RelayQueue(rules=Rules(**rules), kills=KILLS, wipes=0, drops=0)
    model.violation = lambda _: None
    model.violation_at_end = lambda _: None
    return max(world.mined for world in explore(model).states)


def test_attack_I5_the_bound_on_paid_duplicates():
    assert paid() == 1
    assert paid(waits_for_recovery=False) - 1 <= STATED_DUPLICATES_A_KILL * KILLS
    assert 1 < paid(records_before_broadcast=False) <= 1 + STATED_DUPLICATES_A_KILL * KILLS


@pytest.mark.parametrize(
    ("rules", "wipes", "found"),
    [
        ({"records_before_broadcast": False}, 0, "paid 2 times"),
        ({"looks_before_paying": False}, 0, "paid 2 times"),
        ({"waits_for_recovery": False}, 0, "paid 2 times"),
        ({"follows_recorded": False}, 0, "paid 2 times"),
        ({"clears": False}, 1, "never submitted"),
        ({"clears": False, "cursor_after_enqueue": False}, 0, "never submitted"),
    ],
)
def test_attack_I5_without_a_rule_the_model_finds_the_loss(rules, wipes, found):
    with pytest.raises(Violation, match=found) as caught:
        explore(RelayQueue(rules=Rules(**rules), kills=KILLS, wipes=wipes, drops=0))
    assert "kill" in caught.value.trace or "looks_before_paying" in rules


def test_without_a_clearer_the_cursor_s_place_alone_keeps_an_event_over_kills():
    model = RelayQueue(rules=Rules(clears=False), kills=KILLS, wipes=0, drops=0)
    expect_progress(explore(model), settled, "a settled packet")


@pytest.fixture
def server(tmp_path):
    running = Server(tmp_path)
    running.start()
    yield running
    running.kill()


@pytest.mark.long
async def test_attack_I5_the_model_s_queue_steps_are_those_of_the_real_queue(server):
    """Random steps on both: the same answers, the same place of the job after each."""
    work = job()
    route = work.route
    for seed in range(12):
        random, clock = Random(seed), ManualClock()
        server.client.flushall()
        consumers = 0

        def open_queue(random=random, clock=clock):
            nonlocal consumers
            consumers += 1
            connection = Connection(server.url, run=in_line, seed=1)
            options = {"limits": QueueLimits(backoff=Backoff(1.0, 2.0), max_attempts=10**6), "seed": 1}
            return connection, RealQueue(connection, f"process-{consumers}", clock, **options)

        connection, real = open_queue()
        await real.open(route)
        assert await real.take(route, 1) == [], "a first look also asks for what this consumer had before"
        model, held = Queue(), None
        for _ in range(60):
            step = random.choice(["enqueue", "take", "take", "settle", "retry", "promote", "kill", "wipe", "claim"])
            if step == "enqueue":
                added = (await real.enqueue([work])).added
                assert bool(added) == (model.entry == "absent")
                model = model.enqueue()
            elif step == "take":
                got = await real.take(route, 1)
                assert bool(got) == (model.entry == "waiting")
                model, held = model.take(), got[0] if got else held
            elif step == "claim":
                got = await real.claim(route, 1, 0)
                if model.entry == "taken":  # at once it would also claim from the living: the worker waits 20 s
                    held = got[0]
                    continue
                assert bool(got) == (model.entry == "orphaned")
                model, held = model.claim(), got[0] if got else held
            elif step in ("settle", "retry") and held is not None:
                if step == "settle":
                    await real.settle(route, [held])
                    model = model.settle()
                else:
                    await real.retry(route, held, "not yet")
                    model = model.retry()
                held = None
            elif step == "promote" and model.entry == "delayed":
                clock.ms += 10_000
                model, got = model.promote().take(), await real.take(route, 1)
                held = got[0]
            elif step == "kill":
                connection.close()
                connection, real = open_queue()
                got = await real.take(route, 1)
                model, held = model.owner_died().take(), got[0] if got else None
                assert bool(got) == (model.entry == "taken")
            elif step == "wipe":
                server.client.flushall()
                assert await real.take(route, 1) == [], "the loss is noticed, and the group made again"
                assert await real.take(route, 1) == []
                model, held = Queue(), None
            where = (await real.states(route, [work.id])).get(work.id, "absent")
            expected = {"taken": "waiting", "orphaned": "waiting"}.get(model.entry, model.entry)
            assert where == expected, (seed, step)
        connection.close()
