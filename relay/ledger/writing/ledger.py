"""Cursors, transactions, life cycles and the cost of each delivery, in SQLite or PostgreSQL.

The ledger can be lost: the chains are the truth. Then cursors start at the head, the clearer finds what is unsettled,
and the nonce owner asks the chain.
"""

import json
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import trio
from sqlalchemy import Connection, Engine, delete, literal_column, select, text
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from hutong.relay.base.threads import Runner, thread_runner
from hutong.relay.ledger.store.bounds import bounded_int
from hutong.relay.ledger.store.cost_sums import sum_costs
from hutong.relay.ledger.store.engine import Password, open_engine, reason_of, write_nothing
from hutong.relay.ledger.store.inserting import insert_into
from hutong.relay.ledger.store.migrate import upgrade_to_head
from hutong.relay.ledger.store.tables import ONLY_OWNER, CursorRow, DeliveryRow, IgnoredRow, PacketRow, TransactionRow
from hutong.relay.ledger.values.errors import LedgerUnavailable
from hutong.relay.ledger.values.life import Note, Outcome, RouteNote, Step
from hutong.relay.ledger.values.packets import (
    Costs,
    Delivery,
    RecordedJob,
    RecordedTransaction,
    TransactionEnd,
    TransactionState,
)
from hutong.relay.ledger.writing.ends import end_write, notes_of_end
from hutong.relay.ledger.writing.journal import hex_of, write_entries
from hutong.relay.ledger.writing.owed import Owed, Taken
from hutong.relay.ledger.writing.packet_records import has_room, read_record
from hutong.relay.ledger.writing.retention import prune
from hutong.relay.telemetry import get_logger

T = TypeVar("T")

PRUNE_PAUSE_S = 0.1
MAX_IGNORED = 100_000
WRITERS_LOCK = 0x68750001
"""Key of the advisory lock of whoever writes to a ledger in PostgreSQL."""
_LOCK = text("SELECT pg_advisory_xact_lock(:key)")


class Ledger:
    """Every awaited write is one transaction in a worker thread, one at a time, and durable when the call returns.

    It takes along what was told without waiting (`note`, `note_cursor`, `note_end`), in one transaction.
    """

    def __init__(self, engine: Engine, run: Runner | None = None, owner: str = ONLY_OWNER) -> None:
        """`owner` names this relay where several write one ledger: cursors and what its routes wait for are its own."""
        self.engine = engine
        """Of its database, for statements of one's own: they see what is committed, and wait for no note."""
        self._run = run if run is not None else thread_runner(1)
        self._owner = owner
        self.owed = Owed()
        """What was told and is not written yet."""
        self._keeps_records = True
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
    def open_url(
        cls, url: str, run: Runner | None = None, password: Password = None, owner: str = ONLY_OWNER
    ) -> "Ledger":
        """Like `open_file`, for any SQLAlchemy URL of SQLite or PostgreSQL.

        Args:
            password: is in no error and no log.
            owner: whose transactions these are, if several relays share the database.

        Raises:
            LedgerUnavailable: it cannot be opened, or was written by a newer hutong.
        """
        engine = open_engine(url, password)
        try:
            upgrade_to_head(engine)
        except SQLAlchemyError as error:
            engine.dispose()
            raise LedgerUnavailable(
                f"the ledger cannot be opened: {reason_of(error, password, engine.url.database)}"
            ) from None
        return cls(engine, run, owner)

    def close(self) -> None:
        """Write what is noted, if that goes, and give the connections back. Blocks; nothing is raised for
        what is lost.
        """
        try:
            self._with_notes(lambda _connection: None, ())
        except (SQLAlchemyError, LedgerUnavailable) as error:
            self._log.warning("the last steps are not in the ledger", reason=type(error).__name__)
        self.engine.dispose()

    def note(self, entries: Iterable[Note | RouteNote]) -> None:
        """Say what happened, without waiting: it is written with the next transaction, at the latest by `flush`.

        A crash may lose the last second of it, a database that is away for long the oldest of it.
        """
        self.owed.note(list(entries))

    @property
    def notes(self) -> int:
        """How many steps, ends and cursors are not written yet."""
        return len(self.owed)

    async def flush(self) -> None:
        """Write what is noted, in one transaction.

        Raises:
            LedgerUnavailable: the database does not take it; the notes stay in memory and are written later.
        """
        await self._write(lambda _connection: None)

    async def try_to_write(self) -> None:
        """Like `flush`, and something reaches the disk also where nothing is noted: shows that the ledger can do its
        work.

        Raises:
            LedgerUnavailable: the database does not take it.
        """
        await self._write(write_nothing)

    async def prune(self, before_ns: int) -> int:
        """Forget packets settled and transactions ended before that time, CHUNK_ROWS of each at a time.

        Args:
            before_ns: nanoseconds of Unix time by the clock that the ledger was told times of.

        Returns:
            How many rows of all tables went.

        Raises:
            LedgerUnavailable: the database does not answer; what went already is gone.
        """
        forgotten = 0
        while rows := await self._read(lambda connection: prune(connection, before_ns)):
            forgotten += rows
            await trio.sleep(PRUNE_PAUSE_S)
        if forgotten:
            self._log.info("forgot what is long settled", rows=forgotten)
        return forgotten

    def _with_notes(self, work: Callable[[Connection], T], notes: Collection[Note]) -> T:
        """`work` and everything told before, in one transaction. What cannot be written does not stop `work`."""
        taken = self.owed.take()
        noted = written = not (taken or notes)
        try:
            with self.engine.begin() as connection:
                _one_writer(connection)
                write_entries(connection, [*taken.entries, *notes], self._owner, keeps_records=self._keeps_records)
                noted = True
                for write in taken.writes:
                    write(connection)
                written = True
                return work(connection)
        except Exception as error:
            # Put back, a note that can never be written would fail every later write. Drivers raise more than SQLAlchemy's.
            if written or _is_away(error):
                self.owed.put_back(taken)
                raise
            if noted:
                self.owed.put_back(Taken(taken.entries, [], {}))
                self._write_apart(taken)
                return self._with_notes(work, notes)
            lost = len(taken.entries) + len(notes)
            self._log.error(
                "steps that the database refused are not in the ledger", notes=lost, reason=reason_of(error)
            )
            self._write_apart(taken)
            with self.engine.begin() as connection:
                return work(connection)
        except BaseException:
            self.owed.put_back(taken)
            raise

    def _write_apart(self, taken: Taken) -> None:
        """What is owed, each in a transaction of its own; of one that the database refuses the chain tells after a restart."""
        ends, cursors = list(taken.ends), dict(taken.cursors)
        while ends or cursors:
            write = ends[0] if ends else next(iter(cursors.values()))
            try:
                with self.engine.begin() as connection:
                    write(connection)
            except BaseException as error:
                if not isinstance(error, Exception) or _is_away(error):
                    self.owed.put_back(Taken([], ends, cursors))
                    raise
                self._log.error("the database refused the end of a transaction or a cursor", reason=reason_of(error))
            if ends:
                del ends[0]
            else:
                del cursors[next(iter(cursors))]

    async def _write(self, work: Callable[[Connection], T], notes: Collection[Note] = ()) -> T:
        return await self._call(lambda: self._with_notes(work, notes))

    async def _read(self, work: Callable[[Connection], T]) -> T:
        """What was told before is there to be read, but for notes alone."""

        def call() -> T:
            if self.owed.writes:
                self._with_notes(lambda _connection: None, ())
            with self.engine.begin() as connection:
                return work(connection)

        return await self._call(call)

    async def _call(self, call: Callable[[], T]) -> T:
        try:
            result: T = await self._run(call)
        except SQLAlchemyError as error:
            reason = reason_of(error, file=self.engine.url.database)
            raise LedgerUnavailable(f"the ledger cannot be used: {reason}") from None
        return result

    async def record_of(self, packet_id: str, kind: str) -> bytes | None:
        """The job of an event of an unsettled packet, as the queue had it. The caller compares it with the chain's
        commitment.

        Args:
            packet_id: `chain/client/sequence` of the sending end.
            kind: `receive` or `acknowledge`.

        Returns:
            None if it is not kept: never seen, settled, or there was no room.

        Raises:
            LedgerUnavailable: the database does not answer.
        """
        await self.flush()
        return await self._read(lambda connection: read_record(connection, packet_id, kind))

    async def bound_records(self) -> bool:
        """Forget what is left of settled packets, and keep no more bytes while MAX_RECORDS or MAX_TOTAL_BYTES are kept.

        Returns:
            False while none are added.

        Raises:
            LedgerUnavailable: the database does not answer.
        """
        keeps = await self._write(has_room)
        if not keeps and self._keeps_records:
            self._log.warning(
                "bytes of further packets are not kept", reason="as many unsettled packets are kept as may be"
            )
        if keeps and not self._keeps_records:
            self._log.info("bytes of packets are kept again")
        self._keeps_records = keeps
        return keeps

    async def cursor(self, chain: str) -> int | None:
        """Height up to which the chain's events are in this relay's queue, that block included; None for a new chain.

        Raises:
            LedgerUnavailable: the database does not answer.
        """
        query = select(CursorRow.height).where(CursorRow.chain == chain, CursorRow.owner == self._owner)
        return await self._read(lambda connection: connection.execute(query).scalar_one_or_none())

    async def set_cursor(self, chain: str, height: int) -> None:
        """Write the cursor down. Only to be called after the queue has every event up to and including `height`.

        Raises:
            LedgerUnavailable: the database does not take it.
        """
        await self._write(self._cursor_write(chain, height))

    def note_cursor(self, chain: str, height: int) -> None:
        """`set_cursor` without waiting: after a crash the events of the last second are read and enqueued again."""
        self.owed.cursor(chain, self._cursor_write(chain, height))

    def _cursor_write(self, chain: str, height: int) -> Callable[[Connection], None]:
        values = {"owner": self._owner, "chain": chain, "height": bounded_int(height)}
        return lambda connection: _write_row(connection, CursorRow, values, ("owner", "chain"))

    async def record(self, transaction: RecordedTransaction) -> None:
        """Write down a signed transaction, and a step of each of its jobs. When this returns, it may be sent.

        Raises:
            LedgerUnavailable: it is not written, and must not be sent.
        """
        values = {
            "chain": transaction.chain,
            "hash": hex_of(transaction.hash),
            "sender": transaction.sender,
            "nonce": transaction.nonce,
            "raw": transaction.raw,
            "prepared": transaction.prepared,
            "jobs": json.dumps([None if job is None else [job.id, job.event_time_ns] for job in transaction.jobs]),
            "state": TransactionState.SIGNED.value,
            "signed_at_ns": transaction.signed_at_ns,
            "owner": self._owner,
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
        await self._write(lambda connection: _write_row(connection, TransactionRow, values, ("chain", "hash")), notes)

    async def open_transactions(self, chain: str, sender: str) -> list[RecordedTransaction]:
        """Transactions of a key whose end is not recorded, by nonce and time of signing; of every owner of the ledger.

        Args:
            chain: the configured name.
            sender: the account, as its chain writes addresses.

        Raises:
            LedgerUnavailable: the database does not answer.
        """
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

    async def end(self, end: TransactionEnd) -> None:
        """Record a transaction's end together with what it delivered, in one step.

        Raises:
            LedgerUnavailable: the database does not take it; the transaction stays open.
        """
        await self._write(end_write(self._owned(end)), notes_of_end(end))

    def note_end(self, end: TransactionEnd) -> None:
        """`end` without waiting, of a transaction in a final block: after a crash it is open here, and the chain tells its
        end again. All that is recorded afterwards is written with it or later."""
        self.owed.end(end_write(self._owned(end)), notes_of_end(end))

    def _owned(self, end: TransactionEnd) -> TransactionEnd:
        if self._owner == ONLY_OWNER:
            return end
        return replace(end, deliveries=tuple(replace(delivery, owner=self._owner) for delivery in end.deliveries))

    async def reconcile(self, chain: str, client: str, unsettled: Collection[int], read: range, at_ns: int) -> int:
        """The chain says that of the packets sent over `client` with a sequence in `read` only these are unsettled.

        Returns:
            How many others were open here: they ended without us, and are settled from now on.

        Raises:
            LedgerUnavailable: the database does not answer.
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

    async def ignore(self, job: str, reason: str, at_ns: int) -> None:
        """Write down that an operator wants the job (`kind:packet id`) left alone, and why; a second reason replaces
        the first.

        Neither name nor length of the texts is checked here.

        Raises:
            LedgerUnavailable: the database does not take it.
        """
        values = {"job": job, "packet_id": job.partition(":")[2], "reason": reason, "at_ns": at_ns}
        await self._write(lambda connection: _write_row(connection, IgnoredRow, values, ("job",)))

    async def heed(self, job: str) -> bool:
        """Undo `ignore`. False: the job was not ignored.

        Raises:
            LedgerUnavailable: the database does not take it.
        """
        gone = delete(IgnoredRow).where(IgnoredRow.job == job)
        return await self._write(lambda connection: connection.execute(gone).rowcount > 0)

    async def ignored(self) -> dict[str, str]:
        """Reasons by job (`kind:packet id`), MAX_IGNORED at most.

        Raises:
            LedgerUnavailable: the database does not answer.
        """
        query = select(IgnoredRow.job, IgnoredRow.reason).limit(MAX_IGNORED)
        return {row.job: row.reason for row in await self._read(lambda connection: connection.execute(query).all())}

    async def deliveries(self, packet_id: str) -> list[Delivery]:
        """What was delivered of one packet, in order of `at_ns`; of every owner of the ledger.

        Raises:
            LedgerUnavailable: the database does not answer.
        """
        query = select(DeliveryRow.__table__).where(DeliveryRow.packet_id == packet_id).order_by(DeliveryRow.at_ns)
        rows = await self._read(lambda connection: connection.execute(query).mappings().all())
        return [Delivery(**{**row, "transaction_hash": bytes.fromhex(row["transaction_hash"][2:])}) for row in rows]

    async def costs(self) -> list[Costs]:
        """Sums by chain, in order of names. What cannot be read is left out, and the log says so. Two passes over the
        transactions.

        Raises:
            LedgerUnavailable: the database does not answer.
        """

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


def _one_writer(connection: Connection) -> None:
    """Of several relays one writes at a time: they meet the rows of a packet in any order, and would lock each other out."""
    if connection.dialect.name == "postgresql":
        connection.execute(_LOCK, {"key": WRITERS_LOCK})


@cache
def _upsert(dialect: str, row: Any, names: tuple[str, ...], key: tuple[str, ...]) -> Any:
    statement = insert_into(dialect, row)
    rest = {name: statement.excluded[name] for name in names if name not in key}
    return statement.on_conflict_do_update(index_elements=list(key), set_=rest)


def _write_row(connection: Connection, row: Any, values: dict[str, Any], key: tuple[str, ...]) -> None:
    connection.execute(_upsert(connection.dialect.name, row, tuple(values), key), values)


_SIGNED: Any = literal_column(f"'{TransactionState.SIGNED.value}'")
"""Not bound: the index of open transactions is one of this state, and a planner has to see it."""


def _is_away(error: Exception) -> bool:
    """The database failed, not what was written."""
    return isinstance(error, OperationalError) or bool(getattr(error, "connection_invalidated", False))
