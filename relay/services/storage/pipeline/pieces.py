"""What a pack is made of, as a worker process is told: runs of records to seal, and bytes that are ready."""

from dataclasses import dataclass
from typing import Final

from hutong.relay.services.storage.rules.objects.sizes import RECORD_BYTES, SEALED_RECORD_BYTES, stored_size
from hutong.relay.services.storage.rules.packs.body import ROW_BYTES, TRAILER_BYTES, SectionKind
from hutong.relay.services.storage.rules.packs.shape import LEAF_BYTES, MAX_BODY_BYTES, MAX_HEIGHT, PackShape


@dataclass(frozen=True, slots=True)
class SealedRun:
    """Records `first` and following of one object, of `size` plain bytes; with `is_end` the last of them is the object's last.

    Only the end has a record that is not full.
    """

    data_key: bytes
    first: int
    size: int
    is_end: bool


@dataclass(frozen=True, slots=True)
class Piece:
    """One section: `length` bytes of it, which `run` seals first; None where they stand in the slot as they are stored."""

    kind: SectionKind
    length: int
    run: SealedRun | None = None


def largest_shape(data: int, parity: int) -> PackShape:
    """The highest pack of a code.

    Raises:
        MalformedInput: there is no such code.
    """
    height = min(MAX_HEIGHT, (MAX_BODY_BYTES // (max(data, 1) * LEAF_BYTES)).bit_length() - 1)
    return PackShape(data, parity, height)


def sealed_room(shape: PackShape, at: int, pieces: int) -> int:
    """Plain bytes, of whole records, for which there is room from `at` on in a pack that has `pieces` sections already."""
    left = shape.body_bytes - TRAILER_BYTES - (pieces + 1) * ROW_BYTES - at
    return max(0, left // SEALED_RECORD_BYTES) * RECORD_BYTES


def sealed_length(run: SealedRun) -> int:
    """Bytes of a run's records; none for a run that is empty and does not end its object."""
    if run.size == 0 and not (run.is_end and run.first == 0):
        return 0
    return stored_size(run.size, sealed=True)


MAX_IN_FLIGHT: Final = 4
"""Packs in memory at once: being filled, made and sent."""
