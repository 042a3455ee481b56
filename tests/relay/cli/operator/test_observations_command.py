"""`hutong observations`: what is configured and how it stands; chains that do not answer are what holds it up."""

import json

import pytest
from typer.testing import CliRunner

from hutong.relay.cli.main import app

CONTRACT = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
NOWHERE = "http://127.0.0.1:1"
ENDPOINTS = "[chains.endpoints]\nattempt_timeout_ms = 100\nrounds = 1"
CHAINS = f"""
[relay]
home = "state"

[[chains]]
name = "alpha"
kind = "evm"
chain_id = 1001
consensus = "qbft"
rpc = ["{NOWHERE}"]
router = "{CONTRACT}"
key = {{ keystore = "k", password_env = "P" }}
{ENDPOINTS}

[[chains]]
name = "hub"
kind = "hub"
chain_id = "hutong-1"
rpc = ["{NOWHERE}"]
consensus_rpc = ["{NOWHERE}"]
key = {{ keystore = "k", password_env = "P" }}
{ENDPOINTS}

[[paths]]
a = {{ chain = "alpha", client = "client-0" }}
b = {{ chain = "hub", client = "bft-evm-0" }}
"""
ONE = f"""
[[observations]]
name = "supply"
chain = "alpha"
contract = "{CONTRACT}"
slot = "0x02"
on_change = true
interval_s = 60
"""


@pytest.fixture
def run(tmp_path):
    def run(text, *arguments):
        file = tmp_path / "relay.toml"
        file.write_text(text)
        file.chmod(0o600)
        return CliRunner().invoke(app, ["observations", "--config", str(file), *arguments])

    return run


def test_chains_that_do_not_answer_hold_it_up(run):
    result = run(CHAINS + ONE, "--json")
    assert result.exit_code == 1, result.output
    (row,) = json.loads(result.stdout)["observations"]
    assert (row["name"], row["chain"], row["over"]) == ("supply", "alpha", "hub:bft-evm-0")
    assert (row["kind"], row["interval_s"], row["on_change"]) == ("slot", 60, True)
    assert bytes.fromhex(row["key"][2:]).startswith(b"observation/slot/bft-evm-0/")
    assert (row["written"], row["value"], row["age_s"], row["is_current"]) == (False, None, None, False)
    assert "failed on every endpoint" in row["held_up_by"]
    text = run(CHAINS + ONE)
    assert text.exit_code == 1
    assert text.stdout.startswith("supply of alpha over hub:bft-evm-0: no record; ")


def test_what_cannot_be_used_is_said(run, tmp_path):
    nothing = run(CHAINS)
    assert (nothing.exit_code, "has no [[observations]]" in nothing.output) == (2, True)
    unknown = run(CHAINS + ONE, "--name", "demand")
    assert (unknown.exit_code, "no observation is named 'demand'" in unknown.output) == (2, True)
    layout = run(CHAINS + ONE.replace('slot = "0x02"', 'layout = "none.json"\npath = "supply"'))
    assert (layout.exit_code, "observations.0.layout" in layout.output) == (2, True)
