"""`hutong audit storage`: one file and a folder, through the command."""

import json
from hashlib import sha256

import pytest
from typer.testing import CliRunner

from hutong.relay.archive.checkpoint import encode_checkpoint
from hutong.relay.cli.main import app
from tests.relay.audit.storage.made_period import MadePeriod, Plan, Trouble

MADE = MadePeriod(Plan(epochs=2, operators=2))


@pytest.fixture
def period(tmp_path):
    return written(tmp_path, MADE)


def written(folder, made):
    (folder / "audits").mkdir()
    (folder / "hub.checkpoint.json").write_bytes(encode_checkpoint(made.checkpoint))
    made.write(folder / "audits")
    return folder


def run(folder, *arguments, path="audits", made=MADE):
    now = str(made.now_ns // 10**9)
    given = ["audit", "storage", str(folder / path), "--checkpoint", str(folder / "hub.checkpoint.json"), "--now", now]
    return CliRunner().invoke(app, [*given, *arguments])


def test_a_folder_is_judged_and_its_result_is_canonical(period):
    said = run(period, "--from", "1", "--to", "2", "--json")
    assert said.exit_code == 0
    result = json.loads(said.stdout)
    assert (result["format"], result["clean"], result["audits"], result["findings"]) == (
        "hutong-storage-period",
        True,
        4,
        [],
    )
    assert said.stdout == json.dumps(result, sort_keys=True, separators=(",", ":")) + "\n"
    text = run(period)
    assert text.exit_code == 0 and "clean: every audit of the period is proven" in text.stdout


def test_what_is_missing_ends_in_one_and_what_cannot_be_judged_in_two(period):
    operator = MADE.operators[0].id.hex()
    (period / "audits" / "000002-000.audit").unlink()
    gap = run(period)
    assert gap.exit_code == 1 and "gap epoch 2" in gap.stdout and "1 finding" in gap.stdout
    missing = run(period, "--to", "3", "--operator", operator, "--json")
    assert missing.exit_code == 1
    assert [one["kind"] for one in json.loads(missing.stdout)["findings"]] == ["missing_epoch", "gap"]
    for wrong in (("--operator", "xy"), ("--from", "3", "--to", "2")):
        assert run(period, *wrong).exit_code == 2
    (period / "empty").mkdir()
    assert run(period, path="empty").exit_code == 2


def test_one_file_is_shown_rule_by_rule(period):
    held = run(period, path="audits/000001-001.audit")
    assert held.exit_code == 0 and "6 leaves shown" in held.stdout and "the hub says: passed" in held.stdout
    said = json.loads(run(period, "--json", path="audits/000001-001.audit").stdout)
    assert said["valid"] and said["operator"] == MADE.operators[1].id.hex() and said["weak"] is False
    path = period / "audits" / "000001-001.audit"
    path.write_bytes(path.read_bytes()[:-1] + b"\1")
    refused = run(period, path="audits/000001-001.audit")
    assert refused.exit_code == 1 and "invalid" in refused.stdout
    assert json.loads(run(period, "--json", path="audits/000001-001.audit").stdout)["verdict"] is None
    assert run(period, "--from", "1", path="audits/000001-000.audit").exit_code == 2


def test_weak_seeds_are_said_of_one_file_too(tmp_path):
    made = MadePeriod(Plan(epochs=1, operators=1), Trouble(weak=frozenset({1})))
    folder = written(tmp_path, made)
    said = run(folder, path="audits/000001-000.audit", made=made)
    assert said.exit_code == 0 and "weak" in said.stdout
    assert run(folder, made=made).exit_code == 1


@pytest.mark.long
def test_several_processes_say_what_one_says(tmp_path):
    made = MadePeriod(Plan(epochs=40, operators=3))
    folder = written(tmp_path, made)
    one = run(folder, "--jobs", "1", "--json", made=made)
    two = run(folder, "--jobs", "2", "--json", made=made)
    assert one.exit_code == two.exit_code == 0 and one.stdout == two.stdout


def archived(folder, audits="audits"):
    return CliRunner().invoke(app, ["archive", "append", str(folder / "archive"), "--audits", str(folder / audits)])


def test_an_archive_of_audits_gives_the_result_of_their_folder(period):
    kept = archived(period)
    assert kept.exit_code == 0 and kept.stdout == "6 appended, 0 known before, 0 refused\n", kept.output
    assert archived(period).stdout == "0 appended, 6 known before, 0 refused\n"
    of_archive = run(period, "--json", path="archive")
    assert of_archive.exit_code == 0 and of_archive.stdout == run(period, "--json").stdout
    verified = CliRunner().invoke(app, ["archive", "verify", str(period / "archive")])
    assert verified.exit_code == 0 and "files: 6" in verified.output
    both = ["archive", "append", str(period / "archive"), "--audits", str(period / "audits"), "--config", "x.toml"]
    assert CliRunner().invoke(app, both).exit_code == 2


def test_what_an_archive_lost_is_a_finding_and_no_audit_is_replaced(period):
    assert archived(period).exit_code == 0
    name = period / "audits" / "000002-000.audit"
    data = name.read_bytes()
    digest = sha256(data).hexdigest()
    (period / "archive" / "objects" / digest[:2] / digest).unlink()
    lost = run(period, "--json", path="archive")
    assert lost.exit_code == 1
    assert [one["kind"] for one in json.loads(lost.stdout)["findings"]] == ["unreadable", "gap"]
    name.write_bytes(data + b"\0")
    other = archived(period)
    assert other.exit_code == 1 and "another file of the archive has the name" in other.output
