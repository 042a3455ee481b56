"""`hutong keys`: keys go in and out by files only, and no command prints, repeats or leaves a secret."""

import json
import os
import subprocess
from functools import partial

import eth_keyfile.keyfile
import pytest
from eth_account import Account
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from hutong.adapters.cosmos.transactions.addresses import account_address
from hutong.relay.cli.operator.keys import app
from hutong.relay.config import KeystoreConfig
from hutong.relay.keys import KeyRefused, Signer, key_from_hex, key_from_mnemonic, load_signer

PRIVATE_KEY = bytes(range(1, 33))
ADDRESS = Account.from_key(PRIVATE_KEY).address
PHRASE = "test " * 11 + "junk"
PHRASE_ADDRESS = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
"""The first account of the phrase that Hardhat and anvil have made known."""
SECOND_ADDRESS = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Key derivation with the least work."""
    create = eth_keyfile.keyfile.create_keyfile_json
    monkeypatch.setattr(
        eth_keyfile.keyfile,
        "create_keyfile_json",
        lambda *args, iterations=None, **more: create(*args, iterations=2, **more),
    )
    monkeypatch.setenv("PASSWORD", "correct horse")


def private_file(path, content):
    path.write_bytes(content)
    path.chmod(0o600)
    return str(path)


run = partial(CliRunner().invoke, app)
PASSWORD = ["--password-env", "PASSWORD"]


def test_key_is_added_listed_and_opens_with_its_password(tmp_path):
    keystore = tmp_path / "keys" / "new.json"
    added = run(["add", str(keystore), *PASSWORD])
    assert added.exit_code == 0 and added.output.strip().startswith("0x")
    assert (keystore.stat().st_mode & 0o777, keystore.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert load_signer(KeystoreConfig(keystore=keystore, password_env="PASSWORD")).address == added.output.strip()
    listed = json.loads(run(["list", str(keystore.parent), "--json"]).output)
    assert listed == [{"address": added.output.strip(), "file": str(keystore), "problem": None}]
    keystore.chmod(0o644)
    assert "open to others" in run(["list", str(keystore.parent)]).output
    missing = run(["list", str(tmp_path / "kyes")])
    assert missing.exit_code == 2 and "is not a directory" in missing.output


def test_a_folder_that_is_a_file_is_said_to_be_one(tmp_path):
    (tmp_path / "keys").write_text("")
    refused = run(["add", str(tmp_path / "keys" / "k.json"), *PASSWORD])
    assert refused.exit_code == 2 and f"{tmp_path / 'keys'} is not a folder" in refused.output.replace("\n", "")


@pytest.mark.parametrize("source", ["file", "stdin"])
def test_import_of_hex_and_of_a_mnemonic(tmp_path, source):
    for name, content, options, address in (
        ("hex", PRIVATE_KEY.hex() + "\n", [], ADDRESS),
        ("prefixed", "0x" + PRIVATE_KEY.hex(), [], ADDRESS),
        ("phrase", PHRASE + "\n", ["--mnemonic"], PHRASE_ADDRESS),
        ("second", PHRASE, ["--mnemonic", "--path", "m/44'/60'/0'/0/1"], SECOND_ADDRESS),
    ):
        given_ = ["--file", private_file(tmp_path / name, content.encode())] if source == "file" else ["--stdin"]
        done = run(
            ["import", str(tmp_path / f"{name}.json"), *given_, *options, *PASSWORD],
            input=content if source == "stdin" else None,
        )
        assert (done.exit_code, done.output.strip()) == (0, address)


@pytest.mark.parametrize(
    ("content", "options", "said"),
    [
        (b"ab" * 31, [], "32 bytes in hex"),
        (b"00" * 32, [], "order of secp256k1"),
        (b"ff" * 32, [], "order of secp256k1"),
        (b"a" * 2000, [], "more than 1024 bytes"),
        (b"\xff\xfe", [], "is not text"),
        (PHRASE.replace("junk", "test").encode(), ["--mnemonic"], "checksum"),
        (PHRASE.replace("junk", "hutong").encode(), ["--mnemonic"], "word is unknown"),
        (b"test junk", ["--mnemonic"], "has 2"),
        (PHRASE.encode(), [], "32 bytes in hex"),
        (PHRASE.encode(), ["--mnemonic", "--path", "44/60"], "path"),
        (PHRASE.encode(), ["--mnemonic", "--path", f"m/{2**31}"], "path"),
    ],
)
def test_attack_G14_what_is_no_key_is_refused_without_repeating_it(tmp_path, content, options, said):
    keystore = tmp_path / "k.json"
    refused = run(["import", str(keystore), "--file", private_file(tmp_path / "s", content), *options, *PASSWORD])
    assert refused.exit_code == 2 and said in refused.output and "Traceback" not in refused.output
    assert not keystore.exists()
    for secret in (content.decode(errors="replace"), "junk", "hutong", "abab", "ffff"):
        assert secret not in refused.output


@pytest.mark.parametrize(
    "arguments",
    [
        ["add", "k.json", PRIVATE_KEY.hex()],
        ["import", "k.json", "0x" + PRIVATE_KEY.hex(), *PASSWORD],
        ["import", "k.json", *PHRASE.split(), "--mnemonic", *PASSWORD],
        ["export", "k.json", "--to", "x", "--unencrypted", "correct horse"],
    ],
)
def test_attack_G14_secret_among_the_arguments_is_refused_and_not_repeated(tmp_path, monkeypatch, arguments):
    monkeypatch.chdir(tmp_path)
    refused = run(arguments)
    assert refused.exit_code == 2 and "everybody on the machine" in refused.output
    for secret in (PRIVATE_KEY.hex(), "junk", "correct horse"):
        assert secret not in refused.output
    assert list(tmp_path.iterdir()) == []


def test_attack_G14_export_wants_confirmation_and_writes_a_private_file_only(tmp_path):
    keystore, out = tmp_path / "k.json", tmp_path / "out"
    run(["import", str(keystore), "--file", private_file(tmp_path / "s", PRIVATE_KEY.hex().encode()), *PASSWORD])
    unsure = run(["export", str(keystore), "--to", str(out), *PASSWORD])
    assert unsure.exit_code == 2 and "--unencrypted" in unsure.output and not out.exists()
    done = run(["export", str(keystore), "--to", str(out), "--unencrypted", *PASSWORD])
    assert (done.exit_code, done.output.strip()) == (0, ADDRESS)
    assert out.read_text() == f"0x{PRIVATE_KEY.hex()}\n" and out.stat().st_mode & 0o777 == 0o600
    again = run(["export", str(keystore), "--to", str(out), "--unencrypted", *PASSWORD])
    assert again.exit_code == 2 and "exists already" in again.output
    os.environ["PASSWORD"] = "battery staple"
    wrong = run(["export", str(keystore), "--to", str(tmp_path / "other"), "--unencrypted", *PASSWORD])
    assert wrong.exit_code == 2 and "password is wrong" in wrong.output and "battery" not in wrong.output
    assert not (tmp_path / "other").exists()


def test_attack_G14_files_open_to_others_are_not_read(tmp_path):
    secret = tmp_path / "s"
    private_file(secret, PRIVATE_KEY.hex().encode())
    secret.chmod(0o644)
    refused = run(["import", str(tmp_path / "k.json"), "--file", str(secret), *PASSWORD])
    assert refused.exit_code == 2 and "chmod 600" in refused.output
    secret.chmod(0o600)
    assert run(["import", str(tmp_path / "k.json"), "--file", str(secret), *PASSWORD]).exit_code == 0


def test_list_shows_every_key_of_a_configuration_also_where_chains_do_not_answer(tmp_path):
    for name in ("one", "two"):
        run(["add", str(tmp_path / f"{name}.json"), *PASSWORD])
    file = tmp_path / "relay.toml"
    file.write_text(
        """
[relay]
home = "state"
[[chains]]
name = "alpha"
kind = "evm"
chain_id = 1001
consensus = "qbft"
rpc = ["http://127.0.0.1:1"]
router = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
keys = [{ keystore = "one.json", password_env = "P" }, { keystore = "two.json", password_env = "P" },
        { keystore = "three.json", password_env = "P" }]
"""
    )
    file.chmod(0o600)
    listed = run(["list", "--config", str(file), "--json"])
    rows = json.loads(listed.stdout)
    assert [row["chain"] for row in rows] == ["alpha"] * 3
    assert all(row["address"].startswith("0x") and row["balance_wei"] is None for row in rows[:2])
    assert rows[0]["balance_problem"] and "cannot be read" in rows[2]["problem"]
    assert run(["list"]).exit_code == 2


@given(st.binary(max_size=1100))
def test_any_bytes_are_a_key_or_refused(content):
    for parse in (key_from_hex, key_from_mnemonic):
        try:
            assert len(parse(content)) == 32
        except KeyRefused as error:
            assert error.reason


COSMOS_ADDRESS = account_address("cosmos", Signer.in_memory(PRIVATE_KEY).public_key)


def stored(tmp_path, name="k.json"):
    keystore = tmp_path / name
    assert run(["import", str(keystore), "--file", private_file(tmp_path / "s", PRIVATE_KEY.hex().encode()), *PASSWORD])
    return keystore


def test_cosmos_address_is_shown_without_the_password(tmp_path):
    keystore = stored(tmp_path)
    assert run(["show", str(keystore)]).output.strip() == ADDRESS
    assert run(["show", str(keystore), "--prefix", "cosmos"]).output.strip() == COSMOS_ADDRESS
    assert run(["show", str(keystore), "--prefix", "osmo"]).output.startswith("osmo1")
    listed = json.loads(run(["list", str(tmp_path), "--prefix", "cosmos", "--json"]).output)
    assert listed == [{"address": COSMOS_ADDRESS, "file": str(keystore), "problem": None}]


def test_keystore_of_another_program_shows_its_cosmos_address_with_the_password_only(tmp_path):
    keystore = stored(tmp_path)
    fields = json.loads(keystore.read_text())
    del fields["public_key"]
    keystore.write_text(json.dumps(fields))
    refused = run(["show", str(keystore), "--prefix", "cosmos"])
    assert refused.exit_code == 2 and "public key" in refused.output
    assert "hutong keys show" in run(["list", str(tmp_path), "--prefix", "cosmos"]).output
    assert run(["show", str(keystore), "--prefix", "cosmos", *PASSWORD]).output.strip() == COSMOS_ADDRESS


@pytest.mark.parametrize("claimed", ["02" + "11" * 32, Signer.in_memory(bytes(31) + b"\x07").public_key.hex(), 7])
def test_attack_G14_public_key_that_is_not_the_keys_is_neither_shown_nor_loaded(tmp_path, claimed):
    keystore = stored(tmp_path)
    fields = json.loads(keystore.read_text()) | {"public_key": claimed}
    keystore.write_text(json.dumps(fields))
    assert run(["show", str(keystore), "--prefix", "cosmos"]).exit_code == 2
    refused = run(["show", str(keystore), "--prefix", "cosmos", *PASSWORD])
    assert refused.exit_code == 2 and "another public key" in refused.output


@pytest.mark.parametrize("prefix", ["", "Cosmos", "1x", "a b", "x" * 40])
def test_prefix_that_is_invalid_is_refused(tmp_path, prefix):
    refused = run(["show", str(stored(tmp_path)), "--prefix", prefix])
    assert refused.exit_code == 2 and "--prefix" in refused.output


@pytest.mark.long
@pytest.mark.parametrize("command", [("add",), ("import",)])
def test_trial_T17_without_a_terminal_a_password_is_not_asked_for(tmp_path, command):
    from hutong.relay.base.child_processes import HUTONG

    done = subprocess.run(
        [*HUTONG, "keys", *command, tmp_path / "key.json"], stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    assert done.returncode == 2 and "there is no terminal to ask for" in done.stderr
    assert "Aborted" not in done.stderr and not (tmp_path / "key.json").exists()
