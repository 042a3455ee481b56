"""What endpoints have not got is no fault of theirs, and is told as what it is."""

from contextlib import AsyncExitStack
from random import Random

import pytest
import trio
import trio.testing

from hutong.adapters.interface import EndpointUnavailable, Head, HeightUnavailable
from hutong.adapters.rpc import HeadFollower, HeadSignal, RpcOptions, Together, all_of, each_of, open_rpc_client
from tests.adapters.rpc.hostile_server import error, hostile_server, result

QUICK = RpcOptions(attempt_timeout_s=2, rounds=3, backoff_first_s=0.01, backoff_most_s=0.02)


async def asked(answers: list[str], heads: int = 0, at_height: int = 7):
    """Ask endpoints that answer `have`, `absent`, `gone` or `broken`; returns (value or error, how often each was asked)."""
    async with AsyncExitStack() as stack:
        servers = [await stack.enter_async_context(hostile_server()) for _ in answers]
        for server, answer in zip(servers, answers, strict=True):
            server.answers["look"] = {
                "have": lambda request: result(request, "have"),
                "absent": lambda request: result(request, "absent"),
                "gone": lambda request: error(request, 4444, "pruned history unavailable"),
                "broken": lambda request: error(request, -32603, "broken"),
            }[answer]
        client = await stack.enter_async_context(open_rpc_client("chain", [s.url for s in servers], Random(1), QUICK))
        client.heads_seen([(endpoint, heads) for endpoint in client._endpoints])

        def decode(fields):
            if fields.value == "absent":
                raise HeightUnavailable("chain", at_height, "pruned")
            return fields.value

        try:
            outcome = await client.call("look", [], decode, at_height=at_height)
        except Exception as caught:
            outcome = caught
        return outcome, [len(server.requests) for server in servers], client.statistics()


async def test_another_endpoint_may_have_it_and_nobody_is_struck():
    outcome, _, statistics = await asked(["absent", "have"])
    assert outcome == "have"
    assert statistics[0].failures == 0


async def test_all_say_that_they_have_not_got_it():
    outcome, requests, _ = await asked(["absent", "absent"])
    assert isinstance(outcome, HeightUnavailable) and outcome.reason == "pruned"
    assert requests == [3, 3], "the newest heights may come in a later round"


async def test_a_node_that_began_from_a_snapshot_is_passed_over_and_not_struck():
    outcome, _, statistics = await asked(["gone", "have"])
    assert outcome == "have"
    assert statistics[0].failures == 0
    outcome, requests, _ = await asked(["gone", "absent"], heads=1_000)
    assert isinstance(outcome, HeightUnavailable)
    assert requests == [1, 1]


async def test_what_is_far_below_all_heads_is_asked_once():
    outcome, requests, _ = await asked(["absent", "absent"], heads=1_000)
    assert isinstance(outcome, HeightUnavailable)
    assert requests == [1, 1]


async def test_an_endpoint_that_is_broken_might_have_had_it():
    outcome, requests, _ = await asked(["absent", "broken"], heads=1_000)
    assert not isinstance(outcome, HeightUnavailable)
    assert requests == [3, 3]


async def test_each_of_keeps_the_order_and_raises_bare():
    async def double(value):
        if value == 7:
            raise EndpointUnavailable("chain", "double", ())
        return 2 * value

    assert await each_of(double, range(5), at_once=2) == [0, 2, 4, 6, 8]
    with pytest.raises(EndpointUnavailable):
        await each_of(double, [1, 7, 2])


async def test_a_head_never_goes_back():
    heights = iter([5, 3, 6])

    async def newest():
        height = next(heights)
        return Head(height, bytes(32), height)

    follower = HeadFollower(newest, HeadSignal(), 0.01)
    assert (await follower.head()).height == 5
    assert await follower.above(4) == 5
    assert (await follower.head()).height == 5
    assert (await follower.wait_for_height(6)).height == 6


async def test_reads_at_a_head_that_many_ask_for_share_a_request():
    """As the clearer's looks at packets do: each asks for the head first, then for what stands there."""
    heads, reads = [], []

    async def newest():
        heads.append(len(heads))
        await trio.sleep(0.01)
        return Head(5, bytes(32), 5)

    async def read(keys, height):
        reads.append(len(keys))
        await trio.sleep(0.01)
        return [key * height for key in keys]

    follower, together, found = HeadFollower(newest, HeadSignal(), 0.01), Together(read, 100), {}

    async def look(key):
        found[key] = await together.get((await follower.head()).height, key)

    await all_of([(look, key) for key in range(64)])
    assert found == {key: 5 * key for key in range(64)}
    assert (len(heads), sum(reads)) == (1, 64)
    assert len(reads) <= 2, "who asked for the head is one pass before those who waited"


@pytest.mark.parametrize("fails", [False, True])
async def test_a_head_is_never_older_than_its_question_and_an_error_is_its_askers_alone(fails):
    asked = []
    first_may_end = trio.Event()

    async def newest():
        asked.append(None)
        number = len(asked)
        if number == 1:
            await first_may_end.wait()
            if fails:
                raise EndpointUnavailable("chain", "head", ())
        return Head(number, bytes(32), number)

    follower, found = HeadFollower(newest, HeadSignal(), 0.01), []

    async def look(name):
        try:
            found.append((name, (await follower.head()).height))
        except EndpointUnavailable:
            found.append((name, None))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(look, "first")
        await trio.testing.wait_all_tasks_blocked()
        for _ in range(5):
            nursery.start_soon(look, "later")
        await trio.testing.wait_all_tasks_blocked()
        first_may_end.set()
    assert sorted(found) == [("first", None if fails else 1), *[("later", 2)] * 5]
    with trio.move_on_after(0):
        await follower.head()  # cancelled while it asks
    assert (await follower.head()).height == 3
