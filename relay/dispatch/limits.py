"""How much a queue holds, and how often it tries."""

from dataclasses import dataclass, field

from hutong.relay.dispatch.backoff import Backoff

CAPACITY = 100_000
"""Jobs of one route. Above it nothing is added: the watcher waits, and the chains remember."""
MAX_LETTERS = CAPACITY
"""Jobs of one route that failed and wait to be tried again, dead letters among them."""


@dataclass(frozen=True, slots=True)
class QueueLimits:
    """`capacity` bounds the jobs of one route; a job that failed `max_attempts` times is a dead letter."""

    capacity: int = CAPACITY
    max_attempts: int = 8
    backoff: Backoff = field(default_factory=Backoff)
    """Of retries for which the caller names no delay."""


USUAL_LIMITS = QueueLimits()
