"""Commands with a key file (.toml) in the place of a keystore: the key is with a signer elsewhere."""

import json

import pytest
from typer.testing import CliRunner

from hutong.light_clients.crypto import secp256k1
from hutong.light_clients.feeds import description_document, parse_report
from hutong.relay.cli.main import app
from tests.relay.cli.chains.feeds.test_feed_command import FEED
from tests.relay.cli.chains.test_roles_command import KEYS
from tests.relay.keys.web3signer import web3signer_in_a_thread

SECRET = KEYS["admin"]
PUBLIC = secp256k1.public_key_of(SECRET).hex()


@pytest.fixture
def feed(tmp_path):
    path = tmp_path / "feed.json"
    path.write_text(json.dumps(description_document(FEED)))
    return path


def sign(feed, key_text, *more):
    path = feed.with_name("key.toml")
    path.write_text(key_text)
    path.chmod(0o600)
    given = (
        "feed",
        "sign",
        "--value",
        "7",
        "--round",
        "1700000000",
        "--feed",
        str(feed),
        "--keystore",
        str(path),
        *more,
    )
    return CliRunner().invoke(app, list(given))


def table(url, public_key=PUBLIC):
    return f'[key]\nkind = "eth1-signer"\nurl = "{url}"\npublic_key = "{public_key}"\n'


def test_a_command_signs_by_a_signer_elsewhere(feed):
    with web3signer_in_a_thread(SECRET) as signer:
        done = sign(feed, table(signer.url))
        assert done.exit_code == 0, done.output
        report = parse_report(done.stdout.encode())
        assert report.time_s == 1_700_000_000
        assert len(signer.signed) == 1 and signer.signed[0].startswith(b"\x19\x01")


@pytest.mark.parametrize(
    ("change", "code", "said"),
    [
        (lambda text: text.replace("eth1-signer", "vault"), 2, "is no kind of key"),
        (lambda text: text.replace("public_key", "pin"), 2, "key.pin"),
        (lambda text: text.replace("http://", "http://someone@"), 2, "must not hold a user"),
        (lambda text: text + 'client_key = "/nowhere"\nclient_certificate = "/nowhere"\n', 2, "https://"),
        (lambda text: text.replace(PUBLIC, secp256k1.public_key_of(KEYS["pauser"]).hex()), 1, "does not have the key"),
        (lambda text: text.replace("127.0.0.1:", "127.0.0.1:9#"), 2, "no fragment"),
    ],
)
def test_what_is_wrong_with_a_key_file_is_one_sentence(feed, change, code, said):
    with web3signer_in_a_thread(SECRET) as signer:
        done = sign(feed, change(table(signer.url)))
        assert (done.exit_code, said in done.output) == (code, True), done.output
        assert signer.signed == []


def test_a_key_file_takes_no_password(feed):
    done = sign(feed, table("http://127.0.0.1:9"), "--password-env", "P")
    assert done.exit_code == 2 and "named in the file" in done.output


def test_a_signer_that_is_away_is_a_sentence(feed):
    done = sign(feed, table("http://127.0.0.1:9"))
    assert done.exit_code == 1 and "eth1-signer http://127.0.0.1:9" in done.output


@pytest.mark.long
def test_keys_check_takes_the_files_of_identity_attestor_and_signer(tmp_path):
    from hutong.relay.keys import create_keystore
    from tests.relay.services.identity.certificates import key_of, private_pem
    from tests.relay.services.identity.login.test_login import LOGIN
    from tests.relay.services.identity.verifier.scene import CONFIG, write_files

    def checked(path, code):
        done = CliRunner().invoke(app, ["keys", "check", "--config", str(path), "--json"], env={"P": "p"})
        assert done.exit_code == code, done.output
        return {row["of"]: (row["key"].rpartition("/")[2], row["ready"]) for row in json.loads(done.stdout)}

    identity = write_files(tmp_path, CONFIG + LOGIN)
    for name, content in (
        ("login.pem", private_pem(key_of(0x106))),
        ("login-pairwise", b"7" * 64),
        ("library-secret", b"s" * 43),
    ):
        (tmp_path / name).write_bytes(content)
        (tmp_path / name).chmod(0o600)
    keys = {"verifier.key": ("verifier.pem", True), "login.key": ("login.pem", True)}
    assert checked(identity, 0) == keys
    (tmp_path / "login.pem").write_text("no key")
    assert checked(identity, 1) == keys | {"login.key": ("login.pem", False)}
    (tmp_path / "identity.toml").write_text('[server]\nhttp = "127.0.0.1:1"\n')
    done = CliRunner().invoke(app, ["keys", "check", "--config", str(identity)])
    assert done.exit_code == 2 and "server.public_url" in done.output

    create_keystore(tmp_path / "k.json", SECRET, b"p", iterations=2)
    key = '{ keystore = "k.json", password_env = "P" }'
    texts = {
        "attestor.key": f"""[attestor]\nhome = "a"\nhttp = "127.0.0.1:0"\nkey = {key}\n[source]\nchain_id = 1\nrpc = ["http://127.0.0.1:9"]
router = "0x{"11" * 20}"\n[[destinations]]\nchain_id = "hutong-1"\nrouter = "0x{"11" * 20}"\nclient = "attestation-0"\n""",
        "keys.0": """[signer]\nlisten = "127.0.0.1:0"\nrecord = "r"\n[[keys]]\nkeystore = "k.json"\npassword_env = "P"
policy = { documents = ["typed-data"] }\n""",
    }
    for field, text in texts.items():
        (tmp_path / "other.toml").write_text(text)
        (tmp_path / "other.toml").chmod(0o600)
        assert checked(tmp_path / "other.toml", 0) == {field: ("k.json", True)}


def test_keys_check_asks_what_holds_each_key(tmp_path):
    from hutong.relay.keys import create_keystore

    create_keystore(tmp_path / "k.json", SECRET, b"p", iterations=2)
    with web3signer_in_a_thread(SECRET) as signer:
        elsewhere = f'{{ kind = "eth1-signer", url = "{signer.url}", public_key = "{PUBLIC}" }}'
        chain = '[[chains]]\nname = "%s"\nkind = "evm"\nchain_id = %d\nconsensus = "qbft"\nrpc = ["http://127.0.0.1:9"]\nrouter = "0x%s"\nkey = %s\n'
        config = tmp_path / "relay.toml"

        def checked(first, second, environment):
            text = (
                '[relay]\nhome = "relay"\n'
                + chain % ("alpha", 1, "11" * 20, first)
                + chain % ("beta", 2, "11" * 20, second)
            )
            config.write_text(text)
            config.chmod(0o600)
            done = CliRunner().invoke(app, ["keys", "check", "--config", str(config), "--json"], env=environment)
            return done.exit_code, [row["ready"] for row in json.loads(done.stdout)]

        keystore = '{ keystore = "k.json", password_env = "P" }'
        assert checked(elsewhere, keystore, {"P": "p"}) == (0, [True, True])
        assert checked(
            elsewhere.replace(PUBLIC, "02" + PUBLIC[2:] if PUBLIC.startswith("03") else "03" + PUBLIC[2:]),
            keystore,
            {"P": "x"},
        ) == (1, [False, False])
        assert signer.signed == []
