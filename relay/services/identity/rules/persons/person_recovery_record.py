"""What stands under `identity/person-recovery/` while a recovery of a person waits, and for some time after it was cancelled."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from hutong.light_clients.interface import MalformedInput
from hutong.relay.services.identity.rules.persons.person import Control
from hutong.relay.services.identity.rules.records.did_record import Moment
from hutong.relay.services.identity.rules.records.encoding import (
    address_bytes,
    check_bytes,
    check_number,
    decode_value,
    encode_value,
)

STRUCT: Final = "(bytes32,address,address,bytes32,bytes32,uint8,uint64,uint64,uint64,uint64)"


class RecoveredBy(IntEnum):
    """Who began it."""

    GUARDIANS = 1
    REGISTRAR = 2


@dataclass(frozen=True, slots=True)
class PersonRecoveryRecord:
    """`following` is to control the person whose leaf is `leaf` from `effective_s` on; 0 after `account` has cancelled it.

    `account` is that of the key that the leaf has. No approval that expires at `expires_s` or before begins another one of
    this leaf. Times are Unix seconds.
    """

    leaf: bytes
    account: bytes
    following: Control
    by: RecoveredBy
    effective_s: int
    expires_s: int
    started: Moment

    def __post_init__(self) -> None:
        check_bytes("person_recovery.leaf", self.leaf)
        check_bytes("person_recovery.account", self.account, 20)
        check_number("person_recovery.effective_s", self.effective_s)
        check_number("person_recovery.expires_s", self.expires_s, least=1)

    @property
    def is_cancelled(self) -> bool:
        """Whether it stands only so that its approvals are not shown again."""
        return self.effective_s == 0


def encode_person_recovery_record(record: PersonRecoveryRecord) -> bytes:
    """Inverse of `decode_person_recovery_record`."""
    following = record.following
    return encode_value(
        STRUCT,
        (
            record.leaf,
            record.account,
            following.account,
            following.next_key,
            following.recovery,
            int(record.by),
            record.effective_s,
            record.expires_s,
            record.started.height,
            record.started.time_s,
        ),
    )


def decode_person_recovery_record(data: bytes) -> PersonRecoveryRecord:
    """A recovery of a person.

    Raises:
        MalformedInput: an unknown version, another encoding, or a member out of its rule.
    """
    leaf, account, following, next_key, recovery, by, *times = decode_value(STRUCT, data, "person_recovery")
    effective_s, expires_s, height, time_s = times
    if by not in tuple(RecoveredBy):
        raise MalformedInput("person_recovery.by", "1 or 2", got=by)
    return PersonRecoveryRecord(
        leaf,
        address_bytes(account),
        Control(address_bytes(following), next_key, recovery),
        RecoveredBy(by),
        effective_s,
        expires_s,
        Moment(height, time_s),
    )
