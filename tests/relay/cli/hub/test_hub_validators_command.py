"""`hutong hub validators` and `set-validator` against a running hub of one process."""

import json
from hashlib import sha256

import pytest
from typer.testing import CliRunner

from hutong.adapters.hub.validators import share_that_stops_blocks
from hutong.light_clients.tendermint.types import KeyType, PublicKey
from hutong.relay.cli.main import app
from hutong.relay.hub.application.admin import action_hash as hub_action_hash
from hutong.relay.hub.application.admin import set_validator_action
from hutong.relay.hub.home.home import encode_validator_key
from hutong.relay.keys import create_keystore
from tests.relay.cli.hub.test_hub_quota_and_stuck_commands import CONFIG, admins, run
from tests.relay.hub.application.governance.test_hub_validators import KEYS, NEW, OFF_CURVE
from tests.relay.hub.hub_process import HubProcess, new_home
from tests.relay.hub.simulated_hub import VALIDATOR


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("place")
    hub = HubProcess(new_home(folder / "hub", block_interval_ms=200, proof_block_delay_ms=50)).start()
    config = folder / "relay.toml"
    config.write_text(CONFIG.format(eth=hub.eth_url, cometbft=hub.cometbft_url))
    config.chmod(0o600)
    password = folder / "password"
    password.write_text("word\n")
    password.chmod(0o600)
    for number in range(2):
        create_keystore(folder / f"admin-{number}.json", sha256(b"admin %d" % number).digest(), b"word", 2)
    yield hub, folder
    assert hub.stop() == (0, "")


def set_power(folder, public_key: str, power: int):
    return run(folder, "hub", "set-validator", "--public-key", public_key, "--power", str(power), *admins(folder))


def listed(folder) -> list[tuple[str, int, int]]:
    shown = run(folder, "hub", "validators", "--json")
    assert shown.exit_code == 0, shown.output
    return [(row["public_key"], row["power"], row["coming_power"]) for row in json.loads(shown.output)["validators"]]


@pytest.mark.long
def test_a_validator_joins_by_its_key_file_is_listed_and_removed(place):
    hub, folder = place
    own, new = VALIDATOR.public_key.data.hex(), NEW.public_key.data.hex()
    assert listed(folder) == [(own, 10, 10)]
    key_file = folder / "priv_validator_key.json"
    key_file.write_bytes(encode_validator_key(NEW))
    done = set_power(folder, f"@{key_file}", 4)
    assert done.exit_code == 0, done.output
    address = NEW.public_key.address.hex().upper()
    assert f"validator {address} has power 4 of 14 from block " in done.output
    acts = int(done.output.split("from block ")[1].split()[0])
    hub.wait_for_height(acts)
    assert listed(folder) == [(own, 10, 10), (new, 4, 4)]
    assert f"{address} {new} 4 (28.6 %)" in run(folder, "hub", "validators").output
    updates = hub.cometbft(f"block_results?height={acts - 2}")["validator_updates"]
    assert [row["power"] for row in updates] == ["4"]
    done = set_power(folder, new, 0)
    assert done.exit_code == 0, done.output
    assert f"validator {address} is removed; 10 is left from block " in done.output
    hub.wait_for_height(hub.height + 3)
    assert listed(folder) == [(own, 10, 10)]
    removal = int(done.output.split("from block ")[1].split()[0]) - 2
    (row,) = hub.cometbft(f"block_results?height={removal}")["validator_updates"]
    assert "power" not in row


@pytest.mark.long
@pytest.mark.parametrize(
    ("public_key", "power", "exit_code", "words"),
    [
        (NEW.public_key.data.hex(), 5, 1, "would hold 10 of 15 voting power"),
        (VALIDATOR.public_key.data.hex(), 0, 1, "would hold 0 of 0 voting power"),
        (KEYS[1].public_key.data.hex(), 0, 1, "validator_known"),
        (VALIDATOR.public_key.data.hex(), 21, 1, "validators_overlap_with_last_block"),
        (OFF_CURVE.hex(), 1, 2, "not a point of secp256k1"),
        ("0279", 1, 2, "33 bytes in hex"),
        ("@nowhere.json", 1, 2, "No such file"),
    ],
)
def test_a_change_that_is_refused_is_one_sentence(place, public_key, power, exit_code, words):
    hub, folder = place
    refused = set_power(folder, public_key, power)
    assert (refused.exit_code, refused.output.count("\n")) == (exit_code, 1), refused.output
    assert words in refused.output
    hub.wait_for_height(hub.height + 2)


@pytest.mark.long
@pytest.mark.parametrize("document", ["", "{}", '{"pub_key": {"type": "tendermint/PubKeyEd25519", "value": "AAAA"}}'])
def test_a_file_that_is_no_key_of_the_hub_is_refused(place, document):
    _, folder = place
    file = folder / "other.json"
    file.write_text(document)
    refused = set_power(folder, f"@{file}", 1)
    assert (refused.exit_code, refused.output.count("\n")) == (2, 1), refused.output


def test_the_adapters_action_is_the_hubs():
    from hutong.adapters.hub.admin import action_hash, set_validator

    ours = set_validator(7, NEW.public_key.data, 3)
    assert ours == set_validator_action(7, NEW.public_key.data, 3)
    assert action_hash("hutong-1", ours) == hub_action_hash("hutong-1", ours)


def test_a_third_of_the_power_is_needed_for_every_block():
    one, two = (PublicKey(KeyType.SECP256K1, key.public_key.data) for key in KEYS[:2])
    assert share_that_stops_blocks({one: 2, two: 1}, two)
    assert not share_that_stops_blocks({one: 21, two: 10}, two)


def test_the_commands_are_in_the_help():
    help_text = CliRunner().invoke(app, ["hub", "--help"]).output
    assert "set-validator" in help_text
    assert "validators" in help_text
