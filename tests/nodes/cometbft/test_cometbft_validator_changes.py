"""Changes of the hub's set under CometBFT itself: it applies our updates, and the embedded engine replays its blocks to equal sets."""

import tempfile
from hashlib import sha256
from pathlib import Path

import pytest

from hutong.light_clients.tendermint.rpc_json import (
    base64_bytes,
    block_id_from_rpc,
    commit_from_rpc,
    header_from_rpc,
    validator_set_from_rpc,
)
from hutong.relay.evm.store.database import MemoryStore
from hutong.relay.hub.chain.ledger import HubLedger
from hutong.relay.hub.consensus.blocks import block_id_of
from hutong.relay.hub.consensus.types import EMPTY_COMMIT, Block
from hutong.relay.keys import create_keystore
from tests.nodes.cometbft.cometbft_network import running_network
from tests.relay.cli.hub.test_hub_quota_and_stuck_commands import CONFIG, admins, run
from tests.relay.hub.application.governance.test_hub_validators import NEW

pytestmark = pytest.mark.nodes


@pytest.fixture
def network():
    with (
        tempfile.TemporaryDirectory(dir="/tmp") as directory,
        running_network(Path(directory), 3, block_interval_ms=300, proof_block_delay_ms=50) as network,
    ):
        yield network


@pytest.fixture
def folder(network, tmp_path):
    member = network.members[0]
    config = tmp_path / "relay.toml"
    config.write_text(CONFIG.format(eth=member.eth_url, cometbft=member.cometbft_url))
    config.chmod(0o600)
    password = tmp_path / "password"
    password.write_text("word\n")
    password.chmod(0o600)
    for number in range(2):
        create_keystore(tmp_path / f"admin-{number}.json", sha256(b"admin %d" % number).digest(), b"word", 2)
    return tmp_path


def block_of(member, height: int) -> tuple[Block, object]:
    answer = member.comet(f"block?height={height}")
    block = answer["block"]
    transactions = tuple(base64_bytes(raw, "tx") for raw in block["data"]["txs"])
    last_commit = EMPTY_COMMIT if height == 1 else commit_from_rpc(block["last_commit"])
    return Block(header_from_rpc(block["header"]), transactions, (), last_commit), block_id_from_rpc(answer["block_id"])


def test_cometbft_and_the_embedded_engine_make_the_same_sets_of_the_same_blocks(network, folder):
    member = network.members[0]
    leaving = network.genesis.validators[2].public_key
    for public_key, power, words in (
        (NEW.public_key.data, 4, "has power 4 of 34"),
        (leaving.data, 7, "has power 7 of 31"),
        (NEW.public_key.data, 0, "is removed; 27 is left"),
        (leaving.data, 20, "no block is made without it"),
    ):
        done = run(
            folder, "hub", "set-validator", "--public-key", public_key.hex(), "--power", str(power), *admins(folder)
        )
        assert done.exit_code == 0, done.output
        assert words in done.output
        network.wait_for_height(int(done.output.split("from block ")[1].split()[0]) + 1)
    last = member.height - 1
    ledger = HubLedger(MemoryStore(), network.genesis)
    changes = 0
    for height in range(1, last + 1):
        block, block_id = block_of(member, height)
        assert ledger.accepts(block), height
        assert block_id_of(block) == block_id
        ledger.apply(block, block_id, block_of(member, height + 1)[0].last_commit)
        theirs = validator_set_from_rpc(member.comet(f"validators?height={height}&per_page=100"), "result")
        assert ledger.records.validators(height).validators == theirs.validators, height
        updates = member.comet(f"block_results?height={height}")["validator_updates"] or []
        ours = ledger.records.results(height).validator_updates
        assert [
            (base64_bytes(row["pub_key"]["Sum"]["value"]["secp256k1"], "key"), int(row.get("power", "0")))
            for row in updates
        ] == [(update.public_key.data, update.power) for update in ours]
        changes += len(ours)
    assert changes == 4
    assert ledger.tip.height == last
    listed = run(folder, "hub", "validators")
    assert "3 validators with a power of 40" in listed.output
