"""Deep recursion for deep calls: py-evm recurses about 8 Python frames a call level, 1024 levels deep."""

from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def run_with_evm_stack(function: Callable[[], T]) -> T:
    """Run `function` in a thread with the fixed stack size and recursion limit; blocks; exceptions come through."""
    raise NotImplementedError
