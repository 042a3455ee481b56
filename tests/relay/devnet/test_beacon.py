"""The simulated beacon chain is followed by the specification's own light client store, over periods and missed slots."""

import pytest
import trio
from typer.testing import CliRunner

from hutong.light_clients.ethereum import LightClientStore, beacon_block_root, supermajority
from hutong.light_clients.interface import PredicateFailed
from hutong.relay.cli.operator.devnet import app
from hutong.relay.config.networks import read_network
from hutong.relay.devnet import DevnetError, Genesis
from hutong.relay.devnet.beacon_json import network_document
from hutong.relay.devnet.beacon_node import BeaconApp, BeaconDevnet, BeaconPace
from tests.relay.devnet.devnet_tools import FUNDS

PACE = BeaconPace(seconds_per_slot=1, slots_per_epoch=2, epochs_per_period=4, head_start_s=500)
PERIOD_SLOTS = 8


def new_chains(**changed) -> BeaconDevnet:
    return BeaconDevnet(Genesis(7_001, funds_wei=FUNDS), PACE, seed=b"\x03" * 32, **changed)


def made(chains: BeaconDevnet, *steps: int) -> BeaconDevnet:
    """`steps` are counts of slots; a negative one is of missed slots before the next block."""

    async def make():
        for step in steps:
            await (chains.add_slots(step) if step > 0 else chains.add_slots(missed=-step))

    trio.run(make)
    return chains


def store_of(chains: BeaconDevnet) -> LightClientStore:
    root = beacon_block_root(chains.beacon.finality_update.finalized_header.beacon)
    return LightClientStore.initialize(chains.network, root, chains.beacon.bootstrap(root))


@pytest.mark.parametrize("steps", [(6 * PERIOD_SLOTS,), (5, -1, 7, -3, 20, -2, 9, -1, 12)])
def test_a_store_follows_every_period(steps):
    chains = made(new_chains(absent_members=10), 2 * PERIOD_SLOTS)
    store = store_of(chains)
    made(chains, *steps)
    first, last = (chains.network.period_at(slot) for slot in (store.finalized_slot, chains.beacon.slot))
    for period in range(first, last + 1):
        update = chains.beacon.best_update(period)
        if update is not None:
            assert update.sync_aggregate.participants == 22 == supermajority(32)
            store = store.process_update(update, chains.beacon.slot)
    store = store.process_update(chains.beacon.finality_update, chains.beacon.slot)
    assert store.finalized_header == chains.beacon.finality_update.finalized_header
    execution = store.finalized_header.execution
    block_hash, header = chains.execution.blocks.header(execution.block_number)
    assert (execution.block_hash, execution.state_root) == (block_hash, header.state_root)
    assert execution.timestamp_s == chains.network.slot_time_s(store.finalized_slot)


def test_committees_of_another_seed_are_not_believed():
    chains = made(new_chains(), 2 * PERIOD_SLOTS)
    store = store_of(chains)
    other = BeaconDevnet(Genesis(7_001, funds_wei=FUNDS), PACE, seed=b"\x04" * 32)
    other.beacon.network = chains.network
    made(other, 3 * PERIOD_SLOTS)
    with pytest.raises(PredicateFailed):
        store.process_update(other.beacon.finality_update, other.beacon.slot)


@pytest.mark.parametrize(
    "changed",
    [
        {"seconds_per_slot": 0},
        {"slots_per_epoch": 65},
        {"epochs_per_period": 3},
        {"head_start_s": 5},
        {"slot_interval_ms": 1},
    ],
)
def test_a_pace_that_cannot_be_is_refused(changed):
    with pytest.raises(DevnetError):
        BeaconPace(
            **{"seconds_per_slot": 1, "slots_per_epoch": 2, "epochs_per_period": 4, "head_start_s": 60} | changed
        )


def test_its_network_file_is_read_back(tmp_path):
    chains = new_chains()
    file = tmp_path / "network.json"
    file.write_text(network_document(chains.network))
    assert read_network(file) == chains.network


@pytest.mark.parametrize(
    ("method", "path", "query", "status"),
    [
        ("GET", "/eth/v1/beacon/genesis", "", 200),
        ("GET", "/eth/v1/config/spec", "", 200),
        ("GET", "/eth/v1/beacon/light_client/finality_update", "", 200),
        ("GET", "/eth/v1/beacon/light_client/updates", "start_period=0&count=9", 200),
        ("GET", "/eth/v1/beacon/light_client/updates", "start_period=x&count=1", 400),
        ("GET", "/eth/v1/beacon/light_client/updates", "", 400),
        ("GET", "/eth/v1/beacon/light_client/bootstrap/0xzz", "", 400),
        ("GET", "/eth/v1/beacon/light_client/bootstrap/0x00", "", 404),
        ("GET", "/eth/v1/node/version", "", 404),
        ("POST", "/eth/v1/beacon/genesis", "", 405),
    ],
)
def test_its_api_answers_or_refuses(method, path, query, status):
    chains = made(new_chains(), 2 * PERIOD_SLOTS)
    assert BeaconApp(chains.beacon)._answer(method, path, query)[0] == status


def test_command_that_cannot_start_says_why(tmp_path):
    run = CliRunner().invoke(app, ["beacon", "--network-file", str(tmp_path / "n"), "--epochs-per-period", "2"])
    assert (run.exit_code, run.output.count("\n")) == (2, 1) and "4 to 1024 epochs" in run.output
    run = CliRunner().invoke(app, ["beacon", "--network-file", str(tmp_path / "no" / "n")])
    assert run.exit_code == 2 and "cannot be written" in run.output
