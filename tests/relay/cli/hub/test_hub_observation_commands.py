"""Who opens keys of observations, through the command line: `hutong hub init`, its admins' commands, proposals."""

import json
from hashlib import sha256

import pytest
from eth_account import Account
from typer.testing import CliRunner

from hutong.adapters.hub import admin as adapter_actions
from hutong.light_clients.interface import MalformedInput
from hutong.relay.cli.main import app
from hutong.relay.hub.application import admin as hub_actions
from hutong.relay.hub.application.observations.writers import ObservationRules
from hutong.relay.hub.home.home import load_genesis
from hutong.relay.keys import create_keystore
from tests.relay.cli.hub.test_hub_code_commands import decide, run
from tests.relay.cli.hub.test_hub_governance_commands import configure
from tests.relay.cli.hub.test_hub_quota_and_stuck_commands import CONFIG, admins
from tests.relay.hub.hub_process import HubProcess, new_home

WRITER = Account.from_key(b"\x07" * 32)
ADDRESS = bytes.fromhex(WRITER.address[2:])


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A hub that says nothing of observations, with two admins' keystores."""
    folder = tmp_path_factory.mktemp("place")
    hub = HubProcess(new_home(folder / "hub", block_interval_ms=200, proof_block_delay_ms=50)).start()
    config = folder / "relay.toml"
    config.write_text(CONFIG.format(eth=hub.eth_url, cometbft=hub.cometbft_url))
    config.chmod(0o600)
    (folder / "password").write_text("word\n")
    (folder / "password").chmod(0o600)
    for number in range(2):
        create_keystore(folder / f"admin-{number}.json", sha256(b"admin %d" % number).digest(), b"word", 2)
    yield hub, folder
    assert hub.stop() == (0, "")


def shown(folder) -> dict:
    answer = run(folder, "observations", "--json")
    assert answer.exit_code == 0, answer.output
    return json.loads(answer.output)


@pytest.mark.long
def test_admins_name_a_writer_and_open_keys_to_all(place):
    _, folder = place
    assert shown(folder) == {"open": False, "writers": [], "observations": []}
    assert decide(folder, "name-writer", WRITER.address, "--keys", "5") == (
        f"{WRITER.address.lower()} may have 5 keys open\n"
    )
    named = {"address": WRITER.address.lower(), "limit": 5, "keys": 0}
    assert shown(folder) == {"open": False, "writers": [named], "observations": []}
    assert decide(folder, "set-observations", "--open") == "everybody opens keys\n"
    assert run(folder, "observations").output == (
        f"everybody opens keys\nwriter {WRITER.address.lower()} has 0 of 5 keys open\n"
    )
    assert decide(folder, "set-observations", "--closed") == "named writers alone open keys\n"
    assert "opens no more keys" in decide(folder, "name-writer", WRITER.address, "--keys", "0")
    assert shown(folder)["writers"] == []
    refused = run(folder, "name-writer", "0x12", "--keys", "5", *admins(folder))
    assert (refused.exit_code, refused.output) == (2, "ADDRESS: '0x12' is not an address\n")


@pytest.mark.long
def test_validators_propose_the_same(tmp_path):
    home = str(tmp_path / "hub")
    init = ["hub", "init", "--home", home, "--scrypt-iterations", "2", "--block-interval-ms", "200"]
    made = CliRunner().invoke(app, [*init, "--governed-by", "validators", "--proof-block-ms", "50"])
    assert made.exit_code == 0, made.output
    hub = HubProcess(tmp_path / "hub").start()
    try:
        configure(tmp_path, hub)
        operator = ["--operator", f"{home}/operators/operator-1.json", "--operator-password-file"]
        for arguments in (("writer", WRITER.address, "--keys", "9"), ("observations", "--open")):
            proposed = run(tmp_path, "propose", *arguments, *operator, f"{home}/operator_password")
            assert proposed.exit_code == 0, proposed.output
        assert shown(tmp_path)["open"] is True
        assert shown(tmp_path)["writers"] == [{"address": WRITER.address.lower(), "limit": 9, "keys": 0}]
        listed = run(tmp_path, "proposals").output
        assert f"let {WRITER.address.lower()} have 9 keys of observations open" in listed
        assert "let everybody open keys of observations" in listed
    finally:
        assert hub.stop() == (0, "")


def test_init_says_and_writes_who_opens_keys(tmp_path):
    def init(name: str, *arguments: str):
        home = tmp_path / name
        done = CliRunner().invoke(app, ["hub", "init", "--home", str(home), "--scrypt-iterations", "2", *arguments])
        return done, load_genesis(home) if done.exit_code == 0 else None

    done, genesis = init("usual")
    assert genesis.tables == () and "observations" not in done.output
    done, genesis = init("named", "--writer", f"{WRITER.address}=7")
    assert dict(genesis.tables) == {"observations": ObservationRules(False, ((ADDRESS, 7),))}
    assert f"writer {WRITER.address.lower()} may have 7 keys of observations open" in done.output
    done, genesis = init("open", "--open-observations")
    assert dict(genesis.tables) == {"observations": ObservationRules(True)}
    assert "everybody opens keys of observations" in done.output
    for name, arguments in (
        ("no number", ("--writer", WRITER.address)),
        ("zero", ("--writer", f"{WRITER.address}=0")),
        ("no address", ("--writer", "0x12=3")),
        ("reserved", ("--writer", f"0x{0x1005:040x}=3")),
        ("twice", ("--writer", f"{WRITER.address}=3", "--writer", f"{WRITER.address}=4")),
        ("too many", ("--writer", f"{WRITER.address}={2**64}")),
        ("early", ("--open-observations", "--rules-version", "3")),
    ):
        done, _ = init(name, *arguments)
        assert done.exit_code == 2, (name, done.output)


def test_adapter_and_hub_make_the_same_actions():
    assert adapter_actions.name_writer(1, ADDRESS, 5) == hub_actions.name_writer_action(1, ADDRESS, 5)
    for is_open in (True, False):
        ours = adapter_actions.set_observations_open(2, is_open)
        assert ours == hub_actions.set_observations_open_action(2, is_open)
        assert "observ" in adapter_actions.describe_action(ours)
    assert adapter_actions.describe_action(adapter_actions.name_writer(3, ADDRESS, 0)) == (
        f"no longer let {WRITER.address.lower()} observe"
    )
    with pytest.raises(MalformedInput):
        adapter_actions.describe_action(adapter_actions.name_writer(3, ADDRESS, 5)[:-32])
