"""`hutong storage demo`: what it finds of its engine, and where asked for the whole run, as a stranger sees it."""

import json
import os
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from hutong.relay.cli.main import app
from hutong.relay.demo.storage.operators import find_versitygw
from hutong.relay.demo.storage.scenario import STEPS


def test_the_engine_is_where_it_was_named_on_the_path_or_provisioned(tmp_path, monkeypatch):
    named = tmp_path / "elsewhere"
    assert find_versitygw(named) == named
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("HUTONG_NODES", str(tmp_path / "nodes"))
    assert find_versitygw(None) is None
    for version in ("v1.7.0", "v1.8.0"):
        place = tmp_path / "nodes" / "versitygw" / version
        place.mkdir(parents=True)
        (place / "versitygw").touch(mode=0o755)
    assert find_versitygw(None) == tmp_path / "nodes" / "versitygw" / "v1.8.0" / "versitygw"
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "versitygw").touch(mode=0o755)
    assert find_versitygw(None) == tmp_path / "bin" / "versitygw"


def test_a_program_that_is_not_there_and_a_folder_that_is_full_are_refused(tmp_path):
    said = CliRunner().invoke(app, ["storage", "demo", "--versitygw", str(tmp_path / "none")])
    assert (said.exit_code, "there is no program" in said.output) == (2, True)
    (tmp_path / "file").touch()
    assert CliRunner().invoke(app, ["storage", "demo", "--home", str(tmp_path)]).exit_code == 2


@pytest.mark.long
@pytest.mark.skipif(
    "HUTONG_STORAGE_DEMO" not in os.environ, reason="twenty processes: where HUTONG_STORAGE_DEMO is set"
)
def test_every_step_is_as_it_should_be(tmp_path):
    home = tmp_path / "demo"
    command = [sys.executable, "-P", "-m", "hutong.relay.cli", "storage", "demo", "--json", "--home", str(home)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert [step["step"] for step in report["steps"]] == list(STEPS)
    assert report["good"]
