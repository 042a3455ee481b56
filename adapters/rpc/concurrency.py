"""Tasks side by side whose errors leave bare, as the adapters' callers expect them."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import trio

Argument = TypeVar("Argument")
Found = TypeVar("Found")

CONCURRENT_READS = 8


async def all_of(calls: Sequence[tuple[Callable[..., Awaitable[object]], Any]]) -> None:
    """Await every `function(argument)` in one nursery. The first error cancels the rest and leaves as it was raised.

    Not bounded in number: callers bound `calls`, as `each_of` does.
    """
    first_error: Exception | None = None
    async with trio.open_nursery() as nursery:

        async def run(function: Callable[..., Awaitable[object]], argument: Any) -> None:
            nonlocal first_error
            try:
                await function(argument)
            except Exception as error:
                first_error = first_error or error
                nursery.cancel_scope.cancel()

        for function, argument in calls:
            nursery.start_soon(run, function, argument)
    if first_error is not None:
        raise first_error


async def each_of(
    function: Callable[[Argument], Awaitable[Found]], arguments: Sequence[Argument], at_once: int = CONCURRENT_READS
) -> list[Found]:
    """`function` of each argument, `at_once` at a time.

    Returns:
        In the order of `arguments`. Errors are raised as by `all_of`.
    """
    found: dict[int, Found] = {}

    async def one(index: int) -> None:
        found[index] = await function(arguments[index])

    for start in range(0, len(arguments), at_once):
        await all_of([(one, index) for index in range(start, min(start + at_once, len(arguments)))])
    return [found[index] for index in range(len(arguments))]


@asynccontextmanager
async def in_background(tasks: Sequence[Callable[[], Awaitable[object]]]) -> AsyncIterator[None]:
    """Run `tasks` while the block lasts, then cancel them. The block's own error is not wrapped in a group.

    An error of a task cancels the block and leaves in an ExceptionGroup, as from a nursery.
    """
    body_error: Exception | None = None
    async with trio.open_nursery() as nursery:
        for task in tasks:
            nursery.start_soon(task)
        try:
            yield
        except Exception as error:
            body_error = error
        nursery.cancel_scope.cancel()
    if body_error is not None:
        raise body_error
