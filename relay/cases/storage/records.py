"""Records of trusted storage on the hub, by any author's reading of docs/spec/storage-records.md."""

import json
from base64 import b64decode, b64encode
from typing import Any

from eth_abi.abi import decode

CLOCK_KEY = b"storage/clock"
CLOCK = "(uint64,uint8,uint64,uint64,uint64,bytes32,uint64,uint64)"
VERDICT = "(uint8,uint32,uint32,uint32,uint8,bytes32,bytes32,uint64,uint64)"
PASSED, FAILED, MISSED = 1, 2, 3


def seed_key(epoch: int) -> bytes:
    """Of the seed of an epoch."""
    return b"storage/seed/" + epoch.to_bytes(8, "big")


def verdict_key(operator: str, epoch: int) -> bytes:
    """Of an operator's verdict in an epoch."""
    return b"storage/verdict/" + bytes.fromhex(operator) + epoch.to_bytes(8, "big")


def value_in(bundle: bytes, key: bytes) -> bytes | None:
    """What a record bundle of the hub says of a key; None: there is nothing.

    Raises:
        StopIteration: it says nothing of the key.
    """
    wanted = {"record": b64encode(key).decode()}
    found = next(one["value"] for one in json.loads(bundle)["statements"] if one["what"] == wanted)
    return None if found is None else b64decode(found)


def members(struct: str, value: bytes) -> tuple[Any, ...]:
    """Of a record, whose first byte is its version."""
    found: tuple[Any, ...] = decode([struct], value[1:])[0]
    return found
