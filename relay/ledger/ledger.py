"""Cursors, transactions, life cycles and the cost of each delivery, in SQLite or PostgreSQL.

The ledger can be lost: the chains are the truth. Then cursors start at the head, the clearer finds what is unsettled,
and the nonce owner asks the chain.
"""

import json
from collections.abc import Awaitable, Callable, Collection, Iterable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import trio
from sqlalchemy import Connection, Engine, literal_column, select, update
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from relay.ledger.bounds import MAX_REASON_CHARS, bounded_int, bounded_text
from relay.ledger.cost_sums import sum_costs
from relay.ledger.engine import Password, open_engine, reason_of
from relay.ledger.errors import LedgerUnavailable
from relay.ledger.journal import Entry, Journal, insert_into, write_entries
from relay.ledger.life import Note, Outcome, RouteNote, Step
from relay.ledger.migrate import upgrade_to_head
from relay.ledger.retention import prune
from relay.ledger.tables import CursorRow, DeliveryRow, PacketRow, TransactionRow
from relay.ledger.values import Costs, Delivery, RecordedJob, RecordedTransaction, TransactionState
from relay.telemetry import get_logger

T = TypeVar("T")
Runner = Callable[[Callable[[], Any]], Awaitable[Any]]

PRUNE_PAUSE_S = 0.1


def _one_thread() -> Runner:
    limiter = trio.CapacityLimiter(1)

    async def run(call: Callable[[], Any]) -> Any:
        return await trio.to_thread.run_sync(call, limiter=limiter)

    return run


class Ledger:
    """Every write is one transaction in a worker thread, one at a time, and durable when the call returns."""

    def __init__(self, engine: Engine, run: Runner | None = None) -> None:
        self._engine = engine
        self._run = run if run is not None else _one_thread()
        self._journal = Journal()
        self._log = get_logger("ledger")

    @classmethod
    def open_file(cls, path: Path, run: Runner | None = None) -> "Ledger":
        """A SQLite file, made and brought to the newest schema. Blocks; call it before the tasks start, or in a thread.

        Raises:
            LedgerUnavailable: it cannot be opened, or a newer hutong wrote it.
        """
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        return cls.open_url(f"sqlite:///{path}", run)

    @classmethod
    def open_url(cls, url: str, run: Runner | None = None, password: Password = None) -> "Ledger":
        """Like `open_file`, for any SQLAlchemy URL of SQLite or PostgreSQL. The password is in no error and no log."""
        engine = open_engine(url, password)
        try:
            upgrade_to_head(engine)
        except SQLAlchemyError as error:
            engine.dispose()
            raise LedgerUnavailable(f"the ledger cannot be opened: {reason_of(error, password)}") from None
        return cls(engine, run)

    def close(self) -> None:
        """Write what is noted, if that goes, and give the connections back."""
        try:
            self._with_notes(lambda _connection: None, ())
        except (SQLAlchemyError, LedgerUnavailable) as error:
            self._log.warning("the last steps are not in the ledger", reason=type(error).__name__)
        self._engine.dispose()

    def note(self, entries: Iterable[Note | RouteNote]) -> None:
        """Say what happened, without waiting: it is written with the next transaction, at the latest by `flush`.

        A crash may lose the last second of it, a database that is away for long the oldest of it.
        """
        self._journal.add(entries)

    @property
    def notes(self) -> int:
        """How many steps are not written yet."""
        return len(self._journal)

    async def flush(self) -> None:
        """Write what is noted."""
        await self._write(lambda _connection: None)

    async def prune(self, before_ns: int) -> int:
        """Forget packets settled and transactions ended before that time, a piece at a time; returns how many rows."""
        forgotten = 0
        while rows := await self._read(lambda connection: prune(connection, before_ns)):
            forgotten += rows
            await trio.sleep(PRUNE_PAUSE_S)
        if forgotten:
            self._log.info("forgot what is long settled", rows=forgotten)
        return forgotten

    def _with_notes(self, work: Callable[[Connection], T], notes: Collection[Note]) -> T:
        """`work` and everything noted before, in one transaction. What cannot be written does not stop `work`."""
        taken: list[Entry] = self._journal.take()
        cursors = self._journal.take_cursors()
        written = not (taken or notes)
        try:
            with self._engine.begin() as connection:
                write_entries(connection, [*taken, *notes])
                written = True
                self._write_cursors(connection, cursors)
                return work(connection)
        except Exception as error:
            self._journal.put_back_cursors(cursors)
            # Put back, a note that can never be written would fail every later write. Drivers raise more than SQLAlchemy's.
            if written or _is_away(error):
                self._journal.put_back(taken)
                raise
            lost = len(taken) + len(notes)
            self._log.error(
                "steps that the database refused are not in the ledger", notes=lost, reason=reason_of(error)
            )
            with self._engine.begin() as connection:
                return work(connection)
        except BaseException:
            self._journal.put_back(taken)
            self._journal.put_back_cursors(cursors)
            raise

    async def _write(self, work: Callable[[Connection], T], notes: Collection[Note] = ()) -> T:
        return await self._call(lambda: self._with_notes(work, notes))

    async def _read(self, work: Callable[[Connection], T]) -> T:
        def call() -> T:
            with self._engine.begin() as connection:
                return work(connection)

        return await self._call(call)

    async def _call(self, call: Callable[[], T]) -> T:
        try:
            result: T = await self._run(call)
        except SQLAlchemyError as error:
            raise LedgerUnavailable(f"the ledger cannot be used: {type(error).__name__}") from None
        return result

    async def cursor(self, chain: str) -> int | None:
        """Height up to which the chain's events are in the queue; None for a new chain."""
        if (noted := self._journal.cursor(chain)) is not None:
            return noted
        query = select(CursorRow.height).where(CursorRow.chain == chain)
        return await self._read(lambda connection: connection.execute(query).scalar_one_or_none())

    async def set_cursor(self, chain: str, height: int) -> None:
        """Only after the queue has every event up to `height`."""
        self._journal.drop_cursor(chain)
        values = {"chain": chain, "height": bounded_int(height)}
        await self._write(lambda connection: self._upsert(connection, CursorRow, values, ("chain",)))

    def pass_blocks(self, chain: str, height: int) -> None:
        """As `set_cursor` for blocks without events, without waiting: of any number of chains, a transaction a second.

        A crash may lose the last second of it: these blocks are read again.
        """
        self._journal.pass_blocks(chain, bounded_int(height))

    def _write_cursors(self, connection: Connection, cursors: dict[str, int]) -> None:
        for chain, height in cursors.items():
            self._upsert(connection, CursorRow, {"chain": chain, "height": height}, ("chain",))

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
        notes = [
            Note(
                job.packet_id,
                job.kind,
                Step.SUBMITTED,
                transaction.chain,
                transaction.signed_at_ns,
                transaction_hash=transaction.hash,
            )
            for job in transaction.jobs
            if job is not None
        ]
        await self._write(lambda connection: self._upsert(connection, TransactionRow, values, ("chain", "hash")), notes)

    async def open_transactions(self, chain: str, sender: str) -> list[RecordedTransaction]:
        """Transactions of a key whose end is not recorded, by nonce."""
        row = TransactionRow
        query = (
            select(row.chain, row.hash, row.sender, row.nonce, row.raw, row.prepared, row.jobs, row.signed_at_ns)
            .where(row.chain == chain, row.sender == sender, row.state == _SIGNED)
            .order_by(row.nonce, row.signed_at_ns)
        )
        rows = await self._read(lambda connection: connection.execute(query).all())
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
        done = list(deliveries)
        rows = [_delivery_values(delivery) for delivery in done]
        change = (
            update(TransactionRow)
            .where(TransactionRow.chain == chain, TransactionRow.hash == _hex(transaction_hash))
            .values(
                state=state.value,
                raw=b"",
                prepared="",
                height=bounded_int(height),
                gas_used=bounded_int(gas_used),
                fee_wei=fee_wei,
                ended_at_ns=at_ns,
                reason=bounded_text(reason, MAX_REASON_CHARS),
            )
        )

        def work(connection: Connection) -> None:
            connection.execute(change)
            if rows:
                connection.execute(_upsert_deliveries(connection.dialect.name), rows)

        await self._write(work, [_included(delivery) for delivery in done])

    async def reconcile(self, chain: str, client: str, unsettled: Collection[int], read: range, at_ns: int) -> int:
        """The chain says that of the packets sent over `client` with a sequence in `read` only these are unsettled.

        Others that are open here ended without us; returns how many.
        """
        row = PacketRow
        query = select(row.packet_id, row.kind, row.sequence).where(
            row.source_chain == chain,
            row.source_client == client,
            row.sequence.between(read.start, read.stop - 1),
            row.outcome.is_(None),
        )
        known = await self._read(lambda connection: connection.execute(query).all())
        there = set(unsettled)
        gone = [
            Note(packet_id, kind, Step.SUPERSEDED, chain, at_ns, outcome=Outcome.SETTLED)
            for packet_id, kind, sequence in known
            if sequence not in there
        ]
        if gone:
            await self._write(lambda _connection: None, gone)
        return len(gone)

    async def deliveries(self, packet_id: str) -> list[Delivery]:
        """What we delivered of one packet, in order of time."""
        query = select(DeliveryRow.__table__).where(DeliveryRow.packet_id == packet_id).order_by(DeliveryRow.at_ns)
        rows = await self._read(lambda connection: connection.execute(query).mappings().all())
        return [Delivery(**{**row, "transaction_hash": bytes.fromhex(row["transaction_hash"][2:])}) for row in rows]

    async def costs(self) -> list[Costs]:
        """Sums by chain, by name. Two passes over the transactions; what cannot be read is left out, and the log says so."""

        def work(connection: Connection) -> tuple[list[Costs], int]:
            def read(query: Any) -> list[dict[str, Any]]:
                return [dict(row) for row in connection.execute(query).mappings()]

            return sum_costs(read, sqlite=connection.dialect.name == "sqlite")

        costs, unread = await self._read(work)
        if unread:
            self._log.warning(
                "fees that cannot be read are left out of the costs", transactions=unread, reason="no decimal number"
            )
        return costs

    def _upsert(self, connection: Connection, row: type[Any], values: dict[str, Any], key: tuple[str, ...]) -> None:
        statement = insert_into(connection.dialect.name, row).values(**values)
        rest = {name: value for name, value in values.items() if name not in key}
        connection.execute(statement.on_conflict_do_update(index_elements=list(key), set_=rest))


_SIGNED: Any = literal_column(f"'{TransactionState.SIGNED.value}'")
"""Not bound: the index of open transactions is one of this state, and a planner has to see it."""


def _is_away(error: Exception) -> bool:
    """The database failed, not what was written."""
    return isinstance(error, OperationalError) or bool(getattr(error, "connection_invalidated", False))


@cache
def _upsert_deliveries(dialect: str) -> Any:
    """One statement for any number of rows, made once: making it for each costs more than writing the row."""
    statement = insert_into(dialect, DeliveryRow)
    key = ("packet_id", "kind")
    rest = {name: statement.excluded[name] for name in Delivery.__dataclass_fields__ if name not in key}
    return statement.on_conflict_do_update(index_elements=list(key), set_=rest)


_BOUNDED = ("height", "batch_size", "gas_used", "event_time_ns", "block_time_ns")


def _hex(value: bytes) -> str:
    return "0x" + value.hex()


def _delivery_values(delivery: Delivery) -> dict[str, Any]:
    values = {name: getattr(delivery, name) for name in Delivery.__dataclass_fields__}
    values["transaction_hash"] = _hex(delivery.transaction_hash)
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
