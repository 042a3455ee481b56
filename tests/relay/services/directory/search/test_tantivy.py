"""Tantivy does what every engine must do; an index in a folder is replaced whole, and whoever is killed leaves the old one."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from hutong.relay.services.directory.rules.terms.query import parse_query
from hutong.relay.services.directory.search import tantivy_engine
from hutong.relay.services.directory.search.engine import SearchUnavailable
from hutong.relay.services.directory.search.generations import CURRENT, build_generation, current_generation
from hutong.relay.services.directory.search.index_home import build_index, of_current, open_index, open_terms
from hutong.relay.services.directory.search.tantivy_engine import TantivyEngine
from tests.relay.services.directory.search.engine_conformance import EngineConformance, operations


class Listed:
    """A log in memory; `stop` is raised after so many operations."""

    def __init__(self, said, stop_after=None):
        self._said, self._stop_after = said, stop_after

    def operations(self, first):
        for number, operation in enumerate(self._said):
            if number == self._stop_after:
                raise RuntimeError("stopped")
            if operation.sequence >= first:
                yield operation


class TestTantivy(EngineConformance):
    @pytest.fixture
    def again(self, tmp_path):
        return lambda: TantivyEngine(tmp_path / "index")


def test_an_index_is_replaced_whole(tmp_path):
    said = operations(60)
    first = build_index(tmp_path, Listed(said[:30]))
    opened = open_index(tmp_path)
    second = build_index(tmp_path, Listed(said))
    assert (first.size, second.size) == (said[29].sequence + 1, said[-1].sequence + 1)
    assert opened.search(parse_query("theme:urn:theme:1")).size == first.size  # who has it open reads on
    assert open_index(tmp_path).size == second.size
    assert open_terms(tmp_path).head == second
    assert len(list(tmp_path.glob("generation-*"))) == 1


def test_attack_R6_an_index_that_is_gone_is_not_an_empty_one(tmp_path):
    said = operations(60)
    folder = build_index(tmp_path, Listed(said)) and current_generation(tmp_path)
    folder.rename(tmp_path / "aside")
    with pytest.raises(SearchUnavailable):
        open_index(tmp_path)
    assert not folder.exists()
    (tmp_path / "aside").rename(folder)
    assert open_index(tmp_path).size == said[-1].sequence + 1


def test_an_index_that_is_replaced_while_it_is_opened_is_the_new_one(tmp_path):
    said = operations(60)
    build_index(tmp_path, Listed(said[:30]))
    seen = []

    def opened(folder):
        if not seen:
            build_index(tmp_path, Listed(said))
        seen.append(folder)
        return TantivyEngine(folder / "engine", begins=False)

    assert of_current(tmp_path, opened).size == said[-1].sequence + 1
    assert len(set(seen)) == 2


def test_a_build_that_fails_leaves_the_old_index(tmp_path):
    said = operations(60)
    head = build_index(tmp_path, Listed(said[:30]))
    with pytest.raises(RuntimeError, match="stopped"):
        build_index(tmp_path, Listed(said, stop_after=40))
    assert open_terms(tmp_path).head == head
    assert open_index(tmp_path).size == head.size
    assert build_index(tmp_path, Listed(said)) == build_index(tmp_path / "other", Listed(said))


KILLED = """
import os, signal, sys
from pathlib import Path
from hutong.relay.services.directory.search.index_home import build_index
from tests.relay.services.directory.search.engine_conformance import operations
from tests.relay.services.directory.search.test_tantivy import Listed

class Killing(Listed):
    def operations(self, first):
        for number, operation in enumerate(super().operations(first)):
            if number == int(sys.argv[2]):
                os.kill(os.getpid(), signal.SIGKILL)
            yield operation

build_index(Path(sys.argv[1]), Killing(operations(60)))
"""


@pytest.mark.long
def test_killed_while_indexing_the_digest_is_the_same_afterwards(tmp_path):
    said = operations(60)
    expected = build_index(tmp_path / "whole", Listed(said))
    old = build_index(tmp_path / "killed", Listed(said[:20]))
    for at in (0, 25, 55):
        command = [sys.executable, "-c", KILLED, str(tmp_path / "killed"), str(at)]
        ended = subprocess.run(command, check=False, timeout=300, capture_output=True)
        assert ended.returncode == -signal.SIGKILL, ended.stderr.decode()
        assert open_index(tmp_path / "killed").size == old.size  # the old state, and never an empty one
    assert build_index(tmp_path / "killed", Listed(said)) == expected
    assert not (tmp_path / "killed" / "unfinished").exists()


def test_attack_R6_a_changed_index_file_is_refused(tmp_path):
    build_index(tmp_path, Listed(operations(30)))
    file = current_generation(tmp_path) / "terms"
    good = file.read_bytes()
    for bad in (
        good[:-1],
        good[:200],
        b"",
        bytes([good[0] ^ 1]) + good[1:],
        good[:300] + bytes([good[300] ^ 1]) + good[301:],
    ):
        file.write_bytes(bad)
        with pytest.raises(SearchUnavailable, match="build the index again"):
            open_terms(tmp_path)


def test_what_is_no_index_is_said(tmp_path):
    with pytest.raises(SearchUnavailable, match="holds no index"):
        open_index(tmp_path)
    (tmp_path / CURRENT).write_text("../other\n")
    with pytest.raises(SearchUnavailable, match="does not name an index"):
        open_index(tmp_path)


def test_two_builds_at_a_time_are_refused(tmp_path):
    def within(_folder: Path) -> None:
        with pytest.raises(SearchUnavailable, match="another process is building"):
            build_generation(tmp_path, lambda _: None)

    build_generation(tmp_path, within)


def test_without_the_extra_it_says_what_to_install(tmp_path, monkeypatch):
    def missing(name):
        raise ImportError(name)

    monkeypatch.setattr(tantivy_engine, "import_module", missing)
    with pytest.raises(SearchUnavailable, match=r"\.\[tantivy\]"):
        TantivyEngine(tmp_path)


def test_a_folder_that_cannot_be_one_is_said(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(SearchUnavailable, match="cannot be opened"):
        TantivyEngine(tmp_path / "file")
