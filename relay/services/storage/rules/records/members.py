"""Values of records about who stores, writes, audits and holds (docs/spec/storage-records.md)."""

import re
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from typing import Final

from hutong.light_clients.ibc.abi import decode_canonical
from hutong.light_clients.interface import MalformedInput
from hutong.relay.services.identity.rules.records.encoding import (
    ADDRESS_BYTES,
    VERSION,
    address_bytes,
    check_bytes,
    check_number,
    check_some_hash,
    decode_value,
    encode_value,
)
from hutong.relay.services.storage.rules.packs.shape import PackShape

OPERATOR_STRUCT: Final = "(address,bytes32,bytes32,bytes32,bytes32,uint32,uint8,uint64,uint64)"
PARTY_STRUCT: Final = "(address,uint64,uint64)"
MAP_STRUCT: Final = "(uint64,uint64,uint8,uint8,(bytes32,bytes32,bytes32,uint32)[])"
LABEL_BYTES: Final = 32
MAX_WEIGHT: Final = 65_535
MAX_OPERATORS: Final = 128
"""That have not left."""
MAX_MAP_BYTES: Final = 256 + MAX_OPERATORS * 128
_LABEL = re.compile(rb"[a-z0-9][a-z0-9.-]{0,31}")


class OperatorState(IntEnum):
    """Where an operator stands."""

    REGISTERED = 1
    """Known, and given nothing yet."""
    ACTIVE = 2
    """Given shards, and audited."""
    DRAINING = 3
    """Given nothing more, and audited, while its shards are repaired elsewhere."""
    LEFT = 4
    """For ever: neither given anything nor audited."""


FOLLOWING: Final = {
    OperatorState.REGISTERED: frozenset({OperatorState.ACTIVE, OperatorState.LEFT}),
    OperatorState.ACTIVE: frozenset({OperatorState.DRAINING}),
    OperatorState.DRAINING: frozenset({OperatorState.ACTIVE, OperatorState.LEFT}),
    OperatorState.LEFT: frozenset[OperatorState](),
}
"""What may follow each state."""


class PartyRole(IntEnum):
    """What governance names somebody for, beside operators."""

    WRITER = 1
    """Stores batches, and has its shards removed."""
    AUDITOR = 2
    """Gives secrets for seeds."""
    HOLDER = 3
    """Holds packs beyond their retention."""
    REPAIRER = 4
    """Writes rebuilt shards of a writer's packs to other operators."""


MOST_PARTIES: Final = {
    PartyRole.WRITER: 256,
    PartyRole.AUDITOR: 16,
    PartyRole.HOLDER: 64,
    PartyRole.REPAIRER: 16,
}


def encode_label(text: str) -> bytes:
    """A label as 32 bytes, with zeros after it.

    Raises:
        MalformedInput: not 1 to 32 of a-z, 0-9, dot and dash, the first a letter or digit.
    """
    raw = text.encode()
    check_label("label", raw.ljust(LABEL_BYTES, b"\0"))
    return raw.ljust(LABEL_BYTES, b"\0")


def decode_label(label: bytes) -> str:
    """Inverse of `encode_label`."""
    check_label("label", label)
    return label.rstrip(b"\0").decode()


def check_label(field: str, label: bytes) -> None:
    """32 bytes that `encode_label` gives.

    Raises:
        MalformedInput: they are others.
    """
    check_bytes(field, label)
    if _LABEL.fullmatch(label.rstrip(b"\0")) is None:
        raise MalformedInput(field, "1 to 32 of a-z, 0-9, dot and dash, then zeros", got=label)


@dataclass(frozen=True, slots=True)
class OperatorRecord:
    """An operator: the account that signs for it, its labels of 32 bytes, its weight in placement, and its state."""

    account: bytes
    organisation: bytes
    site: bytes
    region: bytes
    engine: bytes
    weight: int
    state: OperatorState
    height: int
    """Of the block that wrote the record, `time_s` its time."""
    time_s: int

    def __post_init__(self) -> None:
        _check_account("operator.account", self.account)
        for field in ("organisation", "site", "region", "engine"):
            check_label(f"operator.{field}", getattr(self, field))
        check_number("operator.weight", self.weight, least=1, most=MAX_WEIGHT)
        check_number("operator.height", self.height)
        check_number("operator.time", self.time_s)

    @property
    def is_audited(self) -> bool:
        """Whether it has to show what it holds."""
        return self.state in (OperatorState.ACTIVE, OperatorState.DRAINING)


@dataclass(frozen=True, slots=True)
class PartyRecord:
    """The account of one who is named for a role, and the block that named it."""

    account: bytes
    height: int
    time_s: int

    def __post_init__(self) -> None:
        _check_account("party.account", self.account)
        check_number("party.height", self.height)
        check_number("party.time", self.time_s)


@dataclass(frozen=True, slots=True)
class Candidate:
    """An operator that may be given shards, as a map has it."""

    operator: bytes
    organisation: bytes
    site: bytes
    weight: int

    def __post_init__(self) -> None:
        check_some_hash("map.operator", self.operator)
        check_label("map.organisation", self.organisation)
        check_label("map.site", self.site)
        check_number("map.weight", self.weight, least=1, most=MAX_WEIGHT)


@dataclass(frozen=True, slots=True)
class MapRecord:
    """Who may be given shards from a height on, and by what code: all from which a group's operators follow."""

    height: int
    time_s: int
    data: int
    parity: int
    candidates: tuple[Candidate, ...]
    """Ascending by operator."""

    def __post_init__(self) -> None:
        PackShape(self.data, self.parity, 0)
        ids = [candidate.operator for candidate in self.candidates]
        if len(ids) > MAX_OPERATORS or ids != sorted(set(ids)):
            raise MalformedInput("map.candidates", f"at most {MAX_OPERATORS}, ascending", got=len(ids))


def encode_operator_record(record: OperatorRecord) -> bytes:
    """Inverse of `decode_operator_record`."""
    labels = (record.organisation, record.site, record.region, record.engine)
    rest = (record.weight, int(record.state), record.height, record.time_s)
    return encode_value(OPERATOR_STRUCT, (record.account, *labels, *rest))


def decode_operator_record(data: bytes) -> OperatorRecord:
    """An operator.

    Raises:
        MalformedInput: an unknown version, another encoding, or a member out of its rule.
    """
    members = decode_value(OPERATOR_STRUCT, data, "operator")
    account, organisation, site, region, engine, weight, state, height, time_s = members
    labels = (organisation, site, region, engine)
    return OperatorRecord(address_bytes(account), *labels, weight, operator_state(state), height, time_s)


def operator_state(number: int) -> OperatorState:
    """A state by its number.

    Raises:
        MalformedInput: there is none.
    """
    try:
        return OperatorState(number)
    except ValueError:
        raise MalformedInput("operator.state", "is unknown", got=number) from None


def party_role(number: int) -> PartyRole:
    """A role by its number.

    Raises:
        MalformedInput: there is none.
    """
    try:
        return PartyRole(number)
    except ValueError:
        raise MalformedInput("party.role", "is unknown", got=number) from None


def encode_party_record(record: PartyRecord) -> bytes:
    """Inverse of `decode_party_record`."""
    return encode_value(PARTY_STRUCT, (record.account, record.height, record.time_s))


def decode_party_record(data: bytes) -> PartyRecord:
    """One who is named for a role.

    Raises:
        MalformedInput: see `decode_operator_record`.
    """
    account, height, time_s = decode_value(PARTY_STRUCT, data, "party")
    return PartyRecord(address_bytes(account), height, time_s)


def encode_map_record(record: MapRecord) -> bytes:
    """Inverse of `decode_map_record`."""
    rows = [(one.operator, one.organisation, one.site, one.weight) for one in record.candidates]
    return encode_value(MAP_STRUCT, (record.height, record.time_s, record.data, record.parity, rows))


@lru_cache(maxsize=8)
def decode_map_record(data: bytes) -> MapRecord:
    """Who may be given shards.

    Raises:
        MalformedInput: see `decode_operator_record`.
    """
    if data[:1] != bytes([VERSION]):
        raise MalformedInput("map.version", "is unknown", got=data[:1], expected=VERSION)
    ((height, time_s, data_shards, parity, rows),) = decode_canonical([MAP_STRUCT], data[1:], "map", MAX_MAP_BYTES)
    return MapRecord(height, time_s, data_shards, parity, tuple(Candidate(*row) for row in rows))


def _check_account(field: str, account: bytes) -> None:
    check_bytes(field, account, ADDRESS_BYTES)
    if account == bytes(ADDRESS_BYTES):
        raise MalformedInput(field, "is zero")
