"""What shows that a part which a repairer wants signed is one that was lost (docs/spec/storage-lifecycle.md)."""

from collections.abc import Sequence
from dataclasses import dataclass

from hutong.light_clients.interface import Judge, PredicateFailed, rule
from hutong.relay.services.storage.rules.commitments.entries import BatchPart
from hutong.relay.services.storage.rules.lifecycle.signed import SPEC, OperatorPart, struct_hash
from hutong.relay.services.storage.rules.records.batches import BatchRecord
from hutong.relay.services.storage.rules.storing import part_is_of_the_batch


@dataclass(frozen=True, slots=True)
class RepairedPart:
    """Which part a repair is of: number `index` of batch `batch` on the hub, which `operator` had; `hashes` are those of all its parts."""

    batch: int
    index: int
    operator: bytes
    hashes: tuple[bytes, ...]


@rule(SPEC)
def repair_is_of_the_owners_batch(record: BatchRecord, owner: bytes) -> None:
    """The batch that is repaired is of the writer whose shards the repairer says they are.

    Raises:
        PredicateFailed: it is another's.
    """
    if record.owner != owner:
        raise PredicateFailed("repair_is_of_the_owners_batch", "of another owner", got=record.owner, expected=owner)


def judge_repaired_part(
    judge: Judge, hub: bytes, record: BatchRecord, owner: bytes, repaired: RepairedPart, part: BatchPart
) -> None:
    """That a part which a repairer wants signed is one that the hub has: as many leaves and entries, and the same root.

    So an operator signs no rebuilt shard of which the owner's batch does not hold the root, whoever asks.

    Raises:
        PredicateFailed: the first rule that does not hold.
    """
    judge(repair_is_of_the_owners_batch, record, owner)
    lost = OperatorPart(hub, record.writer, record.sequence, repaired.operator, part)
    judge(part_is_of_the_batch, repaired.hashes, repaired.index, lost, record.parts)


def part_hashes(parts: Sequence[OperatorPart]) -> tuple[bytes, ...]:
    """`hashStruct` of each part of a batch, as `RepairedPart` brings them."""
    return tuple(map(struct_hash, parts))
