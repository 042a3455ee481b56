"""From a body to shards that operators hold, and back: code, mask and commit; judge, unmask and decode (docs/spec/storage-pack.md).

The danger: a code finds no wrong shard. So nothing is unmasked or decoded here that was not compared with the root which the manifest
or an entry holds: a shard that fails is missing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from hutong.light_clients.crypto.erasure import CauchyCode
from hutong.light_clients.interface import Judge, PredicateFailed, rule
from hutong.relay.services.storage.rules.packs.body import PackIndex, data_shards, read_body
from hutong.relay.services.storage.rules.packs.leaf_tree import outboard, root_of_outboard, shard_height, shard_root
from hutong.relay.services.storage.rules.packs.mask import mask_in_place, masked, pack_mask_key, shard_mask_key
from hutong.relay.services.storage.rules.packs.naming import pack_name, pack_name_of
from hutong.relay.services.storage.rules.packs.shape import SPEC, PackShape

Octets = bytes | bytearray | memoryview


@dataclass(frozen=True, slots=True)
class MaskedShard:
    """What an operator is given: a shard under its mask, its outboard, and the root over both."""

    number: int
    octets: bytearray
    outboard: bytes
    root: bytes


@dataclass(frozen=True, slots=True)
class CodedPack:
    """A pack that is ready to be sent: its name and every masked shard, data first."""

    name: bytes
    shape: PackShape
    shards: tuple[MaskedShard, ...]


def code_pack(shape: PackShape, body: bytearray, repair_root: bytes) -> CodedPack:
    """Code, mask and commit to a body. Memory: the shards, 1.4 times the body with 10 + 4.

    Args:
        body: as `build_body` made it; it is not changed.
        repair_root: 32 secret bytes of the tenant.

    Raises:
        MalformedInput: a body of another size than the shape has, or a secret of another length.
        ErasureNotInstalled: the extra `storage` is not there.
    """
    name = pack_name(body)
    plain = data_shards(shape, body)
    coded = [*map(bytearray, plain), *CauchyCode(shape.data, shape.parity).encode(plain)]
    key = pack_mask_key(repair_root, name)
    return CodedPack(name, shape, tuple(_under_mask(key, number, shard) for number, shard in enumerate(coded)))


def _under_mask(pack_key: bytes, number: int, shard: bytearray) -> MaskedShard:
    mask_in_place(shard_mask_key(pack_key, number), shard)
    board = outboard(shard)
    return MaskedShard(number, shard, board, root_of_outboard(shard_height(len(shard)), board))


@rule(SPEC)
def shard_has_its_root(shape: PackShape, root: bytes, shard: Octets) -> None:
    """A masked shard is the one that was committed to.

    Raises:
        PredicateFailed: another size or root.
    """
    if len(shard) != shape.shard_bytes:
        raise PredicateFailed("shard_has_its_root", "another size", got=len(shard), expected=shape.shard_bytes)
    found = shard_root(shard)
    if found != root:
        raise PredicateFailed("shard_has_its_root", "another root", got=found, expected=root)


@rule(SPEC)
def enough_shards_are_right(shape: PackShape, right: Sequence[int]) -> None:
    """As many shards as are needed have their roots.

    Raises:
        PredicateFailed: fewer.
    """
    if len(right) < shape.data:
        raise PredicateFailed("enough_shards_are_right", "too few shards", got=len(right), expected=shape.data)


@rule(SPEC)
def body_has_the_packs_name(name: bytes, *body: Octets) -> None:
    """The body that was decoded, whole or in pieces, is the one that the pack is named by.

    Raises:
        PredicateFailed: it is another: whoever coded the pack committed to shards that are no code word.
    """
    found = pack_name_of(body)
    if found != name:
        raise PredicateFailed("body_has_the_packs_name", "another body", got=found, expected=name)


def right_shards(shape: PackShape, roots: Sequence[bytes], shards: Mapping[int, Octets]) -> dict[int, Octets]:
    """Of the masked shards at hand those that have their roots: the others are missing, whoever sent them."""
    right: dict[int, Octets] = {}
    for number, shard in sorted(shards.items()):
        if not 0 <= number < len(roots):
            continue
        try:
            shard_has_its_root(shape, roots[number], shard)
        except PredicateFailed:
            continue
        right[number] = shard
    return right


def _decoded(
    judge: Judge, pack: tuple[bytes, PackShape, Sequence[bytes]], shards: Mapping[int, Octets], pack_key: bytes
) -> bytearray:
    name, shape, roots = pack
    right = right_shards(shape, roots, shards)
    judge(enough_shards_are_right, shape, tuple(right))
    plain = {number: masked(shard_mask_key(pack_key, number), right[number]) for number in tuple(right)[: shape.data]}
    lost = [number for number in range(shape.data) if number not in plain]
    rebuilt = dict(zip(lost, CauchyCode(shape.data, shape.parity).rebuild(plain, lost), strict=True))
    body = bytearray().join(rebuilt[number] if number in rebuilt else plain[number] for number in range(shape.data))
    judge(body_has_the_packs_name, name, body)
    return body


def decode_pack(
    judge: Judge, pack: tuple[bytes, PackShape, Sequence[bytes]], shards: Mapping[int, Octets], pack_key: bytes
) -> tuple[PackIndex, bytearray]:
    """The body of a pack, from any of its masked shards, and what lies where in it.

    Args:
        pack: its name, its shape, and the root of each masked shard.
        shards: by number; those that are wrong are left out.
        pack_key: see `pack_mask_key`.

    Raises:
        PredicateFailed: too few shards have their roots, or the pack was coded wrongly.
        MalformedInput: the body that was coded is none.
    """
    body = _decoded(judge, pack, shards, pack_key)
    return read_body(body), body


def rebuild_judged(
    judge: Judge, name: bytes, shape: PackShape, right: Mapping[int, bytearray], pack_key: bytes, lost: Sequence[int]
) -> tuple[MaskedShard, ...]:
    """Shards of these numbers out of others that have their roots already, where the lost ones' roots are not known one by one.

    That the body has the pack's name shows that what comes out is what the pack's writer coded: code and mask leave nothing to
    choose. Memory: the shards that are given, which lose their mask where they lie, and those that were not.

    Args:
        right: masked shards by number, each compared with its root; **they are overwritten**.
        pack_key: see `pack_mask_key`.
        lost: numbers that the pack has and that are not given.

    Raises:
        PredicateFailed: too few shards, or the body has another name: the pack was coded wrongly.
    """
    judge(enough_shards_are_right, shape, tuple(right))
    used = sorted(right)[: shape.data]
    plain: dict[int, bytearray] = {}
    for number in used:
        mask_in_place(shard_mask_key(pack_key, number), right[number])
        plain[number] = right[number]
    code = CauchyCode(shape.data, shape.parity)
    wanted = sorted({number for number in range(shape.data) if number not in plain} | set(lost))
    made = dict(zip(wanted, code.rebuild(plain, wanted), strict=True))
    body = [plain[number] if number in plain else made[number] for number in range(shape.data)]
    judge(body_has_the_packs_name, name, *body)
    return tuple(_under_mask(pack_key, number, made[number]) for number in lost)


def rebuild_shards(
    judge: Judge,
    pack: tuple[bytes, PackShape, Sequence[bytes]],
    shards: Mapping[int, Octets],
    pack_key: bytes,
    lost: Iterable[int],
) -> tuple[MaskedShard, ...]:
    """The masked shards of these numbers again, each with the root that it had.

    Args:
        pack, shards, pack_key: see `decode_pack`.
        lost: numbers of shards that the pack has.

    Raises:
        PredicateFailed: see `decode_pack`; or a shard that comes out has another root than was committed to, which is reported
            and never written: its writer coded wrongly.
    """
    _, shape, roots = pack
    body = _decoded(judge, pack, shards, pack_key)
    plain = dict(enumerate(data_shards(shape, body)))
    numbers = tuple(lost)
    made = CauchyCode(shape.data, shape.parity).rebuild(plain, numbers)
    rebuilt = tuple(_under_mask(pack_key, number, shard) for number, shard in zip(numbers, made, strict=True))
    for shard in rebuilt:
        judge(shard_has_its_root, shape, roots[shard.number], shard.octets)
    return rebuilt
