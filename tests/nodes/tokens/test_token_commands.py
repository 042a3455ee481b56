"""`hutong keys token`: a key is made on SoftHSM2, listed, and signs for a command."""

import json
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from hutong.light_clients.crypto import p256
from hutong.relay.administration.identity.list_signing import read_list_key
from hutong.relay.cli.main import app
from hutong.relay.config import load_key_file
from tests.nodes.tokens.soft_token import PIN, softhsm_token
from tests.relay.cli.chains.feeds.test_feed_command import FEED
from tests.relay.keys.documents import ES256_TOKEN

pytestmark = pytest.mark.nodes


@pytest.fixture(scope="module")
def token(tmp_path_factory):
    return softhsm_token(tmp_path_factory.mktemp("softhsm"))


def keys(token, *arguments, **options):
    given = {"module": token.module, "token-label": token.label, "pin-file": token.pin_file} | options
    texts = [text for name, value in given.items() for text in (f"--{name}", str(value))]
    done = CliRunner().invoke(app, ["keys", "token", *map(str, arguments), *texts])
    assert PIN not in done.output
    return done


def test_a_key_is_made_listed_and_signs_for_a_command(token, tmp_path):
    key_file = tmp_path / "key.toml"
    made = keys(token, "generate", key_file, "--key-id", "0A")
    assert made.exit_code == 0, made.output
    key = load_key_file(key_file)
    assert (key.kind, key.key_id, key_file.stat().st_mode & 0o777) == ("pkcs11", "0a", 0o600)
    (row,) = json.loads(keys(token, "list", "--json").stdout)
    assert row["address"] == made.stdout.strip() and row["public_key"] == key.public_key and row["problem"] is None

    from hutong.light_clients.feeds import description_document, parse_report

    feed = tmp_path / "feed.json"
    signers = tuple(sorted((*FEED.signers[:2], bytes.fromhex(made.stdout.strip()[2:]))))
    feed.write_text(json.dumps(description_document(replace(FEED, signers=signers))))
    given = ("feed", "sign", "--value", "7", "--round", "1700000000", "--feed", feed, "--keystore", key_file)
    done = CliRunner().invoke(app, [str(one) for one in given])
    assert done.exit_code == 0, done.output
    assert parse_report(done.stdout.encode()).time_s == 1_700_000_000


def test_a_key_of_p256_is_one_for_credentials(token, tmp_path):
    made = keys(token, "generate", tmp_path / "issuer.toml", "--key-id", "0b", "--curve", "p256")
    key = load_key_file(tmp_path / "issuer.toml")
    assert made.stdout.strip() == key.public_key and key.key_curve == "p256"
    lists = read_list_key(tmp_path / "issuer.toml")
    assert p256.verify(lists.public_key, ES256_TOKEN.preimage, lists.sign(ES256_TOKEN.preimage))


def test_nothing_is_made_twice_and_no_file_is_left(token, tmp_path):
    assert keys(token, "generate", tmp_path / "first.toml", "--key-id", "0c").exit_code == 0
    again = keys(token, "generate", tmp_path / "second.toml", "--key-id", "0c")
    assert again.exit_code == 1 and "the id 0c already" in again.output and not (tmp_path / "second.toml").exists()
    there = keys(token, "generate", tmp_path / "first.toml", "--key-id", "0d")
    assert there.exit_code == 2 and "File exists" in there.output
    malformed = keys(token, "generate", tmp_path / "third.toml", "--key-id", "xy")
    assert malformed.exit_code == 2 and "in hex" in malformed.output and not (tmp_path / "third.toml").exists()


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        ({"module": "/nowhere.so"}, 2, "the library /nowhere.so is not there"),
        ({"token-label": "other"}, 1, "no token labelled 'other'"),
        ({"token-serial": "99"}, 1, "with serial number 99"),
        ({"pin-file": "/nowhere"}, 2, "/nowhere: cannot be read"),
    ],
)
def test_what_is_wrong_is_one_sentence(token, options, code, said):
    done = keys(token, "list", **options)
    assert (done.exit_code, said in done.output) == (code, True), done.output
