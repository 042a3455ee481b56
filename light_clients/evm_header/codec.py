"""Block header bytes: strict RLP both ways, and the hash. Source: yellow paper 4.4, EIP-1559, 4895, 4844, 4788, 7685."""

from typing import Any

from light_clients.crypto import keccak256
from light_clients.evm_header.types import (
    FIELD_NAMES,
    INTEGER_FIELDS,
    MAX_EXTRA_DATA_BYTES,
    REQUIRED_FIELDS,
    ExecutionHeader,
)
from light_clients.interface import MalformedInput
from light_clients.proofs.mpt import rlp

MAX_HEADER_RLP_BYTES = MAX_EXTRA_DATA_BYTES + 2 * 1024


def decode_header(data: bytes) -> ExecutionHeader:
    """Parse a whole header of any fork through Prague.

    Raises:
        MalformedInput: not strict RLP, a wrong number of fields, or a field out of bounds (named).
    """
    items = rlp.decode_list(data, "header", MAX_HEADER_RLP_BYTES)
    if not len(REQUIRED_FIELDS) <= len(items) <= len(FIELD_NAMES):
        raise MalformedInput(
            "header", "number of fields", got=len(items), expected=f"{len(REQUIRED_FIELDS)} to {len(FIELD_NAMES)}"
        )
    values: dict[str, Any] = {}
    for name, item in zip(FIELD_NAMES, items, strict=False):
        field = f"header.{name}"
        values[name] = rlp.as_int(item, field) if name in INTEGER_FIELDS else rlp.as_bytes(item, field)
    return ExecutionHeader(**values)


def encode_header(header: ExecutionHeader) -> bytes:
    """Inverse of `decode_header`."""
    items: list[rlp.RlpItem] = []
    for name in FIELD_NAMES:
        value = getattr(header, name)
        if value is None:
            break
        items.append(rlp.int_bytes(value) if name in INTEGER_FIELDS else value)
    return rlp.encode(tuple(items))


def header_hash(header: ExecutionHeader) -> bytes:
    """Keccak-256 of the encoding: the block hash where the consensus does not define another (QBFT does)."""
    return keccak256(encode_header(header))
