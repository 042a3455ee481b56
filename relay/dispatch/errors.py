"""What can be wrong with the queue."""

from dataclasses import dataclass


class QueueError(Exception):
    """Base of every expected failure of the queue."""


@dataclass(eq=False)
class RecordRefused(QueueError):
    """A stored record cannot be read: other version, damaged, or out of bounds. It becomes a dead letter."""

    field: str
    reason: str

    def __str__(self) -> str:
        return f"queue record {self.field}: {self.reason}"


@dataclass(eq=False)
class QueueUnavailable(QueueError):
    """The server does not answer, or answers with an error that trying again cannot mend."""

    reason: str

    def __str__(self) -> str:
        return f"queue unavailable: {self.reason}"


@dataclass(eq=False)
class EmbeddedQueueMissing(QueueError):
    """There is no embedded Valkey for this platform or installation."""

    reason: str

    def __str__(self) -> str:
        return f"no embedded Valkey ({self.reason}): set relay.redis_url to a Redis 7 or Valkey server"
