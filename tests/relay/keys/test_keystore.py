"""Keystores: opened with the right password only, and silent about what they hold."""

import copy
import json
import pickle

import pytest
from eth_account import Account
from typer.testing import CliRunner

from hutong.relay.config import KeystoreConfig
from hutong.relay.keys import KeyUnavailable, Signer, create_keystore, list_keystores, load_signer

PRIVATE_KEY = bytes(range(1, 33))
ADDRESS = Account.from_key(PRIVATE_KEY).address


@pytest.fixture
def key(tmp_path):
    keystore = tmp_path / "key.json"
    assert create_keystore(keystore, PRIVATE_KEY, b"correct horse", iterations=2) == ADDRESS
    return KeystoreConfig(keystore=keystore, password_env="PASSWORD")


async def test_right_password_gives_a_signer(key):
    signer = load_signer(key, {"PASSWORD": "correct horse"})
    assert signer.address == ADDRESS
    raw = await signer.sign_transaction(
        {
            "nonce": 1,
            "chainId": 5,
            "gas": 21000,
            "maxFeePerGas": 2,
            "maxPriorityFeePerGas": 1,
            "to": ADDRESS,
            "value": 0,
        }
    )
    assert Account.recover_transaction(raw) == ADDRESS


@pytest.mark.parametrize(
    ("environment", "reason"),
    [({"PASSWORD": "wrong"}, "password is wrong"), ({}, "PASSWORD is not set"), ({"PASSWORD": ""}, "1 to 4096")],
)
def test_attack_G14_wrong_password_is_refused_without_repeating_it(key, environment, reason):
    with pytest.raises(KeyUnavailable, match=reason) as caught:
        load_signer(key, environment)
    assert "correct horse" not in str(caught.value)
    assert load_signer(key, {"PASSWORD": "correct horse"}).address == ADDRESS


def test_attack_G14_keystore_and_password_files_must_be_private(key, tmp_path):
    password_file = tmp_path / "password"
    password_file.write_text("correct horse\n")
    password_file.chmod(0o600)
    by_file = KeystoreConfig(keystore=key.keystore, password_file=password_file)
    assert load_signer(by_file).address == ADDRESS
    password_file.chmod(0o604)
    with pytest.raises(KeyUnavailable, match="open to others"):
        load_signer(by_file)
    key.keystore.chmod(0o640)
    with pytest.raises(KeyUnavailable, match="open to others"):
        load_signer(key, {"PASSWORD": "correct horse"})


def test_attack_G14_signer_shows_no_key():
    signer = Signer.in_memory(PRIVATE_KEY)
    assert PRIVATE_KEY.hex() not in repr(signer) + str(signer)
    assert not hasattr(signer, "__dict__") and not hasattr(signer, "key")
    for steal in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError):
            steal(signer)


@pytest.mark.parametrize(
    "damage",
    [
        lambda keyfile: keyfile | {"version": 1},
        lambda keyfile: keyfile | {"address": "00" * 20},
        lambda keyfile: {**keyfile, "crypto": None},
        lambda keyfile: {**keyfile, "crypto": {**keyfile["crypto"], "kdfparams": {"n": 2**40, "r": 8, "p": 1}}},
        lambda keyfile: {**keyfile, "crypto": {**keyfile["crypto"], "ciphertext": "00" * 32}},
        lambda keyfile: [keyfile],
    ],
)
def test_damaged_keystore_is_one_typed_error(key, damage):
    keyfile = damage(json.loads(key.keystore.read_text()))
    key.keystore.write_text(json.dumps(keyfile))
    with pytest.raises(KeyUnavailable):
        load_signer(key, {"PASSWORD": "correct horse"})


@pytest.mark.long
def test_list_and_add_commands(tmp_path, monkeypatch):
    from hutong.relay.cli.operator.keys import app

    monkeypatch.setenv("PASSWORD", "x")
    secret = tmp_path / "secret"
    secret.write_text("0x" + PRIVATE_KEY.hex())
    secret.chmod(0o600)
    runner = CliRunner()
    path = tmp_path / "keys" / "new.json"
    added = runner.invoke(app, ["add", str(path), "--password-env", "PASSWORD", "--import-file", str(secret)])
    assert added.exit_code == 0 and added.output.strip() == ADDRESS
    assert path.stat().st_mode & 0o777 == 0o600
    again = runner.invoke(app, ["add", str(path), "--password-env", "PASSWORD"])
    assert again.exit_code == 2 and "exists already" in again.output
    listed = runner.invoke(app, ["list", str(path.parent)])
    assert ADDRESS in listed.output
    assert [stored.problem for stored in list_keystores(path.parent)] == [None]
