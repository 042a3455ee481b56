"""Bytes under the block hash, both generations, strict both ways; and the hash.

Sources: FISCO-BCOS v2.9.1 libethcore/BlockHeader.cpp, v3.16 bcos-tars-protocol/impl/TarsHashable.h.
"""

import re

from rlp.codec import encode_raw

from hutong.light_clients.crypto.hashes import HASH_BYTES
from hutong.light_clients.fisco_bcos import suite
from hutong.light_clients.fisco_bcos.types import (
    LOGS_BLOOM_BYTES,
    MAX_EXTRA_DATA_BYTES,
    MAX_EXTRA_DATA_ITEMS,
    MAX_SEALERS,
    PUBLIC_KEY_BYTES,
    BlockHeader,
    BlockHeaderV2,
    BlockHeaderV3,
    CryptoSuite,
    Generation,
    Header,
    Sealer,
    check_sealers,
)
from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.proofs.mpt import RlpItem, decode_rlp, decode_uint

_LIST_ITEM_OVERHEAD = 4
MAX_BLOCK_HEADER_BYTES = (
    7 * (HASH_BYTES + 3)
    + LOGS_BLOOM_BYTES
    + MAX_EXTRA_DATA_BYTES
    + _LIST_ITEM_OVERHEAD * MAX_EXTRA_DATA_ITEMS
    + MAX_SEALERS * (PUBLIC_KEY_BYTES + 8)
    + 256
)

_WEIGHT_BYTES = 8
_SEALER_BYTES = PUBLIC_KEY_BYTES + _WEIGHT_BYTES
_BEFORE_GAS_BYTES = 4 + 8 + 4 * HASH_BYTES + 8
_AFTER_GAS_BYTES = 8 + 8
_GAS = re.compile(rb"(0|[1-9][0-9]{0,19})(?=\0)")
"""Gas as decimal digits, ended by the time, whose first byte is zero (`MAX_TIMESTAMP_MS`)."""


def decode_block_header(generation: Generation, data: bytes) -> BlockHeader:
    """The hashed bytes of a block header of `generation`, at most `MAX_BLOCK_HEADER_BYTES`.

    Raises:
        MalformedInput: too long, not canonical, or a field out of bounds (named).
    """
    if len(data) > MAX_BLOCK_HEADER_BYTES:
        raise MalformedInput("header.block_header", f"more than {MAX_BLOCK_HEADER_BYTES} bytes", got=len(data))
    return _decode_v2(data) if generation is Generation.V2 else _decode_v3(data)


def encode_block_header(header: BlockHeader) -> bytes:
    """Inverse of `decode_block_header`; the generation is told by the value's type."""
    return _encode_v2(header) if isinstance(header, BlockHeaderV2) else _encode_v3(header)


def block_hash(crypto_suite: CryptoSuite, header: Header) -> bytes:
    """What nodes name the block by and sealers sign: 32 bytes of `header.encoded` under the chain's hash.

    Raises:
        UnsupportedOperation: the suite is not installed.
    """
    return suite.digest(crypto_suite, header.encoded)


_V2_FIELDS = tuple(BlockHeaderV2.__dataclass_fields__)
_V2_INTEGERS = frozenset({"number", "gas_limit", "gas_used", "timestamp_ms", "sealer"})
_V2_LISTS = frozenset({"extra_data", "sealer_list"})


def _decode_v2(data: bytes) -> BlockHeaderV2:
    items = decode_rlp(data, "header", MAX_BLOCK_HEADER_BYTES)
    if isinstance(items, bytes) or len(items) != len(_V2_FIELDS):
        raise MalformedInput("header", f"is not a list of {len(_V2_FIELDS)} fields")
    values: dict[str, int | bytes | tuple[bytes, ...]] = {}
    for name, item in zip(_V2_FIELDS, items, strict=True):
        field = f"header.{name}"
        if name in _V2_INTEGERS:
            values[name] = decode_uint(item, field)
        else:
            values[name] = _strings(item, field) if name in _V2_LISTS else _string(item, field)
    header = BlockHeaderV2(**values)  # type: ignore[arg-type]
    check_sealers(header.sealers, "header.sealer_list")
    return header


def _string(item: RlpItem, field: str) -> bytes:
    if not isinstance(item, bytes):
        raise MalformedInput(field, "is a list, must be a string")
    return item


def _strings(item: RlpItem, field: str) -> tuple[bytes, ...]:
    if isinstance(item, bytes):
        raise MalformedInput(field, "is a string, must be a list")
    return tuple(_string(entry, field) for entry in item)


def _big_endian(value: int) -> bytes:
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


def _encode_v2(header: BlockHeaderV2) -> bytes:
    values = [getattr(header, name) for name in _V2_FIELDS]
    encoded: bytes = encode_raw([_big_endian(value) if isinstance(value, int) else value for value in values])
    return encoded


def _decode_v3(data: bytes) -> BlockHeaderV3:
    gas = _GAS.match(data, _BEFORE_GAS_BYTES)
    if gas is None:
        raise MalformedInput("header.gas_used", "is not decimal digits before a time")
    tail = data[gas.end() :]
    listed, rest = divmod(len(tail) - _AFTER_GAS_BYTES, _SEALER_BYTES)
    if rest or not 0 < listed <= MAX_SEALERS:
        raise MalformedInput(
            "header.sealer_list", f"the end is not 1 to {MAX_SEALERS} keys and as many weights", got=len(tail)
        )
    numbers_at = 4 + 8 + 4 * HASH_BYTES
    hashes = [data[at : at + HASH_BYTES] for at in range(12, numbers_at, HASH_BYTES)]
    weights_at = _AFTER_GAS_BYTES + listed * PUBLIC_KEY_BYTES
    keys = (tail[at : at + PUBLIC_KEY_BYTES] for at in range(_AFTER_GAS_BYTES, weights_at, PUBLIC_KEY_BYTES))
    weights = (_uint(tail[at : at + _WEIGHT_BYTES]) for at in range(weights_at, len(tail), _WEIGHT_BYTES))
    parent_hash, transactions_root, receipts_root, state_root = hashes
    header = BlockHeaderV3(
        version=_uint(data[:4]),
        parent_number=_uint(data[4:12]),
        parent_hash=parent_hash,
        transactions_root=transactions_root,
        receipts_root=receipts_root,
        state_root=state_root,
        number=_uint(data[numbers_at:_BEFORE_GAS_BYTES]),
        gas_used=int(gas[1]),
        timestamp_ms=_uint(tail[:8]),
        sealer=_uint(tail[8:16]),
        sealers=tuple(map(Sealer, keys, weights)),
    )
    check_sealers(header.sealers, "header.sealer_list")
    return header


def _uint(data: bytes) -> int:
    return int.from_bytes(data, "big")


def _encode_v3(header: BlockHeaderV3) -> bytes:
    return b"".join(
        (
            header.version.to_bytes(4, "big"),
            header.parent_number.to_bytes(8, "big"),
            header.parent_hash,
            header.transactions_root,
            header.receipts_root,
            header.state_root,
            header.number.to_bytes(8, "big"),
            str(header.gas_used).encode(),
            header.timestamp_ms.to_bytes(8, "big"),
            header.sealer.to_bytes(8, "big"),
            *(sealer.public_key for sealer in header.sealers),
            *(sealer.weight.to_bytes(_WEIGHT_BYTES, "big") for sealer in header.sealers),
        )
    )
