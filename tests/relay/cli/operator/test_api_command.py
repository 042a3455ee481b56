"""`hutong api`: keys, and a server of its own that starts, serves and stops."""

import json
import signal
import subprocess
import sys
import threading

import httpx
import pytest
from typer.testing import CliRunner

from hutong.relay.cli.operator.api import app
from hutong.relay.web.api_keys import (
    ApiKey,
    KeyRing,
    Scope,
    digest_of,
    editing_keys,
    new_key,
    read_keys,
    write_keys,
)

CONFIG = """
[relay]
home = "state"

[[chains]]
name = "alpha"
kind = "evm"
chain_id = 1001
consensus = "qbft"
rpc = ["http://127.0.0.1:1"]
router = "0x1111111111111111111111111111111111111111"
key = { keystore = "k", password_env = "P" }
"""
API = '\n[api]\nlisten = "127.0.0.1:0"\nkeys_file = "api-keys.json"\n'


@pytest.fixture
def config(tmp_path):
    file = tmp_path / "relay.toml"
    file.write_text(CONFIG + API)
    file.chmod(0o600)
    return file


def run(*arguments):
    return CliRunner().invoke(app, list(map(str, arguments)))


def test_keys_are_made_listed_and_revoked(config):
    made = run("keys", "create", "shop", "--scope", "write", "--config", config)
    assert made.exit_code == 0
    key = made.output.strip()
    file = config.parent / "api-keys.json"
    assert key not in file.read_text() and file.stat().st_mode & 0o777 == 0o600
    assert KeyRing(file).find(key).scopes == {Scope.WRITE}
    assert run("keys", "create", "ops", "--scope", "admin", "--scope", "write", "--config", config).exit_code == 0
    listed = run("keys", "list", "--config", config).output
    rows = json.loads(run("keys", "list", "--config", config, "--json").output)
    assert [(row["name"], row["scopes"]) for row in rows] == [("shop", ["write"]), ("ops", ["admin", "write"])]  # T17
    assert "shop  write  " in listed and "ops  admin,write  " in listed and key not in listed
    assert run("keys", "revoke", "shop", "--config", config).exit_code == 0
    assert KeyRing(file).find(key) is None and run("keys", "revoke", "shop", "--config", config).exit_code == 1


def test_refusals_say_what_to_do(config):
    for arguments, code, part in (
        (("keys", "create", "x", "--scope", "root"), 2, "use write or admin"),
        (("keys", "create", "../x", "--scope", "write"), 2, "name has"),
    ):
        refused = run(*arguments, "--config", config)
        assert refused.exit_code == code and part in refused.output
    assert run("keys", "create", "x", "--scope", "write", "--config", config).exit_code == 0
    again = run("keys", "create", "x", "--scope", "write", "--config", config)
    assert again.exit_code == 1 and "already" in again.output
    config.write_text(CONFIG)
    assert "[api]" in run("run", "--config", config).output
    config.write_text(CONFIG + API.replace('keys_file = "api-keys.json"\n', ""))
    assert "keys_file" in run("keys", "list", "--config", config).output


@pytest.mark.long
def test_a_server_of_its_own_serves_and_stops(config):
    command = [sys.executable, "-m", "hutong.relay.cli", "api", "run", "--config", str(config)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        sentence = process.stdout.readline()
        assert sentence.startswith("API ready at http://127.0.0.1:")
        url = sentence.split()[-1]
        assert httpx.get(f"{url}v1/status", trust_env=False, timeout=30).json()["inside_relay"] is False
        missing = httpx.get(f"{url}v1/messages", trust_env=False, timeout=30)
        assert (missing.status_code, missing.json()["code"]) == (503, "ledger_unavailable")
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.stdout.close()


def test_a_taken_port_is_one_sentence(config):
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        config.write_text(CONFIG + API.replace(":0", f":{taken.getsockname()[1]}"))
        refused = run("run", "--config", config)
    assert refused.exit_code == 2 and "cannot be used" in refused.output and "Traceback" not in refused.output


def test_keys_that_are_made_at_once_are_all_kept(config, tmp_path):
    file = tmp_path / "api-keys.json"
    other = threading.Thread(target=run, args=("keys", "create", "late", "--scope", "write", "--config", config))
    with editing_keys(file):
        other.start()
        other.join(0.3)
        assert other.is_alive() and read_keys(file) == (), "it waits"
        write_keys(file, [ApiKey("early", frozenset({Scope.ADMIN}), digest_of(new_key()), "2026-11-26T00:00:00Z")])
    other.join(30)
    assert [key.name for key in read_keys(file)] == ["early", "late"]
