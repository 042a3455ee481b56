"""What stands under `identity/log/`: root and size of an issuer's issuance log, and what an entry of it is."""

from dataclasses import dataclass
from typing import Final

from hutong.light_clients.interface import MalformedInput
from hutong.relay.services.identity.rules.records.did_record import Moment
from hutong.relay.services.identity.rules.records.encoding import (
    HASH_BYTES,
    VERSION,
    check_bytes,
    check_number,
    check_some_hash,
    decode_value,
    encode_value,
)

STRUCT: Final = "(bytes32,uint64,uint64,uint64)"
ENTRY_STRUCT: Final = "(uint64,uint64,bytes32,bytes32,bytes32,bytes32)"
MAX_LOG_SIZE = 2**40


@dataclass(frozen=True, slots=True)
class LogRecord:
    """The log as of its last append. It is never empty: an issuer that has issued nothing has no record."""

    root: bytes
    size: int
    changed: Moment

    def __post_init__(self) -> None:
        check_bytes("log.root", self.root)
        check_number("log.size", self.size, least=1, most=MAX_LOG_SIZE)


def encode_log_record(record: LogRecord) -> bytes:
    """Inverse of `decode_log_record`."""
    return encode_value(STRUCT, (record.root, record.size, record.changed.height, record.changed.time_s))


def decode_log_record(data: bytes) -> LogRecord:
    """The record of a log.

    Raises:
        MalformedInput: an unknown version, another encoding, or a member out of its rule.
    """
    root, size, height, time_s = decode_value(STRUCT, data, "log")
    return LogRecord(root, size, Moment(height, time_s))


@dataclass(frozen=True, slots=True)
class Issuance:
    """The RFC 7638 thumbprint of the key that signed, and the digest of what it signed."""

    key_thumbprint: bytes
    digest: bytes

    def __post_init__(self) -> None:
        check_some_hash("log.entry.key_thumbprint", self.key_thumbprint)
        check_some_hash("log.entry.digest", self.digest)


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One issuance: what was issued for which index of which list: a credential, the seal beside it, or one of the two.

    The log's leaf is the entry's bytes, which no chain holds.
    """

    list_number: int
    index: int
    credential: Issuance | None = None
    """`digest` is the SHA-256 of the issuer-signed JWT, of an SD-JWT without its disclosures."""
    seal: Issuance | None = None
    """`digest` is the EIP-712 digest of the seal."""

    def __post_init__(self) -> None:
        check_number("log.entry.list_number", self.list_number)
        check_number("log.entry.index", self.index)
        if self.credential is None and self.seal is None:
            raise MalformedInput("log.entry", "names neither a credential nor a seal")


_NOTHING = (bytes(HASH_BYTES), bytes(HASH_BYTES))
_VERSION: Final = bytes([VERSION])


def _members(issuance: Issuance | None) -> tuple[bytes, bytes]:
    return _NOTHING if issuance is None else (issuance.key_thumbprint, issuance.digest)


def _issuance(key_thumbprint: bytes, digest: bytes) -> Issuance | None:
    return None if (key_thumbprint, digest) == _NOTHING else Issuance(key_thumbprint, digest)


def encode_log_entry(entry: LogEntry) -> bytes:
    """Inverse of `decode_log_entry`: a leaf of the log, before RFC 6962 hashes it."""
    # Six static words, which an issuer writes by the thousand: as `encode_value` of ENTRY_STRUCT writes them.
    numbers = (entry.list_number.to_bytes(HASH_BYTES, "big"), entry.index.to_bytes(HASH_BYTES, "big"))
    return b"".join((_VERSION, *numbers, *_members(entry.credential), *_members(entry.seal)))


def decode_log_entry(data: bytes) -> LogEntry:
    """One issuance.

    Raises:
        MalformedInput: an unknown version, another encoding, or a member out of its rule.
    """
    list_number, index, *issued = decode_value(ENTRY_STRUCT, data, "log.entry")
    return LogEntry(list_number, index, _issuance(*issued[:2]), _issuance(*issued[2:]))
