"""A relay says at its start which of its chains are under a fork that is not verified, and goes on with the others."""

import time
from pathlib import Path
from types import SimpleNamespace

import pytest
import trio
from structlog.testing import capture_logs

from hutong.relay.config import parse_config
from hutong.relay.core import daemon
from hutong.relay.keys import KeyUnavailable

GLOAS_S = 1_791_294_816
EVENT = "a chain is under a fork that is not verified"
CHAINS = """
[relay]
home = "state"

[[chains]]
name = "sepolia"
kind = "evm"
chain_id = 11155111
consensus = "ethereum"
network = "sepolia"
beacon = ["http://127.0.0.1:5052"]
rpc = ["http://127.0.0.1:8551"]
router = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
key = { keystore = "none.json", password_env = "NONE" }

[[chains]]
name = "hub"
kind = "hub"
chain_id = "hutong-1"
rpc = ["http://127.0.0.1:8545"]
consensus_rpc = ["http://127.0.0.1:26657"]
key = { keystore = "none.json", password_env = "NONE" }

[[paths]]
a = { chain = "sepolia", client = "client-0" }
b = { chain = "hub", client = "ethereum-0" }
"""


@pytest.mark.parametrize(("now_s", "warned"), [(GLOAS_S - 1, False), (GLOAS_S, True)])
def test_parity_relay_warns_of_a_chain_under_gloas(tmp_path, monkeypatch, now_s, warned):
    config = parse_config(CHAINS.encode(), "relay.toml", Path(tmp_path))
    monkeypatch.setattr(daemon, "time", SimpleNamespace(time=lambda: now_s, time_ns=time.time_ns))
    with capture_logs() as logs, pytest.raises(ExceptionGroup) as ended:
        trio.run(daemon._run_relay, config, "redis://127.0.0.1:1/0", lambda _: None, ())
    # It came past the warning: what it has not is a keystore.
    assert all(isinstance(error, KeyUnavailable) for error in ended.value.exceptions)
    said = [log for log in logs if log["event"] == EVENT]
    assert bool(said) is warned
    if warned:
        assert "sepolia is under GLOAS since epoch 353024" in said[0]["reason"] and "attestors" in said[0]["remedy"]
