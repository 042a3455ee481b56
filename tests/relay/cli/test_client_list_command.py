"""`hutong client list` while a chain is away, hangs, or does not have the client."""

import json
import socket
import time

import pytest
from typer.testing import CliRunner

from hutong.relay.administration.clients.listing import CHAIN_LIMIT_S
from hutong.relay.cli.main import app
from tests.relay.cli.chains.test_client_rotate_command import CLIENT, attested_client, configured
from tests.relay.hub.hub_process import HubProcess, new_home

ATTESTED = 'consensus = "attested"\nattestors = ["http://127.0.0.1:9"]\nconfirmations = 1'
AWAY = """
[[chains]]
name = "{name}"
kind = "evm"
chain_id = {chain_id}
{consensus}
rpc = ["{rpc}"]
router = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
key = {{ keystore = "admin-0.json", password_file = "password" }}

[[paths]]
a = {{ chain = "{name}", client = "client-0" }}
b = {{ chain = "hub", client = "{client}" }}
"""


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    process = HubProcess(
        new_home(tmp_path_factory.mktemp("hub") / "hub", block_interval_ms=200, proof_block_delay_ms=50)
    ).start()
    attested_client(process)
    yield process
    assert process.stop() == (0, "")


@pytest.fixture
def folder(hub, tmp_path):
    """alpha refuses connections, beta takes them and says nothing; the hub lacks the client of beta's path."""
    configured(tmp_path, hub.eth_url, hub.cometbft_url)
    with socket.create_server(("127.0.0.1", 0)) as closed:
        free = closed.getsockname()[1]
    with socket.create_server(("127.0.0.1", 0), backlog=64) as hung:
        with (tmp_path / "relay.toml").open("a") as config:
            rpc = f"http://127.0.0.1:{free}"
            config.write(AWAY.format(name="alpha", chain_id=1001, consensus=ATTESTED, rpc=rpc, client=CLIENT))
            rpc = f"http://127.0.0.1:{hung.getsockname()[1]}"
            qbft = 'consensus = "qbft"'
            config.write(AWAY.format(name="beta", chain_id=1002, consensus=qbft, rpc=rpc, client="bft-evm-9"))
        yield tmp_path


@pytest.mark.long
def test_trial_O5_clients_of_the_chains_that_answer_are_listed_and_each_other_chain_has_one_sentence(folder):
    began_s = time.monotonic()
    listed = CliRunner().invoke(app, ["client", "list", "--config", str(folder / "relay.toml")])
    took_s = time.monotonic() - began_s
    assert listed.exit_code == 1
    (line,) = listed.stdout.splitlines()
    assert line.split()[:4] == ["hub", CLIENT, "attestation", "Active"]
    alpha, unknown, beta = listed.stderr.splitlines()
    assert "alpha" in alpha and "hub has no client bft-evm-9" in unknown and "beta" in beta
    assert took_s < 2 * CHAIN_LIMIT_S, "both away chains are waited for at the same time"
    as_json = CliRunner().invoke(app, ["client", "list", "--json", "--config", str(folder / "relay.toml")])
    assert as_json.exit_code == 1
    assert [row["client"] for row in json.loads(as_json.stdout)] == [CLIENT]
