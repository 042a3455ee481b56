"""A demo run to its end: a good one, a bad one, a failure on the way, or a signal."""

import signal
from enum import Enum, auto
from functools import partial
from pathlib import Path
from typing import Protocol

import trio
from rich.console import Console

from hutong.relay.base.error_groups import expected_leaves
from hutong.relay.local.processes import DemoFailed, DemoStopped


class Run(Protocol):
    """A demo that can be run."""

    async def run(self, nursery: trio.Nursery, home: Path, console: Console, *, json_: bool, keep: bool) -> bool:
        """Run the whole demo with its files in `home`; whether everything was as it should be.

        Args:
            nursery: owns every process that is started; the caller cancels it at the end.
            json_: print the findings to standard output as one JSON object, else a table to `console`.
            keep: stay until cancelled after the findings are printed.

        Raises:
            DemoFailed: a step did not do what it should.
        """


class Ending(Enum):
    """How a demo ended."""

    GOOD = auto()
    BAD = auto()
    """It came to its end, and not everything is as it should be."""
    FAILED = auto()
    STOPPED = auto()


def run_to_its_end(run: Run, console: Console, home: Path, *, json_: bool, keep: bool) -> Ending:
    """Run a demo, and say on `console` where its files are unless everything is as it should be.

    Args:
        home: where its files go.
        json_, keep: as `Run.run` takes them.
    """
    try:
        good = trio.run(partial(_supervise, run, home, console, json_=json_, keep=keep), strict_exception_groups=True)
    except BaseExceptionGroup as group:
        if group.subgroup(DemoStopped) is not None:
            # What else broke did so because daemons end while the rest still asks them.
            console.print(f"Stopped. Files and logs are in {home}", markup=False, highlight=False, soft_wrap=True)
            return Ending.STOPPED
        failed = expected_leaves(group, (DemoFailed,))[0]
        console.print(f"The demo failed: {failed}", markup=False, highlight=False, soft_wrap=True)
        console.print(f"Its logs are in {home}", markup=False, highlight=False, soft_wrap=True)
        return Ending.FAILED
    if not good:
        console.print(f"Not everything is as it should be. Logs are in {home}", markup=False, soft_wrap=True)
        return Ending.BAD
    return Ending.GOOD


async def _supervise(run: Run, home: Path, console: Console, *, json_: bool, keep: bool) -> bool:
    async with trio.open_nursery() as nursery:
        await nursery.start(_stop_on_signal)
        good = await run.run(nursery, home, console, json_=json_, keep=keep)
        nursery.cancel_scope.cancel()
    return good


async def _stop_on_signal(task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
    """Turn a signal into an ordered end, so that no daemon outlives the demo."""
    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM, signal.SIGHUP) as signals:
        task_status.started()
        async for number in signals:
            raise DemoStopped(signal.Signals(number).name)
