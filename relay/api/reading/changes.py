"""One reader of the ledger's changes for every stream: fan-out over bounded queues, and what was missed from the ledger.

A client that does not read loses its stream, never the server its memory.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

from hutong.relay.api.reading.answer_cache import AnswerCache
from hutong.relay.api.reading.backend import Backend
from hutong.relay.api.reading.describing import chain_list, names_of, summary
from hutong.relay.api.reading.ledger_desk import LedgerDesk, Readers
from hutong.relay.ledger import CursorOfAnotherLedger, MessageChanges
from hutong.relay.ledger.reading.message_cursor import CursorKind, Position, encode_cursor
from hutong.relay.ledger.values.messages import MessageRecord
from hutong.relay.schemas.wire import body_of
from hutong.relay.telemetry import get_logger
from hutong.relay.web.problems import ApiProblem, Code

POLL_EVERY_S = 0.4
CHAINS_EVERY_S = 2.0
BATCH = 200
MAX_MISSED = 1_000
"""Changes told again after a reconnection; who missed more reads the lists again."""
CLIENT_SHARE = 8
"""So many clients, by their addresses, can have all streams between them; one alone never has."""
QUEUE = 256
"""Changes that may wait for one stream."""


@dataclass(frozen=True, slots=True)
class Change:
    """One event as every stream sends it. `number` is None for events that are not kept."""

    event: str
    data: bytes
    id: str | None = None
    number: int | None = None
    names: tuple[str, ...] = ()
    is_last: bool = False
    """Its message is settled."""

    @property
    def name(self) -> str:
        """Packet id of its message's first leg; empty for events that are of no message."""
        return self.names[0] if self.names else ""


RESET = Change("reset", b"{}")


def change_of(record: MessageRecord) -> Change:
    """A message's last change as a stream sends it, with the cursor that goes on after it."""
    return Change(
        "message",
        body_of(summary(record)),
        encode_cursor(CursorKind.CHANGES, Position(record.change, record.id)),
        record.change,
        names_of(record),
        record.settled_at_ns is not None,
    )


class Changes:
    """`run` it in the server's own event loop, beside the server."""

    def __init__(
        self,
        ledger: LedgerDesk,
        backend: Backend,
        cache: AnswerCache,
        max_streams: int,
        clock_s: Callable[[], float],
        poll_every_s: float = POLL_EVERY_S,
    ) -> None:
        self._ledger = ledger
        self._backend = backend
        self._cache = cache
        self._max_streams = max_streams
        self._clock_s = clock_s
        self._poll_every_s = poll_every_s
        self._streams: set[MemoryObjectSendStream[Change]] = set()
        self._open = 0
        self._clients: Counter[str] = Counter()
        self._cursor: str | None = None

    @property
    def open_streams(self) -> int:
        """How many streams are open, those included that were cut off and not left yet."""
        return self._open

    @contextmanager
    def stream(self, client: str | None) -> Iterator[MemoryObjectReceiveStream[Change]]:
        """What happens from now on, while the block lasts. The stream ends early for a client that does not read.

        Args:
            client: whose streams are counted together, at most 1 / CLIENT_SHARE of all; None: nobody's in particular.

        Raises:
            ApiProblem: as many streams are open as may be.
        """
        most = max(1, self._max_streams // CLIENT_SHARE)
        if client is not None and self._clients[client] >= most:
            raise ApiProblem(
                Code.BUSY, f"{most} streams of your address are open; close some", headers={"Retry-After": "5"}
            )
        if self._open >= self._max_streams:
            raise ApiProblem(
                Code.BUSY,
                f"{self._max_streams} streams are open; try again later",
                headers={"Retry-After": "5"},
            )
        send, receive = anyio.create_memory_object_stream[Change](QUEUE)
        self._open += 1
        self._streams.add(send)
        if client is not None:
            self._clients[client] += 1
        try:
            with receive:
                yield receive
        finally:
            self._open -= 1
            if client is not None:
                self._clients[client] -= 1
                if not self._clients[client]:
                    del self._clients[client]
            self._streams.discard(send)
            send.close()

    async def missed(self, after: str) -> Sequence[Change]:
        """What changed after the cursor, oldest first; RESET alone where it is more than MAX_MISSED, or of another
        ledger.

        Raises:
            ApiProblem: the cursor is not one of a change, or the ledger cannot be read.
        """
        found: list[Change] = []
        cursor = after
        while True:
            changes = await self._ledger.read(partial(_changes_after, cursor))
            if changes is None:
                return (RESET,)
            found += map(change_of, changes.items)
            if len(found) > MAX_MISSED:
                return (RESET,)
            cursor = changes.cursor
            if not changes.more:
                return found

    async def run(self) -> None:
        """For ever. A ledger that is away is asked again; nothing that fails here ends the server.

        Chains are told of at most every CHAINS_EVERY_S, and only if a height differs.
        """
        log = get_logger("api")
        chains_at_s = self._clock_s()
        heights: tuple[int | None, ...] = ()
        was_away = False
        while True:
            try:
                await self._poll()
                was_away = False
            except ApiProblem as problem:
                if not was_away:
                    log.warning("the ledger's changes cannot be read", reason=problem.detail)
                was_away = True
            except Exception:
                log.exception("the ledger's changes could not be told")
            if self._clock_s() >= chains_at_s + CHAINS_EVERY_S:
                chains_at_s = self._clock_s()
                seen = tuple(view.height for view in self._backend.views.chains)
                if seen != heights:
                    heights = seen
                    data = body_of(chain_list(self._backend.views))
                    self._tell(Change("chains", data))
            await anyio.sleep(self._poll_every_s)

    async def _poll(self) -> None:
        if self._cursor is None:
            self._cursor = await self._ledger.read(lambda readers: readers.messages.newest_change())
        more = True
        while more:
            changes = await self._ledger.read(partial(_changes_after, self._cursor))
            if changes is None:
                self._cursor = None
                self._cache.clear()
                self._tell(RESET)
                return
            self._cursor, more = changes.cursor, changes.more
            for record in changes.items:
                self._cache.forget(names_of(record))
                if self._streams:
                    self._tell(change_of(record))

    def _tell(self, change: Change) -> None:
        for stream in tuple(self._streams):
            try:
                stream.send_nowait(change)
            except (anyio.WouldBlock, anyio.BrokenResourceError):
                self._streams.discard(stream)
                stream.close()


def _changes_after(cursor: str, readers: Readers) -> MessageChanges | None:
    """None: the cursor is of another ledger, as after a restored backup."""
    try:
        return readers.messages.changes_after(cursor, BATCH)
    except CursorOfAnotherLedger:
        return None
