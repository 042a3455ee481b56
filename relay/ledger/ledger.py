"""Cursors, transactions and the cost of each delivery, in SQLite or PostgreSQL.

The ledger can be lost: the chains are the truth. Then cursors start at the head, the clearer finds what is unsettled,
and the nonce owner asks the chain.
"""

import json
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import trio
from sqlalchemy import Connection, Engine, create_engine, event, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError

from relay.ledger.errors import LedgerUnavailable
from relay.ledger.migrate import upgrade_to_head
from relay.ledger.tables import CursorRow, DeliveryRow, TransactionRow
from relay.ledger.values import Costs, Delivery, RecordedJob, RecordedTransaction, TransactionState

T = TypeVar("T")
Runner = Callable[[Callable[[], Any]], Awaitable[Any]]

BUSY_TIMEOUT_S = 10
MAX_REASON_CHARS = 500


def _one_thread() -> Runner:
    limiter = trio.CapacityLimiter(1)

    async def run(call: Callable[[], Any]) -> Any:
        return await trio.to_thread.run_sync(call, limiter=limiter)

    return run


def _set_pragmas(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", f"busy_timeout={BUSY_TIMEOUT_S * 1000}", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


class Ledger:
    """Every write is one transaction in a worker thread, one at a time, and durable when the call returns."""

    def __init__(self, engine: Engine, run: Runner | None = None) -> None:
        self._engine = engine
        self._run = run if run is not None else _one_thread()

    @classmethod
    def open_file(cls, path: Path, run: Runner | None = None) -> "Ledger":
        """A SQLite file, made and brought to the newest schema. Blocks; call it before the tasks start, or in a thread.

        Raises:
            LedgerUnavailable: it cannot be opened, or a newer hutong wrote it.
        """
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        return cls.open_url(f"sqlite:///{path}", run)

    @classmethod
    def open_url(cls, url: str, run: Runner | None = None) -> "Ledger":
        """Like `open_file`, for any SQLAlchemy URL of SQLite or PostgreSQL."""
        try:
            engine = create_engine(url)
            if engine.dialect.name == "sqlite":
                event.listen(engine, "connect", _set_pragmas)
            upgrade_to_head(engine)
        except SQLAlchemyError as error:
            raise LedgerUnavailable(f"the ledger cannot be opened: {type(error).__name__}") from error
        return cls(engine, run)

    def close(self) -> None:
        """Give the connections back."""
        self._engine.dispose()

    async def _write(self, work: Callable[[Connection], T]) -> T:
        def call() -> T:
            with self._engine.begin() as connection:
                return work(connection)

        try:
            result: T = await self._run(call)
        except SQLAlchemyError as error:
            raise LedgerUnavailable(f"the ledger cannot be used: {type(error).__name__}") from error
        return result

    async def cursor(self, chain: str) -> int | None:
        """Height up to which the chain's events are in the queue; None for a new chain."""
        query = select(CursorRow.height).where(CursorRow.chain == chain)
        return await self._write(lambda connection: connection.execute(query).scalar_one_or_none())

    async def set_cursor(self, chain: str, height: int) -> None:
        """Only after the queue has every event up to `height`."""
        await self._write(
            lambda connection: self._upsert(connection, CursorRow, {"chain": chain, "height": height}, ("chain",))
        )

    async def record(self, transaction: RecordedTransaction) -> None:
        """Write down a signed transaction. When this returns, it may be sent."""
        values = {
            "chain": transaction.chain,
            "hash": _hex(transaction.hash),
            "sender": transaction.sender,
            "nonce": transaction.nonce,
            "raw": transaction.raw,
            "prepared": transaction.prepared,
            "jobs": json.dumps([None if job is None else [job.id, job.event_time_ns] for job in transaction.jobs]),
            "state": TransactionState.SIGNED.value,
            "signed_at_ns": transaction.signed_at_ns,
        }
        await self._write(lambda connection: self._upsert(connection, TransactionRow, values, ("chain", "hash")))

    async def open_transactions(self, chain: str, sender: str) -> list[RecordedTransaction]:
        """Transactions of a key whose end is not recorded, by nonce."""
        row = TransactionRow
        query = (
            select(row.chain, row.hash, row.sender, row.nonce, row.raw, row.prepared, row.jobs, row.signed_at_ns)
            .where(row.chain == chain, row.sender == sender, row.state == TransactionState.SIGNED.value)
            .order_by(row.nonce, row.signed_at_ns)
        )
        rows = await self._write(lambda connection: connection.execute(query).all())
        return [
            RecordedTransaction(
                found.chain,
                bytes.fromhex(found.hash[2:]),
                found.sender,
                found.nonce,
                found.raw,
                found.prepared,
                tuple(None if job is None else RecordedJob(*job) for job in json.loads(found.jobs)),
                found.signed_at_ns,
            )
            for found in rows
        ]

    async def end(
        self,
        chain: str,
        transaction_hash: bytes,
        state: TransactionState,
        at_ns: int,
        *,
        height: int | None = None,
        gas_used: int | None = None,
        fee_wei: int | None = None,
        reason: str | None = None,
        deliveries: Iterable[Delivery] = (),
    ) -> None:
        """Record a transaction's end together with what it delivered, in one step."""
        rows = [_delivery_values(delivery) for delivery in deliveries]
        change = (
            update(TransactionRow)
            .where(TransactionRow.chain == chain, TransactionRow.hash == _hex(transaction_hash))
            .values(
                state=state.value,
                raw=b"",
                prepared="",
                height=height,
                gas_used=gas_used,
                fee_wei=fee_wei,
                ended_at_ns=at_ns,
                reason=None if reason is None else reason[:MAX_REASON_CHARS],
            )
        )

        def work(connection: Connection) -> None:
            connection.execute(change)
            for row in rows:
                self._upsert(connection, DeliveryRow, row, ("packet_id", "kind"))

        await self._write(work)

    async def deliveries(self, packet_id: str) -> list[Delivery]:
        """What we delivered of one packet, in order of time."""
        query = select(DeliveryRow.__table__).where(DeliveryRow.packet_id == packet_id).order_by(DeliveryRow.at_ns)
        rows = await self._write(lambda connection: connection.execute(query).mappings().all())
        return [Delivery(**{**row, "transaction_hash": bytes.fromhex(row["transaction_hash"][2:])}) for row in rows]

    async def costs(self) -> list[Costs]:
        """Sums by chain, by name."""
        row = TransactionRow
        ended = select(row.chain, row.state, row.gas_used, row.fee_wei).where(row.fee_wei.is_not(None))
        counts = select(DeliveryRow.chain, func.count()).group_by(DeliveryRow.chain)

        def work(connection: Connection) -> list[Costs]:
            delivered = {row[0]: int(row[1]) for row in connection.execute(counts)}
            sums: dict[str, list[int]] = {chain: [0, 0, 0, 0] for chain in delivered}
            for chain, state, gas_used, fee_wei in connection.execute(ended):
                total = sums.setdefault(chain, [0, 0, 0, 0])
                total[0] += 1
                total[1] += state == TransactionState.REVERTED.value
                total[2] += gas_used or 0
                total[3] += fee_wei or 0
            return [Costs(chain, delivered.get(chain, 0), *total) for chain, total in sorted(sums.items())]

        return await self._write(work)

    def _upsert(self, connection: Connection, row: type[Any], values: dict[str, Any], key: tuple[str, ...]) -> None:
        insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
        statement: Any = insert(row).values(**values)
        rest = {name: value for name, value in values.items() if name not in key}
        connection.execute(statement.on_conflict_do_update(index_elements=list(key), set_=rest))


def _hex(value: bytes) -> str:
    return "0x" + value.hex()


def _delivery_values(delivery: Delivery) -> dict[str, Any]:
    return {
        name: _hex(value) if isinstance(value := getattr(delivery, name), bytes) else value
        for name in Delivery.__dataclass_fields__
    }
