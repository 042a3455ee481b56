"""When shards may go: not before the retention that their own entries commit to, whoever signs (docs/spec/storage-lifecycle.md)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from hutong.light_clients.interface import Judge, PredicateFailed, rule
from hutong.relay.services.storage.rules.commitments.entries import OperatorSet, ShardEntry
from hutong.relay.services.storage.rules.commitments.placed import PlacedEntry, judge_placed
from hutong.relay.services.storage.rules.lifecycle.signed import SPEC

CALLS_SPEC: Final = "docs/spec/storage-calls.md"


@dataclass(frozen=True, slots=True)
class ShownEntry:
    """An entry and the operator's set that it is shown to stand in."""

    operator_set: OperatorSet
    placed: PlacedEntry


@rule(SPEC)
def shards_are_of_the_pack(pack: bytes, entries: Sequence[ShardEntry]) -> int:
    """Every entry is one of the pack, and each shard is named once, ascending. Returns the shards as bits.

    Raises:
        PredicateFailed: one is not, or there are none.
    """
    name = "shards_are_of_the_pack"
    numbers = [entry.shard for entry in entries]
    if not numbers or numbers != sorted(set(numbers)):
        raise PredicateFailed(name, "shards do not ascend, or there are none", got=numbers)
    for entry in entries:
        if entry.pack != pack:
            raise PredicateFailed(name, "of another pack", got=entry.pack, expected=pack)
    return sum(1 << number for number in numbers)


@rule(SPEC)
def retention_is_over(entry: ShardEntry, hold_until_s: int, now_s: int) -> None:
    """The hub's time is after the entry's retention and after the hold of its pack, 0 where there is none.

    Nobody's signature takes the place of time: neither the writer's nor an admin's.

    Raises:
        PredicateFailed: the time is at or before one of the two.
    """
    until = max(entry.retain_until_s, hold_until_s)
    if now_s <= until:
        raise PredicateFailed("retention_is_over", "the shard is retained", got=now_s, expected=f"> {until}")


@rule(CALLS_SPEC)
def entries_are_of_the_batch(batch: int, shown: Sequence[ShownEntry]) -> None:
    """Each entry stands in the batch of this number on the hub, so that its owner alone has it removed.

    Raises:
        PredicateFailed: one is of another batch, perhaps another writer's.
    """
    for one in shown:
        if one.placed.log_entry.batch != batch:
            raise PredicateFailed("entries_are_of_the_batch", "of another batch", one.placed.log_entry.batch, batch)


@rule(CALLS_SPEC)
def hold_becomes_later(standing_s: int, until_s: int, now_s: int) -> None:
    """A hold ends later than the one that stands, and than now.

    Raises:
        PredicateFailed: it does not.
    """
    least = max(standing_s, now_s)
    if until_s <= least:
        raise PredicateFailed("hold_becomes_later", "holds only become longer", got=until_s, expected=f"> {least}")


def judge_removal(judge: Judge, pack: bytes, shown: Sequence[ShownEntry], hold_until_s: int, now_s: int) -> int:
    """That these shards of a pack may be removed. Returns them as bits.

    Raises:
        PredicateFailed: the first rule that does not hold.
    """
    entries = [
        judge_placed(judge.under(f"shard {number}: "), one.operator_set, one.placed) for number, one in enumerate(shown)
    ]
    shards = judge(shards_are_of_the_pack, pack, entries)
    for entry in entries:
        judge(retention_is_over, entry, hold_until_s, now_s)
    return shards
