"""What a client does, as steps without I/O: a generator that yields a step and is sent what came of it.

The two clients differ only in how they carry a step out. What a step may raise is thrown into the plan.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, Generic, TypeAlias, TypeVar

from hutong.relay.sdk import answers
from hutong.relay.sdk.calls import Call
from hutong.relay.sdk.errors import ApiProblem, BadAnswer, TooSlow

Value = TypeVar("Value")
Result = TypeVar("Result")

MAX_ATTEMPTS = 4
MAX_PAUSE_S = 30.0
FIRST_PAUSE_S = 0.5
_TOO_MANY_REQUESTS, _UNAVAILABLE = 429, 503

Clock = Callable[[], float]
"""Seconds from any beginning, never back."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """Step: the whole answer, as `Answer`, whatever its status."""

    call: Call[Any]


@dataclass(frozen=True, slots=True)
class Open:
    """Step: begin to read a stream, in place of one that is open; the `Answer` has a body only if it was refused."""

    call: Call[Any]


@dataclass(frozen=True, slots=True)
class NextChunk:
    """Step: some bytes of the open stream, none at its end."""

    limit_s: float


@dataclass(frozen=True, slots=True)
class Close:
    """Step: let go of the stream."""


@dataclass(frozen=True, slots=True)
class Pause:
    """Step: do nothing for a while."""

    for_s: float


@dataclass(frozen=True, slots=True)
class Give(Generic[Value]):
    """Step: hand a value to who iterates."""

    value: Value


@dataclass(frozen=True, slots=True)
class Answer:
    """`retry_after_s` is the header's, None where there is none that is a number of seconds."""

    status: int
    content_type: str
    retry_after_s: float | None
    body: bytes

    @property
    def is_success(self) -> bool:
        """Whether the status is 2xx; any other body is a problem that says why."""
        return 200 <= self.status < 300

    @property
    def may_be_asked_again(self) -> bool:
        """Whether the server says to come back (429 and 503): every call of the API here may be repeated."""
        return self.status in (_TOO_MANY_REQUESTS, _UNAVAILABLE)

    @property
    def media_type(self) -> str:
        """The content type without its parameters, in lower case; empty if the server gave none."""
        return self.content_type.partition(";")[0].strip().lower()


Step: TypeAlias = Exchange | Open | NextChunk | Close | Pause | Give[Any]
Plan: TypeAlias = Generator[Step, Any, Result]


class Ended(Generic[Result]):
    """Runs a plan and keeps its last word, which an iteration throws away."""

    def __init__(self, plan: Plan[Result]) -> None:
        self._plan = plan
        self.value: Result | None = None

    def plan(self) -> Plan[None]:
        """The same steps; `value` has the plan's result once they have been run to the end, and is None before."""
        self.value = yield from self._plan


@dataclass(frozen=True, slots=True)
class TimeLimit:
    """`within_s` seconds from `began_s`, a reading of `clock`."""

    clock: Clock
    began_s: float
    within_s: float

    def pause(self, what: str, for_s: float) -> Plan[None]:
        """A pause that ends with the limit at the latest.

        Args:
            what: is waited for.

        Raises:
            TooSlow: the time is over, before the pause or with it.
        """
        left_s = self.began_s + self.within_s - self.clock()
        if left_s > 0:
            yield Pause(min(for_s, left_s))
        if left_s <= for_s:
            raise TooSlow(what, self.within_s)


def ask(call: Call[Result], limit: TimeLimit | None = None) -> Plan[Result]:
    """The answer of one request: tried again, at most MAX_ATTEMPTS times in all, while the server says 429 or 503.

    Args:
        limit: no attempt after the first one begins after it, and no pause lasts longer.

    Raises:
        TooSlow: `limit` is over, and the server said 429 or 503.
        ApiProblem: the server's refusal; after the last attempt 429 and 503 too.
        BadAnswer: an answer that the call cannot read.
        Unreachable, TooSlow: thrown into the plan by the client that runs it, and not tried again.
    """
    for attempt in range(MAX_ATTEMPTS):
        answer: Answer = yield Exchange(call)
        if answer.is_success:
            return call.read(answer.body)
        if not answer.may_be_asked_again or attempt == MAX_ATTEMPTS - 1:
            break
        wait_s = pause_s(attempt, answer.retry_after_s)
        if limit is None:
            yield Pause(wait_s)
        else:
            yield from limit.pause(call.what, wait_s)
    raise problem_of(answer, call.what)


def problem_of(answer: Answer, what: str) -> ApiProblem | BadAnswer:
    """The error for an answer that is not a success; it is returned, and the caller raises it."""
    return answers.problem_of(what, answer.status, answer.media_type, answer.body)


def pause_s(failures: int, retry_after_s: float | None = None) -> float:
    """How many seconds to wait before the next attempt: what the server asks for, else twice as long each time.

    Args:
        failures: in a row before this wait, from 0.
        retry_after_s: of the server's `Retry-After`. MAX_PAUSE_S bounds it too.
    """
    wanted_s = FIRST_PAUSE_S * 2 ** min(failures, 16) if retry_after_s is None else retry_after_s
    return min(MAX_PAUSE_S, wanted_s)
