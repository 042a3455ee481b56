"""From a body to masked shards where it lies: the body's own memory becomes the data shards (docs/spec/storage-pack.md).

As `code_pack`, by columns of 64 KiB: what is coded is masked and hashed while it is still in the processor's cache, and nothing is copied.
"""

from dataclasses import dataclass

from hutong.light_clients.crypto.erasure import CauchyCode
from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.proofs.merkle import root_of_leaves
from hutong.relay.services.storage.rules.packs.body import data_shards
from hutong.relay.services.storage.rules.packs.leaf_tree import SPAN_BYTES, leaf_hashes, root_of_outboard
from hutong.relay.services.storage.rules.packs.mask import ShardMask, pack_mask_key, shard_mask_key
from hutong.relay.services.storage.rules.packs.naming import pack_name
from hutong.relay.services.storage.rules.packs.shape import PackShape


@dataclass(frozen=True, slots=True)
class PlacedPack:
    """What a pack is known by; its masked shards lie in the memory that was given."""

    name: bytes
    shape: PackShape
    outboards: tuple[bytes, ...]
    """Of each shard, data first."""
    roots: tuple[bytes, ...]


def code_in_place(shape: PackShape, body: memoryview, parity: memoryview, repair_root: bytes) -> PlacedPack:
    """Code, mask and commit to a body. Afterwards `body` holds its masked data shards, one after the other, `parity` the others.

    Args:
        body: as `index_body` left it; **it is overwritten**.
        parity: bytes of all parity shards.
        repair_root: 32 secret bytes of the tenant.

    Raises:
        MalformedInput: memory of another size than the shape has, or a secret of another length.
        ErasureNotInstalled: the extra `storage` is not there.
    """
    if len(parity) != shape.parity * shape.shard_bytes:
        raise MalformedInput("pack.parity", "another size", got=len(parity), expected=shape.parity * shape.shard_bytes)
    name = pack_name(body)
    key = pack_mask_key(repair_root, name)
    size = shape.shard_bytes
    data = data_shards(shape, body)
    shards = (*data, *(parity[at : at + size] for at in range(0, len(parity), size)))
    code = CauchyCode(shape.data, shape.parity)
    masks = [ShardMask(shard_mask_key(key, number)) for number in range(shape.shards)]
    boards: list[list[bytes]] = [[] for _ in shards]
    for at in range(0, size, SPAN_BYTES):
        column = [shard[at : at + SPAN_BYTES] for shard in shards]
        code.encode_into(column[: shape.data], column[shape.data :])
        for run, mask, board in zip(column, masks, boards, strict=True):
            mask.lay_over(run)
            board.append(root_of_leaves(leaf_hashes(run)))
    outboards = tuple(map(b"".join, boards))
    roots = tuple(root_of_outboard(shape.height, outboard) for outboard in outboards)
    return PlacedPack(name, shape, outboards, roots)
