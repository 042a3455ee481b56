"""`hutong audit verify`: exit codes, what is printed, and that it opens no socket."""

import json
import os
import re
import shutil
from pathlib import Path

import pytest

from hutong.relay.archive.checkpoint import decode_checkpoint
from tests.relay.cli.audit.without_network import in_its_own_process, within_this_process

RECORDED = Path(__file__).parents[2] / "audit" / "recorded"
FORWARD = ("message-delivered", "message-refused-by-the-hub", "received-on-the-hub", "timeout-leg-1", "timeout-leg-2")
CHAINS = ("1001", "1002", "hutong-1")
NOW = str(max(decode_checkpoint(path.read_bytes()).time_ns for path in RECORDED.glob("after-*")) // 10**9 + 60)


def verify(*arguments, chains=CHAINS, word="before", now=NOW, run=within_this_process):
    roots = [part for chain in chains for part in ("--checkpoint", RECORDED / f"{word}-{chain}.checkpoint.json")]
    time = () if now is None else ("--now", now)
    return run("audit", "verify", *arguments, *roots, *time)


def bundle(name: str) -> Path:
    return RECORDED / f"{name}.bundle.json"


@pytest.mark.long
def test_valid_bundle_prints_every_predicate_and_the_mode_of_each_chain():
    done = verify(bundle("message-delivered"), run=in_its_own_process)
    assert done.returncode == 0, done.stdout + done.stderr
    for line in ("stamp_matches", "two_thirds_signed", "storage_path_is_proven", "router_account_proven"):
        assert line in done.stdout
    for chain in CHAINS:
        assert f"trust: {chain} forward from checkpoint" in done.stdout
    assert "received on 1002 and acknowledged there with a success" in done.stdout


def test_backward_mode_is_named():
    done = verify(bundle("timeout-leg-2-backward"), word="after")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "backward from checkpoint" in done.stdout and "through parent hashes" in done.stdout


def test_damaged_bundle_is_refused_by_its_predicate(tmp_path):
    data = bundle("message-delivered").read_bytes()
    document = json.loads(data)
    document["legs"][1]["acknowledgement"] = document["legs"][0]["packet"]
    damaged = tmp_path / "damaged.bundle.json"
    damaged.write_text(json.dumps(document))
    done = verify(damaged, "--json")
    report = json.loads(done.stdout)
    assert done.returncode == 1 and report["valid"] is False
    assert report["failure"]["name"] == "bundle_is_canonical" and "acknowledgement" in report["failure"]["reason"]


def test_json_has_each_verdict_with_its_citation():
    report = json.loads(verify(bundle("timeout-leg-1"), "--json").stdout)
    assert report["valid"] and report["packet"] == "1001/client-0/3"
    assert len(report["checks"]) == report["predicates"] > 50
    assert all(check["held"] and check["source"] and check["subject"] for check in report["checks"])


@pytest.mark.long
def test_missing_checkpoint_is_unusable_input_and_named():
    done = verify(bundle("message-delivered"), chains=("1001", "1002"), run=in_its_own_process)
    assert done.returncode == 2 and "hutong-1" in done.stderr


@pytest.mark.parametrize("text", ["", "{}", "[1]"])
def test_a_checkpoint_that_is_invalid_is_unusable_input(tmp_path, text):
    broken = tmp_path / "checkpoint.json"
    broken.write_text(text)
    done = verify(bundle("timeout-leg-1"), "--checkpoint", broken)
    assert done.returncode == 2 and str(broken) in done.stderr


@pytest.mark.long
def test_trial_O12_bytes_that_are_no_bundle_break_the_first_predicate_and_an_empty_file_is_unusable(tmp_path):
    whole = bundle("timeout-leg-1").read_bytes()
    file = tmp_path / "some.bundle.json"
    for content, code in ((b"\0\0", 1), (b"[]", 1), (whole[: len(whole) // 2], 1), (b"", 2)):
        file.write_bytes(content)
        done = verify(file, run=in_its_own_process)
        assert done.returncode == code, done.stdout + done.stderr
        assert ("bundle_is_canonical" in done.stdout) == (code == 1)


def test_trial_O12_a_failed_predicate_is_named_once_in_the_sentence(tmp_path):
    checkpoint = json.loads((RECORDED / "before-1001.checkpoint.json").read_text())
    other = tmp_path / "1001.checkpoint.json"
    other.write_text(json.dumps(checkpoint | {"hash": "0x" + "11" * 32}))
    done = verify(bundle("timeout-leg-1"), "--checkpoint", other, chains=("1002", "hutong-1"))
    (sentence,) = {line for line in done.stdout.splitlines() if line.startswith("invalid: ")}
    assert sentence.count("checkpoint_hash_matches: ") == 1, done.stdout


def test_a_file_that_is_not_there_is_unusable_input(tmp_path):
    assert verify(tmp_path / "none.bundle.json").returncode == 2
    assert verify(tmp_path).returncode == 2


@pytest.mark.long
def test_a_folder_is_judged_bundle_by_bundle(tmp_path):
    for name in FORWARD:
        shutil.copy(bundle(name), tmp_path)
    done = verify(tmp_path)
    assert done.returncode == 0 and "5 of 5 bundles are valid" in done.stdout
    shutil.copy(bundle("timeout-leg-2-backward"), tmp_path)
    done = verify(tmp_path, "--json")
    summary = json.loads(done.stdout)
    assert done.returncode == 1
    assert (summary["bundles"], summary["refused"], summary["valid"]) == (6, 1, False)
    refused = [one for one in summary["reports"] if not one["valid"]]
    assert [Path(one["file"]).name for one in refused] == ["timeout-leg-2-backward.bundle.json"]


@pytest.mark.long
def test_the_hosts_clock_judges_where_no_time_is_given(tmp_path):
    """A checkpoint whose time is far behind the host's clock has expired, whatever day it is."""
    path = RECORDED / "before-1001.checkpoint.json"
    old = json.loads(path.read_text()) | {"trusting_period_s": 1}
    root = tmp_path / "old.json"
    root.write_text(json.dumps(old))
    done = verify(bundle("timeout-leg-1"), "--checkpoint", root, chains=("hutong-1",), now=None)
    assert done.returncode == 1 and "within_trusting_period" in done.stdout


def test_export_wants_a_packet_or_all_of_them(tmp_path):
    config = tmp_path / "relay.toml"
    config.write_text('[relay]\nhome = "state"\n')
    refused = within_this_process("audit", "export", "--config", config, "-o", tmp_path / "x")
    assert refused.returncode == 2, refused.stdout


def test_trial_T8_one_bad_entry_stops_nothing(tmp_path):
    """A pipe, a loop of links, a folder, one that is too long, one of a client that no checkpoint knows."""
    bad = tmp_path / "bad"
    bad.mkdir()
    shutil.copy(bundle("timeout-leg-1"), bad / "good.bundle.json")
    os.mkfifo(bad / "pipe.bundle.json")
    (bad / "loop.bundle.json").symlink_to(bad / "loop.bundle.json")
    (bad / "folder.bundle.json").mkdir()
    with (bad / "long.bundle.json").open("wb") as file:
        file.truncate(1024**3)
    roots = tmp_path / "roots"
    roots.mkdir()
    for chain in CHAINS:
        document = json.loads((RECORDED / f"before-{chain}.checkpoint.json").read_text())
        (roots / f"{chain}.checkpoint.json").write_text(json.dumps(document))
    shutil.copy(bundle("message-delivered"), bad / "unknown.bundle.json")
    (roots / "1002.checkpoint.json").unlink()
    done = verify(bad, "--checkpoint", roots, chains=())
    assert done.returncode == 1, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == lines[-1] == "1 of 6 bundles are valid, 1 unjudged, 4 unreadable"
    for said in (
        "valid       good.bundle.json",
        "UNREADABLE  pipe.bundle.json  entry: entry_readable: is not a file",
        "UNREADABLE  folder.bundle.json  entry: entry_readable: is not a file",
        "UNREADABLE  loop.bundle.json  entry: entry_readable: cannot be read: Too many levels of symbolic links",
        "UNREADABLE  long.bundle.json",
        "UNJUDGED    unknown.bundle.json  bundle: checkpoint_given: no checkpoint of chain 1002",
    ):
        assert said in done.stdout, said
    report = json.loads(verify(bad, "--checkpoint", roots, "--json", chains=()).stdout)
    assert (report["bundles"], report["unreadable"], report["unjudged"], report["refused"]) == (6, 4, 1, 0)


@pytest.mark.long
def test_trial_T8_a_pipe_in_place_of_a_file_is_refused_at_once(tmp_path):
    """Nobody writes to it: a read would wait without end. As bundle, as checkpoint, and in other commands' places."""
    pipe = tmp_path / "a.bundle.json"
    os.mkfifo(pipe)
    for given in ((pipe,), (bundle("timeout-leg-1"), "--checkpoint", pipe)):
        done = verify(*given, run=in_its_own_process)
        assert (done.returncode, done.stdout) == (2, "") and f"{pipe} is not a file" in done.stderr
    home = tmp_path / "home"
    commands = (
        ("verify", "qbft", pipe, "--trusted", pipe),
        ("roles", "check", pipe, "--rpc", "http://127.0.0.1:9"),
        ("hub", "join", "--home", home, "--genesis", pipe, "--from", "http://127.0.0.1:9"),
        ("hub", "network", "add", "--home", home, pipe),
    )
    for command in commands:
        done = within_this_process(*command)
        assert done.returncode == 2 and f"{pipe}" in done.stderr and "is not a file" in done.stderr, done.stderr


def test_trial_T8_what_cannot_be_judged_is_named(tmp_path):
    (tmp_path / "pipe.bundle.json").mkdir()
    done = verify(tmp_path)
    assert done.returncode == 2 and "UNREADABLE  pipe.bundle.json" in done.stdout
    alone = verify(bundle("message-delivered"), chains=("1001", "1002"))
    assert alone.returncode == 2 and "message-delivered.bundle.json: no checkpoint of chain hutong-1" in alone.stderr


def test_trial_T8_the_summary_comes_before_the_predicates():
    lines = verify(bundle("timeout-leg-1")).stdout.splitlines()
    assert lines[0].startswith("shown: packet 1001/client-0/3") and lines[1].startswith("valid: ")
    assert lines[-2:] == lines[:2]
    refused = verify(bundle("timeout-leg-1"), now="2020-01-01T00:00:00Z").stdout.splitlines()
    assert refused[0].startswith("invalid: ") and refused[0] == refused[-1]


def test_trial_T17_an_expiry_is_a_date_for_people_and_nanoseconds_for_programs():
    expired = r"trusted state expired at 20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z, now is 2030-01-01T00:00:00Z"
    for files in ([bundle("timeout-leg-1")], [bundle("timeout-leg-1"), bundle("timeout-leg-2-backward")]):
        assert re.search(expired, verify(*files, now="2030-01-01T00:00:00Z").stdout)
    said = json.loads(verify(bundle("timeout-leg-1"), "--json", now="2030-01-01T00:00:00Z").stdout)
    assert said["failure"]["reason"].endswith(", now is 1893456000000000000 ns")
