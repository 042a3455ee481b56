"""Which place of a tree a path takes, and whether two paths are next to each other.

As cosmos/ics23 `go/proof.go` (IsLeftMost, IsRightMost, IsLeftNeighbor), but total: the reference indexes out of range
for empty and identical paths.
"""

from collections.abc import Sequence

from light_clients.proofs.ics23.types import InnerOp, InnerSpec


def branch_of(spec: InnerSpec, op: InnerOp) -> int | None:
    """The branch (in key order) that the child takes under `op`; None where prefix and suffix fit none."""
    for branch in range(len(spec.child_order)):
        place = spec.child_order.index(branch)
        before = place * spec.child_size
        after = (len(spec.child_order) - 1 - place) * spec.child_size
        if (
            before + spec.min_prefix_length <= len(op.prefix) <= before + spec.max_prefix_length
            and len(op.suffix) == after
        ):
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
    """No key can be left of this path."""
    return all(branch_of(spec, op) == 0 or left_branches_are_empty(spec, op) for op in path)


def is_right_most(spec: InnerSpec, path: Sequence[InnerOp]) -> bool:
    """No key can be right of this path."""
    last = len(spec.child_order) - 1
    return all(branch_of(spec, op) == last or right_branches_are_empty(spec, op) for op in path)


def are_neighbours(spec: InnerSpec, left: Sequence[InnerOp], right: Sequence[InnerOp]) -> bool:
    """`right` is the next path after `left`: they part at one node by one branch, and nothing is between.

    The paths come from proofs under one root, leaf side first; their common tail is what lies above the parting.
    """
    common = 0
    while common < min(len(left), len(right)) and left[-1 - common] == right[-1 - common]:
        common += 1
    left_below, right_below = left[: len(left) - common], right[: len(right) - common]
    if not left_below or not right_below:
        return False
    left_branch, right_branch = branch_of(spec, left_below[-1]), branch_of(spec, right_below[-1])
    if left_branch is None or right_branch is None or right_branch != left_branch + 1:
        return False
    return is_right_most(spec, left_below[:-1]) and is_left_most(spec, right_below[:-1])
