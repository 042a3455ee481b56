"""A real PostgreSQL does what every database must do for a gateway's catalogue."""

import pytest

from hutong.relay.ledger.store.engine import open_engine
from hutong.relay.services.storage.catalogue.database import CatalogueDatabase
from tests.relay.services.storage.catalogue.catalogue_conformance import CatalogueConformance

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

    def opened() -> CatalogueDatabase:
        engines.append(open_engine(url, PASSWORD))
        return CatalogueDatabase(engines[-1])

    yield opened
    for engine in engines:
        engine.dispose()


@pytest.fixture
def database(again):
    return again()


class TestPostgresql(CatalogueConformance):
    pass
