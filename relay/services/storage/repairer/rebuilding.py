"""One pack's lost shards out of the others: each read whole and judged before the mask comes off, and forgotten when the new one is made.

What is in memory meanwhile is sealed: a repairer has the keys of masks and none of objects.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import trio

from hutong.light_clients.interface import VERIFY, PredicateFailed
from hutong.relay.services.storage.gateway.operators import OperatorFailed
from hutong.relay.services.storage.repairer.siblings import NotMended, Sibling
from hutong.relay.services.storage.rules.operator_api.spans import SpanRange, spans_of
from hutong.relay.services.storage.rules.packs.coding import MaskedShard, rebuild_judged
from hutong.relay.services.storage.rules.packs.mask import pack_mask_key
from hutong.relay.services.storage.rules.packs.shape import PackShape


@dataclass(slots=True)
class ReadBytes:
    """What was read, for the figures, and which shards were refused though the hub says that they are held."""

    octets: int = 0
    refusals: int = 0
    first_refusal: str | None = None


async def rebuilt_pack(
    siblings: Sequence[Sibling], number: int, code: PackShape, lost: Sequence[int], repair_root: bytes, read: ReadBytes
) -> tuple[MaskedShard, ...]:
    """The lost shards of pack `number` of a batch.

    Args:
        siblings: whom to ask, in this order.
        code: its data and parity; the height is the entry's.
        lost: shard numbers.
        repair_root: 32 secret bytes of the packs' owner.

    Raises:
        NotMended: too few shards can be read, or the pack was coded wrongly.
    """
    entry = siblings[0].entries[number]
    shape = replace(code, height=entry.height)
    right = await _right_shards(siblings, number, shape, read)
    key = pack_mask_key(repair_root, entry.pack)
    try:
        return await trio.to_thread.run_sync(rebuild_judged, VERIFY, entry.pack, shape, right, key, tuple(lost))
    except PredicateFailed as error:
        if error.predicate == "body_has_the_packs_name":
            said = "the repair root is another's, or its writer coded it wrongly"
            raise NotMended(f"pack {entry.pack.hex()}: {said}: {error}") from None
        raise NotMended(f"pack {entry.pack.hex()}: {error}") from None


async def _right_shards(
    siblings: Sequence[Sibling], number: int, shape: PackShape, read: ReadBytes
) -> dict[int, bytearray]:
    right: dict[int, bytearray] = {}
    waiting = list(siblings)

    async def fetch() -> None:
        while waiting:
            sibling = waiting.pop(0)
            entry = sibling.entries[number]
            asked = SpanRange(entry.height, 0, spans_of(entry.height))
            try:
                _, octets = await sibling.link.spans(entry.pack, entry.shard, asked, entry.root, None)
            except OperatorFailed as error:
                read.refusals += 1
                read.first_refusal = read.first_refusal or str(error)
                continue
            right[sibling.shard] = bytearray(octets)
            read.octets += len(octets)
            return

    async with trio.open_nursery() as nursery:
        for _ in range(shape.data):
            nursery.start_soon(fetch)
    if len(right) < shape.data:
        pack, why = siblings[0].entries[number].pack, read.first_refusal
        raise NotMended(f"pack {pack.hex()}: {len(right)} shards can be read of {shape.data} needed; the first: {why}")
    return right
