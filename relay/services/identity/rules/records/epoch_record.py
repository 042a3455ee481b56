"""What stands under `identity/epoch/`: raised by whatever an issuer takes back, so that old caches are known to be old."""

from dataclasses import dataclass
from typing import Final

from hutong.relay.services.identity.rules.records.did_record import Moment
from hutong.relay.services.identity.rules.records.encoding import check_number, decode_value, encode_value

STRUCT: Final = "(uint64,uint64,uint64)"


@dataclass(frozen=True, slots=True)
class EpochRecord:
    """Raised by each change of a list's bits, seal, end of a key, change of an accreditation and deactivation. Never falls."""

    number: int
    raised: Moment

    def __post_init__(self) -> None:
        check_number("epoch.number", self.number, least=1)


def encode_epoch_record(record: EpochRecord) -> bytes:
    """Inverse of `decode_epoch_record`."""
    return encode_value(STRUCT, (record.number, record.raised.height, record.raised.time_s))


def decode_epoch_record(data: bytes) -> EpochRecord:
    """The epoch of an issuer.

    Raises:
        MalformedInput: an unknown version, another encoding, or a member out of its rule.
    """
    number, height, time_s = decode_value(STRUCT, data, "epoch")
    return EpochRecord(number, Moment(height, time_s))
