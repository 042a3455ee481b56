"""`hutong keys sm2`: keys, signatures and sealed files, with OpenSSL at the other end, and no secret printed or left."""

import json
import os
import shutil
import subprocess
from functools import partial

import pytest
from typer.testing import CliRunner

from hutong.light_clients.crypto import gm
from hutong.light_clients.crypto.gm import libraries
from hutong.relay.cli.operator.keys import app
from hutong.relay.keys import sm2_sealed_file

run = partial(CliRunner().invoke, app)
CONTENT = b"the content" * 100


def words(result) -> str:
    return " ".join(result.output.split())


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """With a key, its public half, and a file."""
    monkeypatch.chdir(tmp_path)
    made = run(["sm2", "generate", "key.pem"])
    assert made.exit_code == 0, made.output
    (tmp_path / "public.pem").write_text(made.output)
    (tmp_path / "file").write_bytes(CONTENT)
    return tmp_path


def test_key_is_private_and_shown_without_its_secret(folder):
    assert (folder / "key.pem").stat().st_mode & 0o777 == 0o600
    shown = run(["sm2", "show", "key.pem"])
    assert (shown.exit_code, shown.output) == (0, (folder / "public.pem").read_text())
    secret = gm.key_pair_from_pem((folder / "key.pem").read_bytes()).private_key
    assert secret.hex() not in shown.output and "PRIVATE" not in shown.output
    again = run(["sm2", "generate", "key.pem"])
    assert again.exit_code == 2 and "exists already" in words(again)
    os.chmod("key.pem", 0o644)
    refused = run(["sm2", "show", "key.pem"])
    assert refused.exit_code == 2 and "key.pem" in words(refused)


def test_signature_is_of_file_key_and_identifier(folder):
    assert run(["sm2", "sign", "key.pem", "file", "signature"]).exit_code == 0
    good = run(["sm2", "verify", "file", "signature", "--by", "public.pem"])
    assert (good.exit_code, good.output) == (0, "good\n")
    (folder / "other").write_bytes(CONTENT + b"!")
    (folder / "other.pem").write_text(run(["sm2", "generate", "second.pem"]).output)
    for arguments in (
        ["other", "signature", "--by", "public.pem"],
        ["file", "signature", "--by", "other.pem"],
        ["file", "signature", "--by", "public.pem", "--identifier", "another"],
    ):
        refused = run(["sm2", "verify", *arguments])
        assert refused.exit_code == 1 and "is not of this file" in words(refused)
    assert run(["sm2", "sign", "key.pem", "file", "named", "--identifier", "ALICE"]).exit_code == 0
    assert run(["sm2", "verify", "file", "named", "--by", "public.pem", "--identifier", "ALICE"]).exit_code == 0
    (folder / "lax").write_bytes((folder / "signature").read_bytes() + b"\0")
    refused = run(["sm2", "verify", "file", "lax", "--by", "public.pem"])
    assert refused.exit_code == 2


def test_file_is_sealed_and_opened_for_its_purpose(folder):
    assert run(["sm2", "seal", "file", "sealed", "--to", "public.pem", "--for", "a test"]).exit_code == 0
    assert CONTENT[:11].hex() not in (folder / "sealed").read_text()
    opened = run(["sm2", "open", "key.pem", "sealed", "opened", "--for", "a test"])
    assert (opened.exit_code, opened.output) == (0, "")
    assert (folder / "opened").read_bytes() == CONTENT
    assert (folder / "opened").stat().st_mode & 0o777 == 0o600
    assert run(["sm2", "generate", "second.pem"]).exit_code == 0
    for key, purpose in (("key.pem", "another"), ("key.pem", ""), ("second.pem", "a test")):
        refused = run(["sm2", "open", key, "sealed", "nothing", "--for", purpose])
        assert refused.exit_code == 1 and "does not open" in words(refused)
        assert not (folder / "nothing").exists()


@pytest.mark.parametrize("name", ["key", "nonce", "ciphertext"])
def test_attack_D2_sm2_sealed_file_of_which_a_part_was_changed_does_not_open(name):
    pair = gm.new_key_pair()
    sealed = json.loads(sm2_sealed_file.seal_file(pair.public_key, CONTENT, "a"))
    assert sm2_sealed_file.open_file(pair.private_key, json.dumps(sealed).encode(), "a") == CONTENT
    changed = sealed | {name: sealed[name][:-1] + ("0" if sealed[name][-1] != "0" else "1")}
    with pytest.raises(sm2_sealed_file.NotOpened):
        sm2_sealed_file.open_file(pair.private_key, json.dumps(changed).encode(), "a")


def test_empty_and_too_large_files(folder):
    (folder / "empty").write_bytes(b"")
    assert run(["sm2", "seal", "empty", "sealed", "--to", "public.pem"]).exit_code == 0
    assert run(["sm2", "open", "key.pem", "sealed", "opened"]).exit_code == 0
    assert (folder / "opened").read_bytes() == b""
    (folder / "large").write_bytes(bytes(sm2_sealed_file.MAX_CONTENT_BYTES + 1))
    refused = run(["sm2", "seal", "large", "other", "--to", "public.pem"])
    assert refused.exit_code == 2 and "has more than 1048576 bytes" in words(refused)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["show", "absent.pem"], "absent.pem"),
        (["show", "public.pem"], "public.pem"),
        (["sign", "key.pem", "absent", "signature"], "absent cannot be read"),
        (["sign", "key.pem", "file", "file"], "file exists already"),
        (["sign", "key.pem", "file", "signature", "--identifier", ""], "1 to 8191 bytes"),
        (["verify", "file", "file", "--by", "public.pem"], "file has more than 72 bytes"),
        (["verify", "file", "public.pem", "--by", "file"], "file has more than 1024 bytes"),
        (["seal", "file", "sealed", "--to", "key.pem"], "is not one PEM block of a PUBLIC KEY"),
        (["seal", "file", "sealed", "--to", "public.pem", "--for", "x" * 1025], "at most 1024 bytes"),
        (["open", "key.pem", "file", "opened"], "sealed file"),
    ],
)
def test_what_cannot_be_used_is_said_in_a_sentence(folder, arguments, said):
    refused = run(["sm2", *arguments])
    assert refused.exit_code == 2 and said in words(refused), refused.output
    assert not (folder / "signature").exists() and not (folder / "sealed").exists()


def test_without_the_extra_it_says_what_to_install(folder, monkeypatch):
    monkeypatch.setattr(libraries, "_gmssl", lambda: None)
    for arguments in (["generate", "new.pem"], ["sign", "key.pem", "file", "signature"]):
        refused = run(["sm2", *arguments])
        assert refused.exit_code == 2 and "not supported" in words(refused) and ".[gm]" in words(refused)
    assert not (folder / "new.pem").exists()


def openssl(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(["openssl", *arguments], capture_output=True, check=False, timeout=30)


def speaks_sm2() -> bool:
    return shutil.which("openssl") is not None and openssl("genpkey", "-algorithm", "SM2").returncode == 0


@pytest.mark.long
@pytest.mark.skipif(not speaks_sm2(), reason="openssl is not here, or has no SM2")
def test_openssl_verifies_ours_and_signs_for_us_with_the_same_files(folder):
    how = ["-rawin", "-digest", "sm3", "-pkeyopt", "distid:1234567812345678"]
    assert run(["sm2", "sign", "key.pem", "file", "signature"]).exit_code == 0
    ours = openssl("pkeyutl", "-verify", "-pubin", "-inkey", "public.pem", "-in", "file", "-sigfile", "signature", *how)
    assert ours.returncode == 0, ours
    assert openssl("genpkey", "-algorithm", "SM2", "-out", "theirs.pem").returncode == 0
    assert openssl("pkey", "-in", "theirs.pem", "-pubout", "-out", "theirs.public").returncode == 0
    os.chmod("theirs.pem", 0o600)
    assert run(["sm2", "show", "theirs.pem"]).output == (folder / "theirs.public").read_text()
    signed = openssl("pkeyutl", "-sign", "-inkey", "theirs.pem", "-in", "file", "-out", "theirs", *how)
    assert signed.returncode == 0, signed
    assert run(["sm2", "verify", "file", "theirs", "--by", "theirs.public"]).exit_code == 0
    (folder / "key").write_bytes(bytes(range(16)))
    sealed = openssl("pkeyutl", "-encrypt", "-pubin", "-inkey", "public.pem", "-in", "key", "-out", "sealed")
    assert sealed.returncode == 0, sealed
    pair = gm.key_pair_from_pem((folder / "key.pem").read_bytes())
    assert gm.decrypt(pair.private_key, gm.ciphertext_from_der((folder / "sealed").read_bytes())) == bytes(range(16))
