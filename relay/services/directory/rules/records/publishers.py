"""Who may publish and how much, and the module's parameters (docs/spec/directory-records.md)."""

from dataclasses import astuple, dataclass
from typing import Final

from hutong.relay.services.identity.rules.records.encoding import (
    ADDRESS_BYTES,
    address_bytes,
    check_bytes,
    check_number,
    decode_value,
    encode_value,
)

PUBLISHER_STRUCT: Final = "(address,uint64,uint64,uint64)"
USE_STRUCT: Final = "(uint64,uint64,uint32)"
PARAMETERS_STRUCT: Final = "(uint32,uint32)"
MAX_PUBLISHERS: Final = 4_096
MAX_RECORDS: Final = 2**40
"""That one publisher may have; more than any hub's disk holds."""
MAX_CALL_OPERATIONS: Final = 512
MAX_BLOCK_OPERATIONS: Final = 65_536


@dataclass(frozen=True, slots=True)
class PublisherRecord:
    """A publisher: the account that publishes for it, and how many records of the state it may have."""

    account: bytes
    records: int
    height: int
    time_s: int

    def __post_init__(self) -> None:
        check_bytes("publisher.account", self.account, ADDRESS_BYTES)
        check_number("publisher.records", self.records, most=MAX_RECORDS)
        check_number("publisher.height", self.height)
        check_number("publisher.time", self.time_s)


@dataclass(frozen=True, slots=True)
class PublisherUse:
    """How many records a publisher has brought into the state, and its operations in the block in which it published last."""

    records: int = 0
    """Entries, withdrawn ones too, and heads of facets that nobody had named before."""
    height: int = 0
    operations: int = 0

    def __post_init__(self) -> None:
        check_number("use.records", self.records)
        check_number("use.height", self.height)
        check_number("use.operations", self.operations, most=MAX_BLOCK_OPERATIONS)


@dataclass(frozen=True, slots=True)
class DirectoryParameters:
    """What governance says of the module."""

    call_operations: int = MAX_CALL_OPERATIONS
    """In one `publish`."""
    block_operations: int = 2 * MAX_CALL_OPERATIONS
    """Of one publisher in one block."""

    def __post_init__(self) -> None:
        check_number("directory.call_operations", self.call_operations, least=1, most=MAX_CALL_OPERATIONS)
        check_number("directory.block_operations", self.block_operations, least=1, most=MAX_BLOCK_OPERATIONS)


DEFAULTS: Final = DirectoryParameters()


def encode_publisher_record(record: PublisherRecord) -> bytes:
    """Inverse of `decode_publisher_record`."""
    return encode_value(PUBLISHER_STRUCT, astuple(record))


def decode_publisher_record(data: bytes) -> PublisherRecord:
    """A publisher.

    Raises:
        MalformedInput: an unknown version, another encoding, or a member out of its bounds.
    """
    account, *rest = decode_value(PUBLISHER_STRUCT, data, "publisher")
    return PublisherRecord(address_bytes(account), *rest)


def encode_publisher_use(use: PublisherUse) -> bytes:
    """Inverse of `decode_publisher_use`."""
    return encode_value(USE_STRUCT, astuple(use))


def decode_publisher_use(data: bytes) -> PublisherUse:
    """What a publisher has used.

    Raises:
        MalformedInput: see `decode_publisher_record`.
    """
    return PublisherUse(*decode_value(USE_STRUCT, data, "use"))


def encode_directory_parameters(parameters: DirectoryParameters) -> bytes:
    """Inverse of `decode_directory_parameters`."""
    return encode_value(PARAMETERS_STRUCT, astuple(parameters))


def decode_directory_parameters(data: bytes) -> DirectoryParameters:
    """What governance says of the module.

    Raises:
        MalformedInput: see `decode_publisher_record`.
    """
    return DirectoryParameters(*decode_value(PARAMETERS_STRUCT, data, "directory"))
