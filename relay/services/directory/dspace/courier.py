"""Messages to counterparties: one at a time of each process, in order, tried again with growing pauses until they are given up."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import quote

import httpx
import trio

from hutong.light_clients.interface import MalformedInput
from hutong.relay.services.directory.dspace.participants import Participants
from hutong.relay.services.directory.dspace.process import Outgoing
from hutong.relay.services.directory.dspace.store import ConnectorStore, Rows
from hutong.relay.services.directory.rules.dspace.machines import STEPS
from hutong.relay.services.directory.rules.dspace.messages import MAX_MESSAGE_BYTES, read_error, read_process
from hutong.relay.services.directory.rules.dspace.vocabulary import Kind, Role, State
from hutong.relay.telemetry import get_logger

FIRST_PAUSE_MS: Final = 500
LONGEST_PAUSE_MS: Final = 60_000
AT_ONCE: Final = 32
"""Messages on their way at the same time."""
AT_ONCE_OF_ONE: Final = 4
"""Of them to one participant, so that one that answers slowly keeps no other's messages back."""
MAX_LOOKED_AT: Final = 1_024
"""Messages that are looked at together."""
ANSWER_LIMIT_S: Final = 30.0
"""For a request and its whole answer: a byte every few seconds is no answer."""
LOOK_AGAIN_S: Final = 5.0
OTHERS_REFUSE: Final = 8
"""After so many attempts a 4xx without an error of the protocol is a refusal as well: about two minutes."""
TRY_AGAIN: Final = frozenset({408, 425, 429})
_FIRST: Final = frozenset({Kind.REQUEST, Kind.TRANSFER_REQUEST})
_LATER: Final[Mapping[State, frozenset[State]]] = {
    State.OFFERED: frozenset(
        {State.OFFERED, State.ACCEPTED, State.REQUESTED, State.AGREED, State.VERIFIED, State.FINALIZED}
    ),
    State.ACCEPTED: frozenset({State.ACCEPTED, State.AGREED, State.VERIFIED, State.FINALIZED}),
    State.AGREED: frozenset({State.AGREED, State.VERIFIED, State.FINALIZED}),
    State.VERIFIED: frozenset({State.VERIFIED, State.FINALIZED}),
}
"""States in which the counterparty has had the message that leads to a state, where that is more than the state itself."""


@dataclass(frozen=True, slots=True)
class Answered:
    """A status and the beginning of a body."""

    status: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a message is tried, and one answer is waited for."""

    give_up_after_ms: int
    answer_limit_s: float = ANSWER_LIMIT_S


class Courier:
    """Delivers what the store holds.

    Args:
        tell: called with the outcome of each attempt: `delivered`, `later`, `refused`, `given up`.
    """

    def __init__(
        self,
        store: ConnectorStore,
        participants: Participants,
        client: httpx.AsyncClient,
        now_ms: Callable[[], int],
        patience: Patience,
        tell: Callable[[str], None],
    ) -> None:
        self._store = store
        self._participants = participants
        self._client = client
        self._now_ms = now_ms
        self._patience = patience
        self._tell = tell
        self._on_their_way: dict[str, str] = {}
        """Participants by the process of which a message is on its way."""
        self._wake = trio.Event()
        self._log = get_logger("connector")

    def wake(self) -> None:
        """Something may be due."""
        self._wake.set()

    async def run(self) -> None:
        """Deliver until cancelled. Whatever waits when the process ends is delivered by the next one."""
        async with trio.open_nursery() as nursery:
            while True:
                self._wake = trio.Event()
                waiting = await self._store.run(lambda rows: rows.first_of_each(MAX_LOOKED_AT, 2 * AT_ONCE_OF_ONE))
                pause_s = LOOK_AGAIN_S
                for one in waiting:
                    if one.pid in self._on_their_way or not self._has_room(one.participant):
                        continue
                    due_s = (one.due_ms - self._now_ms()) / 1_000
                    if due_s > 0:
                        pause_s = min(pause_s, due_s)
                        continue
                    self._on_their_way[one.pid] = one.participant
                    nursery.start_soon(self._deliver, one)
                with trio.move_on_after(pause_s):
                    await self._wake.wait()

    async def _deliver(self, one: Outgoing) -> None:
        try:
            await self._attempt(one)
        finally:
            del self._on_their_way[one.pid]
            self._wake.set()

    def _has_room(self, participant: str) -> bool:
        of_this_one = sum(other == participant for other in self._on_their_way.values())
        return len(self._on_their_way) < AT_ONCE and of_this_one < AT_ONCE_OF_ONE

    async def _attempt(self, one: Outgoing) -> None:
        answer = await self._ask("POST", one.participant, one.url, one.body)
        if answer is not None and 200 <= answer.status < 300:
            await self._store.run(lambda rows: _delivered(rows, one, answer.body))
            self._tell("delivered")
            return
        refused = answer is not None and self._is_refusal(answer, one.attempts)
        if refused and await self._has_had(one):
            # The answer to an earlier attempt was lost, perhaps with a process that was killed, and the counterparty has gone on.
            await self._store.run(lambda rows: rows.sent(one))
            self._tell("delivered")
            return
        too_late = self._now_ms() - one.first_ms >= self._patience.give_up_after_ms
        if not refused and not too_late:
            pause = min(FIRST_PAUSE_MS << min(one.attempts, 12), LONGEST_PAUSE_MS)
            await self._store.run(lambda rows: rows.put_off(one, self._now_ms() + pause))
            self._tell("later")
            return
        why = f"refused with {answer.status}: {_said(answer.body)}" if refused and answer else "could not be delivered"
        self._log.warning("a message was not taken", kind=one.kind.value, participant=one.participant, reason=why)
        await self._store.run(lambda rows: _ended(rows, one, f"{one.kind.value} {why}"))
        self._tell("refused" if refused else "given up")

    def _is_refusal(self, answer: Answered, attempts: int) -> bool:
        """A 4xx in which the counterparty's connector speaks. Something else in front of it may say 404 for a while."""
        if not 400 <= answer.status < 500 or answer.status in TRY_AGAIN:
            return False
        return attempts >= OTHERS_REFUSE or _is_of_the_protocol(answer.body)

    async def _has_had(self, one: Outgoing) -> bool:
        """Whether the counterparty's state is one that this message leads to."""
        if one.kind in _FIRST:
            return False
        process = await self._store.run(lambda rows: rows.process(one.pid))
        if process is None or process.their_pid is None:
            return False
        place = "transfers" if process.is_transfer else "negotiations"
        url = f"{process.callback.rstrip('/')}/{place}/{quote(process.their_pid, safe=':')}"
        answer = await self._ask("GET", one.participant, url, None)
        if answer is None or answer.status != 200:
            return False
        try:
            state = read_process(answer.body, is_transfer=process.is_transfer).state
        except MalformedInput:
            return False
        after = STEPS[one.kind].after
        return state in _LATER.get(after, frozenset({after}))

    async def _ask(self, method: str, participant: str, url: str, body: bytes | None) -> Answered | None:
        """None where no answer came in time, or one that is too long."""
        known = self._participants.by_id(participant)
        if known is None:
            return Answered(403, b"")
        headers = {
            "authorization": f"Bearer {known.token}",
            "accept": "application/json",
            "accept-encoding": "identity",
        }
        if body is not None:
            headers["content-type"] = "application/json"
        try:
            with trio.move_on_after(self._patience.answer_limit_s):
                async with self._client.stream(method, url, content=body, headers=headers) as answer:
                    got = bytearray()
                    async for piece in answer.aiter_raw():
                        got += piece
                        if len(got) > MAX_MESSAGE_BYTES:
                            return None
                    return Answered(answer.status_code, bytes(got))
        except (httpx.HTTPError, httpx.InvalidURL, OSError):
            pass
        return None


def _delivered(rows: Rows, one: Outgoing, body: bytes) -> None:
    rows.sent(one)
    process = rows.process(one.pid)
    if one.kind in _FIRST and process is not None and process.their_pid is None:
        try:
            shown = read_process(body, is_transfer=process.is_transfer)
        except MalformedInput as error:
            _ended(rows, one, f"the answer to {one.kind.value} cannot be read: {error}")
            return
        theirs = shown.provider_pid if process.role is Role.CONSUMER else shown.consumer_pid
        if rows.is_taken(process, theirs):
            _ended(rows, one, f"the answer to {one.kind.value} names another process")
            return
        rows.put(replace(process, their_pid=theirs))


def _ended(rows: Rows, one: Outgoing, why: str) -> None:
    """Nobody will hear of it any more: the process ends here, unless it has."""
    rows.forget(one.pid)
    process = rows.process(one.pid)
    if process is not None:
        state = process.state if process.state.is_final else State.TERMINATED
        rows.put(process.at(state, note=why[:1_000]))


def _is_of_the_protocol(body: bytes) -> bool:
    try:
        read_error(body)
    except MalformedInput:
        return False
    return True


def _said(body: bytes) -> str:
    try:
        return read_error(body)[:500]
    except MalformedInput:
        return "without an error of the protocol"
