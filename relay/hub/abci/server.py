"""The application's side of an ABCI socket (cometbft abci/server/socket_server.go).

CometBFT opens four connections (consensus, mempool, query, snapshot) and does not say which is which: a connection is
known by what it asks. Requests of one are answered in order.
"""

import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

import trio

from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.protobuf import abci_pb2
from hutong.relay.evm.vm.stack import run_with_evm_stack
from hutong.relay.hub.abci.calls import CONSENSUS_CALLS, AbciCalls
from hutong.relay.hub.abci.framing import RequestReader, encode_message
from hutong.relay.hub.abci.machine import HubMachine
from hutong.relay.hub.joining.state_sync import StateSync

RECEIVE_BYTES = 256 * 1024
MAX_CONNECTIONS = 16
"""Four of the CometBFT that runs, four of the one before whose end is not yet seen, and some for a person who looks."""
MAX_EXCEPTION_CHARS = 1_024
HANG_UP_LIMIT_S = 10.0

_LOGGER = logging.getLogger(__name__)
_IMMEDIATE = frozenset({"echo", "flush"})


class ApplicationHalted(Exception):
    """The application refused to go on; CometBFT was told the same sentence."""


class AbciServer:
    """`on_commit` is awaited after each block, or restored state, is on disk, before CometBFT hears of it."""

    def __init__(
        self, machine: HubMachine, on_commit: Callable[[int], Awaitable[None]], state_sync: StateSync | None = None
    ) -> None:
        self._machine = machine
        self._calls = AbciCalls(machine, state_sync)
        self._on_commit = on_commit
        self._consensus = trio.Lock()
        self._readers = trio.CapacityLimiter(4)
        self._pool_owner: object | None = None
        self._open = 0

    async def serve(
        self,
        listeners: Sequence[trio.SocketListener],
        *,
        task_status: trio.TaskStatus[list[trio.SocketListener]] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        """Answer connections, at most MAX_CONNECTIONS, until cancelled or until the application fails.

        Raises:
            ExceptionGroup: with the ApplicationHalted whose sentence CometBFT was told.
        """
        await trio.serve_listeners(self._connection, list(listeners), task_status=task_status)

    async def _connection(self, stream: trio.SocketStream) -> None:
        if self._open >= MAX_CONNECTIONS:
            await stream.aclose()
            return
        self._open += 1
        try:
            await self._converse(stream)
        except MalformedInput as error:
            _LOGGER.warning("an ABCI connection is closed: %s", error)
        except trio.BrokenResourceError:
            pass
        finally:
            self._open -= 1
            if self._pool_owner is stream:
                self._own_pool(None)
            await trio.aclose_forcefully(stream)

    async def _converse(self, stream: trio.SocketStream) -> None:
        reader = RequestReader()
        while data := await stream.receive_some(RECEIVE_BYTES):
            reader.feed(data)
            answers = bytearray()
            try:
                while (request := reader.next()) is not None:
                    answers += encode_message(await self._answer(stream, request))
                    if len(answers) >= RECEIVE_BYTES:
                        await stream.send_all(bytes(answers))
                        answers.clear()
            except MalformedInput:
                await stream.send_all(bytes(answers))
                raise
            if answers:
                await stream.send_all(bytes(answers))
        if not reader.at_boundary():
            raise MalformedInput("abci.request", "ends in the middle")

    async def _answer(self, stream: trio.SocketStream, request: abci_pb2.Request) -> abci_pb2.Response:
        kind = request.WhichOneof("value")
        try:
            if kind in _IMMEDIATE:
                return self._calls.answer(request)
            if kind in CONSENSUS_CALLS:
                return await self._consensus_call(request)
            if kind == "check_tx" and self._pool_owner is not stream:
                self._own_pool(stream)
            return await trio.to_thread.run_sync(self._calls.answer, request, limiter=self._readers)
        except Exception as error:
            sentence = f"{type(error).__name__}: {error}"[:MAX_EXCEPTION_CHARS]
            exception = abci_pb2.Response(exception={"error": sentence})
            # An engine that is gone is no reason to go on. One that is there hangs up when it has read why; if its other
            # connections ended before, it would say of them alone that they ended.
            with trio.move_on_after(HANG_UP_LIMIT_S), suppress(trio.BrokenResourceError):
                await stream.send_all(encode_message(exception))
                while await stream.receive_some(RECEIVE_BYTES):
                    pass
            raise ApplicationHalted(sentence) from error

    async def _consensus_call(self, request: abci_pb2.Request) -> abci_pb2.Response:
        async with self._consensus:
            response = await trio.to_thread.run_sync(run_with_evm_stack, lambda: self._calls.answer(request))
            kind = request.WhichOneof("value")
            if kind == "commit" or (kind == "apply_snapshot_chunk" and self._machine.height > 0):
                await self._on_commit(self._machine.height)
        return response

    def _own_pool(self, stream: trio.SocketStream | None) -> None:
        """A mempool connection has opened or ended: CometBFT's pool does not outlive it."""
        self._pool_owner = stream
        self._machine.pool.clear()
