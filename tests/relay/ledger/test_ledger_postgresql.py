"""A real PostgreSQL does what every database must do for the ledger; its password is seen nowhere."""

import sys
from pathlib import Path

import pytest
from ledger_conformance import LedgerConformance, note
from message_conformance import MessageConformance

from relay.ledger import Ledger, LedgerReader, LedgerUnavailable, MessageReader, Step
from relay.ledger.migrate import newest_revision
from relay.ledger.tables import Base

sys.path.insert(0, str(Path(__file__).parents[2] / "nodes"))

pytestmark = pytest.mark.nodes


@pytest.fixture(scope="module")
def server():
    from postgres_server import PostgresServer

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
    from postgres_server import PASSWORD

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


def test_migrations_make_the_tables_that_the_code_expects(open_ledger):
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext
    from sqlalchemy import text

    ledger = open_ledger()
    with ledger._engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
        assert connection.execute(text("select version_num from alembic_version")).scalar_one() == newest_revision()
    ledger.close()


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
    assert password not in repr(opened._engine) + str(opened._engine.url)
    opened.close()


def test_reader_cannot_write(open_ledger, open_reader):
    open_ledger().close()
    reader = open_reader()
    with pytest.raises(Exception, match="read-only"), reader._engine.begin() as connection:
        connection.exec_driver_sql("delete from packets")
    reader.close()
