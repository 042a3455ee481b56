"""Rules that can be turned off, to see that the simulation notices."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from hutong.relay.hub.consensus import signing, transition, votes

LOCK, RECORD, TWO_THIRDS = "lock rule", "last-signed record", "two thirds for a majority"
REMOVABLE = (LOCK, RECORD, TWO_THIRDS)
VOTED_ABOVE, SIGNED_SKIP = "who voted above a block signs no skip of it", "who signed a skip executes no more"
REMOVABLE_OF_SKIPS = (VOTED_ABOVE, SIGNED_SKIP)


def _above_half(power: int, total: int) -> bool:
    return power * 2 > total


@contextmanager
def skips_without(name: str | None) -> Iterator[None]:
    """Inside, who signed a skip executes the block all the same. The other rule is off by `PoisonedNetwork.signs_anyway`."""
    forbids = signing.skip_forbids
    if name == SIGNED_SKIP:
        signing.skip_forbids = lambda record, decided: False
    try:
        yield
    finally:
        signing.skip_forbids = forbids


@contextmanager
def turned_off(name: str | None) -> Iterator[None]:
    """Inside, honest validators forget what they are locked on, or take a simple majority for enough.

    The record is lost with the validator that keeps it (`Network.forgets_records`).
    """
    lock, majority = transition._Transition._lock, votes.above_two_thirds

    def lock_and_forget(self: transition._Transition) -> bool:
        fired = lock(self)
        self.state = replace(self.state, locked=None, locked_round=-1)
        return fired

    if name == LOCK:
        transition._Transition._lock = lock_and_forget
    if name == TWO_THIRDS:
        votes.above_two_thirds = transition.above_two_thirds = _above_half
    try:
        yield
    finally:
        transition._Transition._lock = lock
        votes.above_two_thirds = transition.above_two_thirds = majority
