"""What stands under `identity/shard/`: one root for up to a million persons of a registrar. Who they are is nowhere on the hub."""

from dataclasses import dataclass
from typing import Final

from hutong.relay.services.identity.rules.records.did_record import Moment
from hutong.relay.services.identity.rules.records.encoding import (
    check_bytes,
    check_number,
    decode_value,
    encode_value,
)

STRUCT: Final = "(bytes32,uint64,uint64,uint64,uint64)"
MAX_LEAVES = 2**20


@dataclass(frozen=True, slots=True)
class ShardRecord:
    """`count` leaves were ever appended; `version` counts the changes of the root."""

    root: bytes
    count: int
    version: int
    changed: Moment

    def __post_init__(self) -> None:
        check_bytes("shard.root", self.root)
        check_number("shard.count", self.count, most=MAX_LEAVES)
        check_number("shard.version", self.version)


def encode_shard_record(record: ShardRecord) -> bytes:
    """Inverse of `decode_shard_record`."""
    return encode_value(
        STRUCT, (record.root, record.count, record.version, record.changed.height, record.changed.time_s)
    )


def decode_shard_record(data: bytes) -> ShardRecord:
    """The record of a shard.

    Raises:
        MalformedInput: an unknown version, another encoding, or a member out of its rule.
    """
    root, count, version, height, time_s = decode_value(STRUCT, data, "shard")
    return ShardRecord(root, count, version, Moment(height, time_s))
