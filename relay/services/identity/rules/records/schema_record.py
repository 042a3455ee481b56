"""What stands under `identity/schema/`: which accredited DID registered a schema, and when."""

from dataclasses import dataclass
from typing import Final

from hutong.relay.services.identity.rules.records.did_record import Moment
from hutong.relay.services.identity.rules.records.encoding import check_some_hash, decode_value, encode_value

STRUCT: Final = "(bytes32,uint64,uint64)"


@dataclass(frozen=True, slots=True)
class SchemaRecord:
    """The schema itself, whose SHA-256 is in the key, is kept off chain. A record is never changed."""

    registrant: bytes
    registered: Moment

    def __post_init__(self) -> None:
        check_some_hash("schema.registrant", self.registrant)


def encode_schema_record(record: SchemaRecord) -> bytes:
    """Inverse of `decode_schema_record`."""
    return encode_value(STRUCT, (record.registrant, record.registered.height, record.registered.time_s))


def decode_schema_record(data: bytes) -> SchemaRecord:
    """The record of a schema.

    Raises:
        MalformedInput: an unknown version, another encoding, or a member out of its rule.
    """
    registrant, height, time_s = decode_value(STRUCT, data, "schema")
    return SchemaRecord(registrant, Moment(height, time_s))
