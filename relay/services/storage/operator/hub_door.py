"""The hub, as far as an operator needs it."""

from dataclasses import dataclass
from typing import Protocol

from hutong.relay.services.storage.rules.commitments.entries import LogEntry


@dataclass(frozen=True, slots=True)
class Logged:
    """What the hub appended to this operator's log: entry `position`, of batch `entry.batch`."""

    position: int
    entry: LogEntry


@dataclass(frozen=True, slots=True)
class LoggedUpTo:
    """Entries of the log in blocks up to `height`, in their order."""

    height: int
    entries: tuple[Logged, ...]


class HubDoor(Protocol):
    """Records by the node's word, events, and calls by the operator's account."""

    async def record(self, key: bytes) -> bytes | None:
        """The value under a key of storage; None where the hub has no such record.

        Raises:
            HubSilent: see there.
        """

    async def logged(self, after_height: int) -> LoggedUpTo:
        """What was appended to this operator's log in blocks after a height, some thousand blocks at a time.

        Raises:
            HubSilent: see there.
        """

    async def send(self, call: bytes) -> None:
        """One call of the storage module by the operator's account; returns once it is in a block.

        Raises:
            HubRefused: it reverts.
            HubSilent: see there.
        """
