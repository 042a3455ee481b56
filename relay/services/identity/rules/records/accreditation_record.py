"""What stands under `identity/accreditation/`: who lets a DID issue under a schema, and accredit others."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from hutong.light_clients.interface import MalformedInput
from hutong.relay.services.identity.rules.records.did_record import Moment
from hutong.relay.services.identity.rules.records.encoding import (
    HASH_BYTES,
    check_bytes,
    check_number,
    decode_value,
    encode_value,
)

STRUCT: Final = "(bytes32,bytes32,uint8,uint64,uint64,uint8,uint64,uint64,uint64)"
MAX_DEPTH = 4
GOVERNANCE: Final = bytes(HASH_BYTES)
"""In place of an accreditor: the hub's governance, whose accreditations are roots."""


class AccreditationState(IntEnum):
    """A revoked accreditation may be granted anew."""

    ACTIVE = 1
    REVOKED = 2


@dataclass(frozen=True, slots=True)
class Grant:
    """`accreditor` stands on its own accreditation for `parent_schema`: the same schema, or `ANY_SCHEMA`.

    `depth` counts the levels that may follow; 0 issues credentials and accredits nobody. It counts from `valid_from_s` on
    and before `valid_until_s`, Unix seconds.
    """

    accreditor: bytes
    parent_schema: bytes
    depth: int
    valid_from_s: int
    valid_until_s: int

    def __post_init__(self) -> None:
        check_bytes("accreditation.accreditor", self.accreditor)
        check_bytes("accreditation.parent_schema", self.parent_schema)
        check_number("accreditation.depth", self.depth, most=MAX_DEPTH)
        check_number("accreditation.valid_until_s", self.valid_until_s, least=1)
        check_number("accreditation.valid_from_s", self.valid_from_s, most=self.valid_until_s - 1)
        if self.accreditor == GOVERNANCE and self.parent_schema != bytes(HASH_BYTES):
            raise MalformedInput("accreditation.parent_schema", "is zero under governance", got=self.parent_schema)

    @property
    def is_root(self) -> bool:
        """Whether governance granted it."""
        return self.accreditor == GOVERNANCE


@dataclass(frozen=True, slots=True)
class AccreditationRecord:
    """`revoked_s` is when it was revoked, Unix seconds; 0 while it is active."""

    grant: Grant
    state: AccreditationState
    granted: Moment
    revoked_s: int = 0

    def __post_init__(self) -> None:
        check_number("accreditation.revoked_s", self.revoked_s)
        if (self.state is AccreditationState.ACTIVE) != (self.revoked_s == 0):
            raise MalformedInput("accreditation.revoked_s", "zero if and only if it is active", got=self.revoked_s)

    def counts_at(self, time_s: int) -> bool:
        """Whether it is active and within its window; what it stands on is not asked."""
        window = self.grant.valid_from_s <= time_s < self.grant.valid_until_s
        return self.state is AccreditationState.ACTIVE and window


def encode_accreditation_record(record: AccreditationRecord) -> bytes:
    """Inverse of `decode_accreditation_record`."""
    grant = record.grant
    granted = (grant.accreditor, grant.parent_schema, grant.depth, grant.valid_from_s, grant.valid_until_s)
    return encode_value(
        STRUCT, (*granted, record.state, record.revoked_s, record.granted.height, record.granted.time_s)
    )


def decode_accreditation_record(data: bytes) -> AccreditationRecord:
    """The record of an accreditation.

    Raises:
        MalformedInput: an unknown version, another encoding, or a member out of its rule.
    """
    values = decode_value(STRUCT, data, "accreditation")
    state, revoked_s, height, time_s = values[5:]
    if state not in tuple(AccreditationState):
        raise MalformedInput("accreditation.state", "1 active, 2 revoked", got=state)
    return AccreditationRecord(Grant(*values[:5]), AccreditationState(state), Moment(height, time_s), revoked_s)
