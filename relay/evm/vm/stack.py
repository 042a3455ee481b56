"""Deep recursion for deep calls: py-evm nests several Python and C frames in each call level, 1024 levels deep."""

import os
import sys
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, Generic, TypeVar

T = TypeVar("T")

EVM_STACK_BYTES = 256 * 1024 * 1024
"""Address space; a page is only used when a call gets that deep (depth 1024 touched under 20 MB)."""
EVM_RECURSION_LIMIT = 25_000
"""Part of the rules: a chain states it in genesis. Depth 1024 was measured to need under 8 000 frames; the rest is for
native modules on the way. Much higher is dangerous, as the limit also guards the C stacks of all threads: json
overflows 8 MB between 60 000 and 100 000."""

MOST_IDLE_THREADS = 4

_LOCK = threading.Lock()


class _RecursionLimit:
    """The limit belongs to the process: held while any EVM thread runs, then given back."""

    def __init__(self) -> None:
        self._holders = 0
        self._previous = 0

    def acquire(self) -> None:
        if self._holders == 0:
            self._previous = sys.getrecursionlimit()
            sys.setrecursionlimit(EVM_RECURSION_LIMIT)
        self._holders += 1

    def release(self) -> None:
        self._holders -= 1
        if self._holders == 0:
            sys.setrecursionlimit(self._previous)


_LIMIT = _RecursionLimit()


class _Outcome(Generic[T]):
    def __init__(self, function: Callable[[], T]) -> None:
        self._function = function
        self.value: list[T] = []
        self.error: BaseException | None = None
        self.ended = threading.Lock()
        self.ended.acquire()

    def run(self) -> None:
        try:
            self.value.append(self._function())
        except BaseException as error:
            self.error = error
        finally:
            self.ended.release()


class _Worker:
    """A thread with the fixed stack, which waits for more work: to start one costs as much as a short call."""

    def __init__(self) -> None:
        self._work: SimpleQueue[_Outcome[Any] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="evm", daemon=True)
        self._thread.has_evm_stack = True  # type: ignore[attr-defined]
        # The stack size, too, belongs to the process: threads started by others meanwhile must not get it.
        previous = threading.stack_size(EVM_STACK_BYTES)
        try:
            self._thread.start()
        finally:
            threading.stack_size(previous)

    def do(self, outcome: _Outcome[Any]) -> None:
        self._work.put(outcome)
        outcome.ended.acquire()

    def end(self) -> None:
        self._work.put(None)

    def _run(self) -> None:
        while (outcome := self._work.get()) is not None:
            outcome.run()
            del outcome  # or it would keep what it holds alive until there is more work


_IDLE: list[_Worker] = []


def _forget_threads() -> None:
    """A forked process has none of them."""
    _IDLE.clear()


os.register_at_fork(after_in_child=_forget_threads)


def run_with_evm_stack(function: Callable[[], T]) -> T:
    """Run `function` in a thread with the fixed stack size and recursion limit, and wait for it.

    Blocks: call it in a worker thread. Called inside such a thread it just runs: nesting costs nothing. It cannot be
    cancelled, and exceptions come through.
    """
    if getattr(threading.current_thread(), "has_evm_stack", False):
        return function()
    outcome = _Outcome(function)
    with _LOCK:
        _LIMIT.acquire()
        worker = _IDLE.pop() if _IDLE else _Worker()
    worker.do(outcome)
    with _LOCK:
        _LIMIT.release()
        if len(_IDLE) < MOST_IDLE_THREADS:
            _IDLE.append(worker)
        else:
            worker.end()
    if outcome.error is not None:
        raise outcome.error
    return outcome.value[0]
