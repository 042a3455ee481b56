"""Block header bytes: strict RLP both ways, and the hash. Source: yellow paper 4.4, EIP-1559, 4895, 4844, 4788, 7685."""

from typing import Any

from rlp.codec import encode_raw

from hutong.light_clients.crypto import keccak256
from hutong.light_clients.evm_header.types import (
    FIELD_NAMES,
    INTEGER_FIELDS,
    MAX_EXTRA_DATA_BYTES,
    REQUIRED_FIELDS,
    ExecutionHeader,
)
from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.proofs.mpt import RlpItem, decode_rlp, decode_uint

MAX_HEADER_RLP_BYTES = MAX_EXTRA_DATA_BYTES + 2 * 1024


def decode_header(data: bytes) -> ExecutionHeader:
    """Parse a whole header of any fork through Osaka, whose fields are Prague's. At most `MAX_HEADER_RLP_BYTES`.

    Raises:
        MalformedInput: not strict RLP, a wrong number of fields, or a field out of bounds (named).
    """
    items = decode_rlp(data, "header", MAX_HEADER_RLP_BYTES)
    if isinstance(items, bytes):
        raise MalformedInput("header", "is not a list", got=items)
    if not len(REQUIRED_FIELDS) <= len(items) <= len(FIELD_NAMES):
        raise MalformedInput(
            "header", "number of fields", got=len(items), expected=f"{len(REQUIRED_FIELDS)} to {len(FIELD_NAMES)}"
        )
    values: dict[str, Any] = {}
    for name, item in zip(FIELD_NAMES, items, strict=False):
        field = f"header.{name}"
        values[name] = decode_uint(item, field) if name in INTEGER_FIELDS else _string(item, field)
    return ExecutionHeader(**values)


def encode_header(header: ExecutionHeader) -> bytes:
    """Inverse of `decode_header`; optional fields end with the first that is None."""
    items: list[bytes] = []
    for name in FIELD_NAMES:
        value = getattr(header, name)
        if value is None:
            break
        items.append(big_endian(value) if name in INTEGER_FIELDS else value)
    encoded: bytes = encode_raw(items)
    return encoded


def big_endian(value: int) -> bytes:
    """An integer as RLP holds it: the shortest form, zero is empty."""
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


def _string(item: RlpItem, field: str) -> bytes:
    if not isinstance(item, bytes):
        raise MalformedInput(field, "is a list, must be a string")
    return item


def header_hash(header: ExecutionHeader) -> bytes:
    """Keccak-256 of the encoding: the block hash where the consensus does not define another (QBFT does)."""
    return keccak256(encode_header(header))
