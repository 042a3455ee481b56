"""What the hash of a transaction or a receipt of generation 3 is over, as its nodes serve the fields.

The trees of generation 3 do not tell a leaf from an inner node: both are bare hashes, and an inner node is the hash of one
or two of them. A hash whose input is of another length is no inner node's, so fields that give the hash show a leaf.

Sources: FISCO-BCOS v3.16 `bcos-tars-protocol/impl/TarsHashable.h`, for version 0 of both; what later versions add is not
read here. Two receipts and a transaction of real chains come out (`tests/light_clients/fisco_bcos/test_fisco_leaves.py`).
"""

from collections.abc import Mapping
from typing import Any

from hutong.light_clients.crypto import ADDRESS_BYTES
from hutong.light_clients.crypto.hashes import HASH_BYTES
from hutong.light_clients.fisco_bcos import rpc_json
from hutong.light_clients.fisco_bcos.receipt import MAX_LOGS, MAX_RECEIPT_BYTES, MAX_TOPICS
from hutong.light_clients.interface import MalformedInput

INNER_NODE_BYTES = frozenset({HASH_BYTES, 2 * HASH_BYTES})
"""Lengths of what an inner node is the hash of: one child where the level is odd, else two."""
MAX_TEXT_BYTES = 1_024
MAX_ABI_BYTES = 64 * 1_024


def transaction_bytes(transaction: Mapping[str, Any]) -> bytes:
    """Version, chain, group, block limit, nonce, receiver, input and ABI, without lengths between them.

    Raises:
        MalformedInput: a field is missing, is not of its form, or the version is not 0.
    """
    field = "transaction"
    return b"".join(
        (
            _version(transaction, field),
            _text(transaction, "chainID", field),
            _text(transaction, "groupID", field),
            _uint64(transaction, "blockLimit", field),
            _text(transaction, "nonce", field),
            _text(transaction, "to", field),
            rpc_json.hex_bytes(transaction.get("input"), f"{field}.input", MAX_RECEIPT_BYTES),
            _text(transaction, "abi", field, MAX_ABI_BYTES),
        )
    )


def receipt_bytes(receipt: Mapping[str, Any]) -> bytes:
    """Version, gas used, contract, status, output, logs and block number, without lengths between them.

    Raises:
        MalformedInput: as of `transaction_bytes`.
    """
    field = "receipt"
    logs = receipt.get("logEntries")
    if not isinstance(logs, list) or len(logs) > MAX_LOGS:
        raise MalformedInput(f"{field}.logEntries", f"is not a list of at most {MAX_LOGS}", got=logs)
    return b"".join(
        (
            _version(receipt, field),
            _text(receipt, "gasUsed", field),
            _text(receipt, "contractAddress", field),
            rpc_json.number(receipt.get("status"), f"{field}.status").to_bytes(32, "big")[-4:],
            rpc_json.hex_bytes(receipt.get("output"), f"{field}.output", MAX_RECEIPT_BYTES),
            *(_log(log, f"{field}.logEntries[{index}]") for index, log in enumerate(logs)),
            _uint64(receipt, "blockNumber", field),
        )
    )


def _version(fields: Mapping[str, Any], field: str) -> bytes:
    version = rpc_json.number(fields.get("version"), f"{field}.version")
    if version != 0:
        raise MalformedInput(f"{field}.version", "only version 0 is hashed here", got=version, expected=0)
    return bytes(4)


def _uint64(fields: Mapping[str, Any], key: str, field: str) -> bytes:
    value = rpc_json.number(fields.get(key), f"{field}.{key}")
    if value >= 2**63:
        raise MalformedInput(f"{field}.{key}", "is not below 2^63", got=value)
    return value.to_bytes(8, "big")


def _text(fields: Mapping[str, Any], key: str, field: str, most: int = MAX_TEXT_BYTES) -> bytes:
    value = fields.get(key)
    if not isinstance(value, str) or len(value) > most:
        raise MalformedInput(f"{field}.{key}", f"is not a text of at most {most} characters", got=value)
    try:
        return value.encode()
    except UnicodeEncodeError:
        raise MalformedInput(f"{field}.{key}", "is not UTF-8") from None


def _log(log: object, field: str) -> bytes:
    if not isinstance(log, Mapping):
        raise MalformedInput(field, "is not an object")
    topics = log.get("topics")
    if not isinstance(topics, list) or len(topics) > MAX_TOPICS:
        raise MalformedInput(f"{field}.topics", f"is not a list of at most {MAX_TOPICS}", got=topics)
    return b"".join(
        (
            _text(log, "address", field, 2 + 2 * ADDRESS_BYTES),
            *(rpc_json.hex_bytes(topic, f"{field}.topics", HASH_BYTES) for topic in topics),
            rpc_json.hex_bytes(log.get("data"), f"{field}.data", MAX_RECEIPT_BYTES),
        )
    )
