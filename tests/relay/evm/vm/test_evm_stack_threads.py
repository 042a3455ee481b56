"""Threads with the large stack are kept for the next call, a few of them."""

import threading

import pytest

from hutong.relay.evm.vm import stack
from hutong.relay.evm.vm.stack import MOST_IDLE_THREADS, run_with_evm_stack


def large_stack_threads():
    return [thread for thread in threading.enumerate() if getattr(thread, "has_evm_stack", False)]


def test_the_next_call_runs_in_the_same_thread_also_after_an_error():
    first = run_with_evm_stack(threading.get_ident)
    with pytest.raises(ZeroDivisionError):
        run_with_evm_stack(lambda: 1 // 0)
    assert run_with_evm_stack(threading.get_ident) == first


def test_calls_at_once_have_a_thread_each_and_only_some_are_kept():
    count = MOST_IDLE_THREADS + 3
    together = threading.Barrier(count, timeout=30)
    found: list[int] = []

    def work() -> int:
        together.wait()
        return threading.get_ident()

    callers = [threading.Thread(target=lambda: found.append(run_with_evm_stack(work))) for _ in range(count)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(30)
    assert len(set(found)) == count
    for thread in large_stack_threads():
        if thread.ident not in {worker._thread.ident for worker in stack._IDLE}:
            thread.join(30)
    assert len(large_stack_threads()) == len(stack._IDLE) == MOST_IDLE_THREADS


def test_what_a_call_held_is_not_kept_with_its_thread():
    class Held:
        ended = False

        def __del__(self) -> None:
            Held.ended = True

    held = Held()

    def work(held: Held = held) -> None:
        assert not held.ended

    run_with_evm_stack(work)
    del work, held
    run_with_evm_stack(lambda: None)
    assert Held.ended
