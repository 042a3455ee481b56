"""A real PostgreSQL does what every database must do for an issuer."""

from threading import Event, Thread

import pytest
from sqlalchemy import text

from hutong.relay.ledger.store.engine import open_engine
from hutong.relay.services.identity.store import issuances
from hutong.relay.services.identity.store.transactions import Database
from tests.relay.services.identity.store.store_conformance import StoreConformance, row

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
def again(server):
    from tests.nodes.postgres_server import PASSWORD

    url, engines = server.new_database(), []

    def opened() -> Database:
        engines.append(open_engine(url, PASSWORD))
        return Database(engines[-1])

    yield opened
    for engine in engines:
        engine.dispose()


@pytest.fixture
def database(again):
    return again()


class TestPostgresql(StoreConformance):
    def test_attack_N202_a_decision_that_is_numbered_first_is_seen_first(self, database, again):
        """A command revokes a thousand credentials while the daemon revokes one: none of them is passed over."""
        database.run_now(lambda one: issuances.add_issuances(one, [row(0, 7), row(1, 9)]))
        order, holds, other = [], Event(), again()

        def by_command(connection):
            issuances.raise_status(connection, row(0, 7), 1)
            holds.set()
            waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted AND database = (SELECT oid FROM pg_database"
                           " WHERE datname = current_database())")  # fmt: skip
            # until the other one waits for the table, or has finished without
            while not connection.execute(waiting).scalar_one() and not order:
                pass
            assert not order, "the later number was on the disk before the earlier one"

        def by_daemon():
            holds.wait()
            other.run_now(lambda one: issuances.raise_status(one, row(1, 9), 1))
            order.append("daemon")

        thread = Thread(target=by_daemon)
        thread.start()
        try:
            database.run_now(by_command)
        finally:
            holds.set()
            thread.join()
        first, second = database.run_now(lambda one: issuances.revocations_after(one, 0))
        assert (first[2], second[2]) == (7, 9)
