"""Rules that can be turned off, to see that the simulation notices."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from relay.hub.consensus import transition, votes
from relay.hub.consensus.round_state import RoundState

LOCK, RECORD, TWO_THIRDS = "lock rule", "last-signed record", "two thirds for a majority"
REMOVABLE = (LOCK, RECORD, TWO_THIRDS)


def _unchanged(state: RoundState) -> RoundState:
    return state


def _unlocked(state: RoundState) -> RoundState:
    return replace(state, locked=None, locked_round=-1)


@dataclass(frozen=True)
class Rules:
    """What honest validators leave out."""

    after_step: Callable[[RoundState], RoundState] = _unchanged
    forgets_record: bool = False


ALL_RULES = Rules()


def rules_without(name: str | None) -> Rules:
    return Rules(_unlocked if name == LOCK else _unchanged, name == RECORD)


def _above_half(power: int, total: int) -> bool:
    return power * 2 > total


@contextmanager
def majority_as_told(name: str | None) -> Iterator[None]:
    """Inside, a simple majority is enough where `name` says so."""
    if name != TWO_THIRDS:
        yield
        return
    before = votes.above_two_thirds
    votes.above_two_thirds = transition.above_two_thirds = _above_half
    try:
        yield
    finally:
        votes.above_two_thirds = transition.above_two_thirds = before
