"""IBFT 2.0, Istanbul, contract-selecting and Clique chains in configuration files: what is refused, with the field named (G13)."""

import pytest

from hutong.light_clients.bft_evm import QuorumRule, ValidatorContract
from hutong.relay.config import ConfigError
from hutong.relay.core.topology.chains import _QUORUMS, _validator_contract
from tests.relay.config.test_config import GOOD, parse

CLIQUE = GOOD.replace(
    'consensus = "qbft"',
    'consensus = "clique"\nconfirmations = 12\nclique = { period_s = 5, epoch_length = 30000 }',
).replace("bft-evm-0", "clique-0")
CONTRACT = GOOD.replace(
    'consensus = "qbft"',
    'consensus = "qbft"\nvalidator_contract = { address = "0x0000000000000000000000000000000000007777", slot = 3 }',
)
ISTANBUL = GOOD.replace('consensus = "qbft"', 'consensus = "istanbul"\nquorum = "2f+1"')


def test_chains_of_each_rule_are_parsed():
    clique = parse(CLIQUE).chain("alpha")
    assert (clique.consensus, clique.confirmations, clique.client_type) == ("clique", 12, "clique")
    assert (clique.clique.period_s, clique.clique.epoch_length) == (5, 30_000)
    istanbul = parse(ISTANBUL).chain("alpha")
    assert istanbul.client_type == "bft-evm"
    assert _QUORUMS[istanbul.quorum] is QuorumRule.TWO_F_PLUS_ONE
    assert parse(GOOD.replace('"qbft"', '"ibft2"')).chain("alpha").client_type == "bft-evm"
    contract = _validator_contract(parse(CONTRACT).chain("alpha"))
    assert contract == ValidatorContract(b"\0" * 18 + b"\x77\x77", (3).to_bytes(32, "big"))
    assert _validator_contract(parse(GOOD).chain("alpha")) is None


@pytest.mark.parametrize(
    ("text", "old", "new", "field"),
    [
        (CLIQUE, "confirmations = 12", "", "chains.0"),
        (CLIQUE, "confirmations = 12", "confirmations = 0", "chains.0"),
        (CLIQUE, "confirmations = 12", "confirmations = 65", "chains.0"),
        (CLIQUE, "clique = { period_s = 5, epoch_length = 30000 }", "", "chains.0"),
        (CLIQUE, "epoch_length = 30000", "epoch_length = 0", "chains.0.clique.epoch_length"),
        (CLIQUE, "period_s = 5", "period_s = -1", "chains.0.clique.period_s"),
        (CLIQUE, 'consensus = "clique"', 'consensus = "qbft"', "chains.0"),
        (CLIQUE, 'consensus = "clique"', 'consensus = "clique"\nquorum = "2f+1"', "chains.0"),
        (CLIQUE, "clique-0", "bft-evm-0", "paths.0.b.client"),
        (CLIQUE, 'consensus = "clique"', 'consensus = "clique"\nattestors = ["http://a"]', "chains.0"),
        (CONTRACT, 'consensus = "qbft"', 'consensus = "ibft2"', "chains.0"),
        (CONTRACT, "slot = 3", "slot = -1", "chains.0.validator_contract.slot"),
        (CONTRACT, "0x0000000000000000000000000000000000007777", "0x00", "chains.0.validator_contract.address"),
        (ISTANBUL, '"2f+1"', '"half"', "chains.0.quorum"),
        (ISTANBUL, 'quorum = "2f+1"', "confirmations = 3", "chains.0"),
    ],
)
def test_attack_G13_chain_whose_rules_contradict_each_other(text, old, new, field):
    assert old in text
    parse(text)
    with pytest.raises(ConfigError) as caught:
        parse(text.replace(old, new))
    assert caught.value.problems[0].field == field
