"""A small explicit-state model checker: breadth first over all interleavings, with the shortest way to a violation."""

from collections import defaultdict, deque
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

State = TypeVar("State", bound=Hashable)

MAX_STATES = 2_000_000


class Model(Protocol[State]):
    """`steps` yields (name, next state) of everything that can happen; a state without steps is an end."""

    def initial(self) -> State: ...
    def steps(self, state: State) -> Iterable[tuple[str, State]]: ...
    def violation(self, state: State) -> str | None:
        """What is wrong in this state, wherever it is met."""

    def violation_at_end(self, state: State) -> str | None:
        """What is wrong if nothing happens any more."""


class Violation(AssertionError):
    """`trace` names the steps from the initial state."""

    def __init__(self, reason: str, trace: list[str], state: object) -> None:
        self.reason = reason
        self.trace = trace
        self.state = state
        super().__init__("\n".join([reason, *(f"  {number}. {step}" for number, step in enumerate(trace, 1))]))


@dataclass(frozen=True)
class Explored(Generic[State]):
    """The whole reachable graph, and how often each name of a step was taken."""

    states: dict[State, tuple[State, str] | None]
    ways_back: dict[State, list[State]]
    ends: list[State]
    taken: dict[str, int]

    def trace(self, state: State) -> list[str]:
        return _trace(self.states, state)

    def stuck(self, good: Callable[[State], bool]) -> State | None:
        """A state from which no good one can be reached, nearest to the start; None if there is none."""
        reached = {state for state in self.states if good(state)}
        waiting = deque(reached)
        while waiting:
            for before in self.ways_back.get(waiting.popleft(), ()):
                if before not in reached:
                    reached.add(before)
                    waiting.append(before)
        return next((state for state in self.states if state not in reached), None)


def _trace(states: dict[State, tuple[State, str] | None], state: State) -> list[str]:
    names = []
    while (came := states[state]) is not None:
        state, name = came
        names.append(name)
    return names[::-1]


def explore(model: Model[State]) -> Explored[State]:
    """Visit every reachable state. Raises Violation with the shortest trace."""
    start = model.initial()
    states: dict[State, tuple[State, str] | None] = {start: None}
    ways_back: dict[State, list[State]] = defaultdict(list)
    ends: list[State] = []
    taken: dict[str, int] = defaultdict(int)
    waiting = deque([start])
    while waiting:
        state = waiting.popleft()
        reason = model.violation(state)
        if reason is not None:
            raise Violation(reason, _trace(states, state), state)
        ended = True
        for name, after in model.steps(state):
            if after == state:
                continue
            ended = False
            taken[name.partition(" ")[0]] += 1
            ways_back[after].append(state)
            if after not in states:
                if len(states) >= MAX_STATES:
                    raise AssertionError(f"more than {MAX_STATES} states: the model is not small")
                states[after] = (state, name)
                waiting.append(after)
        if ended:
            ends.append(state)
            reason = model.violation_at_end(state)
            if reason is not None:
                raise Violation(reason, _trace(states, state), state)
    return Explored(states, ways_back, ends, taken)


def expect_progress(explored: Explored[State], good: Callable[[State], bool], what: str) -> None:
    """From every reachable state a good one can be reached. Raises Violation."""
    state = explored.stuck(good)
    if state is not None:
        raise Violation(f"{what} cannot be reached any more", explored.trace(state), state)
