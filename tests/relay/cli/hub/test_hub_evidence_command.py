"""`hutong hub evidence` against a hub process whose chain carries a double vote."""

import json

import pytest
from typer.testing import CliRunner

from hutong.adapters.hub.evidence import DoubleVote, decode_double_votes
from hutong.adapters.interface import BadAnswer
from hutong.adapters.rpc import Fields
from hutong.relay.cli.main import app
from hutong.relay.evm.store.lmdb_store import LmdbStore
from hutong.relay.hub.consensus.signing import LastSigned
from hutong.relay.hub.home.home import DATABASE_DIRECTORY, LAST_SIGNED_FILE, load_genesis
from hutong.relay.hub.home.last_signed import encode_last_signed
from hutong.relay.keys import create_keystore
from tests.relay.cli.hub.test_hub_quota_and_stuck_commands import CONFIG
from tests.relay.hub.consensus.double_votes import advance_with, double_vote_at
from tests.relay.hub.hub_process import HubProcess, new_home
from tests.relay.hub.simulated_hub import VALIDATOR, SimulatedHub

pytestmark = pytest.mark.long


ROW = {
    "validator": "0x" + "ab" * 20,
    "height": "0x4",
    "power": "0x1",
    "totalPower": "0x4",
    "timeNs": "0x9",
    "recordedAt": "0x6",
}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """The double vote of height 1 is recorded in block 4; the process goes on from there."""
    folder = tmp_path_factory.mktemp("place")
    home = new_home(folder / "hub", block_interval_ms=200, proof_block_delay_ms=50)
    store = LmdbStore(home / DATABASE_DIRECTORY, map_bytes=2**30)
    hub = SimulatedHub(store, load_genesis(home))
    hub.advance()
    hub.ledger.evidence.add(double_vote_at(hub, 1))
    hub.advance()
    advance_with(hub, hub.ledger.evidence.for_block(10_000))
    height = hub.height
    store.close()
    (home / LAST_SIGNED_FILE).write_bytes(encode_last_signed(LastSigned(height)))
    process = HubProcess(home).start()
    config = folder / "relay.toml"
    config.write_text(CONFIG.format(eth=process.eth_url, cometbft=process.cometbft_url))
    (folder / "password").write_text("word\n")
    for name in ("relay.toml", "password"):
        (folder / name).chmod(0o600)
    create_keystore(folder / "admin-0.json", bytes(31) + b"\x01", b"word", 2)
    yield process, config, height
    assert process.stop() == (0, "")


def test_the_liar_is_named_with_the_block_that_proves_it(place):
    process, config, height = place
    process.wait_for_height(height + 2)
    name = VALIDATOR.public_key.address.hex().upper()
    said = CliRunner().invoke(app, ["hub", "evidence", "--config", str(config)])
    assert said.exit_code == 0, said.output
    assert said.stdout == f"{name} signed two votes at height 1 with 10 of 10; both are in block {height}\n"
    said = CliRunner().invoke(app, ["hub", "evidence", "--config", str(config), "--json"])
    assert json.loads(said.stdout) == [
        {"validator": name, "height": 1, "power": 10, "total_power": 10, "recorded_at": height}
    ]


def test_rows_are_read():
    found = decode_double_votes(Fields("hutong_evidence", [ROW]))
    assert found == (DoubleVote(b"\xab" * 20, 4, 1, 4, 6),)
    assert decode_double_votes(Fields("hutong_evidence", [])) == ()


@pytest.mark.parametrize(
    "changes",
    [
        {"validator": "0x" + "ab" * 19},
        {"validator": "0x" + "zz" * 20},
        {"validator": "0x" + "ab" * 21},
        {"height": 4},
        {"recordedAt": None},
    ],
)
def test_other_rows_are_refused(changes):
    with pytest.raises(BadAnswer):
        decode_double_votes(Fields("hutong_evidence", [ROW | changes]))
