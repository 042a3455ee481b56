"""Joining as a person does it: processes, sockets, kills; and the bench that shows a large hub joined."""

import json
import random
import signal
import subprocess
import sys
import time

import pytest

from hutong.relay.hub.joining.joining import prepare_home
from hutong.relay.hub.process.start import open_node
from tests.relay.hub.hub_process import HubProcess, new_home, transfer
from tests.relay.hub.simulated_hub import EVM_CHAIN_ID

pytestmark = pytest.mark.long
KILLS = 8


def join_command(home, hub, *options):
    genesis = str(hub.home / "genesis.json")
    arguments = ("join", "--home", str(home), "--genesis", genesis, "--from", hub.cometbft_url, *options)
    return [sys.executable, "-m", "hutong.relay.cli", "hub", *arguments]


def test_attack_C45_a_join_killed_at_any_moment_ends_as_one_that_was_not(tmp_path):
    """kill -9 of the joining process while the hub goes on; the home that comes of it starts and has the hub's app hash."""
    hub = HubProcess(new_home(tmp_path / "hub", block_interval_ms=200, proof_block_delay_ms=50)).start()
    try:
        for nonce in range(20):
            hub.rpc("eth_sendRawTransaction", transfer(nonce, EVM_CHAIN_ID))
        hub.wait_for_height(30)
        made = subprocess.run(
            [
                sys.executable,
                "-m",
                "hutong.relay.cli",
                "hub",
                "snapshot",
                "make",
                "--home",
                str(hub.home),
                "--height",
                "20",
            ],
            capture_output=True,
            check=False,
        )
        assert made.returncode == 0, made.stderr
        trusted = hub.cometbft("commit?height=25")["signed_header"]["commit"]["block_id"]["hash"]
        trust = ("--trust-height", "25", "--trust-hash", trusted)
        began = time.monotonic()
        subprocess.run(join_command(tmp_path / "whole", hub, *trust), check=True, capture_output=True)
        whole_s = time.monotonic() - began
        choice = random.Random(7)
        home = tmp_path / "killed"
        for _ in range(KILLS):
            joining = subprocess.Popen(
                join_command(home, hub, *trust), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            try:
                joining.wait(timeout=whole_s * choice.uniform(0.4, 1.0))
            except subprocess.TimeoutExpired:
                joining.send_signal(signal.SIGKILL)
                joining.wait(timeout=10)
        done = subprocess.run(join_command(home, hub, *trust), check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    finally:
        assert hub.stop() == (0, "")
    member, joined = open_node(hub.home), open_node(home)
    try:
        assert not prepare_home(home, member.ledger.genesis)
        tip = joined.ledger.tip
        results = member.ledger.records.results(tip.height)
        assert (tip.app_hash, tip.height >= 30) == (results.app_hash, True)
        assert joined.ledger.application.blocks.restored().number == 20
    finally:
        member.store.close()
        joined.store.close()


def test_the_bench_of_joining_shows_every_block_verified():
    done = subprocess.run(
        [sys.executable, "-m", "bench.hub.join", "2000", "5000"], capture_output=True, check=False, text=True
    )
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["valid"]
    assert result["blocks_verified"] == result["joined_at"] - result["snapshot_height"] > 0


def test_the_bench_of_pruning_shows_a_bounded_disk():
    done = subprocess.run(
        [sys.executable, "-m", "bench.hub.pruning", "1500"], capture_output=True, check=False, text=True
    )
    assert done.returncode == 0, done.stderr
    pruned, kept = (json.loads(line) for line in done.stdout.splitlines())
    assert pruned["oldest_state"] == pruned["blocks"] - 256 + 1
    assert pruned["used_kib"][-1] < 2.5 * pruned["used_kib"][4]
    assert kept["used_kib"][-1] > 1.5 * pruned["used_kib"][-1]
