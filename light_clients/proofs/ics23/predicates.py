"""Rules that an existence proof must keep, one function a rule.

The `…_to_spec` ones are those of the reference (cosmos/ics23 `go/ops.go`, `go/proof.go`); `leaf_prefix_is_exact`,
`inner_nodes_have_one_place` and `root_is_well_formed` are stricter, as docs/spec/strictness.md lists (I1 to I7).
"""

from hutong.light_clients.interface import MalformedInput, PredicateFailed, rule
from hutong.light_clients.proofs.ics23.neighbours import branches_of
from hutong.light_clients.proofs.ics23.specs import DEFAULT_MAX_DEPTH, IAVL_SPEC, SMT_SPEC, TENDERMINT_SPEC, same_kind
from hutong.light_clients.proofs.ics23.types import ExistenceProof, HashOp, InnerOp, LeafOp, ProofSpec

PROOF_SOURCE = "ics23 go/proof.go"
OPS_SOURCE = "ics23 go/ops.go"
STRICT_SOURCE = "docs/spec/strictness.md"

_SHA256 = int(HashOp.SHA256)
MAX_ROOT_BYTES = 64
IAVL_CHILD_LENGTH = b"\x20"
"""Length byte before each child hash of an IAVL node."""
IAVL_LEAF = b"\x00\x02"
"""Height 0 and size 1, zigzag."""
INNER_PREFIX = b"\x01"
"""Of Tendermint and SMT inner nodes."""
MAX_INT64 = 2**63 - 1


@rule(STRICT_SOURCE)
def root_is_well_formed(spec: ProofSpec, root: bytes) -> None:
    """A root is a digest and not a default: an empty or all-zero one must never verify anything (Nomad).

    Raises:
        PredicateFailed: empty, all zero, more than `MAX_ROOT_BYTES`, or not 32 bytes where the spec hashes by SHA-256.
    """
    if len(root) == 32 and any(root):
        return
    if not root or len(root) > MAX_ROOT_BYTES or not any(root):
        raise PredicateFailed("root_is_well_formed", "the trusted root is empty or all zero", got=root)
    if spec.inner_spec.hash == _SHA256 and len(root) != 32:
        raise PredicateFailed("root_is_well_formed", "a SHA-256 root has 32 bytes", got=root)


def leaf_conforms(leaf: LeafOp, expected: LeafOp) -> None:
    """Same operations as the spec's leaf, and a prefix that begins with the spec's.

    Raises:
        PredicateFailed: `leaf_conforms_to_spec`: the first of these that differs.
    """
    if (
        leaf.hash != expected.hash
        or leaf.prehash_key != expected.prehash_key
        or leaf.prehash_value != expected.prehash_value
        or leaf.length != expected.length
    ):
        for name in ("hash", "prehash_key", "prehash_value", "length"):
            got, wanted = getattr(leaf, name), getattr(expected, name)
            if got != wanted:
                raise PredicateFailed("leaf_conforms_to_spec", f"{name} of the leaf op", int(got), int(wanted))
    if not leaf.prefix.startswith(expected.prefix):
        raise PredicateFailed("leaf_conforms_to_spec", "leaf prefix", got=leaf.prefix, expected=expected.prefix)


def _read_varint(data: bytes, offset: int, predicate: str) -> tuple[int, int]:
    """A signed (zigzag) 64-bit varint in its shortest form, and the offset after it."""
    raw = 0
    if offset < len(data) and data[offset] < 0x80:  # heights and sizes of small trees, most of what is read
        raw = data[offset]
        return (-(raw >> 1) - 1 if raw & 1 else raw >> 1), offset + 1
    for count in range(10):
        if offset + count >= len(data):
            raise PredicateFailed(predicate, "the IAVL prefix ends inside a varint", got=data)
        byte = data[offset + count]
        raw |= (byte & 0x7F) << 7 * count
        if byte < 0x80:
            if raw >= 2**64 or (count and byte == 0):
                raise PredicateFailed(predicate, "a varint is not the shortest form of 64 bits", got=data)
            value = raw >> 1
            return (-value - 1 if raw & 1 else value), offset + count + 1
    raise PredicateFailed(predicate, "a varint has more than 10 bytes", got=data)


def _iavl_header(prefix: bytes, predicate: str) -> tuple[int, int, int, bytes]:
    """(height, size, version) at the head of an IAVL prefix, none negative, and the bytes after them."""
    height, offset = _read_natural(prefix, 0, "height", predicate)
    size, offset = _read_natural(prefix, offset, "size", predicate)
    version, offset = _read_natural(prefix, offset, "version", predicate)
    return height, size, version, prefix[offset:]


def _read_natural(data: bytes, offset: int, name: str, predicate: str) -> tuple[int, int]:
    """A varint that is not negative; one and two bytes, as most have, are read without a loop."""
    if offset + 1 < len(data):
        first = data[offset]
        if first < 0x80:
            if not first & 1:
                return first >> 1, offset + 1
        elif not first & 1 and 0 < data[offset + 1] < 0x80:
            return (data[offset + 1] << 7 | first & 0x7F) >> 1, offset + 2
    value, end = _read_varint(data, offset, predicate)
    if value < 0:
        raise PredicateFailed(predicate, f"negative {name} in an IAVL prefix", got=value)
    return value, end


def leaf_conforms_to_spec(proof: ExistenceProof, spec: ProofSpec) -> None:
    """The reference's rule for the leaf, IAVL's varints included.

    Raises:
        PredicateFailed: another op or prefix, or an IAVL prefix that is not height, size and version.
    """
    leaf_conforms(proof.leaf, spec.leaf_spec)
    if same_kind(spec, IAVL_SPEC):
        _, _, _, rest = _iavl_header(proof.leaf.prefix, "leaf_conforms_to_spec")
        if rest:
            raise PredicateFailed("leaf_conforms_to_spec", "bytes after the version of an IAVL leaf", got=rest)


@rule(PROOF_SOURCE)
def depth_within_spec(proof: ExistenceProof, spec: ProofSpec) -> None:
    """The number of inner nodes on the path is within the spec's depths, both included.

    Raises:
        PredicateFailed: too few or too many; a spec's `max_depth` of 0 means `DEFAULT_MAX_DEPTH`.
    """
    depth = len(proof.path)
    max_depth = spec.max_depth or DEFAULT_MAX_DEPTH
    if not spec.min_depth <= depth <= max_depth:
        raise PredicateFailed(
            "depth_within_spec", "steps in the path", got=depth, expected=f"{spec.min_depth} to {max_depth}"
        )


def _iavl_height(op: InnerOp, layer: int) -> None:
    """IAVL's own rules for the prefix of the inner node at `layer` (leaf side 1)."""
    name = "inner_nodes_conform_to_spec"
    height, _, _, rest = _iavl_header(op.prefix, name)
    if height < layer:
        raise PredicateFailed(name, "IAVL height below the layer", got=height, expected=layer)
    if len(rest) not in (1, 34):
        raise PredicateFailed(name, "bytes after the version of an IAVL inner node", got=rest, expected="1 or 34")


def inner_nodes_conform_to_spec(proof: ExistenceProof, spec: ProofSpec) -> None:
    """The reference's rules for every inner node, leaf side first.

    Raises:
        PredicateFailed: the first node of another hash, prefix or suffix, or of an IAVL height below its layer.
    """
    name = "inner_nodes_conform_to_spec"
    iavl = same_kind(spec, IAVL_SPEC)
    inner, leaf_prefix = spec.inner_spec, spec.leaf_spec.prefix
    wanted_hash, child_size, least = inner.hash, inner.child_size, inner.min_prefix_length
    longest = inner.max_prefix_length + (len(inner.child_order) - 1) * child_size
    for layer, op in enumerate(proof.path, start=1):
        prefix = op.prefix
        if op.hash != wanted_hash:
            raise PredicateFailed(name, "hash of an inner op", got=int(op.hash), expected=int(wanted_hash))
        if iavl:
            _iavl_height(op, layer)
        if leaf_prefix and prefix.startswith(leaf_prefix):
            raise PredicateFailed(name, "an inner prefix begins like a leaf", got=prefix)
        if not least <= len(prefix) <= longest:
            raise PredicateFailed(name, "length of an inner prefix", got=len(prefix), expected=f"{least} to {longest}")
        if len(op.suffix) % child_size:
            raise PredicateFailed(name, "an inner suffix is not whole children", got=len(op.suffix))


def leaf_prefix_is_exact(proof: ExistenceProof, spec: ProofSpec) -> None:
    """Nothing of a key can hide in the prefix: exact bytes, or for IAVL height 0 and size 1 (I1, I2).

    Raises:
        PredicateFailed: other bytes.
    """
    prefix = proof.leaf.prefix
    if same_kind(spec, IAVL_SPEC):
        if prefix.startswith(IAVL_LEAF):
            return
        height, size, _, _ = _iavl_header(prefix, "leaf_prefix_is_exact")
        if (height, size) != (0, 1):
            raise PredicateFailed("leaf_prefix_is_exact", "height and size of an IAVL leaf", (height, size), (0, 1))
    elif prefix != spec.leaf_spec.prefix:
        raise PredicateFailed("leaf_prefix_is_exact", "leaf prefix", got=prefix, expected=spec.leaf_spec.prefix)


def inner_nodes_have_one_place(proof: ExistenceProof, spec: ProofSpec) -> None:
    """Each inner node has all siblings and exactly one place for the child, and the standard bytes between (I3, I4).

    Raises:
        PredicateFailed: the first node that does not.
    """
    name = "inner_nodes_have_one_place"
    iavl = same_kind(spec, IAVL_SPEC)
    fixed_prefix = same_kind(spec, TENDERMINT_SPEC) or same_kind(spec, SMT_SPEC)
    for op, branch in zip(proof.path, branches_of(spec.inner_spec, proof.path), strict=True):
        if branch is None:
            raise PredicateFailed(name, "prefix and suffix leave no single place", got=(len(op.prefix), len(op.suffix)))
        if fixed_prefix and not op.prefix.startswith(INNER_PREFIX):
            raise PredicateFailed(name, "an inner node begins 01", got=op.prefix)
        if iavl:
            # Three varints have at most 30 bytes, so the branch tells what follows them: 1 byte or 34.
            lengths = op.prefix[-1:] + (op.suffix[:1] if branch == 0 else op.prefix[-34:-33])
            if lengths != 2 * IAVL_CHILD_LENGTH:
                raise PredicateFailed(name, "children of an IAVL node are 32 bytes long", got=lengths)


@rule(PROOF_SOURCE)
def key_matches(proof: ExistenceProof, key: bytes) -> None:
    """The proof is of the key that the caller asks for; the empty key is never proven.

    Raises:
        PredicateFailed: another key, or an empty one.
    """
    if not key or proof.key != key:
        raise PredicateFailed("key_matches", "the proof is of another key", got=proof.key, expected=key)


@rule(PROOF_SOURCE)
def value_matches(proof: ExistenceProof, value: bytes) -> None:
    """The proof is of the value that the caller expects; the empty value is never proven.

    Raises:
        PredicateFailed: another value, or an empty one.
    """
    if not value or proof.value != value:
        raise PredicateFailed("value_matches", "the proof is of another value", got=proof.value, expected=value)


def root_matches(spec: ProofSpec, computed: bytes, root: bytes) -> None:
    """The path leads to the trusted root; `computed` is where it leads.

    Raises:
        PredicateFailed: another root.
        MalformedInput: no 32 bytes come out, where the spec hashes by SHA-256.
    """
    if spec.inner_spec.hash == _SHA256 and len(computed) != 32:
        raise MalformedInput("proof.leaf.hash", "gives no 32-byte root", got=computed)
    if computed != root:
        raise PredicateFailed("root_matches", "the path leads to another root", got=computed, expected=root)
