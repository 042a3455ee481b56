"""Every shard read whole and judged by its root, page by page; what rotted is named, and what nobody receipted is found.

A pass holds nothing up: each shard is one read of the engine. What it found is written into the index, so that a part is not
signed over it, a reader is told, and the same shard, put again, takes its place.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from hutong.relay.services.storage.operator.index import HeldShard, Holding, ShardIndex, ShardKey
from hutong.relay.services.storage.operator.shelf import Shelf, key_of_object

PAGE: Final = 256


@dataclass(frozen=True, slots=True)
class Damage:
    """A shard that is not what was receipted, and why, in a sentence."""

    key: ShardKey
    reason: str

    def __str__(self) -> str:
        return f"shard {self.key.shard} of pack {self.key.pack.hex()} of writer {self.key.writer.hex()}: {self.reason}"


@dataclass(frozen=True, slots=True)
class ScrubStep:
    """What one shard's reading showed. `damage` is None where it is whole."""

    held: HeldShard
    damage: Damage | None


def scrub_steps(
    index: ShardIndex, shelf: Shelf, now_s: Callable[[], int], after: ShardKey | None = None
) -> Iterator[ScrubStep]:
    """Read shards in the order of the index after one of them, and mark each as damaged or whole. Blocks at each step.

    Raises:
        EngineUnavailable: the engine does not answer; nothing is marked for that.
    """
    while page := index.every_shard(after, PAGE):
        for held in page:
            yield _looked_at(index, shelf, held, now_s)
        after = page[-1].key


def _looked_at(index: ShardIndex, shelf: Shelf, held: HeldShard, now_s: Callable[[], int]) -> ScrubStep:
    reason = shelf.damage(held)
    if reason is not None:
        # Deleted since the page was read: it is not damaged, it is gone.
        present = index.shard(held.key)
        if present is None or present.holding is Holding.REMOVED:
            return ScrubStep(held, None)
    if reason is None and held.damaged_at_s is not None:
        index.mark_damaged(held.key, None)
    elif reason is not None and held.damaged_at_s is None:
        index.mark_damaged(held.key, now_s())
    return ScrubStep(held, None if reason is None else Damage(held.key, reason))


def orphans(index: ShardIndex, shelf: Shelf) -> Iterator[str]:
    """Objects of the engine that nobody receipted: of puts that were killed, and of deletions. Strangers' objects are not ours.

    While a put runs its object is one of these for a moment: whoever removes them stops the operator first.

    Raises:
        EngineUnavailable: the engine does not answer.
    """
    for name in shelf.engine.names(""):
        key = key_of_object(name)
        if key is None:
            continue
        held = index.shard(key)
        if held is None or held.holding is Holding.REMOVED:
            yield name


def remove_orphans(index: ShardIndex, shelf: Shelf) -> int:
    """Delete them. Returns how many there were.

    Raises:
        EngineUnavailable: the engine does not answer.
    """
    found = list(orphans(index, shelf))
    for name in found:
        shelf.engine.delete(name)
    return len(found)
