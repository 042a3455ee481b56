"""Headers as nodes serve them (`eth_getBlockByNumber`)."""

import re
from collections.abc import Mapping
from typing import Any

from hutong.light_clients.evm_header.types import (
    FIELD_NAMES,
    INTEGER_FIELDS,
    MAX_EXTRA_DATA_BYTES,
    OPTIONAL_FIELDS,
    ExecutionHeader,
)
from hutong.light_clients.interface import MalformedInput, UnsupportedOperation

RPC_NAMES = {
    "parent_hash": "parentHash",
    "ommers_hash": "sha3Uncles",
    "beneficiary": "miner",
    "state_root": "stateRoot",
    "transactions_root": "transactionsRoot",
    "receipts_root": "receiptsRoot",
    "logs_bloom": "logsBloom",
    "difficulty": "difficulty",
    "number": "number",
    "gas_limit": "gasLimit",
    "gas_used": "gasUsed",
    "timestamp_s": "timestamp",
    "extra_data": "extraData",
    "mix_hash": "mixHash",
    "nonce": "nonce",
    "base_fee_per_gas_wei": "baseFeePerGas",
    "withdrawals_root": "withdrawalsRoot",
    "blob_gas_used": "blobGasUsed",
    "excess_blob_gas": "excessBlobGas",
    "parent_beacon_block_root": "parentBeaconBlockRoot",
    "requests_hash": "requestsHash",
}
AMSTERDAM_KEYS = ("blockAccessListHash", "slotNumber")
"""Fields that Amsterdam appends (EIP-7928, EIP-7843; execution-specs `forks/amsterdam/blocks.py`)."""
MAX_QUANTITY_CHARS = 2 + 64
MAX_DATA_CHARS = 2 + 2 * MAX_EXTRA_DATA_BYTES

_QUANTITY = re.compile(r"0x(0|[1-9a-fA-F][0-9a-fA-F]*)")
_DATA = re.compile(r"0x([0-9a-fA-F]{2})*")


def header_from_rpc(block: Mapping[str, Any]) -> ExecutionHeader:
    """The header of an RPC block object.

    Unknown keys are ignored; absent or null optional fields belong to later forks. Nothing is believed: the caller
    compares the hash of what comes out.

    Raises:
        MalformedInput: a missing key, or a value that is not a QUANTITY or DATA of its size.
        UnsupportedOperation: a header of Amsterdam.
    """
    if any(block.get(key) is not None for key in AMSTERDAM_KEYS):
        raise UnsupportedOperation(
            "execution headers of Amsterdam",
            "the newest ones that are read are those of Prague and Osaka: keep the chain on their rules, or follow it through"
            " attestors",
        )
    values: dict[str, Any] = {}
    for name in FIELD_NAMES:
        key = RPC_NAMES[name]
        text = block.get(key)
        field = f"block.{key}"
        if text is None:
            if name in OPTIONAL_FIELDS:
                continue
            raise MalformedInput(field, "is missing")
        values[name] = quantity(text, field) if name in INTEGER_FIELDS else data_bytes(text, field)
    return ExecutionHeader(**values)


def quantity(text: object, field: str) -> int:
    """A JSON-RPC QUANTITY: `0x` and at most 64 hex digits without leading zeros.

    Raises:
        MalformedInput: another form or type.
    """
    if not isinstance(text, str) or len(text) > MAX_QUANTITY_CHARS or _QUANTITY.fullmatch(text) is None:
        raise MalformedInput(field, "is not a hex quantity", got=text)
    return int(text, 16)


def data_bytes(text: object, field: str) -> bytes:
    """JSON-RPC DATA: `0x` and two hex digits a byte, at most `MAX_EXTRA_DATA_BYTES` of them.

    Raises:
        MalformedInput: another form or type, or too long.
    """
    if not isinstance(text, str) or len(text) > MAX_DATA_CHARS or _DATA.fullmatch(text) is None:
        raise MalformedInput(field, "is not hex data", got=text)
    return bytes.fromhex(text[2:])


def header_to_rpc(header: ExecutionHeader) -> dict[str, str]:
    """The header's part of an RPC block object; the caller adds hash, size and transactions."""
    block: dict[str, str] = {}
    for name in FIELD_NAMES:
        value = getattr(header, name)
        if value is None:
            break
        block[RPC_NAMES[name]] = hex(value) if name in INTEGER_FIELDS else "0x" + value.hex()
    return block
