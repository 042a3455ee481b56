"""Attested chains and attestors in configuration files: what is refused, with the field named (G13)."""

import pytest

from hutong.relay.config import ConfigError, load_attestor_config
from hutong.relay.keys import create_keystore
from tests.relay.config.test_config import GOOD, parse

ATTESTED = GOOD.replace(
    'consensus = "qbft"', 'consensus = "attested"\nattestors = ["http://127.0.0.1:9700"]\nconfirmations = 12'
).replace("bft-evm-0", "attestation-0")

ATTESTOR = """
[attestor]
home = "state"
http = "127.0.0.1:9700"
key = { keystore = "key.json", password_env = "PASSWORD" }

[source]
chain_id = 31337
rpc = ["http://127.0.0.1:8545"]
router = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
confirmations = 12

[[destinations]]
chain_id = "hutong-1"
router = "0x0000000000000000000000000000000000001000"
client = "attestation-0"

[[destinations]]
chain_id = "31338"
router = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
client = "client-3"
"""


def test_an_attested_chain_is_parsed():
    chain = parse(ATTESTED).chain("alpha")
    assert (chain.consensus, chain.attestors, chain.confirmations) == ("attested", ("http://127.0.0.1:9700",), 12)
    without = parse(ATTESTED.replace("confirmations = 12", "")).chain("alpha")
    assert without.confirmations is None


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ('attestors = ["http://127.0.0.1:9700"]', "", "chains.0"),
        ('attestors = ["http://127.0.0.1:9700"]', 'attestors = ["http://a", "http://a"]', "chains.0"),
        ('attestors = ["http://127.0.0.1:9700"]', 'attestors = ["ftp://a"]', "chains.0.attestors.0"),
        ("confirmations = 12", "confirmations = -1", "chains.0.confirmations"),
        ('consensus = "attested"', 'consensus = "qbft"', "chains.0"),
        ('consensus = "attested"', 'consensus = "trust me"', "chains.0.consensus"),
        ("attestation-0", "bft-evm-0", "paths.0.b.client"),
    ],
)
def test_attack_G13_attested_chain_with_a_contradiction(old, new, field):
    assert old in ATTESTED
    with pytest.raises(ConfigError) as caught:
        parse(ATTESTED.replace(old, new))
    assert caught.value.problems[0].field == field


def test_attack_G13_a_client_of_attestors_for_a_chain_with_seals():
    with pytest.raises(ConfigError) as caught:
        parse(GOOD.replace("bft-evm-0", "attestation-0"))
    assert caught.value.problems[0].field == "paths.0.b.client"
    assert "qbft" in caught.value.problems[0].reason


@pytest.fixture
def written(tmp_path):
    create_keystore(tmp_path / "key.json", bytes(range(1, 33)), b"correct horse", iterations=2)

    def write(text):
        path = tmp_path / "attestor.toml"
        path.write_text(text)
        path.chmod(0o600)
        return path

    return write


def test_an_attestor_is_parsed(written, tmp_path):
    config = load_attestor_config(written(ATTESTOR))
    assert config.attestor.home == tmp_path / "state"
    assert [destination.client for destination in config.destinations] == ["attestation-0", "client-3"]


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ("confirmations", "confirmation", "source.confirmation"),
        ('chain_id = "hutong-1"', 'chain_id = "hutong"', "destinations.0.chain_id"),
        ('chain_id = "31338"', 'chain_id = "031338"', "destinations.1.chain_id"),
        ('chain_id = "31338"', "chain_id = 31338", "destinations.1.chain_id"),
        ('chain_id = "31338"', 'chain_id = "31337"', "destinations.1.chain_id"),
        ('client = "client-3"', 'client = "c"', "destinations.1.client"),
        ("0x0000000000000000000000000000000000001000", "0x" + "00" * 20, "destinations.0.router"),
        ("127.0.0.1:9700", "127.0.0.1", "attestor.http"),
        ("key.json", "none.json", "attestor.key.keystore"),
    ],
)
def test_attack_G13_attestor_with_a_contradiction(written, old, new, field):
    assert old in ATTESTOR
    with pytest.raises(ConfigError) as caught:
        load_attestor_config(written(ATTESTOR.replace(old, new)))
    assert caught.value.problems[0].field == field


def test_attack_G13_one_destination_twice(written):
    entry = ATTESTOR[ATTESTOR.index("[[destinations]]") :].partition("\n\n")[0]
    with pytest.raises(ConfigError) as caught:
        load_attestor_config(written(ATTESTOR + "\n" + entry + "\n"))
    assert caught.value.problems[0].field == "destinations.2"
