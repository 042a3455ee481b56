"""`hutong relay run` as a process: refusals in one sentence, one relay a home, an orderly end."""

import os
import signal
import socket
import subprocess
import sys
import time

import pytest

from hutong.relay.keys import create_keystore

PRIVATE_KEY = bytes(range(1, 33))
CONFIG = """
[relay]
home = "state"
http = "127.0.0.1:0"

[[chains]]
name = "alpha"
kind = "evm"
chain_id = 1001
consensus = "qbft"
rpc = ["http://127.0.0.1:9"]
router = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
key = { keystore = "key.json", password_env = "PASSWORD" }

[[chains]]
name = "beta"
kind = "evm"
chain_id = 1002
consensus = "qbft"
rpc = ["http://127.0.0.1:9"]
router = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
key = { keystore = "key.json", password_env = "PASSWORD" }

[[paths]]
a = { chain = "alpha", client = "client-0" }
b = { chain = "beta", client = "client-0" }
"""


@pytest.fixture
def config_file(tmp_path):
    create_keystore(tmp_path / "key.json", PRIVATE_KEY, b"correct horse", iterations=2)
    path = tmp_path / "relay.toml"
    path.write_text(CONFIG)
    path.chmod(0o600)
    return path


def start(config_file, password="correct horse"):
    return subprocess.Popen(
        [sys.executable, "-m", "hutong.relay.cli", "relay", "run", "--config", config_file],
        env=os.environ | {"PASSWORD": password},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def operator(config_file, command, *arguments):
    return subprocess.run(
        [sys.executable, "-m", "hutong.relay.cli", "relay", command, "--config", config_file, *arguments],
        env=os.environ | {"PASSWORD": "x"},
        capture_output=True,
        text=True,
        check=False,
    )


def wait_for_line(process, text):
    lines = []
    for line in process.stderr:
        lines.append(line)
        if text in line:
            return
    raise AssertionError(f"{text!r} is not in {lines}")


@pytest.mark.long
def test_trial_T9_a_taken_port_of_the_api_is_one_sentence(config_file):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        config_file.write_text(CONFIG.replace("[[chains]]", f'[api]\nlisten = "127.0.0.1:{port}"\n[[chains]]', 1))
        process = start(config_file)
        said, complained = process.communicate(timeout=60)
    assert process.returncode == 2 and "relay ready" not in said
    last = complained.splitlines()[-1]
    assert last == f"api.listen 127.0.0.1:{port} cannot be used: Address already in use; give it a free address"
    assert "Traceback" not in complained


@pytest.mark.long
def test_trial_O15_dead_letters_without_a_relay_are_none_of_a_running_one(config_file):
    for command, *arguments in (("dead",), ("retry", "--all"), ("ignore", "receive:alpha/client-0/1", "--reason", "x")):
        done = operator(config_file, command, *arguments)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr == (
            f"no relay runs in the home {config_file.parent / 'state'}: start it with hutong relay run, then run this command again\n"
        )
    assert not (config_file.parent / "state").exists()


@pytest.mark.long
def test_relay_waits_for_its_chains_is_alone_in_its_home_and_ends_on_sigterm(config_file):
    first = start(config_file)
    try:
        wait_for_line(first, "waiting for a chain")
        listed = operator(config_file, "dead")
        assert (listed.returncode, listed.stdout, listed.stderr) == (0, "", "there are no dead letters\n")
        retried = operator(config_file, "retry", "receive:alpha/client-0/1")
        assert retried.returncode == 1 and "no dead letter" in retried.stderr
        second = start(config_file)
        _, said = second.communicate(timeout=60)
        assert (
            second.returncode == 2
            and "another relay runs" in said
            and "stop it first" in said
            and "Traceback" not in said
        )
        first.send_signal(signal.SIGTERM)
        out, said = first.communicate(timeout=60)
        assert first.returncode == 0 and "Traceback" not in said and "correct horse" not in said + out
        assert not (config_file.parent / "state" / "queue" / "valkey.pid").exists()
    finally:
        first.kill()


@pytest.mark.long
def test_attack_G3_queue_server_of_a_killed_relay_is_taken_care_of(config_file):
    first = start(config_file)
    wait_for_line(first, "waiting for a chain")
    pid_file = config_file.parent / "state" / "queue" / "valkey.pid"
    left = int(pid_file.read_text())
    first.kill()
    first.communicate()
    os.kill(left, 0)  # it lives on
    listed = operator(config_file, "dead")
    assert (listed.returncode, listed.stdout) == (2, "") and "no relay runs in the home" in listed.stderr
    second = start(config_file)
    try:
        wait_for_line(second, "waiting for a chain")
        deadline = time.monotonic() + 10
        while _alive(left) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not _alive(left)
        assert int(pid_file.read_text()) != left
        second.send_signal(signal.SIGINT)
        second.communicate(timeout=60)
        assert second.returncode == 0
    finally:
        second.kill()


def _alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    with open(f"/proc/{pid}/stat") as file:
        return file.read().rpartition(")")[2].split()[0] != "Z"


@pytest.mark.long
@pytest.mark.parametrize(
    ("old", "new", "password", "said"),
    [
        ("chain_id = 1002", "chain_id = 1001", "correct horse", "chains.1.chain_id"),
        ("home", "hoome", "correct horse", "relay.hoome"),
        ("x", "x", "battery staple", "password is wrong"),
    ],
)
def test_attack_G13_refusals_are_one_sentence(config_file, old, new, password, said):
    config_file.write_text(CONFIG.replace(old, new, 1))
    process = start(config_file, password)
    out, errors = process.communicate(timeout=60)
    assert process.returncode == 2 and said in errors
    assert "Traceback" not in errors and "battery" not in errors + out


@pytest.mark.long
def test_taken_address_is_one_sentence(config_file):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        config_file.write_text(CONFIG.replace("127.0.0.1:0", address))
        process = start(config_file)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 2
    assert f"relay.http {address} cannot be used: Address already in use; give it a free address" in errors
    assert "Traceback" not in errors
