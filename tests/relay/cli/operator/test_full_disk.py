"""A full disk, met by real commands: one sentence with what is wrong, no traceback, nothing half-written."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from hutong.relay.base.child_processes import HUTONG
from hutong.relay.keys import create_keystore
from tests.relay.cli.operator.test_relay_command import CONFIG

RECORDED = Path(__file__).parents[2] / "audit" / "recorded"


def hutong(*arguments, limit_s=60.0):
    """Run a command; one that goes on is ended after `limit_s`."""
    process = subprocess.Popen(
        [*HUTONG, *map(str, arguments)],
        env=os.environ | {"PASSWORD": "correct horse"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        said, complained = process.communicate(timeout=limit_s)
    except subprocess.TimeoutExpired:
        process.terminate()
        said, complained = process.communicate(timeout=30)
    return subprocess.CompletedProcess(arguments, process.returncode, said, complained)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name != ".filler")


@pytest.mark.long
def test_trial_T7_a_keystore_that_does_not_fit_is_not_there_at_all(full_disk):
    full_disk.fill()
    key = full_disk.path / "key.json"
    refused = hutong("keys", "add", key, "--password-env", "PASSWORD")
    assert refused.returncode == 2 and "No space left on device" in refused.stderr
    assert refused.stderr.count("\n") == 1 and names(full_disk.path) == []
    full_disk.free()
    made = hutong("keys", "add", key, "--password-env", "PASSWORD")
    assert made.returncode == 0 and names(full_disk.path) == ["key.json"]


@pytest.mark.long
def test_trial_T7_devnet_start_says_that_the_disk_is_full(full_disk):
    full_disk.fill()
    refused = hutong("devnet", "start", "--home", full_disk.path / "home", "--port", "0")
    assert refused.returncode == 2 and "No space left on device" in refused.stderr
    assert refused.stderr.count("\n") == 1


@pytest.mark.long
def test_trial_T7_a_devnet_whose_disk_fills_up_stops_with_a_sentence(full_disk):
    process = subprocess.Popen(
        [*HUTONG, "devnet", "start", "--home", full_disk.path / "home", "--port", "0", "--period-ms", "100"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert "hutong devnet" in process.stdout.readline()
        full_disk.fill()
        _, complained = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 2 and "no space is left on the disk" in complained
    assert "Traceback" not in complained


@pytest.fixture
def config_on(full_disk, tmp_path):
    """A relay's configuration, its home on the small file system."""
    create_keystore(tmp_path / "key.json", bytes(range(1, 33)), b"correct horse", iterations=2)
    path = tmp_path / "relay.toml"
    api = f'[api]\nlisten = "127.0.0.1:0"\nkeys_file = "{full_disk.path}/keys.json"\n'
    path.write_text(CONFIG.replace('"state"', f'"{full_disk.path}/state"').replace("[[chains]]", f"{api}[[chains]]", 1))
    path.chmod(0o600)
    return path


@pytest.mark.long
@pytest.mark.parametrize(
    "free_kib", [pytest.param(0, marks=pytest.mark.long), 24, pytest.param(120, marks=pytest.mark.long)]
)
def test_trial_T7_relay_run_refuses_to_start_on_a_full_disk(full_disk, config_on, free_kib):
    """With a little room the queue starts, and with a little more the ledger is begun. CI tries no room and more too (`long`)."""
    (full_disk.path / "room").write_bytes(bytes(free_kib * 1024))
    full_disk.fill()
    (full_disk.path / "room").unlink()
    refused = hutong("relay", "run", "--config", config_on)
    assert refused.returncode == 2, refused.stderr
    assert "Traceback" not in refused.stderr and refused.stderr.count("\n") == 1
    assert "o space" in refused.stderr or "is full" in refused.stderr
    assert str(full_disk.path) in refused.stderr or "ledger's disk" in refused.stderr


@pytest.mark.long
def test_trial_T7_a_key_of_the_api_that_does_not_fit_leaves_the_others(full_disk, config_on):
    first = hutong("api", "keys", "create", "one", "--config", config_on, "--scope", "write")
    assert first.returncode == 0
    before = (full_disk.path / "keys.json").read_bytes()
    full_disk.fill()
    refused = hutong("api", "keys", "create", "two", "--config", config_on, "--scope", "write")
    assert refused.returncode == 2 and "No space left on device" in refused.stderr
    assert (full_disk.path / "keys.json").read_bytes() == before
    assert json.loads(before)["keys"][0]["name"] == "one"


@pytest.mark.long
def test_trial_T7_a_report_that_does_not_fit_is_not_there_at_all(full_disk, tmp_path):
    full_disk.fill()
    (tmp_path / "bundles").mkdir()
    (tmp_path / "bundles" / "one.bundle.json").symlink_to(RECORDED / "message-delivered.bundle.json")
    roots = [
        word
        for chain in ("1001", "1002", "hutong-1")
        for word in ("--checkpoint", RECORDED / f"before-{chain}.checkpoint.json")
    ]
    page = full_disk.path / "page.html"
    refused = hutong("audit", "explain", tmp_path / "bundles", *roots, "--now", "2026-11-24T19:10:00Z", "--html", page)
    assert refused.returncode == 2 and "No space left on device" in refused.stderr
    assert names(full_disk.path) == []


NO_DISK = """
import errno, os, sys
from hutong.relay.cli import main
def refuse():
    raise ExceptionGroup("tasks", [OSError(errno.ENOSPC, "No space left on device", "/home/of/it"), OSError(errno.EIO, "Input/output error")])
main.app = refuse
main.main()
"""


def test_trial_T7_what_no_command_expected_is_a_sentence_too():
    done = subprocess.run([sys.executable, "-c", NO_DISK], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        "/home/of/it: No space left on device; free some space and run it again",
        "Input/output error",
    ]
    mixed = NO_DISK.replace('OSError(errno.EIO, "Input/output error")', 'ValueError("a defect")')
    done = subprocess.run([sys.executable, "-c", mixed], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and "Traceback" in done.stderr and "a defect" in done.stderr
