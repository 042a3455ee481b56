"""`hutong hub init`: what it writes, and one sentence where it cannot."""

import json
import stat

import pytest
from typer.testing import CliRunner

from hutong.relay.administration.hub import founding
from hutong.relay.cli.hub.command import app
from hutong.relay.config import KeystoreConfig
from hutong.relay.hub.application.revision.consensus_libraries import PINNED, unfit_library
from hutong.relay.hub.home.home import load_genesis, load_validator_key
from hutong.relay.keys import load_signer


def init(home, *arguments):
    return CliRunner().invoke(app, ["init", "--home", str(home), "--scrypt-iterations", "2", *arguments])


def test_init_makes_a_home_that_start_accepts(tmp_path):
    home = tmp_path / "hub"
    done = init(home, "--chain-id", "lane-7", "--evm-chain-id", "77", "--admins", "3", "--threshold", "2")
    assert done.exit_code == 0, done.output
    genesis = load_genesis(home)
    assert (genesis.chain_id, genesis.evm_chain_id, genesis.admins.threshold) == ("lane-7", 77, 2)
    assert genesis.validators[0].public_key == load_validator_key(home).public_key
    for number in (1, 2, 3):
        keystore = home / "admins" / f"admin-{number}.json"
        key = KeystoreConfig.model_validate({"keystore": keystore, "password_file": home / "admin_password"})
        assert bytes.fromhex(load_signer(key).address[2:]) == genesis.admins.addresses[number - 1]
    for private in ("validator_key.json", "admin_password", "admins/admin-1.json"):
        assert stat.S_IMODE((home / private).stat().st_mode) == 0o600
    assert json.loads((home / "last_signed.json").read_text())["height"] == 0
    again = init(home)
    assert (again.exit_code, again.output.count("\n")) == (2, 1)
    assert "initialised once" in again.output


def test_init_takes_admin_addresses_and_balances(tmp_path):
    addresses = ["0x" + "11" * 20, "0x" + "22" * 20]
    done = init(tmp_path, "--admin", addresses[0], "--admin", addresses[1], "--fund", "0x" + "33" * 20 + "=5")
    assert done.exit_code == 0, done.output
    genesis = load_genesis(tmp_path)
    assert [f"0x{address.hex()}" for address in genesis.admins.addresses] == addresses
    assert genesis.admins.threshold == 2
    assert genesis.allocations == ((b"\x33" * 20, 5),)
    assert not (tmp_path / "admins").exists()


@pytest.mark.parametrize("option", ["--fund", "--base-fee", "--contract", "--deployer"])
def test_a_mistyped_option_leaves_no_keystore_in_the_way(tmp_path, option):
    refused = init(tmp_path, option, "nonsense")
    assert (refused.exit_code, refused.output.count("\n")) == (2, 1) and option in refused.output
    assert not list(tmp_path.iterdir())
    assert init(tmp_path).exit_code == 0


def test_init_of_a_hub_that_accepts_chains_under_sm2(tmp_path, monkeypatch):
    done = init(tmp_path / "gm", "--gm")
    assert done.exit_code == 0, done.output
    assert "FISCO BCOS chains under SM2 and SM3 are accepted: every node needs gmssl-pyx 2.1.0" in done.output
    genesis = load_genesis(tmp_path / "gm")
    assert dict(genesis.runtime.libraries)["gmssl-pyx"] == "2.1.0"
    assert not load_genesis_of(tmp_path / "usual").runtime.has_gm
    early = init(tmp_path / "early", "--gm", "--rules-version", "4")
    assert (early.exit_code, early.output.count("\n")) == (2, 1)
    assert "--gm is known from rules version 5 on, this genesis is of 4" in early.output
    monkeypatch.setattr(founding, "unfit_library", lambda chosen: unfit_library(dict(PINNED).get, chosen))
    without = init(tmp_path / "without", "--gm")
    assert (without.exit_code, without.output.count("\n")) == (2, 1)
    assert "the library gmssl-pyx is not installed" in without.output
    assert not list((tmp_path).glob("without/*")) and not list((tmp_path).glob("early/*"))


def load_genesis_of(home):
    assert init(home).exit_code == 0
    return load_genesis(home)


def test_init_takes_blocks_of_several_large_transactions(tmp_path):
    assert init(tmp_path / "usual").exit_code == init(tmp_path / "large", "--block-max-gas", "67108864").exit_code == 0
    usual, large = (load_genesis(tmp_path / name).params for name in ("usual", "large"))
    assert (usual.block_max_gas, large.block_max_gas) == (16_777_216, 67_108_864)
    assert usual.transaction_max_gas == large.transaction_max_gas == 16_777_216


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--chain-id", "lane"), "chain_id"),
        (("--admin", "0x12"), "40 hex digits"),
        (("--admin", "0x" + "11" * 20, "--threshold", "2"), "threshold"),
        (("--fund", "x"), "--fund"),
        (("--evm-chain-id", "0"), "evm_chain_id"),
        (("--block-interval-ms", "60000"), "block_interval_ms"),
        (("--block-max-gas", "16777215"), "transaction_max_gas"),
        (("--block-max-gas", "100000001"), "block_max_gas"),
        (("--admin-password-file", "/nonexistent/file"), "/nonexistent/file"),
    ],
)
def test_init_refuses_in_one_sentence(tmp_path, arguments, words):
    done = init(tmp_path / "hub", *arguments)
    assert done.exit_code == 2
    assert words in done.output
    assert done.output.count("\n") == 1


def test_trial_F1_a_threshold_that_does_not_fit_makes_nothing(tmp_path):
    home = tmp_path / "hub"
    done = init(home, "--admins", "2", "--threshold", "3")
    assert done.exit_code == 2 and "--threshold: 3 approvals of 2 admins cannot be; it is 1 to 2" in done.output
    assert not list(home.rglob("*.json"))
    assert init(home, "--admins", "2", "--threshold", "2").exit_code == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ("--chain-id", "lane"),
        ("--evm-chain-id", "0"),
        ("--block-max-gas", "16777215"),
        ("--admin", "0x" + "33" * 20, "--admin", "0x" + "33" * 20, "--admins", "1"),
    ],
)
def test_what_genesis_refuses_makes_no_key(tmp_path, arguments):
    """A second try with the same home would find it taken."""
    home = tmp_path / "hub"
    assert init(home, *arguments).exit_code == 2
    assert not [path for path in home.rglob("*") if path.is_file()]
    assert init(home).exit_code == 0


@pytest.mark.parametrize(
    ("option", "more"),
    [("--admin", ()), ("--operator", ("--governed-by", "validators")), ("--deployer", ("--closed-code",))],
)
def test_audit_H4_the_zero_address_decides_nothing_on_a_hub(tmp_path, option, more):
    """Nobody has its key, and genesis cannot be mended afterwards."""
    done = init(tmp_path / "hub", *more, option, "0x" + "33" * 20, option, "0x" + "00" * 20)
    assert done.exit_code == 2 and f"{option} is the zero address: nobody has its key" in done.output, done.output
    again = init(tmp_path / "hub", *more, option, "0x" + "33" * 20)
    assert again.exit_code == 0, again.output


def test_init_takes_a_base_fee_under_both_engines(tmp_path):
    recipient = "0x" + "fe" * 20
    for engine in ("embedded", "cometbft"):
        home = tmp_path / engine
        done = init(home, "--engine", engine, "--base-fee", "1000000000", "--fee-recipient", recipient)
        assert done.exit_code == 0, done.output
        assert "a unit of gas costs at least 1000000000 wei: anyone who sends needs a balance (--fund)" in done.output
        fees = load_genesis(home).fees
        assert (fees.base_fee_wei, f"0x{fees.recipient.hex()}") == (10**9, recipient)
    assert init(tmp_path / "free").exit_code == 0 and load_genesis(tmp_path / "free").fees is None
    assert init(tmp_path / "burnt", "--base-fee", "7").exit_code == 0
    assert load_genesis(tmp_path / "burnt").fees.recipient == bytes(20)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--base-fee", "1.5"), "--base-fee 1.5: a whole number of wei"),
        (("--base-fee", "-1"), "--base-fee -1: a whole number of wei"),
        (("--base-fee", "0"), "malformed fees.base_fee_wei: is not a decimal number from 1 to 1000000000000000000"),
        (
            ("--base-fee", str(10**18 + 1)),
            "malformed fees.base_fee_wei: is not a decimal number from 1 to 1000000000000000000",
        ),
        (("--fee-recipient", "0x" + "fe" * 20), "--fee-recipient: there are tips only with --base-fee"),
        (("--base-fee", "1", "--fee-recipient", "zz"), "--fee-recipient zz: an address has 40 hex digits"),
        (("--base-fee", "1", "--fee-recipient", "0x" + "00" * 19 + "01"), "malformed fees.recipient"),
    ],
)
def test_init_refuses_odd_fees(tmp_path, arguments, sentence):
    done = init(tmp_path / "hub", *arguments)
    assert done.exit_code == 2 and sentence in done.output
    assert not (tmp_path / "hub" / "genesis.json").exists()
