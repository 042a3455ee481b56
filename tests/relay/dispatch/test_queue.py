"""The queue against a real Valkey: idempotent, at least once, bounded, and never the truth."""

from dataclasses import replace

import pytest

from hutong.relay.dispatch import MAX_DELIVERIES, Backoff, Enqueued, JobKind, QueueLimits
from hutong.relay.dispatch.record import encode_job
from hutong.relay.dispatch.resting import LEASE_S
from tests.relay.relay_values import job

ROUTE = job().route


@pytest.fixture
async def queue(make_queue):
    queue = make_queue(limits=QueueLimits(backoff=Backoff(1, 8), max_attempts=3))
    await queue.open(ROUTE)
    return queue


async def test_job_is_taken_once_and_settled(queue):
    assert await queue.enqueue([job(1), job(2)]) == Enqueued(2, 0, 0)
    taken = await queue.take(ROUTE, 10)
    assert [item.job for item in taken] == [job(1), job(2)]
    assert await queue.take(ROUTE, 10) == []
    await queue.settle(ROUTE, taken)
    assert (await queue.statistics(ROUTE)).waiting == 0
    assert await queue.states(ROUTE, [job(1).id]) == {}


async def test_enqueue_is_idempotent_by_packet_id(queue):
    await queue.enqueue([job(1)])
    assert await queue.enqueue([job(1, seen_at_ns=9), job(2)]) == Enqueued(1, 1, 0)
    (first, second) = await queue.take(ROUTE, 10)
    assert await queue.enqueue([job(1)]) == Enqueued(0, 1, 0), "also while it is worked on"
    await queue.settle(ROUTE, [first, second])
    assert await queue.enqueue([job(1)]) == Enqueued(1, 0, 0)


async def test_routes_do_not_share_jobs(queue):
    back = job(1, JobKind.ACKNOWLEDGE)
    await queue.enqueue([job(1), back])
    assert [item.job for item in await queue.take(ROUTE, 10)] == [job(1)]
    assert [item.job for item in await queue.take(back.route, 10)] == []  # first look makes the group
    assert [item.job for item in await queue.take(back.route, 10)] == [back]


async def test_retry_waits_then_comes_back_with_its_attempts(queue, clock):
    await queue.enqueue([job(1)])
    (taken,) = await queue.take(ROUTE, 10)
    assert await queue.retry(ROUTE, taken, "node said ‘no’")
    assert await queue.take(ROUTE, 10) == []
    assert (await queue.statistics(ROUTE)).delayed == 1
    assert await queue.states(ROUTE, [job(1).id])
    clock.ms += 1000
    (again,) = await queue.take(ROUTE, 10)
    assert (again.job, again.attempts) == (job(1), 1)
    assert await queue.retry(ROUTE, again, "chain away", counted=False)
    clock.ms += 1000
    (third,) = await queue.take(ROUTE, 10)
    assert third.attempts == 1


async def test_attack_G6_poison_message_ends_as_dead_letter_and_delays_nobody(queue, clock):
    await queue.enqueue([job(1)])
    for _ in range(3):
        (poison,) = [item for item in await queue.take(ROUTE, 10) if item.job.packet.sequence == 1]
        await queue.retry(ROUTE, poison, "always fails")
        await queue.enqueue([job(2)])
        (other,) = await queue.take(ROUTE, 10)
        assert other.job == job(2)
        await queue.settle(ROUTE, [other])
        clock.ms += 8000
    assert await queue.take(ROUTE, 10) == []
    (letter,) = await queue.dead_letters(ROUTE)
    assert letter.id == job(1).id and "3 attempts" in letter.reason and "always fails" in letter.reason
    assert await queue.enqueue([job(1)]) == Enqueued(0, 1, 0), "the clearer does not bring it back"
    assert await queue.revive(ROUTE, job(1).id), "a person does"
    (again,) = await queue.take(ROUTE, 10)
    assert again.attempts == 0 and await queue.dead_letters(ROUTE) == []
    assert not await queue.revive(ROUTE, job(7).id)


@pytest.mark.parametrize("record", [b"", b"junk", encode_job(job(1)).replace(b'"version":1', b'"version":0')])
async def test_attack_G6_unreadable_record_is_a_dead_letter_with_its_reason(queue, valkey, record):
    await queue.enqueue([job(2)])
    valkey.client.xadd(f"hutong:{{{ROUTE.name}}}:jobs", {"id": "receive:alpha/client-0/1", "record": record})
    valkey.client.xadd(f"hutong:{{{ROUTE.name}}}:jobs", {"nothing": "known"})
    assert [item.job for item in await queue.take(ROUTE, 10)] == [job(2)]
    letters = await queue.dead_letters(ROUTE)
    assert len(letters) == 2 and all(letter.reason and letter.job is None for letter in letters)


async def test_parity_row_37_a_dead_letter_is_a_label_and_is_picked_again(queue, clock, valkey):
    await queue.enqueue([job(1)])
    (taken,) = await queue.take(ROUTE, 10)
    assert not await queue.sleep(ROUTE, replace(taken, probes=1), "its app is paused", "would_fail", 1.0)
    assert await queue.dead_letters(ROUTE) == [] and await queue.pick(ROUTE, 10) == [], "not before it is due"
    assert await queue.enqueue([job(1)]) == Enqueued(0, 1, 0) and await queue.take(ROUTE, 10) == []
    for probes in (2, 3, 4):
        clock.ms += 2_000
        ((picked, letter),) = await queue.pick(ROUTE, 10)
        assert (picked.job, picked.probes, letter.reason) == (job(1), probes - 1, "its app is paused")
        assert await queue.pick(ROUTE, 10) == [], "it is leased"
        dead = await queue.sleep(ROUTE, replace(picked, probes=probes), "its app is paused", "would_fail", 2.0)
        assert dead is (probes >= 3)
        assert len(await queue.dead_letters(ROUTE)) == dead
    counts = await queue.statistics(ROUTE)
    assert (counts.dead, counts.asleep) == (1, 1)
    clock.ms += 2_000
    ((picked, _),) = await queue.pick(ROUTE, 10)
    assert await queue.wake(ROUTE, [picked]) == 1 and await queue.wake(ROUTE, [picked]) == 0
    (again,) = await queue.take(ROUTE, 10)
    assert (again.job, again.probes, again.attempts) == (job(1), 4, 0) and await queue.dead_letters(ROUTE) == []
    await queue.settle(ROUTE, [again])
    assert await queue.states(ROUTE, [job(1).id]) == {} and not valkey.client.keys("*strata") + valkey.client.keys(
        "*asleep"
    )


async def test_attack_G6_a_lease_ends_with_whoever_died_with_it(queue, clock):
    await queue.enqueue([job(1)])
    (taken,) = await queue.take(ROUTE, 10)
    await queue.sleep(ROUTE, taken, "x", "would_fail", 1.0)
    clock.ms += 1_000
    assert len(await queue.pick(ROUTE, 10)) == 1
    clock.ms += int(LEASE_S * 1_000) - 1
    assert await queue.pick(ROUTE, 10) == []
    clock.ms += 1
    assert len(await queue.pick(ROUTE, 10)) == 1


async def test_attack_G6_many_of_one_kind_hide_no_other(queue, clock):
    """A thousand that never work, and three of another cause that were put to rest last."""
    await queue.enqueue([job(number) for number in range(1, 1_004)])
    taken = await queue.take(ROUTE, 2_000)
    for item in taken[:1_000]:
        await queue.sleep(ROUTE, item, "never", "would_fail", 1.0)
    clock.ms += 10
    for item in taken[1_000:]:
        await queue.sleep(ROUTE, item, "for now", "proof_refused", 1.0)
    clock.ms += 2_000
    picked = {letter.id for _, letter in await queue.pick(ROUTE, 8)}
    assert {job(number).id for number in (1_001, 1_002, 1_003)} <= picked and len(picked) == 8
    more = {letter.id for _, letter in await queue.pick(ROUTE, 8)}
    assert not more & picked, "the next round takes others"


async def test_attack_G6_what_nobody_can_read_is_read_from_the_chain_after_a_restart(queue, valkey):
    await queue.enqueue([job(1)])
    (taken,) = await queue.take(ROUTE, 10)
    await queue.bury(ROUTE, taken, "too large", "too_large")
    valkey.client.xadd(f"hutong:{{{ROUTE.name}}}:jobs", {"id": job(2).id, "record": "of a newer version"})
    assert await queue.take(ROUTE, 10) == []
    assert len(await queue.dead_letters(ROUTE)) == 2 and await queue.pick(ROUTE, 10) == []
    await queue.rouse(ROUTE)
    ((picked, letter),) = await queue.pick(ROUTE, 10)
    assert (picked.job, letter.cause) == (job(1), "too_large")
    assert await queue.enqueue([job(1), job(2)]) == Enqueued(1, 1, 0)


async def test_parity_row_37_ignored_is_left_alone_until_that_is_undone(queue, clock):
    await queue.enqueue([job(1), job(2)])
    first, second = await queue.take(ROUTE, 10)
    assert not await queue.ignore(ROUTE, job(1).id), "a job in work is not at rest"
    await queue.sleep(ROUTE, first, "x", "would_fail", 1.0)
    assert await queue.ignore(ROUTE, job(1).id)
    await queue.ignore_taken(ROUTE, second, "an operator said so")
    clock.ms += 100_000
    assert await queue.pick(ROUTE, 10) == [] and await queue.take(ROUTE, 10) == []
    assert await queue.dead_letters(ROUTE) == []
    assert {letter.id for letter in await queue.ignored(ROUTE)} == {job(1).id, job(2).id}
    assert await queue.enqueue([job(1), job(2)]) == Enqueued(0, 2, 0)
    assert await queue.states(ROUTE, [job(1).id]) == {job(1).id: "ignored"}
    assert await queue.heed(ROUTE, job(1).id) and not await queue.heed(ROUTE, job(1).id)
    (again,) = await queue.take(ROUTE, 10)
    assert again.job == job(1)


async def test_parity_row_77_many_are_revived_at_once(queue):
    await queue.enqueue([job(number) for number in range(1, 700)])
    for item in await queue.take(ROUTE, 1_000):
        await queue.bury(ROUTE, item, "x")
    letters = await queue.dead_letters(ROUTE)
    assert len(letters) == 699, "all of them, and not the first hundred"
    assert len(await queue.dead_letters(ROUTE, 5)) == 5
    assert await queue.revive_all(ROUTE, [letter.id for letter in letters]) == 699
    assert await queue.dead_letters(ROUTE) == [] and len(await queue.take(ROUTE, 1_000)) == 699


async def test_attack_G6_job_that_kills_its_workers_is_given_up(queue, make_queue):
    await queue.enqueue([job(1), job(2)])
    for _ in range(MAX_DELIVERIES):
        assert len(await make_queue().claim(ROUTE, 10, 0) or await queue.take(ROUTE, 10)) == 2
    assert await make_queue().claim(ROUTE, 1, 0) == []
    (letter,) = await queue.dead_letters(ROUTE)
    assert "never ended" in letter.reason


async def test_attack_G5_jobs_of_a_dead_worker_are_claimed_and_a_living_ones_are_not(queue, make_queue, valkey):
    await queue.enqueue([job(1), job(2)])
    dead, alive = make_queue(), make_queue()
    (first,) = await dead.take(ROUTE, 1)
    (second,) = await alive.take(ROUTE, 1)
    stream = f"hutong:{{{ROUTE.name}}}:jobs"
    for name, entry in ((dead.consumer, first.entry), (alive.consumer, second.entry)):
        valkey.client.xclaim(stream, ROUTE.destination, name, 0, [entry], idle=60_000, justid=True)
    await alive.touch(ROUTE, [second])
    assert [item.job for item in await queue.claim(ROUTE, 10, 30_000)] == [job(1)]


async def test_attack_G5_flush_is_noticed_and_survived(queue, valkey):
    await queue.enqueue([job(1), job(2)])
    (taken,) = await queue.take(ROUTE, 1)
    valkey.client.flushall()
    await queue.settle(ROUTE, [taken])
    assert await queue.take(ROUTE, 10) == []
    assert queue.lost == 1
    assert await queue.enqueue([job(2)]) == Enqueued(1, 0, 0), "what the clearer does"
    assert [item.job for item in await queue.take(ROUTE, 10)] == [job(2)]
    valkey.client.flushall()
    assert not await queue.retry(ROUTE, taken, "x") or not await queue.states(ROUTE, [job(1).id])
    await queue.touch(ROUTE, [taken])
    assert await queue.claim(ROUTE, 10, 0) == []


def key(name: str) -> str:
    return f"hutong:{{{ROUTE.name}}}:{name}"


async def test_attack_G5_jobs_that_were_trimmed_from_the_stream_are_enqueued_again(queue, valkey):
    """The index still knows them: it must not keep the clearer from bringing them back."""
    await queue.enqueue([job(1), job(2), job(3)])
    valkey.client.xtrim(key("jobs"), maxlen=1, approximate=False)
    assert await queue.states(ROUTE, [job(1).id, job(2).id, job(3).id]) == {job(3).id: "waiting"}
    assert await queue.enqueue([job(1), job(2), job(3)]) == Enqueued(2, 1, 0)
    assert [item.job for item in await queue.take(ROUTE, 10)] == [job(3), job(1), job(2)]
    assert await queue.enqueue([job(1), job(2), job(3)]) == Enqueued(0, 3, 0), "in work"
    valkey.client.xtrim(key("jobs"), maxlen=0, approximate=False)
    assert await queue.states(ROUTE, [job(1).id]) == {}
    assert await queue.enqueue([job(1)]) == Enqueued(1, 0, 0)


@pytest.mark.parametrize("lost", ["jobs", "delayed", "dead"])
async def test_attack_G5_jobs_of_an_evicted_key_are_enqueued_again(queue, valkey, lost):
    await queue.enqueue([job(1), job(2), job(3)])
    delayed, dead = await queue.take(ROUTE, 2)
    await queue.retry(ROUTE, delayed, "x")
    await queue.bury(ROUTE, dead, "x")
    by_key = {"delayed": job(1), "dead": job(2), "jobs": job(3)}
    names = {"delayed": "delayed", "dead": "dead", "jobs": "waiting"}
    everyone = [job(number).id for number in (1, 2, 3)]
    assert await queue.states(ROUTE, everyone) == {by_key[name].id: names[name] for name in names}
    valkey.client.delete(key(lost))
    if lost == "jobs":
        assert await queue.take(ROUTE, 10) == [], "makes the group anew"
    assert await queue.states(ROUTE, everyone) == {by_key[name].id: names[name] for name in names if name != lost}
    assert await queue.enqueue([job(1), job(2), job(3)]) == Enqueued(1, 2, 0)
    assert by_key[lost] in [item.job for item in await queue.take(ROUTE, 10)]


async def test_attack_G5_server_restarts_without_its_data(queue, valkey, autojump_clock):
    await queue.enqueue([job(1)])
    valkey.kill()
    import trio

    async with trio.open_nursery() as nursery:
        nursery.start_soon(queue.enqueue, [job(2)])
        await trio.sleep(3)
        valkey.start()
    assert [item.job for item in await queue.take(ROUTE, 10)] in ([], [job(2)])
    assert [item.job for item in await queue.take(ROUTE, 10)] in ([], [job(2)])


async def test_attack_G5_answer_lost_on_the_way_is_read_again(queue):
    await queue.enqueue([job(1)])
    (lost,) = await queue.take(ROUTE, 10)
    queue.connection.losses += 1
    assert await queue.take(ROUTE, 10) == [lost]
    assert await queue.take(ROUTE, 10) == []


async def test_attack_G5_queue_is_bounded(make_queue):
    queue = make_queue(limits=QueueLimits(capacity=3))
    assert await queue.enqueue([job(number) for number in range(1, 6)]) == Enqueued(3, 0, 2)
    await queue.open(ROUTE)
    await queue.settle(ROUTE, await queue.take(ROUTE, 10))
    assert await queue.enqueue([job(4), job(5)]) == Enqueued(2, 0, 0)
