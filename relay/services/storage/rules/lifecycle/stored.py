"""When a pack counts as stored: receipts of enough operators for what the batch commits to (docs/spec/storage-lifecycle.md)."""

from collections.abc import Sequence
from typing import Final

from hutong.light_clients.interface import Judge, PredicateFailed, rule
from hutong.relay.services.storage.rules.commitments.entries import ShardEntry
from hutong.relay.services.storage.rules.lifecycle.signed import SPEC, ShardReceipt, struct_is_signed_by
from hutong.relay.services.storage.rules.packs.shape import PackShape

SPARE_RECEIPTS: Final = 2
"""Beyond the data shards: so many may be lost before the rest is repaired. 12 of 14 with 10 + 4."""


def receipts_needed(shape: PackShape) -> int:
    """Distinct shards of which receipts make a pack stored."""
    return shape.data + min(SPARE_RECEIPTS, shape.parity)


@rule(SPEC)
def receipt_is_of_entry(receipt: ShardReceipt, hub: bytes, operator: bytes, entry: ShardEntry) -> None:
    """The receipt says what the batch's entry says, of this operator on this hub.

    Raises:
        PredicateFailed: another shard, root, size or retention.
    """
    said = (receipt.hub, receipt.operator, receipt.pack, receipt.shard)
    asked = (hub, operator, entry.pack, entry.shard)
    if said != asked:
        raise PredicateFailed("receipt_is_of_entry", "of another shard", got=b"".join(map(bytes, said[:3])))
    if (receipt.height, receipt.root, receipt.retain_until_s) != (entry.height, entry.root, entry.retain_until_s):
        raise PredicateFailed("receipt_is_of_entry", "another root, height or retention", receipt.root, entry.root)


@rule(SPEC)
def enough_shards_have_receipts(shape: PackShape, shards: Sequence[int]) -> None:
    """As many distinct shards as the pack needs to be stored.

    Raises:
        PredicateFailed: fewer, or a number that the pack does not have.
    """
    distinct = set(shards)
    if any(not 0 <= shard < shape.shards for shard in distinct):
        raise PredicateFailed("enough_shards_have_receipts", "the pack has no such shard", got=sorted(distinct))
    if len(distinct) < receipts_needed(shape):
        raise PredicateFailed("enough_shards_have_receipts", "too few shards", len(distinct), receipts_needed(shape))


def judge_receipt(
    judge: Judge, receipt: ShardReceipt, signature: bytes, hub: bytes, operator: tuple[bytes, bytes], entry: ShardEntry
) -> None:
    """That an operator receipted what the entry commits it to.

    Args:
        operator: its id of 32 bytes and its account of 20 bytes, as the hub says them.

    Raises:
        PredicateFailed: the first rule that does not hold.
    """
    number, account = operator
    judge(receipt_is_of_entry, receipt, hub, number, entry)
    judge(struct_is_signed_by, receipt, signature, account)
