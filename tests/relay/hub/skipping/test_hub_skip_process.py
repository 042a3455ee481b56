"""The drill of docs/member/poisoned-block.md: four validators as operators run them, and a block that three cannot execute."""

import json
import shlex
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from hutong.relay.hub.home.home import load_genesis
from hutong.relay.hub.joining.light_follow import LightFollower, TrustedHash
from hutong.relay.hub.joining.member_rpc import Member
from hutong.relay.local.ports import free_base_port
from tests.relay.hub.simulated_hub import DAPP
from tests.relay.hub.skipping.heavy_block import EXECUTION_LIMIT_S, PAID_WEI, RECIPIENT, heavy_transactions

pytestmark = pytest.mark.long

HUTONG = (sys.executable, "-m", "hutong.relay.cli")
LIMIT_S = 900


def hutong(*arguments, code: int = 0) -> str:
    """What the command wrote, standard error after standard output."""
    done = subprocess.run([*HUTONG, *map(str, arguments)], capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == code, (arguments, done.returncode, done.stdout, done.stderr)
    return done.stdout + done.stderr


@dataclass
class Node:
    home: Path
    command: list[str]
    port: int
    log: Path
    process: subprocess.Popen | None = None

    def start(self, *options: str) -> None:
        with self.log.open("ab") as output:
            self.process = subprocess.Popen([*HUTONG, *self.command, *options], stdout=output, stderr=output)

    def ask(self, method: str, *params):
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}
        answer = httpx.post(f"http://127.0.0.1:{self.port}", json=body, trust_env=False, timeout=120).json()
        assert "error" not in answer, answer
        return answer["result"]

    def height(self) -> int:
        try:
            return int(self.ask("eth_blockNumber"), 16)
        except httpx.HTTPError:
            return -1

    def halted(self) -> bool:
        return self.process.poll() is not None

    def said(self) -> str:
        return self.log.read_text()

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(timeout=30)

    def block(self, height: int) -> dict:
        url = f"http://127.0.0.1:{self.port + 1}/block?height={height}"
        return httpx.get(url, trust_env=False, timeout=120).json()["result"]


def until(condition, what, limit_s: float = LIMIT_S) -> None:
    ends_s = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < ends_s, what() if callable(what) else what
        time.sleep(0.2)


@pytest.fixture
def nodes(tmp_path):
    base = free_base_port([10 * index + part for index in range(4) for part in range(3)])
    said = hutong(
        *("hub", "init", "--home", tmp_path / "drill", "--validators", 4, "--base-port", base),
        *("--fund", DAPP.address, "--deployer", DAPP.address, "--scrypt-iterations", 2),
    )
    commands = [shlex.split(line)[1:] for line in said.splitlines() if line.startswith("hutong hub start")]
    made = [
        Node(
            tmp_path / "drill" / f"validator-{index + 1}", command, base + 10 * index + 1, tmp_path / f"{index + 1}.log"
        )
        for index, command in enumerate(commands)
    ]
    yield made
    for node in made:
        node.stop()


def test_four_validators_skip_a_block_that_three_cannot_execute_and_all_go_on(nodes, tmp_path):
    failing, executing = nodes[:3], nodes[3]
    for node in failing:
        node.start("--execution-limit-s", str(EXECUTION_LIMIT_S))
    executing.start()
    until(lambda: min(node.height() for node in nodes) >= 3, lambda: [node.said()[-400:] for node in nodes])
    assert "no execution failed here" in hutong("hub", "skip", "status", "--home", failing[0].home)
    for raw in heavy_transactions():
        executing.ask("eth_sendRawTransaction", raw)
    until(lambda: all(node.halted() for node in failing), lambda: [node.said()[-400:] for node in nodes])
    for node in failing:
        assert node.process.returncode == 1
        assert (
            f"was decided and cannot be executed here: it took longer than {EXECUTION_LIMIT_S} s (attempt 1)"
            in node.said()
        )
    found = [json.loads(hutong("hub", "skip", "status", "--home", node.home, "--json")) for node in failing]
    height, block_hash = found[0]["block"]["height"], found[0]["block"]["hash"]
    assert {(one["block"]["height"], one["block"]["hash"], one["may_sign"]) for one in found} == {
        (height, block_hash, True)
    }
    assert (found[0]["total_power"], found[0]["power_needed"]) == (40, 27)
    until(lambda: executing.height() == height, executing.said)
    assert int(executing.ask("eth_getBalance", RECIPIENT, "latest"), 16) == PAID_WEI

    hutong("hub", "skip", "sign", "--home", executing.home, "--yes", code=1)
    signed = []
    for index, node in enumerate(failing):
        signed.append(tmp_path / f"skip-{index}.json")
        hutong("hub", "skip", "sign", "--home", node.home, "--yes", "--out", signed[-1])
    whole = tmp_path / "skip.json"
    said = hutong("hub", "skip", "combine", "--home", failing[0].home, *signed[:2], "--out", whole, code=1)
    assert "2 signatures with 20 of 40 voting power" in said
    assert "skip_is_decided" in hutong("hub", "skip", "apply", "--home", failing[0].home, whole, code=1)
    said = hutong("hub", "skip", "combine", "--home", failing[0].home, *signed, "--out", whole)
    assert "3 signatures with 30 of 40 voting power" in said
    # Two are handed the certificate, the third hears of it.
    for node in failing[:2]:
        assert f"applies block {height} as empty" in hutong("hub", "skip", "apply", "--home", node.home, whole)
    for node in failing:
        node.start()
    until(executing.halted, lambda: [node.said()[-400:] for node in nodes])
    assert "start it again, it takes the block back and follows" in executing.said()
    executing.start()
    until(lambda: min(node.height() for node in nodes) >= height + 4, lambda: [node.said()[-600:] for node in nodes])
    assert "it was taken back and follows so" in executing.said()

    for at in range(height, height + 4):
        assert len({json.dumps(node.block(at)["block"]["header"], sort_keys=True) for node in nodes}) == 1
    assert {node.ask("eth_getBalance", RECIPIENT, "latest") for node in nodes} == {"0x0"}
    assert executing.ask("eth_getBlockByNumber", hex(height), False)["transactions"] == []
    assert executing.block(height)["block_id"]["hash"].lower() == block_hash
    shown = hutong("hub", "skip", "show", height, "--home", executing.home, "--out", tmp_path / "shown.json")
    assert shown.count("signed by") == 3

    follows(executing, height)
    joined = hutong(
        *("hub", "join", "--home", tmp_path / "joined", "--genesis", nodes[0].home / "genesis.json"),
        *("--from", f"http://127.0.0.1:{executing.port + 1}"),
    )
    assert "joined" in joined or str(height) in joined or joined
    hutong("hub", "skip", "show", height, "--home", tmp_path / "joined", "--out", tmp_path / "again.json")
    assert (tmp_path / "again.json").read_bytes() == (tmp_path / "shown.json").read_bytes()

    # A skip beside a commit of the next height, at a node that is past it.
    nodes[0].stop()
    assert "counts as empty here already" in hutong("hub", "skip", "apply", "--home", nodes[0].home, whole, code=1)


def follows(node: Node, height: int) -> None:
    """A stock 07-tendermint verification of what the node's RPC serves, from before the skipped block to after it."""
    genesis, member = load_genesis(node.home), Member(f"http://127.0.0.1:{node.port + 1}")
    try:
        trusted = TrustedHash(2, bytes.fromhex(node.block(2)["block_id"]["hash"]))
        follower = LightFollower(genesis, trusted)
        for at in (height - 1, height, height + 1, height + 2):
            assert follower.header(member, at, time.time_ns()).height == at
        assert LightFollower(genesis, trusted).header(member, height + 3, time.time_ns()).height == height + 3
    finally:
        member.close()
