"""ICS-23 values, parsed once. Field meanings: cosmos/ics23 `proto/cosmos/ics23/v1/proofs.proto`."""

from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple, TypeAlias


class HashOp(IntEnum):
    NO_HASH = 0
    SHA256 = 1
    SHA512 = 2
    KECCAK256 = 3
    RIPEMD160 = 4
    BITCOIN = 5
    SHA512_256 = 6
    BLAKE2B_512 = 7
    BLAKE2S_256 = 8
    BLAKE3 = 9


class LengthOp(IntEnum):
    NO_PREFIX = 0
    VAR_PROTO = 1
    VAR_RLP = 2
    FIXED32_BIG = 3
    FIXED32_LITTLE = 4
    FIXED64_BIG = 5
    FIXED64_LITTLE = 6
    REQUIRE_32_BYTES = 7
    REQUIRE_64_BYTES = 8


@dataclass(frozen=True, slots=True)
class LeafOp:
    """`hash(prefix ‖ length(prehash_key(key)) ‖ length(prehash_value(value)))`.

    Enum fields are plain numbers, since a proof may carry any; only known ones are ever applied.
    """

    hash: int = 0
    prehash_key: int = 0
    prehash_value: int = 0
    length: int = 0
    prefix: bytes = b""


class InnerOp(NamedTuple):
    """`hash(prefix ‖ child ‖ suffix)`. A named tuple, since a dozen are made and compared for each proof."""

    hash: int = 0
    prefix: bytes = b""
    suffix: bytes = b""


@dataclass(frozen=True, slots=True)
class ExistenceProof:
    """`key` holds `value` under the root that `path` (leaf first) leads to."""

    key: bytes
    value: bytes
    leaf: LeafOp
    path: tuple[InnerOp, ...]


@dataclass(frozen=True, slots=True)
class NonExistenceProof:
    """No key between two neighbours; one of them is missing at an end of the tree."""

    key: bytes
    left: ExistenceProof | None
    right: ExistenceProof | None


@dataclass(frozen=True, slots=True)
class BatchProof:
    """Independent proofs under one root."""

    entries: tuple[ExistenceProof | NonExistenceProof, ...]


CommitmentProof: TypeAlias = ExistenceProof | NonExistenceProof | BatchProof


@dataclass(frozen=True, slots=True)
class InnerSpec:
    """Shape of inner nodes; sizes are bytes. `child_order` maps the branch number to its place in the preimage."""

    child_order: tuple[int, ...]
    child_size: int
    min_prefix_length: int
    max_prefix_length: int
    empty_child: bytes
    hash: int


@dataclass(frozen=True, slots=True)
class ProofSpec:
    """One kind of tree. `max_depth` 0 means the default of 128 steps, `min_depth` 0 no lower bound."""

    leaf_spec: LeafOp
    inner_spec: InnerSpec
    max_depth: int = 0
    min_depth: int = 0
    prehash_key_before_comparison: bool = False
