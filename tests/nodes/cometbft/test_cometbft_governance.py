"""Governance of a hub of four validators under CometBFT: votes, a swapped key, rules by height in its headers, and the end."""

import json
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hutong.light_clients.crypto import gm
from hutong.relay.cli.main import app
from hutong.relay.hub.application.revision import rules_versions
from hutong.relay.keys import create_keystore
from tests.nodes.cometbft.cometbft_network import new_hub, running_network
from tests.relay.cli.hub.test_hub_governance_commands import CONFIG, ask
from tests.relay.hub.application.governance.governed_hub import OPERATORS
from tests.relay.hub.simulated_hub import address_of
from tests.relay.services.identity.rules.records.sample_records import SM2

pytestmark = pytest.mark.nodes
NOTICE = 60
"""Blocks, some 20 s: three commands end in them on a busy machine."""


@pytest.fixture
def network():
    hub = replace(
        new_hub(block_interval_ms=300, proof_block_delay_ms=50),
        admins=None,
        rules_version=1,
        code=None,
        operators=tuple(address_of(account) for account in OPERATORS[:4]),
        voting_period_s=600,
    )
    with tempfile.TemporaryDirectory(dir="/tmp") as directory, running_network(Path(directory), 4, hub) as network:
        yield network


@pytest.fixture
def folder(network, tmp_path):
    member = network.members[0]
    config = tmp_path / "relay.toml"
    genesis = f'genesis = "{member.home.home / "genesis.json"}"\n'
    config.write_text(CONFIG.format(eth=member.eth_url, cometbft=member.cometbft_url) + genesis)
    config.chmod(0o600)
    (tmp_path / "password").write_text("word\n")
    (tmp_path / "password").chmod(0o600)
    create_keystore(tmp_path / "admin-0.json", b"\x11" * 32, b"word", 2)
    for number, account in enumerate(OPERATORS[:4]):
        create_keystore(tmp_path / f"operator-{number}.json", bytes(account.key), b"word", 2)
    return tmp_path


def act(folder, number: int, *arguments: str):
    keystore, password = folder / f"operator-{number}.json", folder / "password"
    return ask(folder, *arguments, "--operator", str(keystore), "--operator-password-file", str(password))


def decide(folder, *arguments: str) -> None:
    """Three of the four operators."""
    proposed = act(folder, 0, "propose", *arguments, "--json")
    assert proposed.exit_code == 0, proposed.output
    number = str(json.loads(proposed.output)["proposal"])
    second = act(folder, 1, "vote", number, "--yes")
    assert second.exit_code == 0 and "approved by 20 of 40" in second.output, second.output
    third = act(folder, 2, "vote", number, "--yes")
    assert third.exit_code == 0 and " is executed in block " in third.output, third.output


def registers_with_a_key_of_sm2(folder):
    """A new DID of the first operator, whose key is of the GM suite."""
    (folder / "sm2.pem").write_bytes(gm.public_key_to_pem(SM2.x + SM2.y))
    signer = ["--keystore", str(folder / "operator-0.json"), "--password-file", str(folder / "password")]
    words = ["identity", "register", "--key", f"signing={folder / 'sm2.pem'}", "--config", str(folder / "relay.toml")]
    return CliRunner().invoke(app, [*words, *signer])


def test_a_hub_of_four_is_governed_changes_its_rules_and_ends_under_cometbft(network, folder):
    member = network.members[0]
    home = network.members[3].home.home
    swapped = act(folder, 3, "rotate-key", "--home", str(home), "--json")
    assert swapped.exit_code == 0, swapped.output
    new_key = json.loads(swapped.output)
    network.wait_for_height(new_key["from_height"] + 1)
    signing = member.comet(f"validators?height={new_key['from_height']}")["validators"]
    assert new_key["address"] in [row["address"] for row in signing] and len(signing) == 4
    at = member.height + NOTICE
    decide(folder, "rules", "--version", str(rules_versions.NEWEST), "--height", str(at))
    network.wait_for_height(at + 2)
    versions = [
        member.comet(f"commit?height={height}")["signed_header"]["header"]["version"] for height in (at - 1, at)
    ]
    assert [version["app"] for version in versions] == ["1", str(rules_versions.NEWEST)]
    assert member.rpc("hutong_chain")["rulesVersion"] == rules_versions.NEWEST
    assert member.rpc("hutong_code")["open"] is False, "a running hub without fees closes at that block"
    observations = "0x0000000000000000000000000000000000001005"
    codes = [member.rpc("eth_getCode", observations, hex(height)) for height in (at - 1, at)]
    assert codes == ["0x", "0xfe"], "the module of records is there from that block on"
    decide(folder, "writer", "0x" + "11" * 20, "--keys", "3")
    assert member.rpc("hutong_observationWriters")["writers"][0]["limit"] == "0x3"
    registered = registers_with_a_key_of_sm2(folder)
    assert registered.exit_code == 0, registered.output
    end = member.height + NOTICE
    decide(folder, "end", "--height", str(end))
    for one in network.members:
        one.wait_for_height(end)
    said = f"hutong-1 ended at block {end}, as was decided: "
    deadline = time.monotonic() + 60
    while not any(said in one.application.tail() for one in network.members):
        assert time.monotonic() < deadline, "nobody says that it ended"
        time.sleep(0.2)
    assert [one.height for one in network.members] == [end] * 4, "no block comes, and every node serves on"
    headers = [one.comet(f"commit?height={end}")["signed_header"]["header"]["app_hash"] for one in network.members]
    assert len(set(headers)) == 1
