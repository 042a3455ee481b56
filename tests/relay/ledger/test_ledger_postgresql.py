"""A real PostgreSQL does what every database must do for the ledger; its password is seen nowhere."""

import pytest
import trio
from alembic import command
from sqlalchemy import event

from hutong.relay.ledger import Ledger, LedgerReader, LedgerUnavailable, MessageReader, Step
from hutong.relay.ledger.store.engine import open_engine
from hutong.relay.ledger.store.migrate import alembic_config, newest_revision, upgrade_to_head
from hutong.relay.ledger.store.tables import Base
from tests.relay.ledger.ledger_conformance import LedgerConformance, note
from tests.relay.ledger.message_conformance import MessageConformance
from tests.relay.ledger.old_packets import INSERT_PACKET, first, second
from tests.relay.ledger.write_path import grow, live

pytestmark = pytest.mark.nodes


@pytest.fixture(scope="module")
def server():
    from tests.nodes.postgres_server import PostgresServer

    server = PostgresServer()
    try:
        server.start()
        yield server
    finally:
        server.close()


@pytest.fixture
def url(server):
    return server.new_database()


@pytest.fixture
def password():
    from tests.nodes.postgres_server import PASSWORD

    return PASSWORD


@pytest.fixture
def open_ledger(url, password):
    return lambda: Ledger.open_url(url, password=password)


@pytest.fixture
def open_reader(url, password):
    return lambda: LedgerReader.open_url(url, password)


@pytest.fixture
def open_messages(url, password):
    return lambda: MessageReader.open_url(url, password)


class TestPostgresql(LedgerConformance, MessageConformance):
    pass


async def test_parity_row_53_relays_that_write_one_ledger_at_once_lose_nothing(url, password):
    """Both meet the rows of the same packets, in opposite orders."""
    ledgers = [Ledger.open_url(url, password=password, owner=f"relay-{number}") for number in (1, 2)]

    async def write(ledger, sequences):
        for _ in range(20):
            ledger.note([note(Step.QUEUED, sequence=one) for one in sequences])
            await ledger.flush()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(write, ledgers[0], range(1, 60))
        nursery.start_soon(write, ledgers[1], range(59, 0, -1))
    reader = LedgerReader.open_url(url, password)
    counts = {step.count for one in range(1, 60) for step in reader.life(f"alpha/client-0/{one}").steps}
    reader.close()
    for ledger in ledgers:
        ledger.close()
    assert counts == {40}


def test_migrations_make_the_tables_that_the_code_expects(open_ledger):
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext
    from sqlalchemy import text

    ledger = open_ledger()
    with ledger.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
        assert connection.execute(text("select version_num from alembic_version")).scalar_one() == newest_revision()
    ledger.close()


async def test_no_statement_of_a_write_walks_through_a_table(open_ledger):
    """As for SQLite: every large table is entered by an index, with a condition or of what is open alone."""
    ledger = open_ledger()
    await grow(ledger)
    with ledger.engine.begin() as connection:
        connection.exec_driver_sql("ANALYZE")
    asked = await asked_by(ledger)
    entered, walked = set(), []
    with ledger.engine.connect() as connection:
        connection.exec_driver_sql("SET enable_seqscan = off")  # these tables are small, and it would be right there
        for statement, node in plans_of(connection, asked):
            if node["Node Type"] == "Seq Scan" and node["Relation Name"] not in ("counter", "cursors", "routes"):
                walked.append((node["Relation Name"], statement))
            if node["Node Type"] in ("Index Scan", "Index Only Scan", "Bitmap Index Scan"):
                entered.add(node["Index Name"])
                if "Index Cond" not in node and not node["Index Name"].startswith("packets_open"):
                    walked.append((node["Index Name"], statement))
    assert walked == []
    assert {"packets_unpaired", "packets_by_leg", "packets_pkey", "steps_pkey", "transactions_open"} <= entered
    ledger.close()


async def test_write_into_a_young_ledger_does_not_read_it(open_ledger):
    """Of tables without statistics the server guesses how many rows a condition leaves, and joins by the guess."""
    ledger = open_ledger()
    with ledger.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE packets SET (autovacuum_enabled = false)")
    await grow(ledger, 80)
    asked = [one for one in await asked_by(ledger) if one[0].startswith(("INSERT", "UPDATE"))]
    with ledger.engine.connect() as connection:
        nodes = [(node.get("Relation Name"), node["Node Type"]) for _, node in plans_of(connection, asked)]
        assert connection.exec_driver_sql("SHOW jit").scalar_one() == "off"
    assert ("packets", "Index Scan") in nodes and ("packets", "Seq Scan") not in nodes
    ledger.close()


async def asked_by(ledger):
    """Statements, with their parameters, of everything that a relay writes."""
    asked = []
    listen = lambda *call: asked.append(call[2:4])  # noqa: E731
    event.listen(ledger.engine, "before_cursor_execute", listen)
    await live(ledger)
    event.remove(ledger.engine, "before_cursor_execute", listen)
    return [one for one in asked if one[0].startswith(("SELECT", "INSERT", "UPDATE", "DELETE"))]


def plans_of(connection, asked):
    for statement, parameters in asked:
        one = parameters[0] if isinstance(parameters, list) else parameters
        (explained,) = connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {statement}", one).scalar_one()
        for node in nodes_of(explained["Plan"]):
            yield statement, node


def nodes_of(plan):
    yield plan
    for part in plan.get("Plans", ()):
        yield from nodes_of(part)


def test_migrations_of_a_large_ledger_are_not_cut_off(url, password):
    """The limit is for statements beside a running relay; here one fills a table. Pairs are written while others are read."""
    engine = open_engine(url, password)
    with engine.begin() as connection:
        config = alembic_config()
        config.attributes["connection"] = connection
        command.upgrade(config, "0003")
        made = [
            leg
            for number in range(6_000)
            for leg in (first(number, 5, 90, f"k{number}"), second(number, 6, f"k{number}"))
        ]
        with connection.connection.cursor() as cursor:
            cursor.executemany(INSERT_PACKET.replace("?", "%s"), made)
    limits = []

    def look(connection, _cursor, statement, *_):
        if statement.startswith("\nINSERT INTO messages"):
            limits.append(connection.exec_driver_sql("SHOW statement_timeout").scalar_one())

    event.listen(engine, "before_cursor_execute", look)
    upgrade_to_head(engine)
    assert limits == ["0"]
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SHOW statement_timeout").scalar_one() == "30s"
        ends = connection.exec_driver_sql("SELECT leg_of, packet_id FROM packets WHERE leg_of IS NOT NULL").all()
        assert {(f"alpha/client-0/{n}", f"hub/bft-evm-1/{n}") for n in range(6_000)} == {tuple(row) for row in ends}
    engine.dispose()


async def test_server_that_is_away_loses_no_step_and_says_so(server, open_ledger, open_reader):
    ledger = open_ledger()
    ledger.note([note(Step.SEEN, sequence=1)])
    await ledger.flush()
    server.stop()
    ledger.note([note(Step.SEEN, sequence=2)])
    with pytest.raises(LedgerUnavailable):
        await ledger.set_cursor("alpha", 1)
    assert ledger.notes == 1
    server.start()
    await ledger.set_cursor("alpha", 2)
    reader = open_reader()
    assert [one.sequence for one in reader.pending().packets] == [1, 2]
    reader.close()
    ledger.close()


def test_attack_G14_ledger_password_is_in_no_error(url, password, caplog):
    wrong = "hunter2-hunter2"
    for open_it in (lambda: Ledger.open_url(url, password=wrong), lambda: LedgerReader.open_url(url, wrong)):
        with pytest.raises(LedgerUnavailable) as caught:
            open_it()
        assert "password authentication failed" in str(caught.value)
        assert wrong not in str(caught.value) + repr(caught.value) + caplog.text
    opened = Ledger.open_url(url, password=password)
    assert password not in repr(opened.engine) + str(opened.engine.url)
    opened.close()


def test_reader_cannot_write(open_ledger, open_reader):
    open_ledger().close()
    reader = open_reader()
    with pytest.raises(Exception, match="read-only"), reader.engine.begin() as connection:
        connection.exec_driver_sql("delete from packets")
    reader.close()
