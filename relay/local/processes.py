"""The demo's processes: each its own program, told everything by its command line and configuration files."""

import os
import signal
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import httpx
import trio

from hutong.relay.base.child_processes import HUTONG
from hutong.relay.base.error_groups import expected_leaves
from hutong.relay.base.trio_processes import open_child, run_child

STOP_GRACE_S = 10
POLL_INTERVAL_S = 0.1
RESTART_S = 1
START_LIMIT_S = 240
"""For each step of a start: with CometBFT it is a dozen processes on two cores, beside whatever else runs there."""


class DemoFailed(Exception):
    """A step of the demo did not do what it should; the message is one sentence for the user."""


class DemoStopped(Exception):
    """A signal asked for the end."""


@dataclass(frozen=True, slots=True)
class RunningProcess:
    """A daemon of the demo with the log that it writes."""

    name: str
    process: trio.Process
    log: Path

    def cpu_ms(self) -> float | None:
        """Processor time of the process, without its children, so far; None where the system does not say."""
        return _cpu_ms(self.process.pid)

    def children_cpu_ms(self) -> float | None:
        """The same for its direct children (the relay's embedded Valkey); None where there are none."""
        pids = children_of(self.process.pid)
        return sum(filter(None, map(_cpu_ms, pids))) if pids else None


async def run_daemon(
    name: str,
    arguments: Sequence[str],
    log: Path,
    program: Sequence[str] = HUTONG,
    *,
    task_status: trio.TaskStatus[RunningProcess] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Run until cancelled, then end it with SIGTERM and, after STOP_GRACE_S, SIGKILL.

    It reports as soon as the process is started, which is before it serves.

    Args:
        arguments: those of `program`.
        log: is written anew, with standard output and error.

    Raises:
        DemoFailed: the process ended by itself.
        OSError: it cannot be started.
    """
    with log.open("wb") as output:
        process = await open_child([*program, *arguments], output=output)
    try:
        task_status.started(RunningProcess(name, process, log))
        await process.wait()
    finally:
        with trio.CancelScope(shield=True):
            await _stop(process)
    raise DemoFailed(f"{name} ended with exit code {process.returncode}: {last_line(log)}")


class Daemon:
    """A daemon that may be killed and started again; it appends to one log.

    It serves once `ready` is answered with 200, within START_LIMIT_S. It starts, each time, when `after` serves: of two
    that need each other, kill that one first.
    """

    def __init__(
        self,
        name: str,
        arguments: Sequence[str],
        log: Path,
        ready: httpx.Request,
        *,
        program: Sequence[str] = HUTONG,
        after: "Daemon | None" = None,
    ) -> None:
        self.name = name
        self.log = log
        self._command = [*program, *arguments]
        self._after = after
        self._ready = ready
        self._process: trio.Process | None = None
        self._killed = False
        self._cpu_ms_before = 0.0
        self._children_cpu_ms_before = 0.0
        self._up = trio.Event()
        self.has_served = False

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Until cancelled. Reports when the first process serves; a killed one is started again.

        Raises:
            DemoFailed: the process ended by itself, or did not serve within START_LIMIT_S.
            OSError: it cannot be started.
        """
        report: Callable[[], None] | None = task_status.started
        while True:
            self._killed = False
            if self._after is not None:
                await self._after.wait_until_up()
            with self.log.open("ab") as output:
                process = await open_child(self._command, output=output)
            self._process = process
            try:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(self._wait_until_serving, report)
                    await process.wait()
                    nursery.cancel_scope.cancel()
            finally:
                with trio.CancelScope(shield=True):
                    await _stop(process)
            if not self._killed:
                raise DemoFailed(f"{self.name} ended with exit code {process.returncode}: {last_line(self.log)}")
            report = None

    async def _wait_until_serving(self, report: Callable[[], None] | None) -> None:
        up = self._up
        with trio.move_on_after(START_LIMIT_S) as scope:
            await wait_until_serving(lambda response: response.status_code == httpx.codes.OK, self._ready)
        if scope.cancelled_caught:
            raise DemoFailed(f"{self.name} was not ready within {START_LIMIT_S} s: {last_line(self.log)}")
        up.set()
        self.has_served = True
        if report is not None:
            report()

    async def wait_until_up(self) -> None:
        """Returns at once while it serves; else when it serves again. The caller sets the deadline."""
        await self._up.wait()

    def kill(self) -> None:
        """SIGKILL, now. `run` starts it again. Does nothing where it has ended or has not begun."""
        process = self._process
        if process is None or process.returncode is not None:
            return
        self._cpu_ms_before += _cpu_ms(process.pid) or 0.0
        self._children_cpu_ms_before += self._children(process)
        self._killed = True
        self._up = trio.Event()
        process.kill()

    @property
    def pid(self) -> int | None:
        """Of the newest process, which may have ended; None before the first start."""
        return None if self._process is None else self._process.pid

    @staticmethod
    def _children(process: trio.Process) -> float:
        return sum(filter(None, map(_cpu_ms, children_of(process.pid))))

    def cpu_ms(self) -> float | None:
        """Processor time of all its lives so far, without their children; None where the system does not say."""
        own = None if self._process is None else _cpu_ms(self._process.pid)
        return None if own is None else self._cpu_ms_before + own

    def children_cpu_ms(self) -> float | None:
        """The same for their direct children (the relay's embedded Valkey); None before the first start."""
        if self._process is None:
            return None
        return self._children_cpu_ms_before + self._children(self._process)


class RunDaemon(Protocol):
    """Owns a daemon's process, as `Daemon.run` does."""

    async def __call__(self, daemon: Daemon, /, *, task_status: trio.TaskStatus[None] = ...) -> None:
        """Until cancelled. Reports when the first process serves.

        Raises:
            DemoFailed: it did not come to serve.
        """


async def keep_running(
    daemon: Daemon, say: Callable[[str], None], *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
) -> None:
    """Run a daemon until cancelled; once it has served, start it again RESTART_S after each end, and `say` why.

    Raises:
        DemoFailed: its first process ended by itself, or did not serve within START_LIMIT_S.
        OSError: it cannot be started.
    """
    await _first_run(daemon, say, task_status)
    while True:
        await trio.sleep(RESTART_S)
        try:
            await daemon.run()
        except* DemoFailed as ended:
            say(f"{expected_leaves(ended, (DemoFailed,))[0]}; starting it again")


async def _first_run(daemon: Daemon, say: Callable[[str], None], task_status: trio.TaskStatus[None]) -> None:
    try:
        await daemon.run(task_status=task_status)
    except* DemoFailed as ended:
        if not daemon.has_served:
            raise
        say(f"{expected_leaves(ended, (DemoFailed,))[0]}; starting it again")


async def _stop(process: trio.Process) -> None:
    if process.returncode is not None:
        return
    process.send_signal(signal.SIGTERM)
    with trio.move_on_after(STOP_GRACE_S):
        await process.wait()
    if process.returncode is None:
        process.kill()
        await process.wait()


Command = Callable[[Sequence[str]], Awaitable[str]]
"""Runs a command of `hutong` to its end, as `run_command` does."""


async def run_command(arguments: Sequence[str], program: Sequence[str] = HUTONG) -> str:
    """Run a command, else one of `hutong`, to its end and return what it printed to standard output.

    Raises:
        DemoFailed: its exit code was not 0; the message has the last 2 000 characters of what it said.
        OSError: it cannot be started.
    """
    result = await run_child([*program, *arguments])
    if result.returncode != 0:
        said = (result.stderr or result.stdout).decode(errors="replace").strip()
        command = " ".join(["hutong" if program is HUTONG else Path(program[0]).name, *arguments[:2]])
        raise DemoFailed(f"{command} failed with exit code {result.returncode}: {said[-2000:]}")
    return result.stdout.decode()


async def wait_until_serving(ready: Callable[[httpx.Response], bool], request: httpx.Request) -> None:
    """Ask `request` again and again until `ready` says yes. The caller sets the deadline.

    Args:
        ready: is given every answer, of any status; what it raises comes through.
    """
    async with httpx.AsyncClient(trust_env=False) as client:
        while True:
            try:
                response = await client.send(request)
                if ready(response):
                    return
            except httpx.TransportError:
                pass
            await trio.sleep(POLL_INTERVAL_S)


async def require_serving(
    process: RunningProcess | Daemon, ready: Callable[[httpx.Response], bool], request: httpx.Request
) -> None:
    """As `wait_until_serving`, for at most START_LIMIT_S seconds.

    Raises:
        DemoFailed: it did not serve in time; the sentence names the process and its log.
    """
    with trio.move_on_after(START_LIMIT_S) as scope:
        await wait_until_serving(ready, request)
    if scope.cancelled_caught:
        raise DemoFailed(
            f"{process.name} was not ready within {START_LIMIT_S:g} s ({last_line(process.log)}); its log is"
            f" {process.log}"
        )


def last_line(log: Path) -> str:
    """The last line that a process wrote, at most 500 characters of it, for a sentence about its end.

    Raises:
        OSError: there is no log.
    """
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return lines[-1][-500:] if lines else "it wrote nothing"


def _cpu_ms(pid: int) -> float | None:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    ticks = int(fields[11]) + int(fields[12])
    return ticks * 1000 / os.sysconf("SC_CLK_TCK")


def children_of(pid: int) -> list[int]:
    """Its direct children; none where the system does not say."""
    return children_by_parent().get(pid, [])


def children_by_parent() -> dict[int, list[int]]:
    """The direct children of every process, in one look at the system; empty where it does not say."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        children.setdefault(int(fields[1]), []).append(int(stat.parent.name))
    return children
