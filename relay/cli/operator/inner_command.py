"""Commands of this program run within it: what another process would print, without the second that one takes to start."""

import io
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from typing import Any

import trio

from hutong.relay.base.os_errors import os_reasons
from hutong.relay.cli.common.refusal import UNUSABLE
from hutong.relay.local.processes import DemoFailed

MOST_SAID_CHARS = 2_000


@dataclass(frozen=True, slots=True)
class InnerCommands:
    """`program` is the command `hutong` itself, which the context of each of its commands leads to."""

    program: Any

    async def run(self, arguments: Sequence[str]) -> str:
        """As `run_command`, for a command that ends by itself. It has a thread, and so may run a loop of its own; two at once
        would print into each other.

        Raises:
            DemoFailed: its exit code was not 0; the message has the last 2 000 characters of what it said.
        """
        return await trio.to_thread.run_sync(self._run, arguments)

    def _run(self, arguments: Sequence[str]) -> str:
        printed, told = io.StringIO(), io.StringIO()
        with redirect_stdout(printed), redirect_stderr(told):
            code = self._exit_code(arguments, told)
        if code != 0:
            said = (told.getvalue() or printed.getvalue()).strip()
            command = " ".join(["hutong", *arguments[:2]])
            raise DemoFailed(f"{command} failed with exit code {code}: {said[-MOST_SAID_CHARS:]}")
        return printed.getvalue()

    def _exit_code(self, arguments: Sequence[str], told: io.StringIO) -> int | str:
        try:
            self.program.main(args=list(arguments), prog_name="hutong")
        except SystemExit as ended:
            return ended.code or 0
        except (OSError, BaseExceptionGroup) as error:
            sentences = os_reasons(error)
            if sentences is None:
                raise
            told.write("\n".join(sentences))
            return UNUSABLE
        return 0
