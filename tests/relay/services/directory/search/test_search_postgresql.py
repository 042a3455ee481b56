"""A real PostgreSQL does what every search engine must do, and replaces its entries whole."""

import json

import pytest

from hutong.relay.services.directory.rules.terms.entry_texts import entry_text
from hutong.relay.services.directory.rules.terms.query import parse_query
from hutong.relay.services.directory.search.engine import EntryOperation, SearchUnavailable
from hutong.relay.services.directory.search.postgresql_engine import PostgresqlEngine
from tests.relay.cli.audit.without_network import within_this_process
from tests.relay.services.directory.search.engine_conformance import EngineConformance, operations

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

    def opened() -> PostgresqlEngine:
        engines.append(PostgresqlEngine(url, PASSWORD))
        return engines[-1]

    yield opened
    for engine in engines:
        engine.close()


class TestPostgresql(EngineConformance):
    def test_entries_are_replaced_whole_or_not_at_all(self, engine, again):
        said = operations(60)
        engine.apply(said[:30])
        other, query = again(), parse_query("theme:urn:theme:1")
        before = other.search(query)

        def failing():
            for number, operation in enumerate(said):
                if number == 50:
                    assert other.search(query) == before  # the old state, and never an empty one
                    raise RuntimeError("stopped")
                yield operation

        with pytest.raises(RuntimeError, match="stopped"):
            engine.replace(failing())
        assert other.search(query) == before
        engine.replace(said)
        assert other.size == said[-1].sequence + 1

    def test_a_name_may_have_any_character(self, engine):
        name = "a\0\\'\"{}\U0001f600"
        engine.apply([EntryOperation(0, name, entry_text({"@id": name, "theme": [name], "title": "road"}))])
        assert engine.search(parse_query("road")).hits[0].entry == name


def test_a_database_that_cannot_be_reached_is_said(server):
    with pytest.raises(SearchUnavailable, match="PostgreSQL") as refused:
        PostgresqlEngine(server.url("nowhere"), "wrong password of ours")
    assert "wrong password of ours" not in str(refused.value)


def test_an_index_in_a_database_is_built_and_searched_by_command(server, tmp_path, monkeypatch):
    from tests.nodes.postgres_server import PASSWORD

    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    url, index = server.new_database(), tmp_path / "index"
    (tmp_path / "entries.json").write_text(
        json.dumps([{"@id": "a", "title": "交通 road"}, {"@id": "b", "title": "road"}])
    )
    command = ("directory", "index")
    built = within_this_process(
        *command, "build", tmp_path / "entries.json", "--into", index, "--database", url, "--json"
    )
    assert built.returncode == 0, built.stderr
    found = within_this_process(*command, "search", index, "road", "--database", url, "--json")
    assert [hit["entry"] for hit in json.loads(found.stdout)["hits"]] == ["b", "a"]
    (tmp_path / "answer.json").write_text(within_this_process(*command, "prove", index, "交通").stdout)
    digest = json.loads(built.stdout)["digest"]
    assert within_this_process(*command, "check", tmp_path / "answer.json", "交通", "--digest", digest).returncode == 0
    refused = within_this_process(*command, "search", index, "road", "--database", server.url("nowhere"))
    assert refused.returncode == 2 and "PostgreSQL" in refused.stderr
