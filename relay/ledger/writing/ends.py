"""Ends of transactions as rows: the transaction's own, its deliveries, and the last step of each packet."""

from collections.abc import Callable
from functools import cache
from typing import Any

from sqlalchemy import Connection, bindparam, update

from hutong.relay.ledger.store.bounds import MAX_REASON_CHARS, bounded_int, bounded_text
from hutong.relay.ledger.store.inserting import insert_into
from hutong.relay.ledger.store.tables import DeliveryRow, TransactionRow
from hutong.relay.ledger.values.life import Note, Outcome, Step
from hutong.relay.ledger.values.packets import Delivery, TransactionEnd
from hutong.relay.ledger.writing.journal import hex_of


def end_write(end: TransactionEnd) -> Callable[[Connection], None]:
    """The statements that record a transaction's end and its deliveries, to be run in a transaction of the database.

    The bytes of the signed transaction are dropped with it. A transaction that is not recorded is not added: nothing
    changes but its deliveries. An earlier delivery of the same packet and kind is replaced.
    """
    change = {
        "of_chain": end.chain,
        "of_hash": hex_of(end.hash),
        "state": end.state.value,
        "raw": b"",
        "prepared": "",
        "height": bounded_int(end.height),
        "gas_used": bounded_int(end.gas_used),
        "fee_wei": end.fee_wei,
        "ended_at_ns": end.at_ns,
        "reason": bounded_text(end.reason, MAX_REASON_CHARS),
    }
    rows = [_delivery_values(delivery) for delivery in end.deliveries]

    def write(connection: Connection) -> None:
        connection.execute(_END, change)
        if rows:
            connection.execute(_upsert_deliveries(connection.dialect.name), rows)

    return write


_END = update(TransactionRow).where(
    TransactionRow.chain == bindparam("of_chain"), TransactionRow.hash == bindparam("of_hash")
)


def notes_of_end(end: TransactionEnd) -> list[Note]:
    """One note for each packet that the transaction delivered; the end of a failed one gives none."""
    return [_included(delivery) for delivery in end.deliveries]


@cache
def _upsert_deliveries(dialect: str) -> Any:
    """One statement for any number of rows, made once: making it for each costs more than writing the row."""
    statement = insert_into(dialect, DeliveryRow)
    key = ("packet_id", "kind")
    rest = {name: statement.excluded[name] for name in Delivery.__dataclass_fields__ if name not in key}
    return statement.on_conflict_do_update(index_elements=list(key), set_=rest)


_BOUNDED = ("height", "batch_size", "gas_used", "event_time_ns", "block_time_ns")


def _delivery_values(delivery: Delivery) -> dict[str, Any]:
    values = {name: getattr(delivery, name) for name in Delivery.__dataclass_fields__}
    values["transaction_hash"] = hex_of(delivery.transaction_hash)
    return values | {name: bounded_int(values[name]) for name in _BOUNDED}


def _included(delivery: Delivery) -> Note:
    outcome = {"acknowledge": Outcome.ACKNOWLEDGED, "timeout": Outcome.TIMED_OUT}.get(delivery.kind)
    return Note(
        delivery.packet_id,
        delivery.kind,
        Step.INCLUDED,
        delivery.chain,
        delivery.at_ns,
        height=delivery.height,
        block_time_ns=delivery.block_time_ns,
        transaction_hash=delivery.transaction_hash,
        outcome=outcome,
    )
