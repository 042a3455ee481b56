"""The ledger, read beside its relay: blocking queries in a few threads."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from threading import Lock
from typing import TypeVar

import anyio.to_thread

from hutong.relay.config import RelayConfig
from hutong.relay.core.history.ledgers import ledger_password
from hutong.relay.ledger import InvalidCursor, LedgerReader, LedgerUnavailable, MessageReader
from hutong.relay.telemetry import get_logger
from hutong.relay.web.problems import ApiProblem, Code

READERS = 4
"""Threads, and so queries at once; more requests wait in line for as long as their deadline lets them. Reading is mostly
work for the interpreter, of which there is one: more threads would only take turns."""
AWAY = "the ledger cannot be read now; try again later (the server's log says why)"
"""All that strangers are told: the reason may name a host, a file or a database."""

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Readers:
    """Both stand on one database."""

    lives: LedgerReader
    messages: MessageReader

    def close(self) -> None:
        """Give the connections of both back."""
        self.lives.close()
        self.messages.close()


class LedgerDesk:
    """Opens the ledger when it is first asked for, for its relay may start later than this."""

    def __init__(self, relay: RelayConfig) -> None:
        self._relay = relay
        self._readers: Readers | None = None
        self._lock = Lock()
        self._logged: str | None = None
        self._limiter: anyio.CapacityLimiter | None = None

    async def read(self, work: Callable[[Readers], Result]) -> Result:
        """Run `work` in a thread. A caller that is cancelled leaves at once, its query ends by itself.

        Raises:
            ApiProblem: the ledger cannot be read, or a cursor is not from the list that it is given to.
        """
        if self._limiter is None:
            self._limiter = anyio.CapacityLimiter(READERS)
        try:
            found = await anyio.to_thread.run_sync(
                partial(self._call, work), abandon_on_cancel=True, limiter=self._limiter
            )
        except InvalidCursor:
            raise ApiProblem(
                Code.INVALID_REQUEST,
                "the cursor is not from this list: take one from an answer, or begin without a cursor",
                field="cursor",
            ) from None
        except LedgerUnavailable as error:
            reason = str(error)
            if reason != self._logged:
                self._logged = reason
                get_logger("api").error("the ledger cannot be read", reason=reason)
            raise ApiProblem(Code.LEDGER_UNAVAILABLE, AWAY) from None
        self._logged = None
        return found

    def close(self) -> None:
        """Give the connections back. A later `read` opens the ledger again."""
        with self._lock:
            if self._readers is not None:
                self._readers.close()
                self._readers = None

    def _call(self, work: Callable[[Readers], Result]) -> Result:
        return work(self._opened())

    def _opened(self) -> Readers:
        with self._lock:
            if self._readers is None:
                self._readers = self._open()
            return self._readers

    def _open(self) -> Readers:
        url = self._relay.ledger_url
        if url is None:
            path = self._relay.home / "ledger.sqlite"
            if not path.is_file():
                raise LedgerUnavailable("there is no ledger yet; has the relay run?")
            return Readers(LedgerReader.open_file(path), MessageReader.open_file(path))
        password = ledger_password(self._relay)
        return Readers(LedgerReader.open_url(url, password), MessageReader.open_url(url, password))
