"""Rows into values, each column checked: a file that was damaged, or written by hand, costs the row and nothing beside it."""

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import BigInteger, Boolean, Integer, String, inspect, type_coerce

from hutong.relay.ledger.store.tables import Base, DeliveryRow, MessageRow, PacketRow, RouteRow, StepRow, Wei
from hutong.relay.ledger.values.errors import MAX_GOT_CHARS, DamagedRow, LedgerDamaged
from hutong.relay.ledger.values.life import Cause, Outcome, Step
from hutong.relay.ledger.values.messages import App, MessageState
from hutong.relay.ledger.values.packets import Contents, Delivery, KnownPacket, RouteState, Sent, Settled, StepRecord

MAX_WEI_DIGITS = 78
KINDS = frozenset(("receive", "acknowledge", "timeout"))

_STEPS, _CAUSES = frozenset(Step), frozenset(Cause)
_ENUMS: dict[tuple[str, str], frozenset[str]] = {
    ("packets", "kind"): KINDS,
    ("packets", "step"): _STEPS,
    ("packets", "cause"): _CAUSES,
    ("packets", "outcome"): frozenset(Outcome),
    ("packets", "app"): frozenset(App),
    ("steps", "kind"): KINDS,
    ("steps", "step"): _STEPS,
    ("deliveries", "kind"): KINDS,
    ("routes", "cause"): _CAUSES,
    ("messages", "state"): frozenset(MessageState),
}

_OF_THE_WRITER = frozenset((("packets", "unpaired_key"),))
"""Columns that say nothing of a packet."""

_SENT = ("sent_height", "sent_time_ns", "sent_hash")
_NOT_SEEN = [None, None, None]
_CONTENTS = Contents.__slots__
_SETTLED = ("outcome", "settled_at_ns")
"""Columns of `packets` that make one part of a `KnownPacket`, in the order of its fields."""

Row = Mapping[Any, Any]


def raw_columns(row: type[Base]) -> list[Any]:
    """Columns as the database has them, so that what cannot be read as an amount or a truth value fails in `checked` only."""
    raw: dict[type, Any] = {Wei: String(), Boolean: Integer()}
    return [
        type_coerce(column, raw[type(column.type)]).label(column.name) if type(column.type) in raw else column
        for column in _read_columns(row)
    ]


def _read_columns(row: type[Base]) -> list[Any]:
    return [column for column in row.__table__.columns if (row.__tablename__, column.name) not in _OF_THE_WRITER]


def known_packet(row: Row) -> KnownPacket:
    """A row of `packets` as a value, each column checked for its type and, where it is one of a few names, for that.

    Args:
        row: by column name, of `raw_columns`.

    Raises:
        LedgerDamaged: naming the first column that cannot be read.
    """
    fields = _checked(PacketRow, row)
    sent, contents, settled = ([fields.pop(column) for column in part] for part in (_SENT, _CONTENTS, _SETTLED))
    outcome, settled_at_ns = settled
    if outcome is not None and settled_at_ns is None:
        raise LedgerDamaged(_damaged(PacketRow, row, "settled_at_ns"))
    return KnownPacket(
        **fields,
        sent=None if sent == _NOT_SEEN else Sent(*sent),
        contents=Contents(*contents),
        settled=None if outcome is None else Settled(outcome, settled_at_ns),
    )


def packet_columns(packet: KnownPacket) -> dict[str, Any]:
    """The packet as it was read, by name of the column and in the table's order: `known_packet` the other way round."""
    sent, settled = packet.sent, packet.settled
    values = {name: getattr(packet, name) for name in packet.__slots__}
    values |= dict(zip(_SENT, _NOT_SEEN if sent is None else (sent.height, sent.time_ns, sent.hash), strict=True))
    values |= {name: getattr(packet.contents, name) for name in _CONTENTS}
    values |= dict(zip(_SETTLED, (None, None) if settled is None else (settled.outcome, settled.at_ns), strict=True))
    return {column.name: values[column.name] for column in _read_columns(PacketRow)}


def message_row(row: Row) -> dict[str, Any]:
    """A row of `messages`, checked as `known_packet` checks one, with a `lane` that has its three parts.

    Raises:
        LedgerDamaged: naming the first column that cannot be read.
    """
    fields = _checked(MessageRow, row)
    parts = fields["lane"].split(" ")
    if len(parts) != 3 or parts[2] not in _ENUMS["packets", "app"]:
        raise LedgerDamaged(_damaged(MessageRow, row, "lane"))
    return fields


def step_record(row: Row) -> StepRecord:
    """A row of `steps` as a value, checked as `known_packet` checks one.

    Raises:
        LedgerDamaged: naming the first column that cannot be read.
    """
    return StepRecord(**_checked(StepRow, row))


def route_state(row: Row) -> RouteState:
    """A row of `routes` as a value, checked as `known_packet` checks one.

    Raises:
        LedgerDamaged: naming the first column that cannot be read.
    """
    return RouteState(**_checked(RouteRow, row))


def delivery(row: Row) -> Delivery:
    """A row of `deliveries` as a value, checked as `known_packet` checks one; the hash is bytes again.

    Raises:
        LedgerDamaged: naming the first column that cannot be read.
    """
    fields = _checked(DeliveryRow, row)
    try:
        fields["transaction_hash"] = bytes.fromhex(fields["transaction_hash"][2:])
    except ValueError:
        raise LedgerDamaged(_damaged(DeliveryRow, row, "transaction_hash")) from None
    return Delivery(**fields)


def wei(text: object) -> int | None:
    """An amount as it is stored, decimal digits of at most MAX_WEI_DIGITS; None for anything else."""
    if isinstance(text, str) and text.isascii() and text.isdigit() and len(text) <= MAX_WEI_DIGITS:
        return int(text)
    return None


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    value.encode()  # what was no UTF-8 came as lone surrogates
    return value


def _integer(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError
    return value


def _truth(value: object) -> bool:
    if value not in (0, 1):
        raise ValueError
    return bool(value)


def _amount(value: object) -> int:
    if (number := wei(value)) is None:
        raise ValueError
    return number


def _one_of(names: frozenset[str]) -> Callable[[object], str]:
    def check(value: object) -> str:
        if not isinstance(value, str) or value not in names:
            raise ValueError
        return value

    return check


def _checks(row: type[Base]) -> list[tuple[str, bool, Callable[[object], Any]]]:
    by_type: dict[type, Callable[[object], Any]] = {BigInteger: _integer, Wei: _amount, Boolean: _truth}
    checks = []
    for column in _read_columns(row):
        names = _ENUMS.get((row.__tablename__, column.name))
        check = by_type.get(type(column.type), _text) if names is None else _one_of(names)
        checks.append((column.name, bool(column.nullable), check))
    return checks


_CHECKS: dict[type[Base], list[tuple[str, bool, Callable[[object], Any]]]] = {
    row: _checks(row) for row in (PacketRow, MessageRow, StepRow, DeliveryRow, RouteRow)
}


def _checked(row: type[Base], found: Row) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for name, nullable, check in _CHECKS[row]:
        value = found[name]
        if value is None and nullable:
            fields[name] = None
            continue
        try:
            fields[name] = check(value)
        except (TypeError, ValueError):
            raise LedgerDamaged(_damaged(row, found, name)) from None
    return fields


def _damaged(row: type[Base], found: Row, column: str) -> DamagedRow:
    key = "/".join(_shown(found[part.name]) for part in inspect(row).primary_key)
    return DamagedRow(row.__tablename__, key, column, repr(found[column])[:MAX_GOT_CHARS])


def _shown(value: object) -> str:
    return str(value).encode(errors="replace").decode()[:160]
