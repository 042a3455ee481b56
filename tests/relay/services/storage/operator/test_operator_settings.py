"""Configurations of an operator: what is refused, and that `init` writes one that runs."""

import json

import pytest
from typer.testing import CliRunner

from hutong.relay.cli.main import app
from hutong.relay.config import ConfigError
from hutong.relay.services.storage.operator.settings import load_operator_config
from tests.relay.services.storage.rules.held import named

ID = named("operator").hex()
ACCOUNT = "0x1a642f0e3c3af545e7acbd38b07251b3990914f1"


def written(tmp_path, changes: dict[str, str]) -> str:
    keystore = tmp_path / "receipts.json"
    password = tmp_path / "password"
    if not keystore.exists():
        keystore.write_text("{}")
        password.write_text("x")
        keystore.chmod(0o600)
        password.chmod(0o600)
    lines = {
        "listen": 'listen = "127.0.0.1:0"',
        "id": f'operator_id = "{ID}"',
        "engine": '[engine]\nfolder = "shards"',
        "hub": "",
        "writers": f'[[writers]]\nwriter_id = "{ID}"\naccount = "{ACCOUNT}"',
        **changes,
    }
    key = 'key = { keystore = "receipts.json", password_file = "password" }'
    text = "\n".join(
        ["[operator]", 'home = "state"', 'chain_id = "hutong-1"', lines["listen"], lines["id"], key, lines["engine"]]
    )
    path = tmp_path / "operator.toml"
    path.write_text(f"{text}\n{lines['hub']}\n{lines['writers']}\n")
    path.chmod(0o600)
    return path


def test_a_whole_configuration_is_read(tmp_path):
    config = load_operator_config(written(tmp_path, {}))
    assert config.engine.folder == tmp_path / "shards" and config.operator.home == tmp_path / "state"
    assert config.served[bytes.fromhex(ID)].account == bytes.fromhex(ACCOUNT[2:])
    assert config.bounds.puts == 8


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"listen": 'listen = "10.0.0.7:9500"'}, "without TLS"),
        ({"listen": 'listen = "10.0.0.7:9500"\ntls_key = "k"'}, "needs both"),
        ({"listen": 'listen = "127.0.0.1:0"\ntls_key = "k"\ntls_certificate = "c"'}, "tls_certificate"),
        ({"id": 'operator_id = "58"'}, "64 lower-case"),
        ({"id": f'operator_id = "{"0" * 64}"'}, "not all of them 0"),
        ({"id": f'operator_id = "{ID}"\nid = "{ID}"'}, "looks like a private key"),
        ({"engine": '[engine]\nbucket = "s3://shards"'}, "needs durable_by"),
        ({"writers": f'[[writers]]\nwriter_id = "{ID}"'}, "without an account"),
        ({"writers": f'[[writers]]\nwriter_id = "{ID}"\naccount = "{ACCOUNT}"\n' * 2}, "names a writer twice"),
        ({"hub": "[hub]\nrpc = []\nconsensus_rpc = []"}, "hub.rpc"),
    ],
)
def test_configurations_that_contradict_themselves_are_refused(tmp_path, changes, reason):
    with pytest.raises(ConfigError, match=reason):
        load_operator_config(written(tmp_path, changes))


def invoked(*arguments: object):
    return CliRunner().invoke(app, ["storage", "operator", *map(str, arguments)])


def begun(tmp_path, *arguments: object):
    return invoked("init", "--home", tmp_path / "op", "--chain-id", "hutong-1", "--json", *arguments)


@pytest.mark.long
def test_init_writes_what_runs_and_never_twice(tmp_path):
    done = begun(tmp_path, "--writer", f"{ID}:{ACCOUNT}")
    said = json.loads(done.stdout)
    config = load_operator_config(tmp_path / "op" / "operator.toml")
    assert done.exit_code == 0 and said["operator"] == config.operator.operator_id
    assert len(said["account"]) == 42 and config.engine.folder == tmp_path / "op" / "shards"
    again = begun(tmp_path)
    assert again.exit_code == 2 and "never changed" in again.stderr
    assert load_operator_config(tmp_path / "op" / "operator.toml") == config


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--durable-by", "answer"), "are for a --bucket"),
        (("--bucket", "s3://a-bucket", "--shards", "x"), "not both"),
        (("--rpc", "http://127.0.0.1:1"), "give both --rpc"),
    ],
)
def test_init_refuses_what_cannot_be(tmp_path, arguments, reason):
    refused = begun(tmp_path, *arguments)
    assert refused.exit_code == 2 and reason in refused.stderr and not (tmp_path / "op").exists()


def test_commands_without_a_hub_or_a_home_say_so(tmp_path):
    config = written(tmp_path, {})
    scrub, leave = invoked("scrub", "--config", config), invoked("leave", "--config", config, "--yes")
    assert scrub.exit_code == 2 and "never ran" in scrub.stderr
    assert leave.exit_code == 1 and "follows no hub" in leave.stderr
    drained, undone = invoked("drain", "--config", config), invoked("drain", "--config", config, "--undo")
    assert (drained.stdout.strip(), undone.stdout.strip()) == ('state = "draining"', 'state = "active"')
    assert not (tmp_path / "state" / "draining").exists()
