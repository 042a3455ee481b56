"""The other end of a token's process: it is started, asked one thing at a time, and ended."""

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import trio

from hutong.relay.base.trio_processes import open_worker
from hutong.relay.keys.sources.pkcs11 import token_process

END_LIMIT_S = 1.0
_PART_BYTES = 64 * 1024


class ProcessGone(Exception):
    """It ended, or could not be started; the text says how."""


class TokenFailed(Exception):
    """What it answers to what it could not do; `code` is one of `token_process`."""

    def __init__(self, code: str, reason: str) -> None:
        self.code, self.reason = code, reason
        super().__init__(code, reason)


@dataclass(frozen=True, slots=True)
class TokenPlace:
    """One token and what opens it: whose are equal share processes and the PIN's verdict."""

    module: Path
    label: str
    serial: str | None
    pin_file: Path


class TokenProcess:
    """One process with one session. Its caller holds it alone while asking."""

    def __init__(self, process: trio.Process) -> None:
        self._process = process
        self._number = 0
        self._said = bytearray()
        self.is_logging_in = False
        """Whether the token may have been shown the PIN without having answered."""

    @classmethod
    async def start(cls, program: ModuleType = token_process) -> "TokenProcess":
        """A process that has opened nothing yet.

        Raises:
            ProcessGone: it cannot be started.
        """
        try:
            return cls(await open_worker((sys.executable, "-P", str(program.__file__))))
        except OSError as error:
            raise ProcessGone(f"its process cannot be started ({error.strerror})") from None

    @property
    def pid(self) -> int:
        """Of the operating system, while it runs."""
        return self._process.pid

    async def open(self, place: TokenPlace, *, after_unanswered: bool = False) -> None:
        """Find the token and log in, once. Raises as `ask`.

        Args:
            after_unanswered: the login before this one ended without an answer of the token: where it counted that as a wrong
                PIN, there is none now.
        """
        await self.ask("open", {"module": str(place.module), "label": place.label, "serial": place.serial})
        self.is_logging_in = True
        await self.ask("login", {"pin_file": str(place.pin_file), "after_unanswered": after_unanswered})
        self.is_logging_in = False

    async def ask(self, deed: str, about: dict[str, Any]) -> Any:
        """The answer to one request. A call that is cancelled leaves an answer behind, which the next one passes over.

        Raises:
            TokenFailed: what the process says that it could not do.
            ProcessGone: it ended.
        """
        self._number += 1
        line = json.dumps({"id": self._number, "do": deed, **about}).encode() + b"\n"
        assert self._process.stdin is not None
        try:
            # A line goes out whole: it is shorter than the pipe, which is empty but for answers that nobody waited for.
            with trio.CancelScope(shield=True):
                await self._process.stdin.send_all(line)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            raise ProcessGone(await self._end_of_it()) from None
        while True:
            said = json.loads(await self._line())
            if said["id"] == self._number:
                break
        if "code" in said:
            raise TokenFailed(said["code"], said["reason"])
        return said["done"]

    async def _line(self) -> bytes:
        assert self._process.stdout is not None
        while (end := self._said.find(b"\n")) < 0:
            try:
                part = await self._process.stdout.receive_some(_PART_BYTES)
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                part = b""
            if not part or len(self._said) > token_process.MAX_LINE_BYTES:
                raise ProcessGone(await self._end_of_it())
            self._said += part
        line = bytes(self._said[:end])
        del self._said[: end + 1]
        return line

    async def _end_of_it(self) -> str:
        with trio.move_on_after(END_LIMIT_S):
            code = await self._process.wait()
            return f"its process was ended by signal {-code}" if code < 0 else f"its process ended with code {code}"
        return "its process does not answer"

    async def aclose(self, *, hangs: bool = False) -> None:
        """End it: by the end of its input, or by force where it hangs. Not to be cancelled."""
        with trio.CancelScope(shield=True):
            for stream in (self._process.stdin, self._process.stdout):
                if stream is not None:
                    await stream.aclose()
            if not hangs:
                with trio.move_on_after(END_LIMIT_S):
                    await self._process.wait()
            if self._process.returncode is None:
                self._process.kill()
                await self._process.wait()
