"""Commands of `hutong` as a person would type them, one by one, and a transcript of them in the demo's folder."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hutong.relay.base.child_processes import HUTONG
from hutong.relay.base.trio_processes import run_child
from hutong.relay.local.processes import DemoFailed

MAX_SAID_CHARS = 2_000


@dataclass(frozen=True, slots=True)
class Ran:
    """How a command ended, and what it printed."""

    code: int
    out: str
    err: str

    @property
    def said(self) -> str:
        """The last line of its complaint, else of its output; at most MAX_SAID_CHARS of it."""
        lines = [line.strip() for line in (self.err.strip() or self.out).splitlines() if line.strip()]
        return lines[-1][-MAX_SAID_CHARS:] if lines else "it printed nothing"


@dataclass(frozen=True, slots=True)
class Commands:
    """Runs commands, and appends each of them to `transcript`. Passwords are in files, so that none stands there."""

    transcript: Path

    async def attempt(self, *words: object) -> Ran:
        """Run `hutong WORDS` to its end, whatever its exit code.

        Raises:
            OSError: it cannot be started, or the transcript cannot be written.
        """
        command = [str(word) for word in words]
        with self.transcript.open("a") as kept:
            kept.write(f"hutong {shlex.join(command)}\n")
        done = await run_child([*HUTONG, *command])
        return Ran(done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))

    async def run(self, *words: object) -> str:
        """Run `hutong WORDS`; what it printed.

        Raises:
            DemoFailed: its exit code was not 0.
            OSError: as `attempt`.
        """
        ran = await self.attempt(*words)
        if ran.code != 0:
            raise DemoFailed(f"hutong {_name(words)} failed with exit code {ran.code}: {ran.said}")
        return ran.out


def _name(words: Sequence[object]) -> str:
    return " ".join(str(word) for word in words[:2])
