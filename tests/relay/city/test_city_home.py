"""The city's folder: who may begin in it, and what goes at the end."""

import os

import pytest

from hutong.relay.city.errors import CityUnusable
from hutong.relay.city.home import CityHome
from hutong.relay.city.process_identity import ProcessIdentity
from hutong.relay.city.record import ProcessRecord, write_record


def test_a_new_folder_and_one_with_evidence_alone_are_vacant(tmp_path):
    CityHome(tmp_path / "new").require_vacant()
    (tmp_path / "evidence").mkdir()
    (tmp_path / "reports").mkdir()
    CityHome(tmp_path).require_vacant()


def test_a_folder_with_something_else_is_refused_and_left_alone(tmp_path):
    (tmp_path / "mine.txt").write_text("keep me")
    with pytest.raises(CityUnusable, match="is not empty"):
        CityHome(tmp_path).require_vacant()
    assert (tmp_path / "mine.txt").read_text() == "keep me"


def test_a_second_city_in_a_home_is_told_what_to_do(tmp_path):
    home = CityHome(tmp_path)
    lock = home.lock()
    try:
        with pytest.raises(CityUnusable, match="a city runs in .*hutong city status.*hutong city down"):
            home.require_vacant()
        with pytest.raises(CityUnusable, match="another city runs in this home"):
            home.lock()
    finally:
        lock.release()
    home.require_vacant()


def test_the_files_of_an_ended_city_are_named_with_their_remedy(tmp_path):
    home = CityHome(tmp_path)
    write_record(home.processes_file, ProcessRecord(ProcessIdentity(os.getpid(), "0")))
    with pytest.raises(CityUnusable, match="hutong city down --remove"):
        home.require_vacant()


def test_the_end_removes_what_was_made_and_leaves_evidence_and_reports(tmp_path):
    home = CityHome(tmp_path)
    for folder in ("evidence", "reports", "hub", "keys"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "file").write_text("x")
    (tmp_path / "city.json").write_text("{}")
    (tmp_path / "away").symlink_to(tmp_path / "evidence")
    home.remove_made()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["evidence", "reports"]
    assert (tmp_path / "evidence" / "file").exists()
