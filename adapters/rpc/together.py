"""Reads that begin at one moment, made in one request."""

from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Generic, TypeVar

import trio

Key = TypeVar("Key")
Value = TypeVar("Value")
Group = TypeVar("Group", bound=Hashable)


class _Asked(Generic[Key, Value]):
    def __init__(self) -> None:
        self.keys: list[Key] = []
        self.values: Sequence[Value] | None = None
        self.error: Exception | None = None
        self.done = trio.Event()


class Together(Generic[Key, Value, Group]):
    """`ask(keys, group)` answers for at most `most` keys at once, in their order.

    The first caller in a scheduler pass sends one request for every caller of that pass, and all share its answer or
    its error. No caller waits longer than it would alone.
    """

    def __init__(self, ask: Callable[[Sequence[Key], Group], Awaitable[Sequence[Value]]], most: int) -> None:
        self._ask = ask
        self._most = most
        self._open: dict[Group, _Asked[Key, Value]] = {}

    async def get(self, group: Group, key: Key) -> Value:
        """The value of one key.

        Args:
            group: keys of different groups never share a request.

        Raises:
            What `ask` raises, to every caller of the request.
        """
        while True:
            asked = self._open.get(group)
            if asked is None or len(asked.keys) >= self._most:
                return await self._lead(group, key)
            index = len(asked.keys)
            asked.keys.append(key)
            await asked.done.wait()
            if asked.error is not None:
                raise asked.error
            if asked.values is not None:
                return asked.values[index]
            # who asked was cancelled

    async def _lead(self, group: Group, key: Key) -> Value:
        asked: _Asked[Key, Value] = _Asked()
        asked.keys.append(key)
        self._open[group] = asked
        try:
            await trio.lowlevel.checkpoint()
            self._close(group, asked)
            values = await self._ask(asked.keys, group)
        except Exception as error:
            asked.error = error
            raise
        else:
            asked.values = values
            return values[0]
        finally:
            self._close(group, asked)
            asked.done.set()

    def _close(self, group: Group, asked: _Asked[Key, Value]) -> None:
        if self._open.get(group) is asked:
            del self._open[group]
