"""When a batch may be on the hub: placed as the map says, and signed by enough operators (docs/spec/storage-calls.md)."""

from collections.abc import Sequence
from typing import Final

from hutong.light_clients.crypto import keccak256
from hutong.light_clients.interface import PredicateFailed, rule
from hutong.relay.services.storage.rules.lifecycle.signed import MAX_BATCH_PARTS, OperatorPart, struct_hash
from hutong.relay.services.storage.rules.lifecycle.stored import receipts_needed
from hutong.relay.services.storage.rules.packs.shape import PackShape
from hutong.relay.services.storage.rules.records.members import FOLLOWING, Candidate, OperatorState

CALLS_SPEC: Final = "docs/spec/storage-calls.md"


@rule(CALLS_SPEC)
def batch_is_placed(parts: Sequence[OperatorPart], placed: Sequence[Candidate]) -> None:
    """The parts are those of the group's operators, one for each.

    Raises:
        PredicateFailed: one is missing, or is of another operator.
    """
    named = [part.operator for part in parts]
    expected = sorted(candidate.operator for candidate in placed)
    if named != expected:
        strange = next((one for one in named if one not in expected), b"")
        raise PredicateFailed("batch_is_placed", "not the operators of the group", got=strange, expected=len(expected))


@rule(CALLS_SPEC)
def parts_are_alike(parts: Sequence[OperatorPart]) -> None:
    """Each operator gets one shard of each pack, all shards of a pack being of one size.

    Raises:
        PredicateFailed: parts have other numbers of entries or leaves.
    """
    sizes = {(part.part.entries, part.part.leaves) for part in parts}
    if len(sizes) != 1:
        raise PredicateFailed("parts_are_alike", "entries and leaves of all parts are the same", got=len(sizes))


@rule(CALLS_SPEC)
def enough_parts_are_signed(shape: PackShape, signed: int) -> None:
    """As many operators signed as a pack needs to be stored: 12 of 14 with 10 + 4.

    Raises:
        PredicateFailed: fewer.
    """
    if signed < receipts_needed(shape):
        raise PredicateFailed("enough_parts_are_signed", "too few operators", signed, receipts_needed(shape))


@rule(CALLS_SPEC)
def part_is_of_the_batch(hashes: Sequence[bytes], index: int, part: OperatorPart, parts: bytes) -> None:
    """`hashes` are those of all parts of the batch whose `parts_hash` is `parts`, and number `index` is this part's.

    Raises:
        PredicateFailed: they are others, or the part is not there.
    """
    name = "part_is_of_the_batch"
    if len(hashes) > MAX_BATCH_PARTS or keccak256(b"".join(hashes)) != parts:
        raise PredicateFailed(name, "hashes of another batch", got=len(hashes))
    if index >= len(hashes) or hashes[index] != struct_hash(part):
        raise PredicateFailed(name, "another part stands there", got=index)


@rule(CALLS_SPEC)
def state_may_follow(standing: OperatorState, following: OperatorState) -> None:
    """An operator is activated, drained and leaves in this order; whoever has left stays away.

    Raises:
        PredicateFailed: the state does not follow.
    """
    if following not in FOLLOWING[standing]:
        raise PredicateFailed("state_may_follow", f"after {standing.name.lower()}", got=following.name.lower())
