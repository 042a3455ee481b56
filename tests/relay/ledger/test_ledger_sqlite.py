"""SQLite does what every database must do for the ledger."""

import pytest
import trio
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, event, inspect

from hutong.relay.ledger import Ledger, LedgerReader, MessageReader, Outcome, Step
from hutong.relay.ledger.store.migrate import alembic_config
from hutong.relay.ledger.store.tables import Base
from tests.relay.ledger.ledger_conformance import SENDER, LedgerConformance, end, note, transaction
from tests.relay.ledger.message_conformance import ALICE, NS, MessageConformance, token_1, token_2, told


@pytest.fixture
def open_ledger(tmp_path):
    return lambda: Ledger.open_file(tmp_path / "ledger.sqlite")


@pytest.fixture
def open_reader(tmp_path):
    return lambda: LedgerReader.open_file(tmp_path / "ledger.sqlite")


@pytest.fixture
def open_messages(tmp_path):
    return lambda: MessageReader.open_file(tmp_path / "ledger.sqlite")


class TestSqlite(LedgerConformance, MessageConformance):
    pass


async def test_ledger_of_before_long_senders_keeps_its_rows(tmp_path, open_ledger):
    """Migration 0003 copies the table; its indexes and what a relay left open stay."""
    engine = create_engine(f"sqlite:///{tmp_path / 'ledger.sqlite'}")
    with engine.begin() as connection:
        config = alembic_config()
        config.attributes["connection"] = connection
        command.upgrade(config, "0002")
        columns = {column["name"]: column["type"].length for column in inspect(connection).get_columns("transactions")
                   if column["name"] == "sender"}  # fmt: skip
        assert columns == {"sender": 42}
        row = (SENDER, "0x" + "07" * 32)
        connection.exec_driver_sql(
            "insert into transactions (chain, hash, sender, nonce, raw, prepared, jobs, state, signed_at_ns)"
            " values ('hub', ?, ?, 5, x'01', '{}', '[]', 'signed', 9)",
            (row[1], row[0]),
        )
    engine.dispose()
    ledger = open_ledger()
    (found,) = await ledger.open_transactions("hub", SENDER)
    assert (found.nonce, found.raw, found.signed_at_ns) == (5, b"\x01", 9)
    with ledger.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
    ledger.close()


async def test_reader_cannot_write(tmp_path, open_ledger, open_reader):
    ledger = open_ledger()
    ledger.note([note(Step.SEEN)])
    await ledger.flush()
    reader = open_reader()
    with pytest.raises(Exception, match="readonly|read-only|read only"), reader.engine.begin() as connection:
        connection.exec_driver_sql("delete from packets")
    reader.close()
    ledger.close()


async def test_steps_that_no_database_takes_stop_no_transaction(open_ledger, open_reader):
    ledger = open_ledger()
    broken = note(Step.SEEN)
    object.__setattr__(broken, "at_ns", object())
    ledger.note([broken])
    await ledger.set_cursor("alpha", 4)
    assert await ledger.cursor("alpha") == 4 and ledger.notes == 0
    ledger.note([note(Step.SEEN)])
    await ledger.set_cursor("alpha", 5)
    reader = open_reader()
    assert len(reader.pending().packets) == 1
    reader.close()
    ledger.close()


@pytest.mark.parametrize("broken", [{"at_ns": 2**200}, {"transaction_hash": 7}])
async def test_note_that_fails_in_the_driver_is_not_written_again_and_again(open_ledger, broken):
    """The driver's OverflowError is none of SQLAlchemy's; the AttributeError comes before it."""
    ledger = open_ledger()
    ledger.note([note(Step.SEEN, **broken), note(Step.QUEUED, at_ns=5)])
    await ledger.set_cursor("alpha", 4)
    assert await ledger.cursor("alpha") == 4 and ledger.notes == 0
    ledger.close()


async def test_notes_outlive_work_that_fails_and_a_cancellation(open_ledger):
    ledger = open_ledger()
    ledger.note([note(Step.SEEN)])
    with pytest.raises(OverflowError):
        await ledger.record(transaction(1, nonce=2**63))
    assert ledger.notes == 1

    def cancelled(_connection):
        raise trio.Cancelled._create(source="explicit")

    with pytest.raises(trio.Cancelled):
        ledger._with_notes(cancelled, ())
    assert ledger.notes == 1
    await ledger.flush()
    assert ledger.notes == 0
    ledger.close()


async def test_pairing_reads_no_more_than_can_be_paired(tmp_path):
    """Whatever is unpaired under the keys that one write touches: anybody can send as many equal transfers as he likes."""
    ledger = Ledger.open_file(tmp_path / "ledger.sqlite")
    ended = [token_1(number, refused=True) for number in range(1, 31)]
    ledger.note([told(one, at_ns=100 * NS) for one in ended])
    ledger.note([told(one, Step.INCLUDED, "acknowledge", 200 * NS, outcome=Outcome.ACKNOWLEDGED) for one in ended])
    ledger.note([told(token_1(number, timeout_timestamp_s=300), at_ns=100 * NS) for number in range(31, 61)])
    ledger.note([told(token_1(number, sender=f"0x{number:040x}"), at_ns=400 * NS) for number in range(61, 91)])
    ledger.note([told(token_2(number, sender=ALICE), at_ns=400 * NS) for number in range(101, 131)])
    await ledger.flush()
    reads = []

    def listen(_connection, cursor, statement, parameters, _context, _many):
        if "AS place" in statement:
            reads.append(len(cursor.connection.execute(statement, parameters).fetchall()))

    event.listen(ledger.engine, "after_cursor_execute", listen)
    ledger.note([told(token_1(91), at_ns=400 * NS)])
    await ledger.flush()
    assert reads == [0]  # no second leg waits for a first one, so first legs are not read
    ledger.note([told(token_2(91), at_ns=401 * NS)])
    await ledger.flush()
    assert reads == [0, 1, 1]
    with ledger.engine.connect() as connection:
        rows = connection.exec_driver_sql("SELECT packet_id, leg_of FROM packets WHERE leg_of IS NOT NULL").all()
    assert rows == [("hub/bft-evm-1/91", "alpha/client-0/91")]
    ledger.close()


async def test_costs_are_summed_by_the_database(tmp_path):
    """The loop of the API must not stand still for a million transactions; only fees of 1 ether and more are given."""

    class Counting(MessageReader):
        given = 0

        def _rows(self, query, parameters=None):
            rows = super()._rows(query, parameters)
            self.given += len(rows)
            return rows

    ledger = Ledger.open_file(tmp_path / "ledger.sqlite")
    for number in range(40):
        await ledger.record(transaction(number, nonce=number))
        await end(ledger, transaction(number), fee_wei=10**18 if number < 2 else 10**18 - 1)
    reader = Counting.open_file(tmp_path / "ledger.sqlite")
    reader.given = 0
    (costs,) = reader.totals().costs
    assert (costs.transactions, costs.fee_wei, reader.given) == (40, 40 * 10**18 - 38, 1 + 2)
    reader.close()
    ledger.close()


async def test_comparison_with_the_chain_does_not_walk_through_what_is_settled(tmp_path):
    """Every pass of the clearer asks; a million settled packets must not make the relay's transactions wait."""
    ledger = Ledger.open_file(tmp_path / "ledger.sqlite")
    asked = []
    event.listen(ledger.engine, "before_cursor_execute", lambda *call: asked.append(call[2:4]))
    assert await ledger.reconcile("alpha", "client-0", {2}, range(1, 5), 60) == 0
    (statement, parameters), *_ = asked
    with ledger.engine.connect() as connection:
        (step,) = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
    assert "packets_open_by_sender" in step[3]
    ledger.close()
