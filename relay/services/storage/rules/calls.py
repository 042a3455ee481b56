"""Calls of the hub's module `storage` at 0x…1007, by name, arguments and answer (docs/spec/storage-calls.md)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from hutong.light_clients.crypto import keccak256
from hutong.light_clients.ibc.abi import decode_canonical, encode_abi

STORAGE_ADDRESS: Final = (0x1007).to_bytes(20, "big")
MAX_CALL_BYTES: Final = 128 * 1024
"""A transaction has no more."""
MAX_RESULT_BYTES: Final = 64 * 1024
SELECTOR_BYTES: Final = 4
PART_TUPLE: Final = "(bytes32,uint64,uint32,bytes32,bytes)"
"""Operator, leaves, entries, root, and the operator's signature of 65 bytes, or none where it has not signed yet."""
SHOWN_TUPLE: Final = "(bytes32,uint64,bytes)"
"""Operator, epoch of its set, and a placed entry under that set."""


@dataclass(frozen=True, slots=True)
class StorageCall:
    """A function: its name, the ABI types of its arguments, and those of its answer."""

    name: str
    arguments: tuple[str, ...]
    results: tuple[str, ...] = ()

    @property
    def selector(self) -> bytes:
        """The first 4 bytes of the call."""
        return keccak256(f"{self.name}({','.join(self.arguments)})".encode())[:SELECTOR_BYTES]

    def encode(self, *values: Any) -> bytes:
        """Calldata."""
        return self.selector + encode_abi(self.arguments, values)

    def decode(self, data: bytes) -> Sequence[Any]:
        """The arguments of calldata that begins with the selector.

        Raises:
            MalformedInput: it is longer than `MAX_CALL_BYTES`, or anything but the canonical encoding.
        """
        return decode_canonical(list(self.arguments), data[SELECTOR_BYTES:], self.name, MAX_CALL_BYTES)

    def read(self, answer: bytes) -> Sequence[Any]:
        """What the call answered.

        Raises:
            MalformedInput: it is longer than `MAX_RESULT_BYTES`, or anything but the canonical encoding.
        """
        return decode_canonical(list(self.results), answer, self.name, MAX_RESULT_BYTES)


STORE_BATCH: Final = StorageCall("storeBatch", ("bytes32", "uint64", "uint64", f"{PART_TUPLE}[]", "bytes"), ("uint64",))
"""(writer, sequence, map, parts, the writer's signature) to the batch's number."""
REPAIR_BATCH: Final = StorageCall("repairBatch", ("bytes32", "uint64", "bytes32", f"{PART_TUPLE}[]"), ("uint64",))
"""(repairer, sequence, owner, parts) to the batch's number."""
SIGN_PART: Final = StorageCall("signPart", ("uint64", "uint32", "bytes32[]", PART_TUPLE))
"""(batch, index of the part, `hashStruct` of each part of the batch, the part with its operator's signature)."""
COMMIT_SECRET: Final = StorageCall("commitSecret", ("bytes32", "uint64", "bytes32"), ("uint8",))
"""(auditor, epoch, commitment) to the auditor's faults in this epoch."""
REVEAL_SECRET: Final = StorageCall("revealSecret", ("bytes32", "uint64", "bytes32"), ("uint8",))
"""(auditor, epoch, secret) to the auditor's faults in this epoch."""
SUBMIT_ANSWERS: Final = StorageCall(
    "submitAnswers", ("bytes32", "uint64", "uint32", "uint32", "bytes", "bytes"), ("uint8",)
)
"""(operator, epoch, first, count, answers, the operator's signature) to the outcome, 0 while probes are left."""
REMOVE_SHARDS: Final = StorageCall("removeShards", ("uint64", "bytes32", f"{SHOWN_TUPLE}[]"), ("uint64",))
"""(batch, pack, entries) to all shards of the pack in this batch that are removed, as bits."""
HOLD_PACK: Final = StorageCall("holdPack", ("bytes32", "bytes32", "uint64"))
"""(holder, pack, until)."""
DRAIN: Final = StorageCall("drain", ("bytes32",))
"""(operator)."""

GET_RECORD: Final = StorageCall("getRecord", ("bytes",), ("bytes",))
"""The value under a key that begins with `storage/`; nothing where there is none."""
PLACEMENT: Final = StorageCall("placement", ("uint64", "uint64"), ("bytes32[]",))
"""(map, group) to its operators; shard i goes to number i of them."""
GROUP_OF: Final = StorageCall("groupOf", ("bytes32", "uint64"), ("uint64",))
"""(writer, sequence) to the group of that batch."""

CALLS: Final = (
    STORE_BATCH,
    REPAIR_BATCH,
    SIGN_PART,
    COMMIT_SECRET,
    REVEAL_SECRET,
    SUBMIT_ANSWERS,
    REMOVE_SHARDS,
    HOLD_PACK,
    DRAIN,
    GET_RECORD,
    PLACEMENT,
    GROUP_OF,
)
