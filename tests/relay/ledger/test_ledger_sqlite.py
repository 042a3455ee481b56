"""SQLite does what every database must do for the ledger."""

import pytest
from ledger_conformance import LedgerConformance, note
from sqlalchemy import event

from relay.ledger import Ledger, LedgerReader, Step


@pytest.fixture
def open_ledger(tmp_path):
    return lambda: Ledger.open_file(tmp_path / "ledger.sqlite")


@pytest.fixture
def open_reader(tmp_path):
    return lambda: LedgerReader.open_file(tmp_path / "ledger.sqlite")


class TestSqlite(LedgerConformance):
    pass


async def test_reader_cannot_write(tmp_path, open_ledger, open_reader):
    ledger = open_ledger()
    ledger.note([note(Step.SEEN)])
    await ledger.flush()
    reader = open_reader()
    with pytest.raises(Exception, match="readonly|read-only|read only"), reader._engine.begin() as connection:
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


async def test_comparison_with_the_chain_does_not_walk_through_what_is_settled(tmp_path):
    """Every pass of the clearer asks; a million settled packets must not make the relay's transactions wait."""
    ledger = Ledger.open_file(tmp_path / "ledger.sqlite")
    asked = []
    event.listen(ledger._engine, "before_cursor_execute", lambda *call: asked.append(call[2:4]))
    assert await ledger.reconcile("alpha", "client-0", {2}, range(1, 5), 60) == 0
    (statement, parameters), *_ = asked
    with ledger._engine.connect() as connection:
        (step,) = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
    assert "packets_by_outcome" in step[3]
    ledger.close()
