"""What a write costs does not grow with the ledger: no plan walks through a large table, SQLite takes as many steps as before."""

import re

import pytest
import trio
from sqlalchemy import event

from hutong.relay.ledger import Ledger, LedgerReader, MessageReader
from hutong.relay.ledger.writing.retention import CHUNK_ROWS, prune
from tests.relay.ledger.message_conformance import ALICE
from tests.relay.ledger.write_path import SETTLED, grow, live

STEPS = 10
"""Steps of SQLite's machine between two calls of the counter."""
WALKS = re.compile(r"SCAN (packets|messages|steps|deliveries|transactions)(_\d+)?\b")


@pytest.fixture(scope="module", params=["no statistics", "statistics"])
def observed(request, tmp_path_factory):
    """(plans, steps in an empty ledger, steps in one of some thousand packets)."""
    steps, asked = [], []
    for name in ("empty", "large"):
        path = tmp_path_factory.mktemp("ledger") / f"{name}.sqlite"
        ledger = Ledger.open_file(path)
        if name == "large":
            trio.run(grow, ledger)
        if request.param == "statistics":
            with ledger.engine.begin() as connection:
                connection.exec_driver_sql("ANALYZE")
        ledger.close()
        ledger, counted = Ledger.open_file(path), [0]

        def count(counted=counted):
            counted[0] += 1

        event.listen(ledger.engine, "connect", lambda one, _, count=count: one.set_progress_handler(count, STEPS))
        ledger.engine.dispose()
        asked.clear()
        event.listen(ledger.engine, "before_cursor_execute", lambda *call: asked.append(call[2:4]))
        trio.run(live, ledger)
        steps.append(counted[0])
        ledger.close()
    plans = set()
    ledger = Ledger.open_file(path)
    with ledger.engine.connect() as connection:
        for statement, parameters in asked:
            if statement.startswith(("SELECT", "INSERT", "UPDATE", "DELETE")):
                one = parameters[0] if isinstance(parameters, list) else parameters
                plans |= {row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", one)}
    ledger.close()
    return plans, *steps


@pytest.mark.long
def test_no_statement_of_a_write_walks_through_a_table(observed):
    plans, _, _ = observed
    assert [plan for plan in plans if WALKS.match(plan)] == []
    for used in (
        "packets_unpaired (unpaired_key=? AND next_client=? AND timeout_timestamp_s>?)",
        "packets_open_by_sender (source_chain=? AND source_client=? AND sequence>? AND sequence<?)",
        "transactions_open (chain=? AND sender=?)",
        "packets_by_end (settled_at_ns<?)",
    ):
        assert any(used in plan for plan in plans), used


def test_a_write_takes_as_many_steps_in_a_large_ledger(observed):
    """An index can be walked through as a table can: `leg_of IS NULL` once had each write look at every message."""
    _, empty, large = observed
    assert empty < large * 1.1 and large < empty * 1.1


def test_start_and_what_waits_are_read_from_what_is_open(tmp_path):
    """Of a million packets a few are unsettled; neither `hutong pending` nor the API looks at the others."""
    path = tmp_path / "ledger.sqlite"
    Ledger.open_file(path).close()
    asked = []
    for reader in (LedgerReader.open_file(path), MessageReader.open_file(path)):
        event.listen(reader.engine, "before_cursor_execute", lambda *call: asked.append(call[2:4]))
        if isinstance(reader, LedgerReader):
            assert reader.pending("alpha").packets == reader.pending().packets == ()
        else:
            assert reader.open_by_route() == ()
        with reader.engine.connect() as connection:
            for statement, parameters in [one for one in asked if "FROM packets" in one[0] and "EXPLAIN" not in one[0]]:
                plan = [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)]
                assert plan[0].startswith("SCAN packets USING INDEX packets_open")
                assert "USE TEMP B-TREE FOR ORDER BY" not in plan
        reader.close()
    assert len([one for one in asked if "FROM packets" in one[0]]) >= 3


async def test_pairing_passes_what_can_be_no_half(tmp_path):
    """A shop that sends the same amount to the same receiver day by day gives all its packets one key."""
    ledger = Ledger.open_file(tmp_path / "ledger.sqlite")
    await grow(ledger)
    with ledger.engine.connect() as connection:
        marked = "SELECT count(*), sum(leg_of IS NOT NULL) FROM packets WHERE unpaired_key IS NOT NULL"
        assert tuple(connection.exec_driver_sql(marked).one()) == (SETTLED // 5, 0)
        keyed = "SELECT count(*) FROM packets WHERE forward_key = 'k' AND sender = ?"
        assert connection.exec_driver_sql(keyed, (ALICE,)).scalar_one() == 2 * SETTLED + SETTLED // 5
    ledger.close()


async def test_retention_looks_for_lone_deliveries_when_packets_are_gone(tmp_path):
    """That passes every old delivery whose packet is still there; with each piece of a million it would pass them all."""
    ledger, looks, pieces = Ledger.open_file(tmp_path / "ledger.sqlite"), [], 0
    await grow(ledger)
    event.listen(ledger.engine, "before_cursor_execute", lambda *call: looks.append("NOT (EXISTS" in call[2]))
    with ledger.engine.begin() as connection:
        while prune(connection, 10**18):
            pieces += 1
        assert connection.exec_driver_sql("SELECT count(*) FROM packets").scalar_one() == 0
        assert connection.exec_driver_sql("SELECT count(*) FROM deliveries").scalar_one() == 0
    assert pieces == -(-(5 * SETTLED + SETTLED // 5) // CHUNK_ROWS) and sum(looks) == 2
    ledger.close()
