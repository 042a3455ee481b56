"""A real PostgreSQL does what SQLite does for the verifier and for login."""

import pytest

from hutong.relay.ledger.store.engine import open_engine
from tests.relay.services.identity.verifier.store_conformance import StoreConformance

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
def engine(server):
    from tests.nodes.postgres_server import PASSWORD

    engine = open_engine(server.new_database(), PASSWORD)
    yield engine
    engine.dispose()


class TestPostgresql(StoreConformance):
    pass
