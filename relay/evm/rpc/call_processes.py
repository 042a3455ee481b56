"""Calls of others, executed in processes of their own: they share no interpreter lock, memory or fate with the node.

A process reads the node's database beside it, has a bound of memory, and is killed at the deadline whatever it does.
"""

import signal
from collections import deque
from collections.abc import Sequence
from contextlib import suppress

import trio

from hutong.relay.base.trio_processes import open_worker
from hutong.relay.evm.chain.blocks import EvmBlock
from hutong.relay.evm.errors import StatePruned
from hutong.relay.evm.rpc.call_codec import (
    FRAME_LENGTH_BYTES,
    MAX_FRAME_BYTES,
    Aborted,
    CallAnswer,
    CallRequest,
    Pruned,
    decode_answer,
    encode_request,
)
from hutong.relay.evm.rpc.call_executor import CALL_DEADLINE_S, MAX_EXECUTIONS, CallAborted, timed_out
from hutong.relay.evm.rpc.callers import CALLER
from hutong.relay.evm.rpc.fair_turns import FairTurns
from hutong.relay.evm.vm.outcomes import CallMessage, CallResult
from hutong.relay.telemetry import get_logger

_log = get_logger("calls")

START_LIMIT_S = 600.0
"""For a process to import what executes; it takes 2 s of an idle core, and minutes of one that has much else to do."""
READY = b"ready"
_CHUNK_BYTES = 64 * 1024


class ProcessEnded(Exception):
    """A call process closed its pipe in the middle of a request or of its start."""


class CallProcess:
    """One started process. Requests are given to it one at a time."""

    def __init__(self, process: trio.Process) -> None:
        self._process = process
        self._received = bytearray()

    @classmethod
    async def start(cls, command: Sequence[str]) -> "CallProcess":
        """Start a process and wait until it says READY; `command` is its argument list.

        Raises:
            ProcessEnded: it ended, or was not ready within START_LIMIT_S; it is killed and reaped.
            OSError: the command cannot be started.
        """
        started = await open_worker(command)
        process = cls(started)
        is_ready = False
        try:
            with trio.move_on_after(START_LIMIT_S):
                is_ready = await process._frame() == READY
        finally:
            if not is_ready:
                await process.end()
        if is_ready:
            return process
        raise ProcessEnded(f"a call process was not ready within {START_LIMIT_S:g} s")

    @property
    def pid(self) -> int:
        """The process's id in this system, for logs and tests; it may have ended."""
        return self._process.pid

    async def ask(self, request: bytes) -> bytes:
        """Send one encoded request and wait for its encoded answer, without a deadline of its own.

        A process whose answer was not waited for, as after a cancellation, must be killed: its next answer would be the
        old one.

        Raises:
            ProcessEnded: the process ended, or states an answer of more than MAX_FRAME_BYTES.
        """
        assert self._process.stdin is not None
        try:
            await self._process.stdin.send_all(len(request).to_bytes(FRAME_LENGTH_BYTES, "big") + request)
        except trio.BrokenResourceError as error:
            raise ProcessEnded("a call process ended") from error
        return await self._frame()

    def kill(self) -> None:
        """Send SIGKILL and return at once; harmless for a process that has ended. `end` reaps it."""
        with suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGKILL)

    async def _frame(self) -> bytes:
        length = int.from_bytes(await self._exactly(FRAME_LENGTH_BYTES), "big")
        if length > MAX_FRAME_BYTES:
            raise ProcessEnded(f"a call process answers with {length} bytes, at most {MAX_FRAME_BYTES} are taken")
        return await self._exactly(length)

    async def _exactly(self, count: int) -> bytes:
        assert self._process.stdout is not None
        while len(self._received) < count:
            chunk = await self._process.stdout.receive_some(_CHUNK_BYTES)
            if not chunk:
                raise ProcessEnded("a call process ended")
            self._received += chunk
        found = bytes(self._received[:count])
        del self._received[:count]
        return found

    async def end(self) -> None:
        """Kill it, reap it and close its pipes; cannot be cancelled."""
        self.kill()
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with trio.CancelScope(shield=True):  # a killed process ends at once
            await self._process.wait()
            await self._process.stdin.aclose()
            await self._process.stdout.aclose()


class _Start:
    """A process that is starting. `is_awaited` by a caller, who takes it; else it becomes idle."""

    def __init__(self, *, is_awaited: bool) -> None:
        self.is_awaited = is_awaited
        self.ended = trio.Event()
        self.process: CallProcess | None = None


class CallProcesses:
    """A `CallExecutor` over at most MAX_EXECUTIONS processes, which start with the first call. `run` owns them.

    A start outlives a caller who gives up, and serves the next one: on a machine where it takes longer than callers wait
    each of them would else begin anew, and none would ever be answered.
    """

    def __init__(self, command: Sequence[str], deadline_s: float = CALL_DEADLINE_S) -> None:
        self._command = tuple(command)
        self._deadline_s = deadline_s
        self._turns = FairTurns(MAX_EXECUTIONS)
        self._idle: deque[CallProcess] = deque()
        self._starts: list[_Start] = []
        self._nursery: trio.Nursery | None = None

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Own the processes until cancelled; then none is left.

        Calls that come before it has started or end after it leave no process either: each then ends its own.
        """
        try:
            async with trio.open_nursery() as nursery:
                self._nursery = nursery
                task_status.started()
                try:
                    await trio.sleep_forever()
                finally:
                    self._nursery = None  # closed from here on; calls under way may end after it
        finally:
            while self._idle:
                await self._idle.popleft().end()

    async def call(self, block: EvmBlock, message: CallMessage) -> CallResult:
        """As `CallExecutor.call`, in a process that is killed at the deadline.

        Raises:
            CallAborted: past the deadline, over the bound of memory, the process ended or cannot start, or the block is
                gone.
            TooManyWaiting, StatePruned: as `CallExecutor.call`.
        """
        answer = await self._answer(CallRequest(block.number, block.hash, message, estimate=False))
        assert isinstance(answer, CallResult)
        return answer

    async def estimate_gas(self, block: EvmBlock, message: CallMessage) -> int | CallResult:
        """As `CallExecutor.estimate_gas`, in a process that is killed at the deadline.

        Raises:
            CallAborted, TooManyWaiting, StatePruned: as `call`.
        """
        return await self._answer(CallRequest(block.number, block.hash, message, estimate=True))

    async def _answer(self, request: CallRequest) -> int | CallResult:
        answer = await self._execute(encode_request(request))
        if isinstance(answer, Pruned):
            raise StatePruned(answer.height, answer.oldest)
        if isinstance(answer, Aborted):
            raise CallAborted(answer.reason)
        return answer

    async def _execute(self, request: bytes) -> CallAnswer:
        async with self._turns.turn(CALLER.get()):
            process = await self._process()
            answer: CallAnswer | None = None
            try:
                with trio.move_on_after(self._deadline_s) as deadline:
                    answer = decode_answer(await process.ask(request))
            except ProcessEnded as error:
                raise CallAborted("execution aborted (its process ended)") from error
            finally:
                # After an Aborted answer the process ends by itself; without an answer it still computes.
                if answer is None or isinstance(answer, Aborted):
                    await self._replace(process)
                elif self._nursery is None:
                    await process.end()
                else:
                    self._idle.append(process)
            if deadline.cancelled_caught or answer is None:
                raise timed_out(self._deadline_s)
            return answer

    async def _process(self) -> CallProcess:
        if self._idle:
            return self._idle.popleft()
        if self._nursery is None:
            process = await self._started()
        else:
            process = await self._taken_from(self._nursery)
        if process is None:
            raise CallAborted("this node cannot execute calls now")
        return process

    async def _taken_from(self, nursery: trio.Nursery) -> CallProcess | None:
        """The process of a start that nobody waits for, or else of a new one."""
        start = next((one for one in self._starts if not one.is_awaited), None)
        if start is None:
            start = self._begin(nursery)
        start.is_awaited = True
        try:
            await start.ended.wait()
        except trio.Cancelled:
            start.is_awaited = False
            raise
        return start.process

    def _begin(self, nursery: trio.Nursery) -> _Start:
        start = _Start(is_awaited=False)
        self._starts.append(start)
        nursery.start_soon(self._run_start, start)
        return start

    async def _run_start(self, start: _Start) -> None:
        try:
            process = await self._started()
            if process is None:
                return
            if start.is_awaited:
                start.process = process
            elif self._nursery is None or len(self._idle) >= MAX_EXECUTIONS:
                await process.end()
            else:
                self._idle.append(process)
        finally:
            self._starts.remove(start)
            start.ended.set()

    async def _started(self) -> CallProcess | None:
        """None where none can be had, which is said in the log."""
        try:
            return await CallProcess.start(self._command)
        except (ProcessEnded, OSError) as error:
            _log.error("a call process does not start", reason=str(error))
            return None

    async def _replace(self, process: CallProcess) -> None:
        """End it; another one starts meanwhile, so that the next caller does not wait for that."""
        process.kill()
        if self._nursery is None:
            await process.end()
            return
        self._nursery.start_soon(process.end)
        self._begin(self._nursery)
