"""`hutong path` refuses what it cannot connect before any chain is asked, each time in one sentence."""

import pytest
from typer.testing import CliRunner

from hutong.relay.cli.main import app
from hutong.relay.keys import create_keystore

CONFIG = """
[relay]
home = "state"

[[chains]]
name = "alpha"
kind = "evm"
chain_id = 1001
consensus = "attested"
attestors = ["http://127.0.0.1:9"]
rpc = ["http://127.0.0.1:9"]
router = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
key = { keystore = "key.json", password_env = "PASSWORD" }

[[chains]]
name = "beta"
kind = "evm"
chain_id = 1002
consensus = "attested"
attestors = ["http://127.0.0.1:9"]
rpc = ["http://127.0.0.1:9"]
router = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
key = { keystore = "key.json", password_env = "PASSWORD" }

[[chains]]
name = "gamma"
kind = "evm"
chain_id = 1003
consensus = "qbft"
rpc = ["http://127.0.0.1:9"]
router = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
key = { keystore = "key.json", password_env = "PASSWORD" }
"""
DELTA_AND_HUB = """
[[chains]]
name = "delta"
kind = "evm"
chain_id = 1004
consensus = "ethereum"
network = "sepolia"
beacon = ["http://127.0.0.1:9"]
rpc = ["http://127.0.0.1:9"]
router = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
key = { keystore = "key.json", password_env = "PASSWORD" }

[[chains]]
name = "hub"
kind = "hub"
chain_id = "hutong-1"
rpc = ["http://127.0.0.1:9"]
consensus_rpc = ["http://127.0.0.1:9"]
key = { keystore = "key.json", password_env = "PASSWORD" }
"""
A1, A2, A3 = ("0x" + f"{number:040x}" for number in (1, 2, 3))


@pytest.mark.parametrize(
    ("b", "options", "said"),
    [
        ("gamma", [], "not supported: a path without a hub to gamma"),
        ("alpha", [], "joins two chains"),
        ("beta", [], "name its attestors with --a-attestor"),
        ("beta", ["--a-attestor", A1], "name its attestors with --b-attestor"),
        ("beta", ["--a-attestor", "me"], "is not an address"),
        ("beta", ["--a-attestor", "0x5FbDB2315678afecb367f032d93F642f64180aa4"], "checksum"),
        ("beta", ["--a-attestor", A1, "--a-attestor", A1], "twice"),
        ("beta", [*("--a-attestor", A1), *("--a-attestor", A2), "--a-threshold", "1"], "more than half of 2"),
        ("beta", [*("--a-attestor", A1), "--a-threshold", "2"], "more than half of 1"),
    ],
)
def test_attack_D4_a_path_with_attestors_that_cannot_be_is_refused(tmp_path, monkeypatch, b, options, said):
    monkeypatch.setenv("PASSWORD", "correct horse")
    create_keystore(tmp_path / "key.json", bytes(range(1, 33)), b"correct horse", iterations=2)
    config = tmp_path / "relay.toml"
    config.write_text(CONFIG)
    config.chmod(0o600)
    key = str(tmp_path / "key.json")
    ends = ["--a", "alpha", "--b", b, "--a-keystore", key, "--b-keystore", key]
    passwords = ["--a-password-env", "PASSWORD", "--b-password-env", "PASSWORD"]
    outcome = CliRunner().invoke(app, ["path", "direct", "--config", str(config), *ends, *passwords, *options])
    assert outcome.exit_code == 2
    assert said in outcome.output


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--chain", "gamma", "--trusted-root", "0x" + "11" * 32], "--trusted-root is for Ethereum chains"),
        (["--chain", "gamma", "--min-participants", "400"], "--min-participants is for Ethereum chains"),
        (["--chain", "delta", "--trusted-root", "0x11"], "must be 0x and 64 hex digits"),
    ],
)
def test_a_beginning_that_cannot_be_is_refused(tmp_path, monkeypatch, options, said):
    monkeypatch.setenv("PASSWORD", "correct horse")
    create_keystore(tmp_path / "key.json", bytes(range(1, 33)), b"correct horse", iterations=2)
    config = tmp_path / "relay.toml"
    config.write_text(CONFIG + DELTA_AND_HUB)
    config.chmod(0o600)
    key = ["--keystore", str(tmp_path / "key.json"), "--password-env", "PASSWORD"]
    admin = ["--hub-admin", str(tmp_path / "key.json"), "--hub-admin-password-file", "unread"]
    outcome = CliRunner().invoke(app, ["path", "create", "--config", str(config), *key, *admin, *options])
    assert outcome.exit_code == 2
    assert said in outcome.output
