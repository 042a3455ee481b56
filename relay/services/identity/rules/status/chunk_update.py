"""A proven change of a list: from the root that the record holds to the next one (docs/spec/identity-status.md).

Whoever changes a list shows the chunks that change, before and after, and the siblings that lead both to a root. The hub holds
the old root alone, and the new one follows. Bits only rise, so that a status once given can never be taken back, by anyone
who holds the key of the list, either.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from hutong.light_clients.ibc.abi import decode_canonical, encode_abi
from hutong.light_clients.interface.errors import MalformedInput, PredicateFailed
from hutong.light_clients.interface.judge import Judge, rule
from hutong.light_clients.proofs.ssz.roots import CHUNK_BYTES, hash_pair
from hutong.relay.services.identity.rules.status.chunk_tree import SPEC, TreeShape, layers_of

MAX_UPDATE_CHUNKS: Final = 2**15
"""Every chunk of the largest list: a list can be sealed at once."""
MAX_UPDATE_BYTES: Final = 4 * 1024 * 1024
_UPDATE_TYPES: Final = ["(uint8,(uint256,bytes32,bytes32)[],bytes32[])"]
_VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class ChunkChange:
    """One chunk, by its number in the list, before and after."""

    number: int
    before: bytes
    after: bytes


@dataclass(frozen=True, slots=True)
class ListUpdate:
    """Changes by ascending number, and the nodes that cannot be computed from them: by level from the chunks up, left to right."""

    changes: tuple[ChunkChange, ...]
    siblings: tuple[bytes, ...]


@rule(SPEC)
def changes_ascend_within_list(shape: TreeShape, update: ListUpdate) -> None:
    """At least one change, each of another chunk of the list, in the one order.

    Raises:
        PredicateFailed: no change, a number at or after the end, or one that does not ascend.
    """
    if not update.changes:
        raise PredicateFailed("changes_ascend_within_list", "the update changes nothing")
    last = -1
    for change in update.changes:
        if not last < change.number < shape.chunks:
            raise PredicateFailed(
                "changes_ascend_within_list", "a chunk out of order or range", change.number, (last, shape.chunks)
            )
        last = change.number


@rule(SPEC)
def bits_only_rise(update: ListUpdate) -> None:
    """Each chunk keeps every bit that it has and gains at least one.

    Raises:
        PredicateFailed: a bit falls, or a chunk stays as it is.
    """
    for change in update.changes:
        before, after = int.from_bytes(change.before, "big"), int.from_bytes(change.after, "big")
        if before & ~after or before == after:
            reason = "a bit falls" if before & ~after else "a chunk does not change"
            raise PredicateFailed("bits_only_rise", reason, got=change.after, expected=change.before)


@rule(SPEC)
def update_leads_from_root(shape: TreeShape, root: bytes, update: ListUpdate) -> bytes:
    """The new root, if the chunks before stand under the present one with every sibling used.

    Raises:
        PredicateFailed: too few or too many siblings, or they lead to another root than the record's.
    """
    old = {change.number: change.before for change in update.changes}
    new = {change.number: change.after for change in update.changes}
    used = 0
    for _ in range(shape.depth):
        parents_old: dict[int, bytes] = {}
        parents_new: dict[int, bytes] = {}
        for number, node in old.items():
            parent = number >> 1
            if parent in parents_old:
                continue
            sibling = number ^ 1
            if sibling in old:
                beside_old, beside_new = old[sibling], new[sibling]
            elif used < len(update.siblings):
                beside_old = beside_new = update.siblings[used]
                used += 1
            else:
                raise PredicateFailed("update_leads_from_root", "a sibling is missing", got=len(update.siblings))
            parents_old[parent] = hash_pair(beside_old, node) if number & 1 else hash_pair(node, beside_old)
            parents_new[parent] = (
                hash_pair(beside_new, new[number]) if number & 1 else hash_pair(new[number], beside_new)
            )
        old, new = parents_old, parents_new
    if used != len(update.siblings):
        raise PredicateFailed(
            "update_leads_from_root", "siblings are left over", got=len(update.siblings), expected=used
        )
    if old[0] != root:
        raise PredicateFailed(
            "update_leads_from_root", "the chunks before are not the list's", got=old[0], expected=root
        )
    return new[0]


def judge_update(judge: Judge, shape: TreeShape, root: bytes, update: ListUpdate) -> bytes:
    """The root after `update` of a list whose record holds `root`.

    Raises:
        PredicateFailed: the first rule that does not hold.
    """
    judge(changes_ascend_within_list, shape, update)
    judge(bits_only_rise, update)
    return judge(update_leads_from_root, shape, root, update)


def prove_update(shape: TreeShape, octets: bytes, after: Mapping[int, bytes]) -> ListUpdate:
    """The update that puts the chunks of `after`, by number, in place of those of `octets`. It checks no rule.

    Raises:
        MalformedInput: `octets` are not a list of this shape.
        IndexError: the list has no such chunk; a bug of the caller.
    """
    layers = layers_of(shape, octets)
    changes = tuple(ChunkChange(number, layers[0][number], after[number]) for number in sorted(after))
    siblings: list[bytes] = []
    known: Sequence[int] = [change.number for change in changes]
    for layer in layers[:-1]:
        held = set(known)
        siblings += [layer[number ^ 1] for number in known if number ^ 1 not in held]
        known = sorted({number >> 1 for number in known})
    return ListUpdate(changes, tuple(siblings))


def encode_update(update: ListUpdate) -> bytes:
    """`abi.encode((uint8 version, (uint256 number, bytes32 before, bytes32 after)[] changes, bytes32[] siblings))`, version 1."""
    changes = [(change.number, change.before, change.after) for change in update.changes]
    return encode_abi(_UPDATE_TYPES, [(_VERSION, changes, list(update.siblings))])


def decode_update(data: bytes) -> ListUpdate:
    """Inverse of `encode_update`.

    Raises:
        MalformedInput: longer than `MAX_UPDATE_BYTES`, not in canonical ABI encoding, of another version, or more than
            `MAX_UPDATE_CHUNKS` changes.
    """
    ((version, changes, siblings),) = decode_canonical(_UPDATE_TYPES, data, "list_update", MAX_UPDATE_BYTES)
    if version != _VERSION:
        raise MalformedInput("list_update.version", "unknown", got=version, expected=_VERSION)
    if len(changes) > MAX_UPDATE_CHUNKS:
        raise MalformedInput("list_update.changes", f"more than {MAX_UPDATE_CHUNKS}", got=len(changes))
    return ListUpdate(
        tuple(ChunkChange(number, bytes(before), bytes(after)) for number, before, after in changes),
        tuple(bytes(sibling) for sibling in siblings),
    )


def changed_chunks(octets: bytes, after: bytes) -> dict[int, bytes]:
    """By number, the chunks of `after` that differ from those of `octets`, which are as long."""
    starts = range(0, len(octets), CHUNK_BYTES)
    return {
        at // CHUNK_BYTES: after[at : at + CHUNK_BYTES]
        for at in starts
        if octets[at : at + CHUNK_BYTES] != after[at : at + CHUNK_BYTES]
    }
