"""`hutong hub key` and every command that opens a consensus key: encrypted or plain, and silent about what it holds."""

import json
import os
import pty
import subprocess
import sys

import pytest
from eth_account import Account
from typer.testing import CliRunner

from hutong.relay.cli.hub.command import app
from hutong.relay.hub.home.home import UnusableHome, load_validator_key
from hutong.relay.hub.home.key_file import (
    KeyFile,
    encrypted,
    load_key,
    no_password,
    open_key,
    parse_key_file,
    read_key_file,
)
from hutong.relay.hub.home.process import NodeRefused
from hutong.relay.hub.process.start import open_node
from tests.relay.hub.simulated_hub import VALIDATOR

PASSWORD = "correct horse"
CHEAP = ["--scrypt-iterations", "2"]
OPERATOR = Account.from_key(b"\x21" * 32).address


@pytest.fixture
def password_file(tmp_path):
    file = tmp_path / "password"
    file.write_text(PASSWORD + "\n")
    file.chmod(0o600)
    return file


def run(*words, environment=None):
    done = CliRunner().invoke(app, [str(word) for word in words], env=environment)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    assert PASSWORD not in done.output
    return done.exit_code, done.output


def init(home, *options):
    return run("init", "--home", home, "--admin", "0x" + "11" * 20, *CHEAP, *options)


@pytest.fixture
def plain(tmp_path):
    assert init(tmp_path / "plain")[0] == 0
    return tmp_path / "plain"


@pytest.fixture
def locked(tmp_path, password_file):
    assert init(tmp_path / "locked", "--key-password-file", password_file)[0] == 0
    return tmp_path / "locked"


def known(_path):
    return PASSWORD.encode()


@pytest.mark.long
def test_init_with_a_password_writes_no_secret_and_the_node_opens_with_it_only(locked):
    key = load_key(locked, known)
    stored = (locked / "validator_key.json").read_bytes()
    assert key.private_key.hex().encode() not in stored
    assert json.loads(stored)["version"] == 3
    assert (locked / "validator_key.json").stat().st_mode & 0o777 == 0o600
    node = open_node(locked, known)
    assert node.signer.public_key == key.public_key == node.ledger.genesis.validators[0].public_key
    node.store.close()
    for password, said in (
        (no_password, "is encrypted: its password is needed"),
        (lambda _: b"x", "password is wrong"),
    ):
        with pytest.raises(NodeRefused, match=said):
            open_node(locked, password)


def test_each_of_several_validators_gets_its_own_encrypted_key(tmp_path, password_file):
    code, _ = init(tmp_path / "net", "--validators", "2", "--base-port", "20700", "--key-password-file", password_file)
    assert code == 0
    keys = [load_key(tmp_path / "net" / f"validator-{number}", known).public_key for number in (1, 2)]
    assert len(set(keys)) == 2


def test_a_key_is_encrypted_and_decrypted_in_its_place(plain, password_file):
    key = load_validator_key(plain)
    row = f"{key.public_key.address.hex().upper()} {key.public_key.data.hex()} {plain / 'validator_key.json'}"
    assert run("key", "show", "--home", plain) == (0, f"{row} (plain)\n")
    code, output = run("key", "encrypt", "--home", plain, "--key-password-file", password_file, *CHEAP)
    assert (code, "is encrypted now" in output) == (0, True), output
    assert run("key", "show", "--home", plain) == (0, f"{row} (encrypted)\n")
    assert json.loads(run("key", "show", "--home", plain, "--json")[1])["encrypted"] is True
    assert load_key(plain, known) == key
    again = run("key", "encrypt", "--home", plain, "--key-password-file", password_file)
    assert (again[0], "is encrypted already" in again[1]) == (2, True)
    unconfirmed = run("key", "decrypt", "--home", plain, "--key-password-file", password_file)
    assert (unconfirmed[0], "say --unencrypted" in unconfirmed[1]) == (2, True)
    code, output = run("key", "decrypt", "--home", plain, "--unencrypted", "--key-password-file", password_file)
    assert (code, "is plain now" in output) == (0, True), output
    assert key.private_key.hex() not in output
    assert load_validator_key(plain) == key
    assert (plain / "validator_key.json").stat().st_mode & 0o777 == 0o600
    twice = run("key", "decrypt", "--home", plain, "--unencrypted", "--key-password-file", password_file)
    assert (twice[0], "is not encrypted" in twice[1]) == (2, True)


@pytest.mark.long
def test_attack_G14_start_says_in_one_sentence_why_a_key_does_not_open(locked, password_file, tmp_path):
    wrong = tmp_path / "wrong"
    wrong.write_text("battery staple\n")
    wrong.chmod(0o600)
    opened = tmp_path / "opened"
    opened.write_text(PASSWORD)
    opened.chmod(0o644)
    empty = tmp_path / "empty"
    empty.touch(0o600)
    for options, said in (
        ([], "is encrypted: its password is needed (--key-password-file or --key-password-env)"),
        (["--key-password-file", wrong], "the password is wrong or the keystore is damaged"),
        (["--key-password-file", opened], "is open to others (mode 0644)"),
        (["--key-password-file", tmp_path / "none"], "cannot be read"),
        (["--key-password-file", empty], "must hold 1 to 4096 bytes"),
        (["--key-password-env", "HUTONG_TEST_NONE"], "environment variable HUTONG_TEST_NONE is not set"),
        (["--key-password-env", "HUTONG_TEST_WRONG"], "the password is wrong"),
        (["--key-password-env", "no name"], "give one of --key-password-file and --key-password-env"),
        (["--key-password-env", "A", "--key-password-file", password_file], "give one of"),
    ):
        code, output = run("start", "--home", locked, *options, environment={"HUTONG_TEST_WRONG": "battery staple"})
        assert (code, output.count("\n")) == (2, 1), output
        assert said in output
        assert "battery" not in output
    (locked / "validator_key.json").chmod(0o640)
    code, output = run("start", "--home", locked, "--key-password-file", password_file)
    assert (code, "is open to others (mode 0640)" in output) == (2, True)


def test_a_candidate_proves_an_encrypted_key_with_the_password_of_the_environment(locked):
    code, output = run(
        "candidate", "--home", locked, "--operator", OPERATOR, "--key-password-env", "HUTONG_TEST_WORD",
        environment={"HUTONG_TEST_WORD": PASSWORD},
    )  # fmt: skip
    assert code == 0, output
    assert json.loads(output)["public_key"] == load_key(locked, known).public_key.data.hex()
    refused = run("candidate", "--home", locked, "--operator", OPERATOR)
    assert (refused[0], "its password is needed" in refused[1]) == (2, True)


@pytest.mark.long
def test_a_person_at_the_terminal_is_asked_and_what_is_typed_is_not_shown(locked):
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "hutong.relay.cli", "hub", "candidate", "--home", str(locked), "--operator", OPERATOR],
        stdin=theirs, stdout=subprocess.PIPE, stderr=theirs, start_new_session=True, text=True,
    )  # fmt: skip
    os.close(theirs)
    shown = b""
    # The last blank comes after the echo is off and what was typed too early is dropped.
    while not shown.endswith(b": "):
        shown += os.read(ours, 1024)
    os.write(ours, PASSWORD.encode() + b"\n")
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert json.loads(output)["public_key"] == load_key(locked, known).public_key.data.hex()
    try:
        while part := os.read(ours, 1024):
            shown += part
    except OSError:
        pass  # the terminal's end
    os.close(ours)
    assert PASSWORD.encode() not in shown


@pytest.mark.long
def test_the_next_key_is_encrypted_where_the_present_one_is(locked, plain):
    from hutong.relay.administration.hub.candidates import next_key

    word = known(locked)
    made = next_key(locked, known)
    assert read_key_file(locked / "next_validator_key.json").is_encrypted
    assert next_key(locked, lambda _: word) == made
    assert made.public_key != load_key(locked, known).public_key
    assert not read_key_file_of_next(plain).is_encrypted


def read_key_file_of_next(home) -> KeyFile:
    from hutong.relay.administration.hub.candidates import next_key

    next_key(home, no_password)
    return read_key_file(home / "next_validator_key.json")


def test_no_next_key_is_made_under_a_mistyped_password(locked):
    from hutong.relay.administration.hub.candidates import next_key

    with pytest.raises(UnusableHome):
        next_key(locked, lambda _: b"corect horse")
    assert not (locked / "next_validator_key.json").exists()


def test_cometbft_reads_its_key_plain_and_that_is_said(tmp_path, password_file):
    home = tmp_path / "comet"
    code, output = init(home, "--engine", "cometbft", "--key-password-file", password_file)
    assert (code, output) == (2, "CometBFT reads its key plain: an encrypted one is not supported under it\n")
    assert not home.exists()
    assert init(home, "--engine", "cometbft", "--base-port", "20750")[0] == 0
    for command in (["encrypt"], ["decrypt", "--unencrypted"], ["show"]):
        code, output = run(
            "key", *command, "--home", home, *(["--key-password-file", password_file] if command != ["show"] else [])
        )
        assert (code, "is not supported" in output) == (2, True)
    joined = run(
        "join", "--home", tmp_path / "joined", "--genesis", home / "genesis.json", "--peer", "11" * 20 + "@127.0.0.1:1",
        "--key-password-file", password_file,
    )  # fmt: skip
    assert (joined[0], "is not supported" in joined[1]) == (2, True)
    assert not (tmp_path / "joined").exists()


@pytest.mark.long
def test_joining_makes_an_encrypted_key_before_any_member_answers(tmp_path, locked, password_file):
    home = tmp_path / "joined"
    code, output = run(
        "join", "--home", home, "--genesis", locked / "genesis.json", "--from", "http://127.0.0.1:9",
        "--key-password-file", password_file,
    )  # fmt: skip
    assert code == 1, output
    assert load_key(home, known).public_key != load_key(locked, known).public_key


def test_a_public_key_is_read_from_an_encrypted_key_file(locked):
    from hutong.relay.administration.hub.validators import public_key_of

    assert public_key_of(f"@{locked / 'validator_key.json'}") == load_key(locked, known).public_key.data


def encoded(**changes):
    document = json.loads(encrypted(PASSWORD.encode(), "key", 2)(VALIDATOR)) | changes
    return json.dumps({name: value for name, value in document.items() if value is not None}).encode()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (encoded(version=1), "version 3 expected"),
        (encoded(public_key=None), "does not say its public key"),
        (encoded(public_key="02" + "11" * 32), "does not say its public key"),
        (encoded(address=None), "does not say its public key"),
        (encoded(address="zz" * 20), "does not say its public key"),
        (encoded(address=7), "does not say its public key"),
        (encoded(crypto={}), "no crypto.kdfparams"),
        (b"[]", "is not a priv_validator_key.json"),
        (b"", "is not a priv_validator_key.json"),
        (b"{" * 70_000, "is not a priv_validator_key.json"),
    ],
)
def test_what_is_no_key_file_is_refused(tmp_path, data, said):
    with pytest.raises(UnusableHome, match=said) as caught:
        parse_key_file(tmp_path / "key", data)
    assert VALIDATOR.private_key.hex() not in str(caught.value)
    assert parse_key_file(tmp_path / "key", encoded()).public_key == VALIDATOR.public_key


def test_attack_G14_a_keystore_that_says_another_key_than_it_holds_does_not_open(tmp_path):
    other = Account.from_key(b"\x31" * 32)._key_obj.public_key
    data = encoded(address=other.to_address()[2:], public_key=other.to_compressed_bytes().hex())
    file = parse_key_file(tmp_path / "key", data)
    with pytest.raises(UnusableHome, match="says address"):
        open_key(file, known)
    assert open_key(parse_key_file(tmp_path / "key", encoded()), known) == VALIDATOR


def test_attack_G14_neither_key_nor_file_shows_the_secret(tmp_path, plain):
    key = load_validator_key(plain)
    file = read_key_file(plain / "validator_key.json")
    for text in (repr(key), str(file), repr(file)):
        assert key.private_key.hex() not in text
        assert "priv_key" not in text
