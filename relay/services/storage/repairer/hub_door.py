"""The hub, as far as a repairer needs it."""

from dataclasses import dataclass
from typing import Protocol

from hutong.relay.services.storage.rules.commitments.entries import LogEntry
from hutong.relay.services.storage.rules.lifecycle.signed import OperatorPart
from hutong.relay.services.storage.rules.records.batches import BatchRecord


@dataclass(frozen=True, slots=True)
class LoggedEntry:
    """What the hub appended to an operator's log: entry `position`. `transaction` is the hash of what did it."""

    operator: bytes
    position: int
    entry: LogEntry
    transaction: bytes


@dataclass(frozen=True, slots=True)
class LoggedUpTo:
    """Entries of all logs in blocks up to `height`, in their order."""

    height: int
    entries: tuple[LoggedEntry, ...]


@dataclass(frozen=True, slots=True)
class SignedRepair:
    """A part that holds what was lost, as the hub is given it: of batch `sequence` of the repairer, and the owner's."""

    sequence: int
    owner: bytes
    part: OperatorPart
    signature: bytes


class RepairHub(Protocol):
    """Records by the node's word, events, and calls by the repairer's account."""

    async def record(self, key: bytes) -> bytes | None:
        """The value under a key of storage; None where the hub has no such record.

        Raises:
            HubSilent: see there.
        """

    async def logged(self, after_height: int) -> LoggedUpTo:
        """What was appended to any log in blocks after a height, some thousand blocks at a time.

        Raises:
            HubSilent: see there.
        """

    async def parts_said(self, hub: bytes, record: BatchRecord, transaction: bytes) -> tuple[OperatorPart, ...] | None:
        """The parts that the call of a transaction named, signed or not; None where it is not a call that stores a batch.

        Raises:
            HubSilent: see there.
        """

    async def repair(self, repairer: bytes, repair: SignedRepair) -> int:
        """Record a repair; returns its number on the hub once it is in a block. The same repair again is harmless.

        Raises:
            HubRefused, HubSilent: see there.
        """
