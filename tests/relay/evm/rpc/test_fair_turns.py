"""Turns are shared out by caller, whatever order the requests came in."""

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from hutong.relay.evm.rpc.fair_turns import FairTurns, TooManyWaiting


class Desk:
    """Requests that hold their turn until they are let go, and the order in which they got it."""

    def __init__(self, turns, nursery):
        self._turns, self._nursery = turns, nursery
        self.served, self._ends = [], []

    async def ask(self, caller, name=None):
        async def request():
            async with self._turns.turn(caller):
                end = trio.Event()
                self.served.append(name or caller)
                self._ends.append(end)
                await end.wait()

        self._nursery.start_soon(request)
        await wait_all_tasks_blocked()

    async def end_oldest(self):
        self._ends.pop(0).set()
        await wait_all_tasks_blocked()


@pytest.fixture
async def nursery_of_test():
    async with trio.open_nursery() as nursery:
        yield nursery
        nursery.cancel_scope.cancel()


async def test_one_caller_with_many_requests_delays_another_by_one(nursery_of_test):
    desk = Desk(FairTurns(1), nursery_of_test)
    for number in range(10):
        await desk.ask("stranger", f"stranger {number}")
    await desk.ask("relay", "relay 0")
    await desk.ask("relay", "relay 1")
    for _ in range(5):
        await desk.end_oldest()
    assert desk.served == ["stranger 0", "stranger 1", "relay 0", "stranger 2", "relay 1", "stranger 3"]


async def test_who_holds_no_place_comes_before_who_holds_one(nursery_of_test):
    desk = Desk(FairTurns(2), nursery_of_test)
    for number in range(4):
        await desk.ask("stranger", f"stranger {number}")
    await desk.ask("relay")
    await desk.end_oldest()
    assert desk.served[-1] == "relay"


async def test_a_caller_has_a_bound_of_its_own_and_all_have_one_together(nursery_of_test):
    turns = FairTurns(1, waiting_per_caller=2, waiting=3)
    desk = Desk(turns, nursery_of_test)
    for _ in range(3):
        await desk.ask("stranger")
    with pytest.raises(TooManyWaiting) as refused:
        async with turns.turn("stranger"):
            pass
    assert (refused.value.waiting, refused.value.bound) == (2, 2)
    await desk.ask("relay")
    with pytest.raises(TooManyWaiting) as refused:
        async with turns.turn("another"):
            pass
    assert (refused.value.waiting, refused.value.bound) == (3, 3)


async def test_who_leaves_the_queue_takes_no_place(nursery_of_test):
    turns = FairTurns(1)
    desk = Desk(turns, nursery_of_test)
    await desk.ask("first")
    with trio.move_on_after(0) as gone:
        async with turns.turn("leaves"):
            pass
    assert gone.cancelled_caught
    assert turns.waiting == 0
    await desk.ask("last")
    await desk.end_oldest()
    assert desk.served == ["first", "last"]


async def test_a_place_that_was_granted_to_one_who_left_goes_on(nursery_of_test):
    turns = FairTurns(1)
    desk = Desk(turns, nursery_of_test)
    await desk.ask("first")
    scope = trio.CancelScope()

    async def leaves():
        with scope:
            async with turns.turn("leaves"):
                raise AssertionError

    nursery_of_test.start_soon(leaves)
    await wait_all_tasks_blocked()
    await desk.ask("last")
    scope.cancel()
    await desk.end_oldest()
    assert desk.served == ["first", "last"]
