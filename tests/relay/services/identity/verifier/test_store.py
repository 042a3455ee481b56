"""SQLite, as the daemon opens it in its home."""

import pytest

from hutong.relay.ledger.store.engine import open_engine
from tests.relay.services.identity.verifier.store_conformance import StoreConformance


@pytest.fixture
def engine(tmp_path):
    engine = open_engine(f"sqlite:///{tmp_path / 'identity.sqlite'}")
    yield engine
    engine.dispose()


class TestSqlite(StoreConformance):
    pass
