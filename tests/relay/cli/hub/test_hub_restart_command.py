"""A one-validator hub ends its revision by its own vote, halts, and goes on as the next: through the command line."""

import json
import subprocess
import sys

import pytest

from hutong.relay.hub.home.home import load_genesis
from tests.relay.cli.hub.test_hub_governance_commands import INIT, act, ask, configure, invoke
from tests.relay.hub.hub_process import HubProcess

pytestmark = pytest.mark.long


def process(*arguments: str) -> tuple[int, str, str]:
    """In a process of its own: a home's lock is held until its process ends. Exit code and both outputs."""
    done = subprocess.run(
        [sys.executable, "-m", "hutong.relay.cli", *arguments], capture_output=True, text=True, timeout=60
    )
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def place(tmp_path):
    assert invoke(*INIT, "--home", str(tmp_path / "hub"), "--governed-by", "validators").exit_code == 0
    hub = HubProcess(tmp_path / "hub").start()
    configure(tmp_path, hub)
    return hub, tmp_path


def test_a_hub_halts_at_its_end_and_goes_on_as_the_next_revision(place):
    hub, folder = place
    code, _, said = process("hub", "restart", "--home", str(folder / "hub"))
    assert (code, said.count("\n")) == (2, 1) and "another hub process" in said
    end = hub.height + 60
    done = act(folder, "propose", "end", "--height", str(end))
    assert done.exit_code == 0, done.output
    assert f"the revision ends after block {end}" in ask(folder, "members").output
    hub.wait_for_height(end)
    sentence = f"hutong-1 ended at block {end}, as was decided: `hutong hub restart` makes the genesis of hutong-2"
    assert hub.process.stderr.readline() == f"{sentence}\n"
    assert hub.height == end and hub.rpc("hutong_chain")["paused"] is False, "it goes on serving"
    assert hub.stop() == (0, "")
    again = HubProcess(folder / "hub").start()
    assert again.process.stderr.readline() == f"{sentence}\n"
    assert again.height == end and again.stop() == (0, "")
    code, printed, said = process("hub", "restart", "--home", str(folder / "hub"), "--json")
    assert code == 0, said
    answer = json.loads(printed)
    genesis = load_genesis(folder / "hub")
    assert (answer["chain_id"], answer["first_height"]) == ("hutong-2", end + 1)
    assert answer["digest"] == genesis.digest.hex()
    assert (folder / "hub" / "genesis.hutong-1.json").exists()
    code, _, said = process("hub", "restart", "--home", str(folder / "hub"))
    assert code == 2 and "its end was not decided" in said
    second = HubProcess(folder / "hub").start()
    second.wait_for_height(end + 3)
    header = second.cometbft(f"commit?height={end + 1}")["signed_header"]["header"]
    assert (header["chain_id"], header["height"]) == ("hutong-2", str(end + 1))
    before = second.cometbft(f"commit?height={end}")["signed_header"]["header"]
    assert before["chain_id"] == "hutong-1"
    text = (folder / "relay.toml").read_text().replace("hutong-1", "hutong-2")
    configure_again = folder / "relay.toml"
    configure_again.write_text(text.replace(hub.eth_url, second.eth_url).replace(hub.cometbft_url, second.cometbft_url))
    assert act(folder, "propose", "pause").exit_code == 0
    assert json.loads(ask(folder, "proposals", "--json").output)[0]["action"] == f"end the revision after block {end}"
    assert second.stop() == (0, "")


def test_a_hub_that_goes_on_is_not_restarted(tmp_path):
    assert invoke(*INIT, "--home", str(tmp_path / "hub"), "--governed-by", "validators").exit_code == 0
    refused = invoke("hub", "restart", "--home", str(tmp_path / "hub"))
    assert refused.exit_code == 2
    assert refused.output == "hutong-1 goes on: its end was not decided (hutong hub propose end)\n"
    missing = invoke("hub", "restart", "--home", str(tmp_path / "none"))
    assert missing.exit_code == 2 and missing.output.count("\n") == 1
