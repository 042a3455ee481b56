"""Child processes under trio, through the door of `child_processes`."""

import subprocess
from collections.abc import Mapping, Sequence
from typing import BinaryIO

import trio

from hutong.relay.base.child_processes import child_environment


async def open_child(
    command: Sequence[str],
    *,
    output: BinaryIO | None = None,
    new_session: bool = False,
    environment: Mapping[str, str] | None = None,
) -> trio.Process:
    """Start a process. Its standard output and error go to `output`, else nowhere; where that is None it reads nothing.

    Args:
        environment: beside what this process has.

    Raises:
        OSError: it cannot be started.
    """
    return await trio.lowlevel.open_process(
        list(command),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL if output is None else output,
        stderr=subprocess.DEVNULL if output is None else subprocess.STDOUT,
        start_new_session=new_session,
        env={**child_environment(), **(environment or {})},
    )


async def open_worker(command: Sequence[str]) -> trio.Process:
    """Start a process that is spoken to over its standard input and output; what it complains of is seen with ours.

    Raises:
        OSError: it cannot be started.
    """
    return await trio.lowlevel.open_process(
        list(command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=child_environment()
    )


async def run_child(command: Sequence[str]) -> "subprocess.CompletedProcess[bytes]":
    """Run a process to its end, whatever its exit code, and keep what it printed.

    Raises:
        OSError: it cannot be started.
    """
    return await trio.run_process(
        list(command), capture_stdout=True, capture_stderr=True, check=False, env=child_environment()
    )
