"""SQLite does what every database must do for an issuer."""

import pytest

from hutong.relay.ledger.store.engine import open_engine
from hutong.relay.services.identity.store.transactions import Database
from tests.relay.services.identity.store.store_conformance import StoreConformance

pytestmark = pytest.mark.long


@pytest.fixture
def again(tmp_path):
    engines = []

    def opened() -> Database:
        engines.append(open_engine(f"sqlite:///{tmp_path / 'identity.sqlite'}"))
        return Database(engines[-1])

    yield opened
    for engine in engines:
        engine.dispose()


@pytest.fixture
def database(again):
    return again()


class TestSqlite(StoreConformance):
    pass
