"""The hub, as far as a gateway needs it: where a batch is placed, and batches recorded."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from hutong.light_clients.interface import PredicateFailed
from hutong.relay.services.storage.rules.lifecycle.signed import OperatorPart
from hutong.relay.services.storage.rules.placement import group_of, placement_is_possible
from hutong.relay.services.storage.rules.records.members import MapRecord


class BatchRefused(Exception):
    """The hub refuses a batch, or nothing can be placed; one sentence."""


@dataclass(frozen=True, slots=True)
class Placing:
    """Where a batch lies: operator of shard i is number i of `operators`."""

    map: int
    operators: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class SignedBatch:
    """A whole batch as the hub is given it: parts ascend by operator, a signature is empty where its operator has not signed."""

    writer: bytes
    sequence: int
    map: int
    parts: tuple[tuple[OperatorPart, bytes], ...]
    signature: bytes


@dataclass(frozen=True, slots=True)
class OnHub:
    """A batch's number, and operators whose signatures were given and which the hub does not count all the same."""

    number: int
    not_counted: tuple[bytes, ...] = ()


class BatchDoor(Protocol):
    """Where batches are placed and recorded."""

    @property
    def is_hub(self) -> bool:
        """False where there is no hub: then objects are stored by receipts alone, and nobody audits them."""
        ...

    async def place(self, writer: bytes, sequence: int) -> Placing:
        """Where a batch of the writer lies.

        Raises:
            HubSilent, BatchRefused: see there.
        """
        ...

    async def store(self, batch: SignedBatch) -> OnHub:
        """Record a batch; returns its number on the hub once it is in a block. The same batch again is harmless.

        Anybody may give the hub a batch that its writer signed, with fewer of its operators' signatures: those that lack are added.

        Raises:
            HubSilent, BatchRefused: see there.
        """
        ...

    async def next_sequence(self, writer: bytes, at_least: int) -> int:
        """The first sequence from `at_least` on that the hub has no batch of.

        Raises:
            HubSilent: see there.
        """
        ...


class RemovalDoor(Protocol):
    """A hub that records removals."""

    async def record(self, key: bytes) -> bytes | None:
        """The value under a key of storage; None where the hub has no such record.

        Raises:
            HubSilent: see there.
        """
        ...

    async def remove(self, batch: int, pack: bytes, shown: Sequence[tuple[bytes, int, bytes]]) -> None:
        """Have shards of a pack removed: of each its operator, an epoch, and the placed entry under its set of that epoch.

        Raises:
            HubSilent, BatchRefused: see there. Before its retention is over it is refused, whoever asks.
        """
        ...


class NoHub:
    """Placement by a map out of the configuration, and no record anywhere."""

    is_hub = False

    def __init__(self, hub: bytes, placing: MapRecord) -> None:
        self._hub = hub
        self._placing = placing

    async def place(self, writer: bytes, sequence: int) -> Placing:
        """See `BatchDoor`.

        Raises:
            BatchRefused: the operators do not suffice under the limits.
        """
        try:
            placed = placement_is_possible(self._placing, group_of(self._hub, writer, sequence))
        except PredicateFailed as error:
            raise BatchRefused(f"placement refused: {error}") from None
        return Placing(0, tuple(candidate.operator for candidate in placed))

    async def store(self, batch: SignedBatch) -> OnHub:
        """See `BatchDoor`: its sequence stands for its number."""
        return OnHub(batch.sequence)

    async def next_sequence(self, writer: bytes, at_least: int) -> int:
        """See `BatchDoor`."""
        return at_least
