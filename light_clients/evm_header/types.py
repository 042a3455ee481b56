"""The execution-layer block header, from the first fork through Osaka, whose fields are Prague's."""

from dataclasses import dataclass, fields

from hutong.light_clients.crypto.hashes import HASH_BYTES
from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.interface.height import MAX_UINT64

MAX_UINT256 = 2**256 - 1
ADDRESS_BYTES = 20
BLOOM_BYTES = 256
NONCE_BYTES = 8
MAX_EXTRA_DATA_BYTES = 256 * 1024
"""Main net allows 32 bytes; a QBFT header carries one address and one seal a validator, 176 KB at 2 000 validators."""

_FIXED_BYTES = {
    "parent_hash": HASH_BYTES,
    "ommers_hash": HASH_BYTES,
    "beneficiary": ADDRESS_BYTES,
    "state_root": HASH_BYTES,
    "transactions_root": HASH_BYTES,
    "receipts_root": HASH_BYTES,
    "logs_bloom": BLOOM_BYTES,
    "mix_hash": HASH_BYTES,
    "nonce": NONCE_BYTES,
    "withdrawals_root": HASH_BYTES,
    "parent_beacon_block_root": HASH_BYTES,
    "requests_hash": HASH_BYTES,
}
_MAX_INTEGER = {
    "difficulty": MAX_UINT256,
    "number": MAX_UINT64,
    "gas_limit": MAX_UINT64,
    "gas_used": MAX_UINT64,
    "timestamp_s": MAX_UINT64,
    "base_fee_per_gas_wei": MAX_UINT256,
    "blob_gas_used": MAX_UINT64,
    "excess_blob_gas": MAX_UINT64,
}


@dataclass(frozen=True, slots=True)
class ExecutionHeader:
    """Fields in the order in which they are encoded.

    Forks appended fields, so the optional ones form a prefix: London 1, Shanghai 2, Cancun 5, Prague 6. Besu's BFT
    chains run Cancun without a beacon root, so 4 is legal too; 3 is not, the two blob fields came together.
    """

    parent_hash: bytes
    ommers_hash: bytes
    beneficiary: bytes
    state_root: bytes
    transactions_root: bytes
    receipts_root: bytes
    logs_bloom: bytes
    difficulty: int
    number: int
    gas_limit: int
    gas_used: int
    timestamp_s: int
    extra_data: bytes
    mix_hash: bytes
    nonce: bytes
    base_fee_per_gas_wei: int | None = None
    withdrawals_root: bytes | None = None
    blob_gas_used: int | None = None
    excess_blob_gas: int | None = None
    parent_beacon_block_root: bytes | None = None
    requests_hash: bytes | None = None

    def __post_init__(self) -> None:
        for name, size in _FIXED_BYTES.items():
            value = getattr(self, name)
            if value is not None and len(value) != size:
                raise MalformedInput(f"header.{name}", f"must be {size} bytes", got=len(value))
        for name, greatest in _MAX_INTEGER.items():
            value = getattr(self, name)
            if value is not None and not 0 <= value <= greatest:
                raise MalformedInput(f"header.{name}", f"must be 0 to {greatest}", got=value)
        if len(self.extra_data) > MAX_EXTRA_DATA_BYTES:
            raise MalformedInput(
                "header.extra_data", f"more than {MAX_EXTRA_DATA_BYTES} bytes", got=len(self.extra_data)
            )
        present = [getattr(self, name) is not None for name in OPTIONAL_FIELDS]
        count = sum(present)
        if not all(present[:count]):
            missing = OPTIONAL_FIELDS[present.index(False)]
            raise MalformedInput(f"header.{missing}", "is missing, but a field of a later fork is present")
        if count == 3:
            raise MalformedInput("header.excess_blob_gas", "is missing beside blob_gas_used")


FIELD_NAMES: tuple[str, ...] = tuple(field.name for field in fields(ExecutionHeader))
REQUIRED_FIELDS: tuple[str, ...] = FIELD_NAMES[:15]
OPTIONAL_FIELDS: tuple[str, ...] = FIELD_NAMES[15:]
INTEGER_FIELDS = frozenset(_MAX_INTEGER)
