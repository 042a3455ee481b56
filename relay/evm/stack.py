"""Deep recursion for deep calls: py-evm nests several Python and C frames in each call level, 1024 levels deep."""

import sys
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")

EVM_STACK_BYTES = 256 * 1024 * 1024
"""Address space; a page is only used when a call gets that deep (depth 1024 touched under 20 MB)."""
EVM_RECURSION_LIMIT = 25_000
"""Part of the rules: a chain states it in genesis. Depth 1024 was measured to need under 8 000 frames; the rest is for
native modules on the way. Much higher is dangerous, as the limit also guards the C stacks of all threads: json
overflows 8 MB between 60 000 and 100 000."""

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
    def __init__(self) -> None:
        self.value: list[T] = []
        self.error: BaseException | None = None


def run_with_evm_stack(function: Callable[[], T]) -> T:
    """Run `function` in a thread with the fixed stack size and recursion limit; blocks; exceptions come through.

    Called inside such a thread it just runs: nesting costs nothing.
    """
    if getattr(threading.current_thread(), "has_evm_stack", False):
        return function()
    outcome: _Outcome[T] = _Outcome()

    def run() -> None:
        try:
            outcome.value.append(function())
        except BaseException as error:
            outcome.error = error

    thread = threading.Thread(target=run, name="evm", daemon=True)
    thread.has_evm_stack = True  # type: ignore[attr-defined]
    with _LOCK:
        _LIMIT.acquire()
        # The stack size, too, belongs to the process: threads started by others meanwhile must not get it.
        previous = threading.stack_size(EVM_STACK_BYTES)
        try:
            thread.start()
        finally:
            threading.stack_size(previous)
    thread.join()
    with _LOCK:
        _LIMIT.release()
    if outcome.error is not None:
        raise outcome.error
    return outcome.value[0]
