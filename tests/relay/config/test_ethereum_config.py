"""Chains of consensus `ethereum` in configuration files: what is refused, with the field named (G13)."""

from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from hutong.light_clients.ethereum import MAINNET
from hutong.relay.config import ConfigError, chains_beyond
from hutong.relay.config.networks import PUBLIC_NETWORKS, read_network
from tests.relay.config.test_config import GOOD, parse

BEACON = 'beacon = ["http://127.0.0.1:5052"]'
ETHEREUM = GOOD.replace('consensus = "qbft"', f'consensus = "ethereum"\n{BEACON}\nnetwork = "sepolia"').replace(
    "bft-evm-0", "ethereum-0"
)


def test_an_ethereum_chain_is_parsed():
    chain = parse(ETHEREUM).chain("alpha")
    assert (chain.consensus, chain.beacon, chain.network) == ("ethereum", ("http://127.0.0.1:5052",), "sepolia")
    file = parse(ETHEREUM.replace('"sepolia"', '"nets/devnet.json"')).chain("alpha").network
    assert file.name == "devnet.json" and file.is_absolute()


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        (BEACON, "", "chains.0"),
        ('network = "sepolia"', "", "chains.0"),
        (BEACON, 'beacon = ["ftp://a"]', "chains.0.beacon.0"),
        (BEACON, f"{BEACON}\nconfirmations = 3", "chains.0"),
        ('network = "sepolia"', 'network = ""', "chains.0.network"),
        ('consensus = "ethereum"', 'consensus = "qbft"', "chains.0"),
        ("ethereum-0", "bft-evm-0", "paths.0.b.client"),
    ],
)
def test_attack_G13_ethereum_chain_with_a_contradiction(old, new, field):
    assert old in ETHEREUM
    with pytest.raises(ConfigError) as caught:
        parse(ETHEREUM.replace(old, new))
    assert caught.value.problems[0].field.startswith(field)


GLOAS_S = 1_791_294_816


def test_parity_example_network_whose_schedule_has_passed_into_gloas_is_named():
    config = parse(ETHEREUM)
    assert list(chains_beyond(config, GLOAS_S - 1)) == []
    (problem,) = chains_beyond(config, GLOAS_S)
    assert problem.field == "chains.0.network"
    assert "GLOAS since epoch 353024 (2026-10-06T13:53:36Z)" in problem.reason and "FULU" in problem.reason
    for network in ("mainnet", "hoodi"):
        assert list(chains_beyond(parse(ETHEREUM.replace('"sepolia"', f'"{network}"')), 2**40)) == []
    assert list(chains_beyond(parse(ETHEREUM.replace('"sepolia"', '"no/file.json"')), 2**40)) == []
    assert list(chains_beyond(parse(GOOD), 2**40)) == []


def test_networks_are_named_or_read(tmp_path):
    assert read_network("mainnet") is MAINNET
    assert all(read_network(name).preset.sync_committee_size == 512 for name in PUBLIC_NETWORKS)
    for text in ("", "[]", '{"spec": {}, "genesis": {}}', "{", "x" * 2_000_000):
        file = tmp_path / "network.json"
        file.write_text(text)
        with pytest.raises(ValueError, match="describes no network"):
            read_network(file)
    with pytest.raises(ValueError, match="no file of that name"):
        read_network(tmp_path / "missing")


def test_parity_config_check_refuses_a_chain_under_gloas(tmp_path, monkeypatch):
    from hutong.relay.cli.operator import config as command

    file = tmp_path / "relay.toml"
    file.write_text(ETHEREUM)
    file.chmod(0o600)
    for name in ("alpha.json", "hub.json", "hub.password"):
        (tmp_path / name).write_text("x")
        (tmp_path / name).chmod(0o600)
    for now_s, code in ((GLOAS_S - 1, 0), (GLOAS_S, 2)):
        monkeypatch.setattr(command, "time", SimpleNamespace(time=lambda now_s=now_s: now_s))
        result = CliRunner().invoke(command.app, ["check", str(file)])
        assert result.exit_code == code, result.output
        assert ("since epoch 353024" in result.output) == (code == 2)
