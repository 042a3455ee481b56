"""Status lists, and every issuance with its entry of the issuance log. Rows are added and their status rises; none ever goes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    func,
    insert,
    select,
    text,
    update,
)

_TABLES = MetaData()
LISTS = Table(
    "identity_lists",
    _TABLES,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("key_thumbprint", String(64), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("is_open", Boolean, nullable=False),
    Column("told", BigInteger, nullable=False),
    Column("sending", BigInteger, nullable=False),
)
ISSUED = Table(
    "identity_issued",
    _TABLES,
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("list", BigInteger, nullable=False),
    Column("idx", BigInteger, nullable=False),
    Column("configuration", String(64), nullable=False),
    Column("reference", String(128)),
    Column("issued_s", BigInteger, nullable=False),
    Column("expires_s", BigInteger, nullable=False),
    Column("entry", LargeBinary, nullable=False),
    Column("status", Integer, nullable=False),
)
REVOCATIONS = Table(
    "identity_revocations",
    _TABLES,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("list", BigInteger, nullable=False),
    Column("idx", BigInteger, nullable=False),
    Column("status", Integer, nullable=False),
)
"""In the order in which they were decided: a daemon reads those after the last that it knows, also a command's."""
_CHUNK = 10_000


@dataclass(frozen=True, slots=True)
class ListRow:
    """A status list of one bit an entry. `key_thumbprint` is the hexadecimal RFC 7638 thumbprint that it is bound to."""

    number: int
    key_thumbprint: str
    size: int
    is_open: bool
    told: int = 0
    """The hub has every decision up to this one."""
    sending: int = 0
    """The hub may have those up to this one: a transaction whose end nobody has seen yet."""


@dataclass(frozen=True, slots=True)
class IssuedRow:
    """One issuance. `reference` is the department's own name for the case, by which it is revoked; not a person's."""

    position: int
    list_number: int
    index: int
    configuration: str
    reference: str | None
    issued_s: int
    expires_s: int
    entry: bytes
    status: int = 0


def lists_of(connection: Connection) -> tuple[ListRow, ...]:
    """All lists, by number."""
    rows = connection.execute(select(LISTS).order_by(LISTS.c.number))
    return tuple(ListRow(row.number, row.key_thumbprint, row.size, row.is_open, row.told, row.sending) for row in rows)


def add_list(connection: Connection, row: ListRow) -> None:
    """A list that is new here."""
    connection.execute(
        insert(LISTS).values(
            number=row.number,
            key_thumbprint=row.key_thumbprint,
            size=row.size,
            is_open=row.is_open,
            told=row.told,
            sending=row.sending,
        )
    )


def close_list(connection: Connection, number: int) -> None:
    """Nothing more is issued over it."""
    connection.execute(update(LISTS).where(LISTS.c.number == number).values(is_open=False))


def set_told(connection: Connection, number: int, told: int, sending: int) -> None:
    """What the hub has of a list's decisions, and what it may have."""
    connection.execute(update(LISTS).where(LISTS.c.number == number).values(told=told, sending=sending))


def decisions_of(connection: Connection, number: int) -> tuple[tuple[int, int], ...]:
    """Number and index of every decision about a list, in order."""
    found = select(REVOCATIONS.c.id, REVOCATIONS.c.idx).where(REVOCATIONS.c.list == number)
    return tuple((row.id, row.idx) for row in connection.execute(found.order_by(REVOCATIONS.c.id)))


def add_issuances(connection: Connection, rows: Sequence[IssuedRow]) -> None:
    """Issuances of one request, in the caller's transaction.

    Raises:
        IntegrityError: a position or an index is taken: somebody else writes to this database.
    """
    connection.execute(insert(ISSUED), [_values(row) for row in rows])


def places_of(connection: Connection) -> Iterator[tuple[int, int, int, bytes]]:
    """List, index, status and log entry of every issuance, in the order of the log."""
    columns = (ISSUED.c.list, ISSUED.c.idx, ISSUED.c.status, ISSUED.c.entry)
    for row in connection.execute(select(*columns).order_by(ISSUED.c.position)).yield_per(_CHUNK):
        yield row.list, row.idx, row.status, row.entry


def count_of(connection: Connection) -> int:
    """How many issuances there are: the log's size."""
    return int(connection.execute(select(func.count()).select_from(ISSUED)).scalar_one())


def entry_at(connection: Connection, list_number: int, index: int) -> IssuedRow | None:
    """The issuance of an index."""
    row = connection.execute(select(ISSUED).where((ISSUED.c.list == list_number) & (ISSUED.c.idx == index))).first()
    return None if row is None else _row(row)


def entries_of(connection: Connection, reference: str) -> tuple[IssuedRow, ...]:
    """The issuances of a department's reference."""
    rows = connection.execute(select(ISSUED).where(ISSUED.c.reference == reference).order_by(ISSUED.c.position))
    return tuple(_row(row) for row in rows)


def raise_status(connection: Connection, row: IssuedRow, status: int) -> bool:
    """Whether the status of an issuance rose; one that is as high or higher stays."""
    if connection.dialect.name == "postgresql":
        # Numbers are given out before they are seen: a daemon that saw a later one first would never look for this one.
        connection.execute(text(f"LOCK TABLE {REVOCATIONS.name} IN SHARE ROW EXCLUSIVE MODE"))
    rising = (ISSUED.c.position == row.position) & (ISSUED.c.status < status)
    if connection.execute(update(ISSUED).where(rising).values(status=status)).rowcount != 1:
        return False
    connection.execute(insert(REVOCATIONS).values(list=row.list_number, idx=row.index, status=status))
    return True


def revocations_after(connection: Connection, last: int) -> tuple[tuple[int, int, int, int], ...]:
    """Number, list, index and status of decisions after the last one known, at most 10 000."""
    found = select(REVOCATIONS).where(REVOCATIONS.c.id > last).order_by(REVOCATIONS.c.id).limit(_CHUNK)
    return tuple((row.id, row.list, row.idx, row.status) for row in connection.execute(found))


def _row(row: Any) -> IssuedRow:
    return IssuedRow(
        row.position,
        row.list,
        row.idx,
        row.configuration,
        row.reference,
        row.issued_s,
        row.expires_s,
        row.entry,
        row.status,
    )


def _values(row: IssuedRow) -> dict[str, Any]:
    return {
        "position": row.position,
        "list": row.list_number,
        "idx": row.index,
        "configuration": row.configuration,
        "reference": row.reference,
        "issued_s": row.issued_s,
        "expires_s": row.expires_s,
        "entry": row.entry,
        "status": row.status,
    }
