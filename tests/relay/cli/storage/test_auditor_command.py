"""`hutong storage auditor init`: an id, a key and a configuration, once; and a start that cannot be."""

import json

import pytest
from typer.testing import CliRunner

from hutong.relay.archive.checkpoint import encode_checkpoint
from hutong.relay.cli.main import app
from tests.relay.audit.records.shown_records import Hub


def init(folder, chain_id="hutong-1", checkpoint="hub.checkpoint.json"):
    (folder / "hub.checkpoint.json").write_bytes(encode_checkpoint(Hub().checkpoint()))
    given = ["--chain-id", chain_id, "--checkpoint", str(folder / checkpoint), "--rpc", "http://127.0.0.1:1"]
    command = ["storage", "auditor", "init", "--home", str(folder / "auditor"), *given]
    return CliRunner().invoke(app, [*command, "--consensus-rpc", "http://127.0.0.1:2", "--json"])


@pytest.mark.long
def test_an_auditor_is_begun_once(tmp_path):
    begun = init(tmp_path)
    assert begun.exit_code == 0, begun.output
    said = json.loads(begun.stdout)
    assert len(said["auditor"]) == 64 and said["account"].startswith("0x")
    again = init(tmp_path)
    assert again.exit_code == 2 and "is never changed" in again.stderr
    assert (tmp_path / "auditor" / "keys" / "password").stat().st_mode & 0o077 == 0


@pytest.mark.long
def test_a_checkpoint_of_another_hub_or_of_nothing_is_refused(tmp_path):
    (tmp_path / "one").mkdir()
    other = init(tmp_path / "one", chain_id="hutong-2")
    assert other.exit_code == 2 and "not hutong-2" in other.stderr
    (tmp_path / "two").mkdir()
    assert init(tmp_path / "two", checkpoint="nothing").exit_code == 2


def test_a_configuration_that_is_none_is_refused(tmp_path):
    config = tmp_path / "auditor.toml"
    config.write_text('[auditor]\nauditor_id = "xy"\n')
    said = CliRunner().invoke(app, ["storage", "auditor", "run", "--config", str(config)])
    assert said.exit_code == 2 and "auditor_id" in said.stderr
