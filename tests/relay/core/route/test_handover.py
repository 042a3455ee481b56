import pytest
import trio

from hutong.relay.core.errors import RouteBlocked
from hutong.relay.core.route.handover import Handover
from hutong.relay.ledger import Cause


async def test_nothing_is_waited_for_before_the_first_batch(autojump_clock):
    handover = Handover()
    with trio.fail_after(1):
        await handover.ended()
    handover.check()


async def test_the_next_batch_waits_until_the_one_before_was_submitted(autojump_clock):
    handover = Handover()
    handover.begin()
    with trio.move_on_after(10) as scope:
        await handover.ended()
    assert scope.cancelled_caught
    handover.end()
    with trio.fail_after(1):
        await handover.ended()


async def test_a_failure_is_heard_once_by_whoever_waits_or_asks(autojump_clock):
    handover = Handover()
    blocked = RouteBlocked("beta is paused", Cause.CHAIN_PAUSED)
    handover.begin()
    handover.end(blocked)
    with pytest.raises(RouteBlocked) as heard:
        await handover.ended()
    assert heard.value is blocked
    handover.check()
    handover.begin()
    handover.end(blocked)
    with pytest.raises(RouteBlocked):
        handover.check()
    with trio.fail_after(1):
        await handover.ended()
