"""`hutong keys hpke`: a reader's key is made, files are sealed to it and opened, and no command prints or leaves a secret."""

import json
import os
from functools import partial

import eth_keyfile.keyfile
import pytest
from typer.testing import CliRunner

from hutong.light_clients.crypto import hpke
from hutong.relay.cli.operator.keys import app
from hutong.relay.keys import reader_key, sealed_file

KEMS = list(reader_key.KEMS)
PASSWORD = ["--password-env", "PASSWORD"]
run = partial(CliRunner().invoke, app)


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
    monkeypatch.setenv("OTHER", "another horse")


@pytest.fixture
def secrets_seen(monkeypatch):
    """Every secret that is drawn, so that a test can look for it in what was printed and written."""
    seen = []
    parse = hpke.PrivateKey.parse

    def noted(kem, secret):
        seen.append(secret)
        return parse(kem, secret)

    monkeypatch.setattr(hpke.PrivateKey, "parse", noted)
    return seen


def generated(folder, kem="mlkem768-x25519", name="reader"):
    """A keystore and the file with its public key."""
    keystore, public = folder / f"{name}.json", folder / f"{name}.public"
    made = run(["hpke", "generate", str(keystore), "--kem", kem, *PASSWORD])
    assert made.exit_code == 0, made.output
    public.write_text(made.output)
    return str(keystore), str(public)


def words(result) -> str:
    return " ".join(result.output.split())


@pytest.mark.parametrize("kem", KEMS)
def test_file_is_sealed_and_opened(tmp_path, kem, secrets_seen):
    keystore, public = generated(tmp_path, kem)
    plain, sealed, opened = (str(tmp_path / name) for name in ("plain", "sealed", "opened"))
    content = b"the content" * 100
    with open(plain, "wb") as file:
        file.write(content)
    purpose = ["--for", "a test"]
    done = run(["hpke", "seal", plain, sealed, "--to", public, *purpose])
    assert (done.exit_code, done.output) == (0, "")
    assert content[:11] not in (tmp_path / "sealed").read_bytes()
    done = run(["hpke", "open", keystore, sealed, opened, *purpose, *PASSWORD])
    assert (done.exit_code, done.output) == (0, "")
    assert (tmp_path / "opened").read_bytes() == content
    assert (tmp_path / "opened").stat().st_mode & 0o777 == 0o600
    assert secrets_seen
    for path in tmp_path.iterdir():
        assert not any(
            secret in path.read_bytes() or secret.hex().encode() in path.read_bytes() for secret in secrets_seen
        )


def test_show_prints_what_generate_printed(tmp_path):
    keystore, public = generated(tmp_path)
    shown = run(["hpke", "show", keystore])
    assert (shown.exit_code, shown.output) == (0, (tmp_path / "reader.public").read_text())
    assert json.loads(shown.output)["kem"] == "mlkem768-x25519"


def test_other_purpose_key_or_bytes_do_not_open(tmp_path):
    keystore, public = generated(tmp_path)
    other, _ = generated(tmp_path, name="other")
    third, _ = generated(tmp_path, "x25519", "third")
    (tmp_path / "plain").write_bytes(b"content")
    sealed = tmp_path / "sealed"
    assert run(["hpke", "seal", str(tmp_path / "plain"), str(sealed), "--to", public, "--for", "a"]).exit_code == 0
    document = json.loads(sealed.read_bytes())
    document["ciphertext"] = document["ciphertext"][:-1] + ("0" if document["ciphertext"][-1] != "0" else "1")
    (tmp_path / "changed").write_text(json.dumps(document))
    opened = str(tmp_path / "opened")
    for arguments in (
        [keystore, str(sealed), opened, "--for", "b"],
        [keystore, str(sealed), opened],
        [other, str(sealed), opened, "--for", "a"],
        [third, str(sealed), opened, "--for", "a"],
        [keystore, str(tmp_path / "changed"), opened, "--for", "a"],
    ):
        refused = run(["hpke", "open", *arguments, *PASSWORD])
        assert refused.exit_code == 1 and "does not open" in words(refused)
        assert not os.path.exists(opened)


def test_wrong_password_and_changed_keystores_are_said(tmp_path):
    keystore, public = generated(tmp_path)
    (tmp_path / "plain").write_bytes(b"content")
    sealed = str(tmp_path / "sealed")
    assert run(["hpke", "seal", str(tmp_path / "plain"), sealed, "--to", public]).exit_code == 0
    refused = run(["hpke", "open", keystore, sealed, str(tmp_path / "out"), "--password-env", "OTHER"])
    assert refused.exit_code == 2 and "password is wrong" in words(refused)
    generated(tmp_path, name="other")
    document = json.loads((tmp_path / "reader.json").read_text())
    document["hpke"] = json.loads((tmp_path / "other.public").read_text())
    (tmp_path / "reader.json").write_text(json.dumps(document))
    refused = run(["hpke", "open", keystore, sealed, str(tmp_path / "out"), *PASSWORD])
    assert refused.exit_code == 2 and "another public key" in words(refused)


def test_readers_key_signs_nothing_and_accounts_open_nothing(tmp_path):
    keystore, _ = generated(tmp_path, "x25519")
    refused = run(["export", keystore, "--to", str(tmp_path / "hex"), "--unencrypted", *PASSWORD])
    assert refused.exit_code == 2 and "signs nothing" in words(refused)
    account = str(tmp_path / "account.json")
    assert run(["add", account, *PASSWORD]).exit_code == 0
    refused = run(["hpke", "show", account])
    assert refused.exit_code == 2 and "is not a keystore of a key that opens messages" in words(refused)
    rows = {row["file"]: row for row in json.loads(run(["list", str(tmp_path), "--json"]).output)}
    assert rows[account]["address"] and rows[keystore]["address"] is None
    assert "opens messages" in rows[keystore]["problem"]


def test_keystore_names_no_account(tmp_path):
    """The library would name the account of a signing key with these bytes, to which somebody might pay."""
    generated(tmp_path)
    assert "address" not in json.loads((tmp_path / "reader.json").read_text())


def test_public_keys_are_judged_before_anything_is_sealed(tmp_path):
    _, public = generated(tmp_path)
    (tmp_path / "plain").write_bytes(b"content")
    good = json.loads((tmp_path / "reader.public").read_text())
    for changed, said in (
        ({**good, "kem": "p-384"}, "is not one that is served"),
        ({**good, "public_key": good["public_key"][:-2]}, "is not 1216 bytes"),
        ({**good, "public_key": good["public_key"][:2368] + "00" * 32}, "small order"),
        ({**good, "extra": 1}, "is not a known field"),
        ({"kem": good["kem"]}, "is missing"),
        ([], "is not an object"),
    ):
        (tmp_path / "bad").write_text(json.dumps(changed))
        refused = run(["hpke", "seal", str(tmp_path / "plain"), str(tmp_path / "out"), "--to", str(tmp_path / "bad")])
        assert refused.exit_code == 2 and said in words(refused), refused.output
        assert not (tmp_path / "out").exists()


def test_sealed_files_are_read_strictly(tmp_path):
    keystore, public = generated(tmp_path, "x25519")
    (tmp_path / "plain").write_bytes(b"")
    sealed = tmp_path / "sealed"
    assert run(["hpke", "seal", str(tmp_path / "plain"), str(sealed), "--to", public]).exit_code == 0
    good = json.loads(sealed.read_text())
    for changed, said in (
        ({**good, "format": "another"}, "is not a sealed file"),
        ({**good, "version": 2}, "unknown"),
        ({**good, "kdf": 2}, "not supported"),
        ({**good, "kem": 0x11}, "not supported"),
        ({**good, "aead": 0xFFFF}, "not supported"),
        ({**good, "enc": good["enc"][2:]}, "is not 32 bytes"),
        ({**good, "ciphertext": good["ciphertext"][2:]}, "shorter than a tag"),
        ({**good, "extra": 1}, "is not a known field"),
    ):
        sealed.write_text(json.dumps(changed))
        refused = run(["hpke", "open", keystore, str(sealed), str(tmp_path / "out"), *PASSWORD])
        assert refused.exit_code == 2 and said in words(refused), (said, refused.output)


def test_bounds_of_files_are_said(tmp_path, monkeypatch):
    _, public = generated(tmp_path, "x25519")
    plain = tmp_path / "plain"
    plain.write_bytes(bytes(hpke.MAX_PLAINTEXT_BYTES + 1))
    refused = run(["hpke", "seal", str(plain), str(tmp_path / "out"), "--to", public])
    assert refused.exit_code == 2 and "has more than 1048576 bytes" in words(refused)
    plain.write_bytes(b"")
    refused = run(["hpke", "seal", str(plain), str(tmp_path / "out"), "--to", public, "--for", "x" * 1_025])
    assert refused.exit_code == 2 and "at most 1024 bytes" in words(refused)
    taken = run(["hpke", "seal", str(plain), str(plain), "--to", public])
    assert taken.exit_code == 2 and "exists already" in words(taken)
    missing = run(["hpke", "seal", str(tmp_path / "none"), str(tmp_path / "out"), "--to", public])
    assert missing.exit_code == 2 and "cannot be read" in words(missing)
    os.mkfifo(tmp_path / "pipe")
    pipe = run(["hpke", "seal", str(tmp_path / "pipe"), str(tmp_path / "out"), "--to", public])
    assert pipe.exit_code == 2 and "is not a file" in words(pipe)


def test_unknown_kem_and_secrets_as_arguments_are_refused(tmp_path):
    refused = run(["hpke", "generate", str(tmp_path / "k.json"), "--kem", "rsa", *PASSWORD])
    assert refused.exit_code == 2 and "is not one of p-256, x25519, mlkem768-x25519" in words(refused)
    refused = run(["hpke", "generate", str(tmp_path / "k.json"), "secret-words", *PASSWORD])
    assert refused.exit_code == 2 and "secret-words" not in refused.output


def test_largest_file_goes_through():
    key = hpke.PrivateKey.parse(hpke.Kem.X25519, bytes(range(32)))
    content = bytes(hpke.MAX_PLAINTEXT_BYTES)
    assert (
        sealed_file.open_file(key, sealed_file.seal_file(key.public_key, content, "x" * 1_024), "x" * 1_024) == content
    )
