"""A block that three of four members cannot execute, under an unmodified CometBFT: skipped, followed, replayed."""

import subprocess
import sys
from pathlib import Path

import pytest

from hutong.light_clients.tendermint.rpc_json import commit_from_rpc
from hutong.relay.evm.store.database import MemoryStore
from hutong.relay.hub.chain.ledger import HubLedger
from hutong.relay.hub.consensus.blocks import block_id_of
from hutong.relay.hub.skipping.files import read_file
from tests.nodes.cometbft.cometbft_network import Member, Network, new_network
from tests.nodes.cometbft.test_cometbft_hub import block_at
from tests.nodes.provision import cometbft
from tests.relay.hub.skipping.heavy_block import EXECUTION_LIMIT_S, PAID_WEI, RECIPIENT, heavy_transactions

pytestmark = pytest.mark.nodes

HALT_LIMIT_S = 900


def hutong(*arguments, code: int = 0) -> str:
    command = [sys.executable, "-m", "hutong.relay.cli", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=HALT_LIMIT_S)
    assert done.returncode == code, (arguments, done.returncode, done.stdout, done.stderr)
    return done.stdout + done.stderr


def test_four_members_skip_a_block_that_three_cannot_execute(short_path):
    network = new_network(short_path, 4)
    failing, executing = network.members[:3], network.members[3]
    for member in failing:
        member.application.command += ["--execution-limit-s", str(EXECUTION_LIMIT_S)]
    try:
        network.start()
        network.wait_for_height(2)
        for raw in heavy_transactions():
            executing.rpc("eth_sendRawTransaction", raw)
        for member in failing:
            member.application.wait(HALT_LIMIT_S)
            assert f"cannot be executed here: it took longer than {EXECUTION_LIMIT_S} s" in member.application.tail()
            member.cometbft.end_by_itself_or_be_killed()
        whole, height = sign_and_combine(failing, short_path)
        assert executing.wait_for_height(height) == height
        assert int(executing.rpc("eth_getBalance", RECIPIENT, "latest"), 16) == PAID_WEI
        executing.stop()
        hutong("hub", "skip", "sign", "--home", executing.home.home, "--yes", code=1)
        for member in failing:
            said = hutong("hub", "skip", "apply", "--home", member.home.home, whole)
            assert f"applies block {height} as empty" in said
            del member.application.command[-2:]
        assert "cometbft rollback" in hutong("hub", "skip", "apply", "--home", executing.home.home, whole)
        rollback = [str(cometbft()), "rollback", "--home", str(executing.home.cometbft_home)]
        subprocess.run(rollback, check=True, capture_output=True, timeout=HALT_LIMIT_S)
        network.start()
        network.wait_for_height(height + 3)
        check_all_follow(network, height, whole)
    finally:
        network.kill()


def sign_and_combine(failing: list[Member], directory: Path) -> tuple[Path, int]:
    files = []
    for index, member in enumerate(failing):
        files.append(directory / f"skip-{index}.json")
        hutong("hub", "skip", "sign", "--home", member.home.home, "--yes", "--out", files[-1])
    whole = directory / "skip.json"
    said = hutong("hub", "skip", "combine", "--home", failing[0].home.home, *files, "--out", whole)
    assert "3 signatures with 30 of 40 voting power" in said
    return whole, read_file(whole).statement.height


def check_all_follow(network: Network, height: int, whole: Path) -> None:
    """Equal hashes everywhere, also by the embedded engine's code, which replays every block from the first."""
    assert {member.rpc("eth_getBalance", RECIPIENT, "latest") for member in network.members} == {"0x0"}
    for at in range(height, height + 3):
        assert len({str(member.comet(f"header?height={at}")) for member in network.members}) == 1
    results = network.members[0].comet(f"block_results?height={height}")["txs_results"]
    assert {result["code"] for result in results} == {5}
    ledger, member = HubLedger(MemoryStore(), network.genesis), network.members[3]
    for number in range(1, height + 3):
        block, block_id = block_at(member, number)
        assert block_id_of(block) == block_id
        assert ledger.accepts(block), number
        commit = commit_from_rpc(member.comet(f"commit?height={number}")["signed_header"]["commit"])
        ledger.apply(block, block_id, commit, read_file(whole) if number == height else None)
    assert ledger.application.skips.certificate(height) is not None
