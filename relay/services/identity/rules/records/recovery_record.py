"""What stands under `identity/recovery/` while a recovery waits for its delay to pass."""

from dataclasses import dataclass
from typing import Final

from hutong.relay.services.identity.rules.records.did_record import Moment
from hutong.relay.services.identity.rules.records.encoding import check_number, decode_value, encode_value
from hutong.relay.services.identity.rules.records.policy_record import STRUCT as POLICY_STRUCT
from hutong.relay.services.identity.rules.records.policy_record import PolicyRecord

STRUCT: Final = f"({POLICY_STRUCT},uint64,uint64,uint64)"


@dataclass(frozen=True, slots=True)
class RecoveryRecord:
    """Who is to control the DID from `effective_s` on, Unix seconds, unless the present controllers cancel it."""

    policy: PolicyRecord
    effective_s: int
    started: Moment

    def __post_init__(self) -> None:
        check_number("recovery.effective_s", self.effective_s, least=1)


def encode_recovery_record(record: RecoveryRecord) -> bytes:
    """Inverse of `decode_recovery_record`."""
    started = record.started
    return encode_value(STRUCT, (record.policy.members(), record.effective_s, started.height, started.time_s))


def decode_recovery_record(data: bytes) -> RecoveryRecord:
    """A recovery that waits.

    Raises:
        MalformedInput: an unknown version, another encoding, or a member out of its rule.
    """
    policy, effective_s, height, time_s = decode_value(STRUCT, data, "recovery")
    return RecoveryRecord(PolicyRecord.of(policy), effective_s, Moment(height, time_s))
