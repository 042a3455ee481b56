"""Block records: roots and encodings against another implementation, and the store's round trip."""

from dataclasses import replace

import pytest
import rlp
from eth.rlp.logs import Log as VmLog
from eth.rlp.receipts import Receipt as VmReceipt
from eth_hash.auto import keccak
from hypothesis import given, settings
from hypothesis import strategies as st
from trie import HexaryTrie

from hutong.relay.evm.chain.block_store import BlockStore, store_block
from hutong.relay.evm.chain.blocks import (
    EvmBlock,
    EvmHeader,
    block_body,
    bloom_may_contain,
    logs_bloom,
)
from hutong.relay.evm.chain.list_root import EMPTY_LIST_ROOT, list_root
from hutong.relay.evm.errors import CallFailure
from hutong.relay.evm.store.database import MemoryStore
from hutong.relay.evm.vm.outcomes import Log, TransactionOutcome
from tests.relay.evm.evm_transactions import CHAIN_ID, FUNDED, signed

TO = b"\x01" * 20
LOGS = st.builds(
    Log,
    st.binary(min_size=20, max_size=20),
    st.lists(st.binary(min_size=32, max_size=32), max_size=4).map(tuple),
    st.binary(max_size=40),
)


def outcome(gas_used=21_000, logs=(), **fields):
    defaults = {
        "success": True, "gas_used": gas_used, "logs": tuple(logs), "contract_address": None, "return_data": b"",
        "failure": None, "failure_detail": "",
    }  # fmt: skip
    return TransactionOutcome(**{**defaults, **fields})


@given(st.lists(LOGS, max_size=4), st.booleans(), st.integers(0, 2**40))
@settings(deadline=None)
def test_receipt_and_bloom_equal_py_evms(logs, success, gas_used):
    body = block_body([(signed(to=TO), outcome(gas_used, logs, success=success))])
    theirs = VmReceipt(
        b"\x01" if success else b"",
        gas_used,
        [VmLog(log.address, [int.from_bytes(topic, "big") for topic in log.topics], log.data) for log in logs],
    )
    assert body.receipts[0].encode() == rlp.encode(theirs)
    assert int.from_bytes(body.logs_bloom, "big") == theirs.bloom


def root_by_insertion(items):
    trie = HexaryTrie({}, prune=True)
    for index in reversed(range(len(items))):
        trie[rlp.encode(index)] = items[index]
    return trie.root_hash


@given(st.lists(st.binary(min_size=1, max_size=60), max_size=140))
@settings(max_examples=30, deadline=None)
def test_list_root_is_the_root_of_rlp_index_to_item(items):
    assert list_root(items) == root_by_insertion(items)


@pytest.mark.parametrize("count", [0, 1, 2, 15, 16, 17, 127, 128, 129, 255, 256, 257, 513])
@pytest.mark.parametrize("size", [1, 29, 31, 32, 400])
def test_list_root_where_keys_and_nodes_change_their_form(count, size):
    """RLP of an index grows at 128 and 256; nodes of fewer than 32 bytes stand in the node above."""
    items = [bytes([index % 256]) * size for index in range(count)]
    assert list_root(items) == root_by_insertion(items)


def test_empty_block_body():
    body = block_body([])
    assert body.transactions_root == body.receipts_root == EMPTY_LIST_ROOT
    assert body.logs_bloom == bytes(256) and body.gas_used == 0
    assert EvmHeader(
        bytes(32), bytes(20), bytes(32), bytes(32), bytes(32), bytes(256), 1, 2, 0, 3
    ).ommers_hash == keccak(rlp.encode([]))


def test_typed_receipts_and_cumulative_gas():
    executed = [
        (signed(to=TO), outcome(10)),
        (
            signed(nonce=1, to=TO, maxFeePerGas=9, maxPriorityFeePerGas=2),
            outcome(20, success=False, failure=CallFailure.REVERTED),
        ),
    ]
    body = block_body(executed, base_fee_wei=5)
    assert [receipt.cumulative_gas_used for receipt in body.receipts] == [10, 30]
    assert body.receipts[1].effective_gas_price_wei == 7
    assert body.receipts[1].encode()[0] == 2
    assert rlp.decode(body.receipts[1].encode()[1:])[:2] == [b"", b"\x1e"]


def test_bloom_never_misses():
    logs = [Log(bytes([n]) * 20, (bytes([n]) * 32,), b"") for n in range(30)]
    bloom = logs_bloom(logs)
    assert all(bloom_may_contain(bloom, log.address) and bloom_may_contain(bloom, log.topics[0]) for log in logs)
    assert not bloom_may_contain(bytes(256), FUNDED)


def header(number, **fields):
    return EvmHeader(
        parent_hash=b"\x01" * 32, coinbase=b"\x02" * 20, state_root=b"\x03" * 32, transactions_root=b"\x04" * 32,
        receipts_root=b"\x05" * 32, logs_bloom=bytes(256), number=number, gas_limit=30_000_000, gas_used=0,
        timestamp_s=1_700_000_000, extra_data=b"x" * 100, **fields,
    )  # fmt: skip


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"base_fee_wei": 0},
        {"base_fee_wei": 7, "withdrawals_root": b"\x06" * 32},
        {
            "base_fee_wei": 0, "withdrawals_root": b"\x06" * 32, "blob_gas_used": 0, "excess_blob_gas": 0,
            "parent_beacon_block_root": bytes(32), "requests_hash": b"\x07" * 32,
        },
    ],
)  # fmt: skip
def test_what_is_stored_is_read_back(fields):
    store = MemoryStore()
    transactions = (signed(to=TO), signed(nonce=1, to=TO, maxFeePerGas=0, maxPriorityFeePerGas=0))
    log = Log(TO, (b"\x09" * 32,), b"data")
    body = block_body(
        [(transactions[0], outcome(logs=[log])), (transactions[1], outcome(contract_address=b"\x08" * 20))]
    )
    first, second = (
        EvmBlock(b"\xa1" * 32, header(0, **fields)),
        EvmBlock(b"\xa2" * 32, header(1, **fields), transactions),
    )
    with store.batch() as batch:
        store_block(batch, first, ())
        store_block(batch, second, body.receipts)
    blocks = BlockStore(store, CHAIN_ID)
    assert blocks.block(0) == first == blocks.first() and blocks.block(1) == second == blocks.head()
    assert blocks.head_number() == 1 and blocks.header(1) == (second.hash, second.header)
    assert blocks.block_by_hash(first.hash) == first and blocks.number_of(b"\x00" * 32) is None
    assert blocks.receipts(1) == body.receipts and blocks.receipts(0) == ()
    located = blocks.locate(transactions[1].hash)
    assert (located.index, located.block, located.transaction) == (1, second, transactions[1])
    for absent in (2, -1, 2**64):
        assert blocks.block(absent) is blocks.receipts(absent) is blocks.header(absent) is None
    assert blocks.locate(b"\x00" * 32) is None and blocks.block_by_hash(b"\x00" * 32) is None


def test_an_empty_store_has_no_head():
    blocks = BlockStore(MemoryStore(), CHAIN_ID)
    assert blocks.head() is blocks.first() is blocks.head_number() is None


def test_optional_header_fields_end_at_the_first_absent_one():
    assert len(header(0).fields()) == 15
    assert len(header(0, base_fee_wei=0).fields()) == 16
    assert len(replace(header(0), withdrawals_root=b"\x06" * 32).fields()) == 15
    assert EvmBlock(bytes(32), header(0)).size_bytes > 600
