"""Where a demo's files go, and what a kept one tells dapps."""

import json
import stat

from eth_account import Account
from typer.testing import CliRunner

from hutong.relay.cli.operator.demo import app
from hutong.relay.local.chain import DemoChain
from hutong.relay.local.config_file import api_table, relay_table, write_private
from hutong.relay.local.keys import make_key
from hutong.relay.local.network import Network
from hutong.relay.local.network_file import write_network_file


def test_a_home_with_something_in_it_is_refused(tmp_path):
    (tmp_path / "mine.txt").write_text("keep me")
    result = CliRunner().invoke(app, ["--home", str(tmp_path)])
    assert result.exit_code == 2 and "is not empty" in result.output
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
    result = CliRunner().invoke(app, ["--home", str(tmp_path / "mine.txt")])
    assert result.exit_code == 2 and "cannot be used" in result.output


def test_network_json_leads_to_everything_and_holds_no_secret(tmp_path):
    key = make_key(tmp_path, "user-alpha")
    config = tmp_path / "relay.toml"
    write_private(config, relay_table(tmp_path) + api_table(4711))
    addresses = [f"0x{number:040x}" for number in range(1, 6)]
    chain = DemoChain("alpha", "http://127.0.0.1:1", 7001, *addresses)
    hub = DemoChain("hub", "http://127.0.0.1:2", 47001, addresses[0])
    network = Network(
        home=tmp_path, config=config, administration=config, chains=(chain,), hub=hub, users={}, user_keys={"alpha": key},
        owners={}, admins=(), relayers={}, processes=(), relay=None,
    )  # fmt: skip
    file = write_network_file(network)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600 and file == tmp_path / "network.json"
    document = json.loads(file.read_text())
    assert document["api"] == "http://127.0.0.1:4711" and document["hub"]["rpc"] == "http://127.0.0.1:2"
    told = document["chains"]["alpha"]
    assert [told[name] for name in ("router", "mailbox", "transfer", "receiver", "token")] == addresses
    user = told["user"]
    with open(user["keystore"]) as keystore, open(user["password_file"]) as password:
        secret = password.read()
        account = Account.from_key(Account.decrypt(json.load(keystore), secret))
    assert account.address == user["address"] and secret not in file.read_text()
