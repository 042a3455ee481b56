"""Which place of a tree a path takes, and whether two paths are next to each other.

As cosmos/ics23 `go/proof.go` (IsLeftMost, IsRightMost, IsLeftNeighbor), but total: the reference indexes out of range
for empty and identical paths.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

from hutong.light_clients.proofs.ics23.types import InnerOp, InnerSpec


@lru_cache(maxsize=64)
def _places(spec: InnerSpec) -> tuple[tuple[int, int, int], ...]:
    """For each branch in key order: least and greatest length of the prefix, length of the suffix."""
    places = []
    for branch in range(len(spec.child_order)):
        place = spec.child_order.index(branch)
        before = place * spec.child_size
        after = (len(spec.child_order) - 1 - place) * spec.child_size
        places.append((before + spec.min_prefix_length, before + spec.max_prefix_length, after))
    return tuple(places)


def branches_of(spec: InnerSpec, path: Iterable[InnerOp]) -> Iterator[int | None]:
    """For each step, the branch (in key order) that the child takes; None where prefix and suffix fit none."""
    places = _places(spec)
    for op in path:
        yield _branch(places, op)


def branch_of(spec: InnerSpec, op: InnerOp) -> int | None:
    """`branches_of` one step: the branch in key order, or None."""
    return _branch(_places(spec), op)


def _branch(places: tuple[tuple[int, int, int], ...], op: InnerOp) -> int | None:
    prefix, suffix = len(op.prefix), len(op.suffix)
    for branch, (least, greatest, after) in enumerate(places):
        if least <= prefix <= greatest and suffix == after:
            return branch
    return None


def _sibling(spec: InnerSpec, op: InnerOp, own_branch: int, branch: int) -> bytes:
    """The bytes of the sibling at `branch` as they stand in the preimage of `op`."""
    size = spec.child_size
    own_place = spec.child_order.index(own_branch)
    place = spec.child_order.index(branch)
    if place < own_place:
        start = len(op.prefix) - (own_place - place) * size
        return op.prefix[start : start + size]
    start = (place - own_place - 1) * size
    return op.suffix[start : start + size]


def left_branches_are_empty(spec: InnerSpec, op: InnerOp) -> bool:
    """The child has siblings on its left, and all are the spec's placeholder."""
    own = branch_of(spec, op)
    if not own or not spec.empty_child:
        return False
    return all(_sibling(spec, op, own, branch) == spec.empty_child for branch in range(own))


def right_branches_are_empty(spec: InnerSpec, op: InnerOp) -> bool:
    """The child has siblings on its right, and all are the spec's placeholder."""
    own = branch_of(spec, op)
    last = len(spec.child_order) - 1
    if own is None or own == last or not spec.empty_child:
        return False
    return all(_sibling(spec, op, own, branch) == spec.empty_child for branch in range(own + 1, last + 1))


def is_left_most(spec: InnerSpec, path: Sequence[InnerOp]) -> bool:
    """No key can be left of this path: each step takes the first branch, or those before it are empty."""
    if not path:
        return True
    branches = branches_of(spec, path)
    return all(branch == 0 or left_branches_are_empty(spec, op) for op, branch in zip(path, branches, strict=True))


def is_right_most(spec: InnerSpec, path: Sequence[InnerOp]) -> bool:
    """No key can be right of this path: each step takes the last branch, or those after it are empty."""
    if not path:
        return True
    last = len(spec.child_order) - 1
    branches = branches_of(spec, path)
    return all(branch == last or right_branches_are_empty(spec, op) for op, branch in zip(path, branches, strict=True))


def unshared_steps(path: Sequence[InnerOp], other: Sequence[InnerOp]) -> tuple[int, int]:
    """How many steps of each, leaf side first, are below the tail that both have."""
    mine, others = len(path), len(other)
    while mine and others and path[mine - 1] == other[others - 1]:
        mine -= 1
        others -= 1
    return mine, others


def are_neighbours(spec: InnerSpec, left: Sequence[InnerOp], right: Sequence[InnerOp]) -> bool:
    """`right` is the next path after `left`: they part at one node by one branch, and nothing is between.

    The paths come from proofs under one root, leaf side first; their common tail is what lies above the parting.
    """
    of_left, of_right = unshared_steps(left, right)
    if not of_left or not of_right:
        return False
    left_below, right_below = left[:of_left], right[:of_right]
    left_branch, right_branch = branch_of(spec, left_below[-1]), branch_of(spec, right_below[-1])
    if left_branch is None or right_branch is None or right_branch != left_branch + 1:
        return False
    return is_right_most(spec, left_below[:-1]) and is_left_most(spec, right_below[:-1])
