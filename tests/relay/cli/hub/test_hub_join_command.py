"""`hutong hub join`: the home that it writes, and one sentence where it cannot."""

import stat

import pytest
from typer.testing import CliRunner

from hutong.relay.cli.hub.command import app
from hutong.relay.hub.application.genesis import encode_genesis
from hutong.relay.hub.home.home import load_genesis
from tests.relay.hub.simulated_hub import hub_genesis

PEER = "ab" * 20 + "@127.0.0.1:26656"
TRUST = ("--trust-height", "7", "--trust-hash", "0x" + "cd" * 32, "--trust-rpc", "http://a.example:26657")
SECOND = ("--trust-rpc", "[::1]:26657")


@pytest.fixture
def genesis(tmp_path):
    path = tmp_path / "genesis.json"
    path.write_bytes(encode_genesis(hub_genesis()))
    return path


def join(home, genesis, *arguments, peer=PEER):
    command = ["join", "--home", str(home), "--genesis", str(genesis), "--peer", peer, *arguments]
    return CliRunner().invoke(app, command)


def test_join_writes_a_home_that_replays_or_syncs(tmp_path, genesis):
    replaying, syncing = tmp_path / "replaying", tmp_path / "syncing"
    done = join(replaying, genesis)
    assert done.exit_code == 0, done.output
    assert load_genesis(replaying) == hub_genesis()
    config = (replaying / "cometbft/config/config.toml").read_text()
    assert "[statesync]" not in config
    assert f'persistent_peers = "{PEER}"' in config
    assert stat.S_IMODE((replaying / "cometbft/config/priv_validator_key.json").stat().st_mode) == 0o600
    assert join(syncing, genesis, *TRUST, *SECOND).exit_code == 0
    config = (syncing / "cometbft/config/config.toml").read_text()
    section = config[config.index("[statesync]") :]
    assert 'rpc_servers = "a.example:26657,[::1]:26657"' in section
    assert "trust_height = 7" in section
    assert f'trust_hash = "{"CD" * 32}"' in section
    assert f'trust_period = "{hub_genesis().params.trusting_period_s}s"' in section
    again = join(replaying, genesis)
    assert (again.exit_code, "initialised once" in again.output) == (2, True)


def test_what_join_refuses(tmp_path, genesis):
    home = tmp_path / "home"
    for arguments, peer, sentence in [
        ((), "nonsense", "--peer"),
        ((), "AB" * 20 + "@h:1", "--peer"),
        ((), "ab" * 20 + '@h:1"\nx = "', "--peer"),
        (TRUST, PEER, "--trust-rpc twice"),
        (("--trust-height", "7"), PEER, "--trust-hash"),
        ((*TRUST, "--trust-rpc", 'x"\n:1'), PEER, "HOST:PORT"),
        ((*TRUST[:3], "abc", *TRUST[4:], *SECOND), PEER, "32 bytes"),
    ]:
        done = join(home, genesis, *arguments, peer=peer)
        assert (done.exit_code, sentence in done.output) == (2, True), done.output
    assert join(home, tmp_path / "none").exit_code == 2
    genesis.write_text("{}")
    assert join(home, genesis).exit_code == 2
    assert not home.exists()
