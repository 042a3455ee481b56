"""`hutong verify ibft`: IBFT 2.0 and Istanbul headers, exit codes, and which rule says what."""

import json

import pytest
from typer.testing import CliRunner

from hutong.light_clients.bft_evm import Consensus, SealRules, block_hash
from hutong.light_clients.evm_header import header_to_rpc
from hutong.relay.cli.audit.verify import app
from tests.light_clients.bft_evm.simulated_chain import GENESIS_TIME_S, SimulatedChain, address_of

CHAINS = {
    "ibft2": SimulatedChain(6, rules=SealRules(Consensus.IBFT2)),
    "istanbul": SimulatedChain(6, rules=SealRules(Consensus.ISTANBUL)),
}
for _chain in CHAINS.values():
    _chain.advance(4)
each_rule = pytest.mark.parametrize("rule", CHAINS)


def block(sealed) -> dict:
    return {**header_to_rpc(sealed[0]), "hash": "0x" + block_hash(*sealed).hex(), "size": "0x1"}


@pytest.fixture
def run(tmp_path):
    def run(rule: str, served: dict, *options: str, chain: str | None = None):
        header, extra = CHAINS[chain or rule].headers[2]
        trusted = {
            "chain": 1,
            "height": 2,
            "hash": "0x" + block_hash(header, extra).hex(),
            "time": header.timestamp_s,
            "validators": ["0x" + address.hex() for address in extra.validators],
        }
        (tmp_path / "trusted.json").write_text(json.dumps(trusted))
        (tmp_path / "block.json").write_text(json.dumps(served))
        arguments = ["ibft", "--rule", rule, "--trusted", str(tmp_path / "trusted.json"), "--json", *options]
        arguments += ["--now", str(GENESIS_TIME_S + 10), str(tmp_path / "block.json")]
        result = CliRunner().invoke(app, arguments)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result

    return run


def checks(result) -> dict[str, bool]:
    return {check["name"]: check["held"] for check in json.loads(result.stdout)["checks"]}


@each_rule
def test_header_with_its_seals_is_valid(run, rule):
    result = run(rule, block(CHAINS[rule].headers[4]))
    assert result.exit_code == 0, result.output
    said = checks(result)
    assert all(said.values())
    assert f"{rule}_constant_fields" in said
    assert ("proposer_is_listed" in said) == (rule == "istanbul")


@each_rule
def test_quorum_is_a_choice(run, rule):
    chain = CHAINS[rule]
    served = block(chain.propose(4, signers=chain.keys[:3]))
    result = run(rule, served)
    assert result.exit_code == 1
    assert checks(result)["quorum_of_own_validators"] is False
    assert run(rule, served, "--quorum", "2f+1").exit_code == 0


@each_rule
def test_header_of_the_other_rule_is_invalid(run, rule):
    (other,) = set(CHAINS) - {rule}
    result = run(rule, block(CHAINS[other].headers[4]), chain=other)
    assert result.exit_code == 1
    assert checks(result)["header_is_well_formed"] is False


@each_rule
def test_seal_of_a_stranger_is_invalid(run, rule):
    chain = CHAINS[rule]
    result = run(rule, block(chain.propose(4, signers=[*chain.keys[:5], b"\x07" * 32])))
    assert result.exit_code == 1
    assert checks(result)["commit_seals_of_validators"] is False
    assert address_of(b"\x07" * 32).hex() in result.stdout


def test_unusable_input(run):
    assert run("ibft2", {"error": {"code": 1}}).exit_code == 2
    assert run("ibft2", block(CHAINS["ibft2"].headers[4]), "--clock-drift", "0").exit_code == 2
    assert CliRunner().invoke(app, ["ibft", "nowhere.json"]).exit_code == 2
