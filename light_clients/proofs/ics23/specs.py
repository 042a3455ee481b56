"""The three standard proof specs (cosmos/ics23 `go/proof.go`), frozen.

A spec always comes from the client state, never from a proof or a message (attack B14).
"""

from hutong.light_clients.proofs.ics23.types import HashOp, InnerSpec, LeafOp, LengthOp, ProofSpec

DEFAULT_MAX_DEPTH = 128

IAVL_SPEC = ProofSpec(
    leaf_spec=LeafOp(HashOp.SHA256, HashOp.NO_HASH, HashOp.SHA256, LengthOp.VAR_PROTO, b"\x00"),
    inner_spec=InnerSpec(
        child_order=(0, 1),
        child_size=33,
        min_prefix_length=4,
        max_prefix_length=12,
        empty_child=b"",
        hash=HashOp.SHA256,
    ),
)
"""Cosmos SDK stores. A child is a length byte 0x20 and 32 bytes; the prefix begins with height, size and version."""

TENDERMINT_SPEC = ProofSpec(
    leaf_spec=LeafOp(HashOp.SHA256, HashOp.NO_HASH, HashOp.SHA256, LengthOp.VAR_PROTO, b"\x00"),
    inner_spec=InnerSpec(
        child_order=(0, 1),
        child_size=32,
        min_prefix_length=1,
        max_prefix_length=1,
        empty_child=b"",
        hash=HashOp.SHA256,
    ),
)
"""The RFC 6962 tree of store roots of a Cosmos SDK multistore."""

SMT_SPEC = ProofSpec(
    leaf_spec=LeafOp(HashOp.SHA256, HashOp.SHA256, HashOp.SHA256, LengthOp.NO_PREFIX, b"\x00"),
    inner_spec=InnerSpec(
        child_order=(0, 1),
        child_size=32,
        min_prefix_length=1,
        max_prefix_length=1,
        empty_child=bytes(32),
        hash=HashOp.SHA256,
    ),
    max_depth=256,
    prehash_key_before_comparison=True,
)
"""The hub's sparse Merkle tree: neighbours are those in order of SHA-256 of the key."""

STANDARD_SPECS = {"iavl": IAVL_SPEC, "tendermint": TENDERMINT_SPEC, "smt": SMT_SPEC}


def same_kind(spec: ProofSpec, standard: ProofSpec) -> bool:
    """`spec` hashes and lays out nodes as `standard` does; depth limits may differ (ics23 `SpecEquals`)."""
    if spec is standard:
        return True
    return (
        spec.prehash_key_before_comparison == standard.prehash_key_before_comparison
        and spec.inner_spec == standard.inner_spec
        and spec.leaf_spec == standard.leaf_spec
    )
