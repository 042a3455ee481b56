"""The form that inner nodes of the standard trees have in every honest proof, recognised at a glance.

A path of this form keeps `inner_nodes_conform_to_spec` and `inner_nodes_have_one_place`; the tests hold it to them. So those
two rules, which say what is wrong, only read paths of any other form, and of specs that are not standard.
"""

import re
from collections.abc import Sequence

from hutong.light_clients.proofs.ics23.specs import IAVL_SPEC, SMT_SPEC, TENDERMINT_SPEC, same_kind
from hutong.light_clients.proofs.ics23.types import HashOp, InnerOp, ProofSpec

_SHA256 = int(HashOp.SHA256)
_EVEN = b"[" + b"".join(rb"\x%02x" % byte for byte in range(0, 0x80, 2)) + b"]"
"""One byte of a zigzag varint that is not negative."""
_EVEN_MORE = b"[" + b"".join(rb"\x%02x" % byte for byte in range(0x80, 0x100, 2)) + b"]"
_NATURAL = rb"(?:%b|%b[\x80-\xff]{0,3}[\x01-\x7f])" % (_EVEN, _EVEN_MORE)
"""Shortest form, at most 5 bytes: with one of height and two of these a header has at most 11 bytes, as the spec allows."""
_HEADER = _EVEN + _NATURAL + _NATURAL
_left_iavl_prefix = re.compile(_HEADER + b"\x20", re.DOTALL).fullmatch
_right_iavl_prefix = re.compile(_HEADER + b"\x20.{32}\x20", re.DOTALL).fullmatch


def _iavl_steps_are_standard(path: Sequence[InnerOp], steps: int) -> bool:
    for layer, (op, prefix, suffix) in enumerate(path[:steps], start=1):
        if op != _SHA256:
            return False
        if suffix:
            if len(suffix) != 33 or suffix[0] != 0x20 or _left_iavl_prefix(prefix) is None:
                return False
        elif _right_iavl_prefix(prefix) is None:
            return False
        # The height; a node is no lower than its layer, which also keeps it from beginning like a leaf.
        if prefix[0] >> 1 < layer:
            return False
    return True


def _tagged_steps_are_standard(path: Sequence[InnerOp], steps: int) -> bool:
    """01, the left child, the right one: Tendermint's and the sparse tree's."""
    for op, prefix, suffix in path[:steps]:
        if op != _SHA256:
            return False
        if suffix:
            if len(suffix) != 32 or prefix != b"\x01":
                return False
        elif len(prefix) != 33 or prefix[0] != 1:
            return False
    return True


_FORMS = (
    (IAVL_SPEC, _iavl_steps_are_standard),
    (TENDERMINT_SPEC, _tagged_steps_are_standard),
    (SMT_SPEC, _tagged_steps_are_standard),
)


def has_standard_form(spec: ProofSpec, path: Sequence[InnerOp], steps: int) -> bool:
    """Whether the lowest `steps` of a path have the form of `spec`'s inner nodes.

    False where the spec is not a standard one: its paths are always read by the rules.
    """
    for standard, form in _FORMS:
        if spec is standard:
            return form(path, steps)
    return any(same_kind(spec, standard) and form(path, steps) for standard, form in _FORMS)
