"""SQLite does what every database must do for a gateway's catalogue."""

import pytest

from hutong.light_clients.interface import MalformedInput
from hutong.relay.ledger.store.engine import open_engine
from hutong.relay.services.storage.catalogue.database import CatalogueDatabase, CatalogueUnavailable, open_catalogue
from hutong.relay.services.storage.catalogue.listing import after_prefix
from tests.relay.services.storage.catalogue.catalogue_conformance import CatalogueConformance, row


@pytest.fixture
def again(tmp_path):
    engines = []

    def opened() -> CatalogueDatabase:
        engines.append(open_engine(f"sqlite:///{tmp_path / 'catalogue.sqlite'}"))
        return CatalogueDatabase(engines[-1])

    yield opened
    for engine in engines:
        engine.dispose()


@pytest.fixture
def database(again):
    return again()


class TestSqlite(CatalogueConformance):
    def test_other_version_is_refused(self, database, again):
        database.run_now(lambda one: one.run("UPDATE storage_version SET version = 9"))
        with pytest.raises(CatalogueUnavailable, match="version 9"):
            again()


def test_folder_that_is_missing_is_one_sentence(tmp_path):
    with pytest.raises(CatalogueUnavailable, match="unable to open"), open_catalogue(tmp_path / "none"):
        pass


@pytest.mark.parametrize(
    ("prefix", "after"), [(b"", None), (b"a", b"b"), (b"a\xff", b"b"), (b"\xff\xff", None), (b"ab", b"ac")]
)
def test_first_key_after_a_prefix(prefix, after):
    assert after_prefix(prefix) == after


@pytest.mark.parametrize("key", [b"", b"k" * 1_025])
def test_key_out_of_bounds_is_refused(key):
    with pytest.raises(MalformedInput, match=r"object\.key"):
        row(key)
