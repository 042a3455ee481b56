"""Refusals of administrative commands: one sentence that says what to do, and the right exit code."""

import pytest
from typer.testing import CliRunner

from hutong.adapters.interface import RefusedByChain
from hutong.relay.administration.addresses import address_of
from hutong.relay.cli.common.refusal import Refused
from hutong.relay.cli.common.session import run_administration
from hutong.relay.cli.main import app
from hutong.relay.keys import create_keystore


@pytest.mark.parametrize(
    ("said", "remedy"),
    [
        ("ActionRefused: action 0x12, reason 1 of 2 approvals", "name as many different ones with --hub-admin"),
        ("AccessManagedUnauthorized: caller 0x12", "use the keystore of the one that may"),
    ],
)
def test_refusal_of_a_contract_says_what_to_do(said, remedy):
    async def refused(_random):
        raise RefusedByChain(said.partition(":")[0], said)

    with pytest.raises(Refused) as ended:
        run_administration(refused)
    error = str(ended.value)
    assert ended.value.code == 1
    assert error.startswith(f"the chain refused it ({said}); ") and remedy in error and "\n" not in error


@pytest.mark.parametrize(
    ("text", "said"),
    [("0x12", "is not an address"), ("0x5FbDB2315678afecb367f032d93F642f64180aa4", "has a wrong EIP-55 checksum")],
)
def test_address_that_is_invalid(text, said):
    async def act(_random):
        address_of(text, "--mailbox")

    with pytest.raises(Refused) as ended:
        run_administration(act)
    assert ended.value.code == 2
    assert "--mailbox: " in (error := str(ended.value)) and said in error


def test_endpoint_without_a_scheme_is_unusable_input(tmp_path, monkeypatch):
    monkeypatch.setenv("PASSWORD", "correct horse")
    create_keystore(tmp_path / "key.json", bytes(range(1, 33)), b"correct horse", iterations=2)
    key = ["--keystore", str(tmp_path / "key.json"), "--password-env", "PASSWORD"]
    outcome = CliRunner().invoke(app, ["deploy", "--rpc", "127.0.0.1:18545", "--chain-id", "7", *key])
    assert outcome.exit_code == 2
    assert "--rpc must be a URL that starts with http:// or https://" in outcome.output
