"""Execution-layer block headers that EVM clients stand on."""

from hutong.light_clients.evm_header.codec import (
    MAX_HEADER_RLP_BYTES,
    big_endian,
    decode_header,
    encode_header,
    header_hash,
)
from hutong.light_clients.evm_header.rpc_json import header_from_rpc, header_to_rpc
from hutong.light_clients.evm_header.types import MAX_EXTRA_DATA_BYTES, ExecutionHeader

__all__ = [
    "MAX_EXTRA_DATA_BYTES",
    "MAX_HEADER_RLP_BYTES",
    "ExecutionHeader",
    "big_endian",
    "decode_header",
    "encode_header",
    "header_from_rpc",
    "header_hash",
    "header_to_rpc",
]
