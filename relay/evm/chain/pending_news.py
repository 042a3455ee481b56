"""Waking a trio task when transactions become executable, from whatever thread takes them into the pool."""

from contextlib import suppress
from types import TracebackType
from typing import Self

import trio

from hutong.relay.evm.chain.mempool import Mempool


class PendingNews:
    """Use as a context in the task that waits. News that come before `wait` end it at once."""

    def __init__(self, mempool: Mempool) -> None:
        self._mempool = mempool
        self._token = trio.lowlevel.current_trio_token()
        self._came = trio.Event()

    def __enter__(self) -> Self:
        self._mempool.listen(self._tell)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._mempool.unlisten(self._tell)

    async def wait(self) -> None:
        """Wait for the next news; at once where some came since the last `wait`. Several at a time count as one."""
        await self._came.wait()
        self._came = trio.Event()

    def _tell(self) -> None:
        # The thread that brings it may outlive the run by a moment.
        with suppress(trio.RunFinishedError):
            self._token.run_sync_soon(self._wake, idempotent=True)

    def _wake(self) -> None:
        self._came.set()
