"""`hutong hub status` finds its node, or says which port it needs."""

import time

import pytest
from typer.testing import CliRunner

from hutong.relay.cli.main import app
from hutong.relay.local.ports import free_port
from tests.relay.cli.chains.test_client_rotate_command import configured
from tests.relay.hub.hub_process import HubProcess, new_home


def status(*arguments):
    return CliRunner().invoke(app, ["hub", "status", *map(str, arguments)])


@pytest.mark.long
def test_trial_O13_a_node_without_peers_and_a_wrong_port_are_named_with_what_to_give(tmp_path):
    hub = HubProcess(new_home(tmp_path / "hub", block_interval_ms=200, proof_block_delay_ms=50)).start()
    try:
        configured(tmp_path, hub.eth_url, hub.cometbft_url)
        wanted = (hub.cometbft_url, ("--rpc", hub.cometbft_url)), (hub.eth_url, ("--config", tmp_path / "relay.toml"))
        for url, options in wanted:
            done = status(*options)
            assert done.exit_code == 2 and done.stdout == ""
            assert done.stderr.startswith(f"{url}") and "was asked hutong_network and says " in done.stderr
            assert "give the eth_* port (8545 by default, not CometBFT's 26657)" in done.stderr
    finally:
        assert hub.stop() == (0, "")


def test_trial_O13_options_that_exclude_each_other_are_refused(tmp_path):
    configured(tmp_path, "http://127.0.0.1:9", "http://127.0.0.1:9")
    config = tmp_path / "relay.toml"
    for options, said in (
        (("--rpc", "http://127.0.0.1:9", "--config", config), "give --rpc or --config, not both"),
        (("--hub", "hub"), "give --config"),
        (("--config", config, "--hub", "other"), "other"),
        (("--config", config), "http://127.0.0.1:9"),
    ):
        done = status(*options)
        assert done.exit_code == 2 and said in done.stderr, done.output


@pytest.mark.long
def test_trial_O13_the_first_rpc_of_the_configuration_that_answers_says_why_no_block_comes(tmp_path):
    options = ("--admin", "0x" + "11" * 20, "--base-port", str(free_port()), "--validators", "2")
    made = CliRunner().invoke(app, ["hub", "init", "--home", str(tmp_path / "net"), *options])
    assert made.exit_code == 0, made.output
    hub = HubProcess(tmp_path / "net" / "validator-1").start()
    try:
        configured(tmp_path, f'http://127.0.0.1:9", "{hub.eth_url}', hub.cometbft_url)
        deadline = time.monotonic() + 60
        while (done := status("--config", tmp_path / "relay.toml")).exit_code == 0 and time.monotonic() < deadline:
            time.sleep(0.5)  # a round's first seconds are no halt
        assert done.exit_code == 1, done.output
        assert "this node" in done.stdout and "no block" in done.stdout and done.stderr == ""
    finally:
        hub.kill()


def test_trial_F10_where_no_node_runs_says_what_to_start():
    done = status("--rpc", f"http://127.0.0.1:{free_port()}")
    assert done.exit_code == 2 and "no node answers there" in done.output and "hutong hub start" in done.output
