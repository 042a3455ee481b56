"""What shows that a shard was repaired: the same root in another operator's set (docs/spec/storage-lifecycle.md).

Code and mask leave nothing to choose, so a shard that was rebuilt rightly has the root that was lost, and no other has.
"""

from hutong.light_clients.interface import Judge, PredicateFailed, rule
from hutong.relay.services.storage.rules.commitments.entries import ShardEntry
from hutong.relay.services.storage.rules.commitments.placed import judge_placed
from hutong.relay.services.storage.rules.lifecycle.removal import ShownEntry
from hutong.relay.services.storage.rules.lifecycle.signed import SPEC


@rule(SPEC)
def rebuilt_shard_is_the_lost_one(lost: ShardEntry, rebuilt: ShardEntry) -> None:
    """The same shard of the same pack, with the same root and height.

    Raises:
        PredicateFailed: it is another.
    """
    if (lost.pack, lost.shard, lost.height) != (rebuilt.pack, rebuilt.shard, rebuilt.height):
        raise PredicateFailed("rebuilt_shard_is_the_lost_one", "another shard", got=rebuilt.pack, expected=lost.pack)
    if lost.root != rebuilt.root:
        raise PredicateFailed("rebuilt_shard_is_the_lost_one", "another root", got=rebuilt.root, expected=lost.root)


@rule(SPEC)
def retention_is_kept(lost: ShardEntry, rebuilt: ShardEntry) -> None:
    """A repair does not shorten the time for which a shard is retained.

    Raises:
        PredicateFailed: it does.
    """
    if rebuilt.retain_until_s < lost.retain_until_s:
        raise PredicateFailed(
            "retention_is_kept", "retained for a shorter time", rebuilt.retain_until_s, f">= {lost.retain_until_s}"
        )


def judge_repair(judge: Judge, lost: ShownEntry, rebuilt: ShownEntry) -> ShardEntry:
    """That the shard of `lost` stands in the set of `rebuilt` too. Returns its new entry.

    Raises:
        PredicateFailed: the first rule that does not hold.
    """
    before = judge_placed(judge.under("lost: "), lost.operator_set, lost.placed)
    after = judge_placed(judge.under("rebuilt: "), rebuilt.operator_set, rebuilt.placed)
    judge(rebuilt_shard_is_the_lost_one, before, after)
    judge(retention_is_kept, before, after)
    return after
