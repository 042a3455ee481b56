"""What JSON-RPC says of prices and of the pool on a hub with a base fee."""

import json
import re
from pathlib import Path

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from hutong.relay.evm.chain.mempool import Mempool
from hutong.relay.evm.rpc.fee_methods import TIP_BLOCKS, rewards_at
from hutong.relay.evm.rpc.json_rpc import JsonRpcService
from hutong.relay.evm.rpc.txpool_methods import MAX_CONTENT_BYTES
from hutong.relay.hub.rpc.chain import HubChain
from tests.relay.hub.application.machine.test_hub_base_fee import RECIPIENT, SOMEONE, burn, fee_hub, signed, with_burner
from tests.relay.hub.simulated_hub import DAPP


class Rpc:
    def __init__(self, application) -> None:
        self.chain = HubChain(application, Mempool())
        self.service = JsonRpcService(self.chain)

    def __call__(self, method, *params):
        """The result, or (code, message)."""
        request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}
        answer = json.loads(trio.run(self.service.answer, json.dumps(request).encode()))
        return answer["result"] if "error" not in answer else (answer["error"]["code"], answer["error"]["message"])


@pytest.fixture(scope="module")
def hub():
    """Block 2 deploys; 3 to 5 are full, with tips of 10, 20 and 30, 30; 6 is empty; 7 has one transfer with a tip of 7."""
    hub = fee_hub()
    contract = with_burner(hub)
    for tips in ((10, 10), (20, 30), (30, 30)):
        hub.advance(*(burn(hub, contract, 1_000_000, tip_wei=tip_wei) for tip_wei in tips))
    hub.advance()
    assert hub.advance(signed(hub, cap_wei=10**6, tip_wei=7))[0].ok
    assert hub.height == 7
    return hub


@pytest.fixture
def rpc(hub):
    return Rpc(hub.application)


def test_prices_are_of_the_next_block_and_tips_of_crowded_ones(hub, rpc):
    following_wei = hub.application.next_base_fee_wei
    assert following_wei == 1_094
    assert int(rpc("eth_maxPriorityFeePerGas"), 16) == 30
    assert int(rpc("eth_gasPrice"), 16) == following_wei + 30
    for number, fee_wei in enumerate((1_000, 1_000, 1_000, 1_000, 1_125, 1_265, 1_423, 1_246)):
        assert int(rpc("eth_getBlockByNumber", hex(number), False)["baseFeePerGas"], 16) == fee_wei
    assert rpc("eth_getBlockByNumber", "0x7", False)["miner"] == "0x" + RECIPIENT.hex()
    receipt = rpc("eth_getBlockReceipts", "0x7")[0]
    assert int(receipt["effectiveGasPrice"], 16) == 1_246 + 7
    transaction = rpc("eth_getTransactionByHash", receipt["transactionHash"])
    assert int(transaction["gasPrice"], 16) == 1_246 + 7 and int(transaction["maxFeePerGas"], 16) == 10**6


def test_a_suggested_tip_follows_the_newest_blocks_each_of_which_is_read_once(monkeypatch):
    hub = fee_hub()
    contract = with_burner(hub)
    rpc, read = Rpc(hub.application), []
    receipts = rpc.chain.blocks.receipts
    monkeypatch.setattr(rpc.chain.blocks, "receipts", lambda number: read.append(number) or receipts(number))
    suggested, asked_for = [], []
    for tips in ((10, 10), (40, 40), (40, 40), *[()] * (TIP_BLOCKS - 2), (), ()):
        hub.advance(*(burn(hub, contract, 1_000_000, tip_wei=tip_wei) for tip_wei in tips))
        read.clear()
        tip_wei, price_wei = (int(rpc(f"eth_{method}"), 16) for method in ("maxPriorityFeePerGas", "gasPrice"))
        assert price_wei == rpc.chain.next_base_fee_wei + tip_wei
        suggested.append(tip_wei)
        asked_for += read
    # Blocks 3 to 25: the tips of 5 count up to 24.
    assert suggested == [10] + [40] * (TIP_BLOCKS + 1) + [0]
    assert asked_for == [3, 4, 5]


def test_fee_history(rpc):
    history = rpc("eth_feeHistory", "0x5", "0x7", [0, 50, 100])
    assert history["oldestBlock"] == "0x3"
    assert [int(fee, 16) for fee in history["baseFeePerGas"]] == [1_000, 1_125, 1_265, 1_423, 1_246, 1_094]
    assert history["gasUsedRatio"] == [1.0, 1.0, 1.0, 0.0, 21_000 / 2_000_000]
    assert [[int(tip, 16) for tip in row] for row in history["reward"]] == [
        [10, 10, 10], [20, 20, 30], [30, 30, 30], [0, 0, 0], [7, 7, 7],
    ]  # fmt: skip
    older = rpc("eth_feeHistory", 2, "0x4")
    assert [int(fee, 16) for fee in older["baseFeePerGas"]] == [1_000, 1_125, 1_265] and "reward" not in older
    assert rpc("eth_feeHistory", 0, "latest")["oldestBlock"] == "0x7"


@pytest.mark.parametrize("percentiles", [[50, 20], [-1], [101], ["50"], [True], [None], [0] * 101, {"a": 1}])
def test_fee_history_refuses_odd_percentiles(rpc, percentiles):
    assert rpc("eth_feeHistory", 1, "latest", percentiles)[0] == -32602


@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(1, 5)), min_size=1, max_size=6),
    st.lists(st.integers(0, 100), max_size=5).map(sorted),
)
def test_property_a_reward_is_the_tip_at_that_share_of_the_gas(tips, percentiles):
    units = [tip for tip, gas in sorted(tips) for _ in range(gas)]
    for percentile, reward in zip(percentiles, rewards_at(tips, percentiles), strict=True):
        below = sum(unit <= reward for unit in units)
        assert below * 100 >= len(units) * percentile
        assert sum(unit < reward for unit in units) * 100 < len(units) * max(percentile, 1)


def test_a_free_hub_quotes_nothing():
    hub = fee_hub(None)
    hub.advance(signed(hub, cap_wei=5, tip_wei=5))
    rpc = Rpc(hub.application)
    assert (rpc("eth_gasPrice"), rpc("eth_maxPriorityFeePerGas")) == ("0x0", "0x0")
    assert rpc("eth_feeHistory", 1, "latest", [50])["baseFeePerGas"] == ["0x0", "0x0"]


def test_submission_is_refused_with_what_it_would_take(hub, rpc):
    low = signed(hub, cap_wei=1_091)
    assert rpc("eth_sendRawTransaction", "0x" + low.hex()) == (
        -32000, "max fee per gas less than block base fee; expected 1094, got 1091",
    )  # fmt: skip
    assert rpc("txpool_status") == {"pending": "0x0", "queued": "0x0"}


def test_the_pool_is_shown_by_sender_and_nonce(hub, rpc):
    nonce = 8
    runs, waits = (signed(hub, cap_wei=5_000, tip_wei=1, nonce=number) for number in (nonce, nonce + 2))
    hashes = [rpc("eth_sendRawTransaction", "0x" + raw.hex()) for raw in (waits, runs)]
    assert rpc("txpool_status") == {"pending": "0x1", "queued": "0x1"}
    content = rpc("txpool_content")
    shown = content["pending"][DAPP.address][str(nonce)]
    assert shown["hash"] == hashes[1] and shown["blockHash"] is None and shown["gasPrice"] == hex(5_000)
    assert content["queued"][DAPP.address][str(nonce + 2)]["hash"] == hashes[0]
    assert rpc("txpool_contentFrom", DAPP.address) == {
        kind: content[kind][DAPP.address] for kind in ("pending", "queued")
    }
    assert rpc("txpool_contentFrom", "0x" + SOMEONE.hex()) == {"pending": {}, "queued": {}}
    line = rpc("txpool_inspect")["pending"][DAPP.address][str(nonce)]
    assert line == "0xaAaAaAaaAaAaAaaAaAAAAAAAAaaaAaAaAaaAaaAa: 0 wei + 21000 gas \u00d7 5000 wei"


def test_content_of_a_large_pool_is_refused_with_what_to_ask_instead(hub, monkeypatch):
    rpc = Rpc(hub.application)
    rpc("eth_sendRawTransaction", "0x" + signed(hub, cap_wei=5_000, nonce=8, gas=200_000, data=bytes(1_000)).hex())
    assert MAX_CONTENT_BYTES == 4 * 1024 * 1024
    monkeypatch.setattr("hutong.relay.evm.rpc.txpool_methods.MAX_CONTENT_BYTES", 1_000)
    code, message = rpc("txpool_content")
    assert code == -32005 and "txpool_contentFrom" in message
    code, message = rpc("txpool_contentFrom", DAPP.address)
    assert code == -32005 and "txpool_inspect" in message
    assert list(rpc("txpool_inspect")["pending"]) == [DAPP.address]


def test_every_method_is_on_its_page_and_the_page_names_no_other(hub, rpc):
    page = (Path(__file__).resolve().parents[4] / "docs" / "spec" / "hub-rpc.md").read_text()
    named = set(re.findall(r"`((?:eth|net|web3|txpool)_[A-Za-z0-9]+)`", page))
    assert named == set(rpc.service.method_names) | {"eth_subscribe", "eth_unsubscribe"}
