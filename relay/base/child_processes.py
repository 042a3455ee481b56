"""The one door through which hutong starts processes: none of them imports from the folder that it stands in.

`tests/relay/base` refuses every other use of `subprocess`, `multiprocessing` and the like in the source.
`hutong.relay.base.trio_processes` has what waits under trio.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from multiprocessing import get_context
from typing import Any, BinaryIO

from hutong.relay.base.import_path import safe_environment

HUTONG = (sys.executable, "-P", "-m", "hutong.relay.cli")
"""`hutong` as a child. `-I` would lose packages of `pip install --user`; `-P` and the environment lose none."""

WorkersDied = BrokenProcessPool
"""Raised by a pool of which the system ended a process."""


def child_environment() -> dict[str, str]:
    """A copy of this process's environment in which no Python imports from the folder that it is started in."""
    environment = dict(os.environ)
    safe_environment(environment)
    return environment


@contextmanager
def worker_pool(jobs: int, start: Callable[..., None], arguments: tuple[Any, ...]) -> Iterator[ProcessPoolExecutor]:
    """`jobs` Python processes, each of which first calls `start(*arguments)`.

    They are spawned, not forked: the caller may have threads. `multiprocessing` starts them with `-c`, which would put
    the current folder in front of their import path, and takes no environment for them, so this process's is changed.
    """
    safe_environment(os.environ)
    with ProcessPoolExecutor(jobs, get_context("spawn"), start, arguments) as pool:
        yield pool


def output_of(command: Sequence[str], limit_s: float) -> bytes:
    """What a command of the system prints; nothing of it is shown.

    Raises:
        OSError: it cannot be started. subprocess.TimeoutExpired: it took longer than `limit_s`.
    """
    done = subprocess.run(command, capture_output=True, check=False, timeout=limit_s, env=child_environment())
    return done.stdout


class StartedChild:
    """A process that serves beside this one, and is ended by whoever started it."""

    def __init__(self, command: Sequence[str], output: BinaryIO) -> None:
        """Standard output and error go to `output`; it reads nothing. Raises OSError where it cannot be started."""
        self._process = subprocess.Popen(
            list(command), stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, env=child_environment()
        )

    @property
    def pid(self) -> int:
        """Also after its end, when the number may be another process's."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs."""
        return self._process.poll()

    def kill(self) -> None:
        """SIGKILL, and wait for the end. Does nothing where it has ended."""
        self._process.kill()
        self._process.wait()

    def ask_to_end(self) -> None:
        """SIGTERM. Does nothing where it has ended."""
        self._process.terminate()

    def ended_within(self, limit_s: float) -> bool:
        """Wait for the end, so long at most; whether it has ended."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(limit_s)
        return self._process.poll() is not None
