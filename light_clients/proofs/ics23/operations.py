"""What leaf and inner ops compute (cosmos/ics23 `go/ops.go`). No rule of a spec is checked here."""

from collections.abc import Callable, Iterable
from hashlib import sha256 as _sha256

from hutong.light_clients import crypto
from hutong.light_clients.crypto import hashes
from hutong.light_clients.interface import MalformedInput, UnsupportedOperation
from hutong.light_clients.proofs.ics23.types import ExistenceProof, HashOp, InnerOp, LeafOp, LengthOp

_NO_HASH, _SHA256 = int(HashOp.NO_HASH), int(HashOp.SHA256)
_NO_PREFIX, _VAR_PROTO = int(LengthOp.NO_PREFIX), int(LengthOp.VAR_PROTO)
_STANDARD_LEAF = (_SHA256, _NO_HASH, _SHA256)
_HASHES: dict[int, Callable[[bytes], bytes]] = {
    HashOp.SHA256: crypto.sha256,
    HashOp.SHA512: hashes.sha512,
    HashOp.RIPEMD160: crypto.ripemd160,
    HashOp.BITCOIN: lambda data: crypto.ripemd160(crypto.sha256(data)),
    HashOp.SHA512_256: hashes.sha512_256,
    HashOp.BLAKE2B_512: hashes.blake2b_512,
    HashOp.BLAKE2S_256: hashes.blake2s_256,
}
_LENGTH_PREFIX: dict[int, Callable[[int], bytes]] = {
    LengthOp.FIXED32_BIG: lambda size: size.to_bytes(4, "big"),
    LengthOp.FIXED32_LITTLE: lambda size: size.to_bytes(4, "little"),
    LengthOp.FIXED64_BIG: lambda size: size.to_bytes(8, "big"),
    LengthOp.FIXED64_LITTLE: lambda size: size.to_bytes(8, "little"),
}
_REQUIRED_LENGTH: dict[int, int] = {LengthOp.REQUIRE_32_BYTES: 32, LengthOp.REQUIRE_64_BYTES: 64}


def apply_hash(op: int, preimage: bytes) -> bytes:
    """The digest of `preimage` by one of the reference's hash ops.

    Raises:
        UnsupportedOperation: NO_HASH, Keccak-256, BLAKE3 (as in the reference) and numbers out of range.
    """
    function = _HASHES.get(op)
    if function is None:
        raise UnsupportedOperation(f"ICS-23 hash op {op}")
    return function(preimage)


def apply_prehash(op: int, data: bytes) -> bytes:
    """`apply_hash`, where NO_HASH leaves the data as they are.

    Raises:
        UnsupportedOperation: as `apply_hash`.
    """
    return data if op == _NO_HASH else apply_hash(op, data)


def encode_varint(number: int) -> bytes:
    """Protobuf's unsigned varint, in its shortest form; `number` is not negative."""
    if number < 0x80:
        return bytes((number,))
    encoded = bytearray()
    while number >= 0x80:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


def apply_length(op: int, data: bytes) -> bytes:
    """The data with the length prefix that `op` asks for.

    Raises:
        UnsupportedOperation: VAR_RLP and numbers out of range.
        MalformedInput: the op requires 32 or 64 bytes, and the data have another number.
    """
    if op == _NO_PREFIX:
        return data
    if op == _VAR_PROTO:
        return encode_varint(len(data)) + data
    if op in _LENGTH_PREFIX:
        return _LENGTH_PREFIX[op](len(data)) + data
    required = _REQUIRED_LENGTH.get(op)
    if required is None:
        raise UnsupportedOperation(f"ICS-23 length op {op}")
    if len(data) != required:
        raise MalformedInput("leaf", f"must be {required} bytes", got=len(data))
    return data


def apply_leaf(op: LeafOp, key: bytes, value: bytes) -> bytes:
    """Hash of the leaf. An empty key or value is refused, since no spec can tell it from absence.

    Raises:
        MalformedInput: an empty key or value, or a length that the op does not take.
        UnsupportedOperation: a hash or length op that is not offered.
    """
    if not key:
        raise MalformedInput("proof.key", "is empty")
    if not value:
        raise MalformedInput("proof.value", "is empty")
    if op.length == _VAR_PROTO and (op.hash, op.prehash_key, op.prehash_value) == _STANDARD_LEAF:
        # Every IAVL and Tendermint leaf, written out.
        hashed = _sha256(value).digest()
        return _sha256(op.prefix + encode_varint(len(key)) + key + b"\x20" + hashed).digest()
    hashed_key = apply_length(op.length, apply_prehash(op.prehash_key, key))
    hashed_value = apply_length(op.length, apply_prehash(op.prehash_value, value))
    return apply_hash(op.hash, op.prefix + hashed_key + hashed_value)


def apply_inner(op: InnerOp, child: bytes) -> bytes:
    """Hash of the parent.

    Raises:
        MalformedInput: an empty child.
        UnsupportedOperation: a hash op that is not offered.
    """
    if not child:
        raise MalformedInput("proof.path", "an inner op needs a child")
    return apply_hash(op.hash, op.prefix + child + op.suffix)


def nodes_above(node: bytes, path: Iterable[InnerOp]) -> list[bytes]:
    """`node`, and what each step leads to from there: one more entry than the path has steps.

    Raises:
        MalformedInput, UnsupportedOperation: as `apply_inner`.
    """
    nodes = [node]
    for op in path:
        hash_op, prefix, suffix = op
        # Every standard tree; written out, since calls cost more than the hash.
        node = _sha256(prefix + node + suffix).digest() if hash_op == _SHA256 else apply_inner(op, node)
        nodes.append(node)
    return nodes


def calculate_root(proof: ExistenceProof) -> bytes:
    """The root that the proof leads to. Proves nothing until the spec's rules are checked too.

    Raises:
        MalformedInput, UnsupportedOperation: as `apply_leaf` and `apply_inner`.
    """
    return nodes_above(apply_leaf(proof.leaf, proof.key, proof.value), proof.path)[-1]
