"""What persons asked of a registrar, until it stands on the hub, and for some days what came of it.

A row holds what the hub's blocks will hold, and nothing of who somebody is; of what was settled the words are erased.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    MetaData,
    String,
    Table,
    Text,
    delete,
    func,
    insert,
    select,
    update,
)

_TABLES = MetaData()
OPERATIONS = Table(
    "registrar_operations",
    _TABLES,
    Column("receipt", String(64), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("subject", String(64), nullable=False),
    Column("shard", BigInteger, nullable=False),
    Column("idx", BigInteger),
    Column("body", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("reason", Text),
    Column("effective_s", BigInteger),
    Column("accepted_s", BigInteger, nullable=False),
    Column("ends_s", BigInteger),
)


class Kind(StrEnum):
    """What is asked."""

    REGISTRATION = "registration"
    CHANGE = "change"
    RECOVERY = "recovery"
    CANCELLATION = "cancellation"
    COMPLETION = "completion"


class OperationState(StrEnum):
    """How it stands."""

    WAITING = "waiting"
    DONE = "done"
    REFUSED = "refused"


class TooManyWaiting(Exception):
    """As many as may be wait already."""


class PersonIsWaiting(Exception):
    """Something else of the same kind waits for this person."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One. `subject` is the person's account at a registration, else its place: one of a kind waits for each.

    `index` of a registration that waits is where it was last sent to. `body` is the rule's own bytes in hexadecimal digits,
    parts divided by blanks. `effective_s`: of a recovery, from when on it may take effect, Unix seconds.
    """

    receipt: str
    kind: Kind
    subject: str
    shard: int
    index: int | None
    body: str
    accepted_s: int
    state: OperationState = OperationState.WAITING
    reason: str | None = None
    effective_s: int | None = None

    def parts(self) -> list[bytes]:
        """The body's parts."""
        return [bytes.fromhex(part) for part in self.body.split(" ")]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an operation: where it stands now, or why not."""

    receipt: str
    state: OperationState
    index: int | None = None
    reason: str | None = None
    effective_s: int | None = None


def add_operation(connection: Connection, operation: Operation, most: int) -> OperationState:
    """Keep it, unless it is there; what was refused before waits again. Returns how it stands.

    Raises:
        TooManyWaiting: `most` wait. PersonIsWaiting: another one of this kind waits for the person.
    """
    standing = operation_of(connection, operation.receipt)
    if standing is not None and standing.state is not OperationState.REFUSED:
        return standing.state
    if count_waiting(connection) >= most:
        raise TooManyWaiting
    same = (OPERATIONS.c.kind == operation.kind.value) & (OPERATIONS.c.subject == operation.subject)
    if connection.execute(select(OPERATIONS.c.receipt).where(same & _waits()).limit(1)).first() is not None:
        raise PersonIsWaiting
    connection.execute(delete(OPERATIONS).where(OPERATIONS.c.receipt == operation.receipt))
    connection.execute(insert(OPERATIONS).values(**_row(operation)))
    return OperationState.WAITING


def operation_of(connection: Connection, receipt: str) -> Operation | None:
    """What a receipt is of; None where there is no such, or it was forgotten."""
    row = connection.execute(select(OPERATIONS).where(OPERATIONS.c.receipt == receipt)).mappings().first()
    return None if row is None else _operation(row)


def waiting_operations(connection: Connection, kind: Kind, most: int) -> list[Operation]:
    """Those of a kind that wait, the first accepted first; those that were sent somewhere before all others."""
    order: list[Any] = [OPERATIONS.c.accepted_s, OPERATIONS.c.receipt]
    if kind is Kind.REGISTRATION:
        order = [OPERATIONS.c.idx.is_(None), OPERATIONS.c.idx, *order]
    query = select(OPERATIONS).where((OPERATIONS.c.kind == kind.value) & _waits()).order_by(*order).limit(most)
    return [_operation(row) for row in connection.execute(query).mappings()]


def count_waiting(connection: Connection) -> int:
    """How many wait."""
    return int(connection.execute(select(func.count()).select_from(OPERATIONS).where(_waits())).scalar_one())


def send_to(connection: Connection, places: Mapping[str, int | None]) -> None:
    """Registrations by receipt, and the index at which each is sent; None where it is sent nowhere any more."""
    for receipt, index in places.items():
        chosen = (OPERATIONS.c.receipt == receipt) & _waits()
        connection.execute(update(OPERATIONS).where(chosen).values(idx=index))


def settle(connection: Connection, outcomes: Sequence[Outcome], ends_s: int) -> None:
    """What came of operations that waited; told until `ends_s`. What they said goes."""
    for outcome in outcomes:
        values: dict[str, Any] = {"state": outcome.state.value, "reason": outcome.reason, "body": "", "ends_s": ends_s}
        if outcome.index is not None:
            values["idx"] = outcome.index
        if outcome.effective_s is not None:
            values["effective_s"] = outcome.effective_s
        chosen = (OPERATIONS.c.receipt == outcome.receipt) & _waits()
        connection.execute(update(OPERATIONS).where(chosen).values(**values))


def forget_settled(connection: Connection, now_s: int) -> None:
    """Rows go whose time is over."""
    connection.execute(delete(OPERATIONS).where(OPERATIONS.c.ends_s.is_not(None) & (OPERATIONS.c.ends_s <= now_s)))


def _waits() -> Any:
    return OPERATIONS.c.state == OperationState.WAITING.value


def _row(one: Operation) -> dict[str, Any]:
    return {
        "receipt": one.receipt,
        "kind": one.kind.value,
        "subject": one.subject,
        "shard": one.shard,
        "idx": one.index,
        "body": one.body,
        "state": one.state.value,
        "accepted_s": one.accepted_s,
    }


def _operation(row: Any) -> Operation:
    return Operation(
        row["receipt"],
        Kind(row["kind"]),
        row["subject"],
        row["shard"],
        row["idx"],
        row["body"],
        row["accepted_s"],
        OperationState(row["state"]),
        row["reason"],
        row["effective_s"],
    )
