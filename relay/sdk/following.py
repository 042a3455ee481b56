"""Streams of changes over as many connections as it takes: nothing is missed, and what was missed too long is read
again.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from hutong.relay.schemas.messages import MessageSummary
from hutong.relay.schemas.network import Chain, ChainList
from hutong.relay.sdk import calls
from hutong.relay.sdk.answers import reader
from hutong.relay.sdk.errors import ApiProblem, BadAnswer, HutongError, TooSlow, Unreachable
from hutong.relay.sdk.event_stream import EventParser, ServerEvent
from hutong.relay.sdk.plan import Answer, Clock, Close, Give, NextChunk, Open, Pause, Plan, ask, pause_s, problem_of

SILENCE_S = 45.0
"""The server says something at least every 15 s."""
MAX_FAILURES = 8
"""Connections in a row that brought nothing new and broke at once."""
STEADY_S = 10.0
"""A connection that held so long was a good one."""
APPEARS_EVERY_S = 1.0
_WHAT = "the event stream"


@dataclass(frozen=True, slots=True)
class MessageChanged:
    """`cursor` is where to go on after it."""

    message: MessageSummary
    cursor: str | None


@dataclass(frozen=True, slots=True)
class ChainsChanged:
    chains: tuple[Chain, ...]


@dataclass(frozen=True, slots=True)
class Reset:
    """More was missed than the server tells again: read the lists anew."""


Event: TypeAlias = MessageChanged | ChainsChanged | Reset

_read_summary = reader(_WHAT, MessageSummary)
_read_chains = reader(_WHAT, ChainList)


def event_of(event: ServerEvent) -> Event | None:
    """What one server-sent event says; None for an event that this version does not know.

    Raises:
        BadAnswer: its data is not what docs/spec/api.md says.
    """
    if event.event == "message":
        return MessageChanged(_read_summary(event.data), event.id)
    if event.event == "chains":
        return ChainsChanged(_read_chains(event.data).items)
    return Reset() if event.event == "reset" else None


class _Line:
    """Connections of one stream, one after another: the cursor that was reached, and when to give up."""

    def __init__(self, message: str | None, after: str | None, clock: Clock, timeout_s: float | None) -> None:
        self._message = message
        self._clock = clock
        self._timeout_s = timeout_s
        self._began_s = self._opened_s = clock()
        self._failures = 0
        self.cursor = after
        self.brought_news = False

    def waited_s(self) -> float:
        return self._clock() - self._began_s

    def left_s(self, wanted_s: float) -> float:
        """At most `wanted_s`. Raises TooSlow where the caller would wait no more."""
        if self._timeout_s is None:
            return wanted_s
        left_s = self._timeout_s - self.waited_s()
        if left_s <= 0:
            raise TooSlow(self._message or _WHAT, self._timeout_s)
        return min(wanted_s, left_s)

    def open(self) -> Plan[None]:
        """Raises _Busy where it is worth another try, ApiProblem and BadAnswer where it is not."""
        call = calls.events(self._message, self.cursor)
        self._opened_s, self.brought_news = self._clock(), False
        answer: Answer = yield Open(call)
        if not answer.is_success:
            error = problem_of(answer, call.what)
            raise _Busy(error, answer.retry_after_s) if answer.may_be_asked_again else error
        if answer.media_type != "text/event-stream":
            raise BadAnswer(call.what, f"it is {answer.media_type[:60] or 'nothing'}, not text/event-stream")

    def failed(self, error: HutongError, retry_after_s: float | None) -> Plan[None]:
        """Wait before the next connection, or raise `error`."""
        yield Close()
        is_new_count = self.brought_news or self._clock() - self._opened_s >= STEADY_S
        self._failures = 1 if is_new_count else self._failures + 1
        if self._failures > MAX_FAILURES:
            raise error
        yield Pause(self.left_s(pause_s(self._failures - 1, retry_after_s)))


class _Busy(Exception):
    """The stream was refused for now."""

    def __init__(self, error: HutongError, retry_after_s: float | None) -> None:
        self.error = error
        self.retry_after_s = retry_after_s
        super().__init__(error)


def _listen(line: _Line, take: Callable[[Event], Plan[bool]]) -> Plan[None]:
    """Until `take` has had enough."""
    while True:
        parser = EventParser()
        failure: HutongError
        retry_after_s = None
        try:
            yield from line.open()
            while chunk := (yield NextChunk(line.left_s(SILENCE_S))):
                for raw in parser.feed(chunk):
                    event = event_of(raw)
                    line.cursor = raw.id or line.cursor
                    if event is not None and (yield from take(event)):
                        yield Close()
                        return
            failure = Unreachable("the stream ended")
        except (Unreachable, TooSlow) as error:
            failure = error
        except _Busy as busy:
            failure, retry_after_s = busy.error, busy.retry_after_s
        yield from line.failed(failure, retry_after_s)


def watch(after: str | None, clock: Clock) -> Plan[None]:
    """The plan of a stream of every event from now on, or from after the cursor `after`; it never ends by itself.

    After a Reset the cursor is forgotten: the caller reads the lists anew.

    Raises:
        Unreachable, TooSlow, ApiProblem: more than MAX_FAILURES connections in a row brought nothing new.
        ApiProblem, BadAnswer: the server refuses the stream, or sends something else.
    """
    line = _Line(None, after, clock, None)

    def take(event: Event) -> Plan[bool]:
        line.brought_news = True
        if isinstance(event, Reset):
            line.cursor = None
        yield Give(event)
        return False

    yield from _listen(line, take)


def follow(message: str, appears_within_s: float, timeout_s: float | None, clock: Clock) -> Plan[None]:
    """The plan of one message: how it stands, each change, until it is settled.

    Args:
        appears_within_s: for how long `not_found` is asked again; the ledger learns of a packet after its block.
        timeout_s: for how long in all; None waits for good.

    Raises:
        InvalidArgument: `message` is not a packet id or Mailbox id.
        ApiProblem: `not_found`, also after `appears_within_s`.
        TooSlow: after `timeout_s`.
        Unreachable, BadAnswer: as `watch`.
    """
    calls.checked_name(message)
    line = _Line(message, None, clock, timeout_s)
    last: MessageSummary | None = None

    def take(event: Event) -> Plan[bool]:
        nonlocal last
        if isinstance(event, Reset):
            line.cursor = None
            now = (yield from ask(calls.message(message))).summary
        elif isinstance(event, MessageChanged) and event.message.is_called(message):
            now = event.message
        else:
            return False
        if now != last:
            last, line.brought_news = now, True
            yield Give(now)
        return now.is_settled

    while True:
        try:
            yield from _listen(line, take)
        except ApiProblem as problem:
            if problem.code != "not_found" or last is not None or line.waited_s() >= appears_within_s:
                raise
            yield Pause(line.left_s(APPEARS_EVERY_S))
        else:
            return
