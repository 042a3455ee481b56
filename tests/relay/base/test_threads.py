"""Blocking calls: so many at once, their results and errors, and what a cancelled caller leaves."""

import threading

import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.relay.base.threads import thread_runner


@settings(max_examples=20)
@given(most=st.integers(1, 4), calls=st.integers(1, 8))
def test_no_more_run_at_once_than_are_allowed(most, calls):
    lock, running, seen = threading.Lock(), 0, 0

    def call(started, proceed):
        nonlocal running, seen
        with lock:
            running += 1
            seen = max(seen, running)
        started.release()
        proceed.wait(30)
        with lock:
            running -= 1

    async def main():
        run, started, proceed = thread_runner(most), threading.Semaphore(0), threading.Event()
        async with trio.open_nursery() as nursery:
            for _ in range(calls):
                nursery.start_soon(run, lambda: call(started, proceed))
            for _ in range(min(most, calls)):
                await trio.to_thread.run_sync(started.acquire)
            proceed.set()

    trio.run(main)
    assert seen == min(most, calls)


async def test_what_a_call_returns_and_raises_comes_back():
    run = thread_runner(1)
    assert await run(lambda: threading.current_thread() is not threading.main_thread()) is True
    with pytest.raises(ZeroDivisionError):
        await run(lambda: 1 // 0)
    assert await run(lambda: 2) == 2, "an error gives its place back"


@pytest.mark.parametrize("abandon", [False, True])
async def test_a_cancelled_caller_waits_unless_it_abandons(abandon):
    run, started, proceed, ended = (
        thread_runner(1, abandon_on_cancel=abandon), threading.Event(), threading.Event(), threading.Event()
    )  # fmt: skip

    def call():
        started.set()
        proceed.wait(30)
        ended.set()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(run, call)
        await trio.to_thread.run_sync(started.wait)
        nursery.cancel_scope.cancel()
        if not abandon:
            proceed.set()
    assert ended.is_set() is not abandon
    proceed.set()
    await trio.to_thread.run_sync(ended.wait)
