"""What every engine must do: subclasses give the fixture `engine`, empty."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from hutong.light_clients.interface import MalformedInput
from hutong.relay.services.storage.engines.durability import created_or_replaced
from hutong.relay.services.storage.engines.engine import AlreadyThere, NotThere
from tests.relay.services.storage.rules.held import octets

NAME = "writer/ab/ab01-03"


class EngineConformance:
    def test_an_object_is_absent_then_whole(self, engine):
        with pytest.raises(NotThere):
            engine.read(NAME, 0, 1)
        with pytest.raises(NotThere):
            engine.read_back(NAME)
        data = octets("an object", 70_000)
        assert len(engine.create(NAME, data)) <= 1_024
        assert engine.read_back(NAME) == data
        assert list(engine.names("")) == [NAME]

    def test_ranges_end_where_the_object_ends(self, engine):
        data = octets("ranges", 10_000)
        engine.create(NAME, data)
        for start, size in ((0, 1), (0, 10_000), (4_096, 100), (9_999, 1), (9_990, 4_096)):
            assert engine.read(NAME, start, size) == data[start : start + size]
        for start in (10_000, 20_000):
            with pytest.raises(NotThere):
                engine.read(NAME, start, 1)

    def test_a_second_creation_changes_nothing(self, engine):
        engine.create(NAME, b"first")
        with pytest.raises(AlreadyThere):
            engine.create(NAME, b"second")
        assert engine.read_back(NAME) == b"first"

    def test_one_of_many_creations_wins(self, engine):
        def create(number):
            try:
                engine.create(NAME, b"%d" % number * 1_000)
            except AlreadyThere:
                return None
            return number

        with ThreadPoolExecutor(8) as pool:
            won = [number for number in pool.map(create, range(8)) if number is not None]
        assert len(won) == 1 and engine.read_back(NAME) == b"%d" % won[0] * 1_000

    def test_a_replacement_takes_the_place(self, engine):
        engine.replace(NAME, b"first" * 1_000)
        engine.replace(NAME, b"second")
        assert engine.read_back(NAME) == b"second"
        created_or_replaced(engine, NAME, b"third")
        assert engine.read_back(NAME) == b"third"

    def test_what_is_deleted_is_gone_and_may_have_been_before(self, engine):
        engine.create(NAME, b"x")
        engine.delete(NAME)
        engine.delete(NAME)
        with pytest.raises(NotThere):
            engine.read_back(NAME)
        assert list(engine.names("")) == []

    def test_names_of_one_folder(self, engine):
        for name in ("a/00/1", "a/00/2", "a/01/3", "b/00/4"):
            engine.create(name, b"x")
        assert set(engine.names("a/")) == {"a/00/1", "a/00/2", "a/01/3"}
        assert set(engine.names("a/00/")) == {"a/00/1", "a/00/2"}
        assert list(engine.names("c/")) == []

    @pytest.mark.parametrize("name", ["", "/a", "a/", "a/../b", "A", "a.b", "a//b", ".a", "a" * 257])
    def test_names_lead_nowhere_else(self, engine, name):
        for call in (engine.read_back, engine.delete, lambda name: engine.create(name, b"x")):
            with pytest.raises(MalformedInput):
                call(name)
