"""A dapp developer's first day with Foundry's `cast` against the hub, with a base fee and without, under both engines."""

import json
import os
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import trio
from trio_websocket import open_websocket_url

from hutong.relay.hub.application.machine.fees import FeeRules
from tests.nodes.cometbft.cometbft_network import Member, new_hub, running_network
from tests.nodes.provision import foundry
from tests.relay.hub.hub_process import HubProcess
from tests.relay.hub.process.test_hub_process import counter_code

pytestmark = pytest.mark.nodes

KEY, POOR_KEY, THIRD_KEY = ("0x" + byte * 32 for byte in ("11", "22", "33"))
RECIPIENT = "0x" + "fe" * 20
ALICE = "0x00000000000000000000000000000000000A11cE"
LEAST_WEI = 1_000_000_000
LIMIT_S = 300


@dataclass
class Cast:
    """`cast` as a developer types it, with the hub as its endpoint."""

    hub: HubProcess | Member
    base_fee_wei: int

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "ETH_RPC_URL": self.hub.eth_url}
        command = [str(foundry("cast")), *words]
        return subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, check=False, env=environment)

    def __call__(self, *words: str) -> str:
        done = self.run(*words)
        assert done.returncode == 0, (words, done.stderr)
        return done.stdout.strip()

    def json(self, *words: str):
        return json.loads(self(*words))

    def refused(self, *words: str) -> str:
        done = self.run(*words)
        assert done.returncode != 0, done.stdout
        return done.stderr

    def send(self, *words: str, key: str = KEY):
        return self.json("send", "--private-key", key, "--json", *words)

    def pool(self) -> tuple[int, int]:
        status = self.json("rpc", "txpool_status")
        return int(status["pending"], 16), int(status["queued"], 16)

    @property
    def websocket_url(self) -> str:
        return self.hub.eth_url.replace("http://", "ws://")


def address_of(key: str) -> str:
    done = subprocess.run([str(foundry("cast")), "wallet", "address", key], capture_output=True, text=True, check=True)
    return done.stdout.strip()


@contextmanager
def embedded(home: Path, fees: FeeRules | None):
    """As its operator makes it, by the command line."""
    options = [word for key in (KEY, THIRD_KEY) for word in ("--fund", address_of(key))]
    if fees is not None:
        options += ["--base-fee", str(fees.base_fee_wei), "--fee-recipient", f"0x{fees.recipient.hex()}"]
    command = [sys.executable, "-m", "hutong.relay.cli", "hub", "init", "--home", str(home), "--scrypt-iterations", "2"]
    subprocess.run([*command, "--block-interval-ms", "400", "--open-code", *options], check=True, capture_output=True)
    hub = HubProcess(home).start()
    try:
        yield hub
    finally:
        assert hub.stop() == (0, "")


@contextmanager
def under_cometbft(home: Path, fees: FeeRules | None):
    funds = tuple((bytes.fromhex(address_of(key)[2:]), 10**24) for key in (KEY, THIRD_KEY))
    hub = replace(new_hub(block_interval_ms=400), allocations=funds, fees=fees)
    with running_network(home, hub=hub) as network:
        yield network.members[0]


@pytest.fixture(scope="module", params=[0, LEAST_WEI], ids=["free", "base fee"])
def fees(request):
    return FeeRules(request.param, bytes.fromhex(RECIPIENT[2:])) if request.param else None


@pytest.fixture(scope="module", params=[embedded, under_cometbft], ids=["embedded", "cometbft"])
def cast(request, fees):
    with TemporaryDirectory(dir="/tmp") as directory, request.param(Path(directory) / "home", fees) as hub:
        yield Cast(hub, fees.base_fee_wei if fees else 0)


@pytest.fixture(scope="module")
def counter(cast):
    """A contract that counts its calls, logs each count and returns it."""
    receipt = cast.send("--create", "0x" + counter_code().hex())
    assert receipt["status"] == "0x1"
    assert cast("code", receipt["contractAddress"]) != "0x"
    return receipt["contractAddress"]


def test_chain_balance_price_and_block(cast):
    assert cast("chain-id") == "41000"
    assert cast("balance", address_of(POOR_KEY)) == "0"
    assert int(cast("gas-price")) == int(cast("base-fee")) == cast.base_fee_wei
    assert int(cast.json("rpc", "eth_maxPriorityFeePerGas"), 16) == 0
    block = cast.json("block", "latest", "--json")
    assert int(block["baseFeePerGas"], 16) == cast.base_fee_wei
    assert block["miner"].lower() == (RECIPIENT if cast.base_fee_wei else "0x" + "00" * 20)


def test_send_costs_what_the_receipt_says_and_the_tip_arrives(cast):
    sender = address_of(KEY)
    before, tips = int(cast("balance", sender)), int(cast("balance", RECIPIENT))
    receipt = cast.send(ALICE, "--value", "5", "--gas-price", str(3 * LEAST_WEI), "--priority-gas-price", "7")
    assert int(receipt["effectiveGasPrice"], 16) == cast.base_fee_wei + 7
    assert int(receipt["gasUsed"], 16) == 21_000
    assert before - int(cast("balance", sender)) == 5 + 21_000 * (cast.base_fee_wei + 7)
    assert int(cast("balance", RECIPIENT)) - tips == (21_000 * 7 if cast.base_fee_wei else 0)
    assert cast.json("receipt", receipt["transactionHash"], "--json") == receipt
    assert int(cast("balance", ALICE)) >= 5


def test_defaults_of_the_wallet_just_work(cast):
    """No option: cast asks eth_feeHistory and makes its own offer."""
    receipt = cast.send(ALICE, "--value", "1")
    assert receipt["status"] == "0x1" and receipt["type"] == "0x2"
    assert int(receipt["effectiveGasPrice"], 16) >= cast.base_fee_wei
    history = cast.json("rpc", "eth_feeHistory", "0x3", "latest", "[50]")
    assert {int(fee, 16) for fee in history["baseFeePerGas"]} == {cast.base_fee_wei}


def test_who_has_nothing_sends_on_a_free_hub_alone(cast):
    words = ("--legacy", "--gas-price", "0", "--gas-limit", "21000", ALICE)
    if cast.base_fee_wei:
        assert f"max fee per gas less than block base fee; expected {LEAST_WEI}, got 0" in cast.refused(
            "send", "--private-key", POOR_KEY, *words
        )
    else:
        assert cast.send(*words, key=POOR_KEY)["status"] == "0x1"


def test_deploy_call_estimate_and_logs(cast, counter):
    before = int(cast("call", counter, "next()(uint256)"))
    assert 21_000 < int(cast("estimate", counter, "next()")) < 60_000
    receipt = cast.send(counter, "next()")
    assert receipt["status"] == "0x1" and len(receipt["logs"]) == 1
    assert int(receipt["logs"][0]["data"], 16) == before
    assert int(cast("call", counter, "next()(uint256)")) == before + 1
    logs = cast.json("logs", "--address", counter, "--from-block", "0", "--json")
    assert logs[-1]["transactionHash"] == receipt["transactionHash"]
    assert cast.json("logs", "--address", ALICE, "--from-block", "0", "--json") == []


def test_nonce_gap_waits_is_replaced_and_goes_when_it_is_closed(cast, counter):
    nonce = int(cast("nonce", address_of(THIRD_KEY)))

    def offer(number: int, factor: int, data: str) -> tuple[str, ...]:
        price = ("--gas-price", str(factor * LEAST_WEI), "--priority-gas-price", str(factor * LEAST_WEI // 10))
        gas = ("--gas-limit", "100000", "--nonce", str(number), "--async")
        return "--private-key", THIRD_KEY, *price, *gas, counter, data

    first = cast("send", *offer(nonce + 1, 20, "0x01"))
    assert cast.pool() == (0, 1)
    assert cast.json("rpc", "txpool_contentFrom", address_of(THIRD_KEY))["queued"][str(nonce + 1)]["hash"] == first
    assert "replacement transaction underpriced" in cast.refused("send", *offer(nonce + 1, 21, "0x02"))
    second = cast("send", *offer(nonce + 1, 22, "0x03"))
    assert cast.pool() == (0, 1)
    assert int(cast("nonce", address_of(THIRD_KEY), "--block", "pending")) == nonce
    assert "nonce too high" in cast.refused("send", *offer(nonce + 1_025, 20, "0x"))
    closing = cast("send", *offer(nonce, 20, "0x"))
    assert json.loads(cast("receipt", second, "--json"))["status"] == "0x1"
    assert json.loads(cast("receipt", closing, "--json"))["status"] == "0x1"
    assert cast.json("rpc", "eth_getTransactionByHash", first) is None
    assert cast.pool() == (0, 0)
    assert "nonce too low" in cast.refused("send", *offer(nonce, 20, "0x"))


def test_behind_a_gap_a_transaction_that_pays_nothing_is_replaced_by_another(cast):
    nonce = int(cast("nonce", address_of(THIRD_KEY)))

    def offer(number: int, value: int) -> tuple[str, ...]:
        price = ("--legacy", "--gas-price", str(cast.base_fee_wei), "--gas-limit", "21000")
        return (
            "send",
            "--private-key",
            THIRD_KEY,
            "--async",
            *price,
            "--nonce",
            str(number),
            ALICE,
            "--value",
            str(value),
        )

    old = cast(*offer(nonce + 1, 1))
    if cast.base_fee_wei:
        assert "replacement transaction underpriced" in cast.refused(*offer(nonce + 1, 2))
        kept, lost = old, None
    else:
        kept, lost = cast(*offer(nonce + 1, 2)), old
    cast(*offer(nonce, 0))
    assert json.loads(cast("receipt", kept, "--json"))["status"] == "0x1"
    assert lost is None or cast.json("rpc", "eth_getTransactionByHash", lost) is None


def test_logs_come_to_a_subscriber(cast, counter, tmp_path):
    output = tmp_path / "logs"
    with output.open("w") as file:
        follower = subprocess.Popen(
            [str(foundry("cast")), "logs", "--subscribe", "--address", counter, "--rpc-url", cast.websocket_url],
            stdout=file,
            stderr=file,
        )
    try:
        ends, sent = time.monotonic() + LIMIT_S, set()
        # The subscription begins some moment after the process has: send until one is seen.
        while not any(transaction in output.read_text() for transaction in sent):
            assert time.monotonic() < ends, output.read_text()
            sent.add(cast.send(counter, "next()")["transactionHash"])
    finally:
        follower.kill()
        follower.wait()


async def test_heads_and_pending_transactions_come_to_a_subscriber(cast):
    with trio.fail_after(LIMIT_S):
        async with open_websocket_url(cast.websocket_url) as socket:
            identifiers = {}
            for number, kind in enumerate(("newHeads", "newPendingTransactions")):
                await socket.send_message(
                    json.dumps({"jsonrpc": "2.0", "id": number, "method": "eth_subscribe", "params": [kind]})
                )
            while len(identifiers) < 2:
                answer = json.loads(await socket.get_message())
                if "result" in answer:
                    identifiers[answer["result"]] = answer["id"]
            sent = await trio.to_thread.run_sync(cast, "send", "--private-key", KEY, "--async", ALICE, "--value", "1")
            heads, pending = [], []
            while len(heads) < 2 or not pending:
                params = json.loads(await socket.get_message())["params"]
                (heads if identifiers[params["subscription"]] == 0 else pending).append(params["result"])
            assert pending == [sent]
            assert int(heads[1]["number"], 16) == int(heads[0]["number"], 16) + 1


def test_filters(cast, counter):
    logs = cast.json("rpc", "eth_newFilter", json.dumps({"address": counter}))
    pending = cast.json("rpc", "eth_newPendingTransactionFilter")
    receipt = cast.send(counter, "next()")
    assert cast.json("rpc", "eth_getFilterChanges", pending) == [receipt["transactionHash"]]
    assert [log["transactionHash"] for log in cast.json("rpc", "eth_getFilterChanges", logs)] == [
        receipt["transactionHash"]
    ]
    assert cast.json("rpc", "eth_getFilterChanges", logs) == []
    assert cast.json("rpc", "eth_uninstallFilter", logs) is True
