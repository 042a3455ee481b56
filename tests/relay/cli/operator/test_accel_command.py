import json
import os

import pytest
from typer.testing import CliRunner

from hutong.light_clients.crypto import hashes
from hutong.relay.acceleration import measuring
from hutong.relay.cli.main import app

ALONE = ("accel", "--algorithm", "ripemd160")


@pytest.fixture(autouse=True)
def _short(monkeypatch):
    monkeypatch.setattr(measuring, "ROUND_S", 0)


def run(*arguments):
    return CliRunner().invoke(app, [*ALONE, *arguments])


def wrong_when_long(data, right=hashes.ripemd160):
    return bytes(20) if len(data) > 1_900 else right(data)


def test_the_table_names_engine_machine_and_what_it_is():
    done = run("--no-at-once")
    assert done.exit_code == 0
    assert "software on a CPU; not a chip" in done.output
    assert "ripemd160 (consensus): pycryptodome (pycryptodome" in done.output
    assert "17 known answers good" in done.output
    assert "plain path hashlib (OpenSSL)" in done.output


def test_the_same_as_json():
    document = json.loads(run("--no-at-once", "--json").stdout)
    assert document["kind"] == "software on a CPU; not a chip"
    assert document["machine"]["cores"] >= 1
    (row,) = document["engines"]
    assert (row["algorithm"], row["use"], row["runs"]) == ("ripemd160", "consensus", "thread")
    assert row["self_test"]["known_answers"] == 17
    assert row["rate"] > 0


def test_an_engine_that_computes_wrongly_ends_with_code_1(monkeypatch):
    monkeypatch.setattr(hashes, "ripemd160", wrong_when_long)
    done = run("--no-at-once", "--json")
    assert done.exit_code == 1
    assert (
        "this machine or its library computes wrongly" in json.loads(done.stdout)["engines"][0]["self_test"]["reason"]
    )


def test_a_differential_run_keeps_the_question_that_shows_the_fault(monkeypatch, tmp_path):
    folder = tmp_path / "kept"
    more = ("--differential", "200", "--jobs", "1", "--evidence", str(folder))
    assert run(*more).exit_code == 0
    assert not folder.exists()
    monkeypatch.setattr(hashes, "ripemd160", wrong_when_long)
    done = run(*more)
    assert done.exit_code == 1
    (path,) = folder.iterdir()
    assert str(path) in done.output.replace("\n", "")
    kept = json.loads(path.read_text())
    assert (kept["algorithm"], kept["engine"], kept["got"]) == ("ripemd160", "pycryptodome", "00" * 20)
    assert len(bytes.fromhex(kept["question"][0])) > 1_900
    # a busier machine is the same machine: one question is one file
    monkeypatch.setattr(os, "getloadavg", lambda: (99.0, 0.0, 0.0))
    assert run(*more, "--json").exit_code == 1
    assert [one.name for one in folder.iterdir()] == [path.name]


def test_an_unknown_algorithm_is_refused_with_those_that_are_known():
    done = CliRunner().invoke(app, ["accel", "--algorithm", "md5"])
    assert done.exit_code == 2
    assert "--algorithm md5 is not one of: secp256k1 verify, secp256k1 recover" in done.output
