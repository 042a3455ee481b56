"""The log index: what it finds is what a scan finds, in databases old and new, within its bounds."""

import math

import pytest
from eth_hash.auto import keccak
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.relay.evm.chain.block_store import BlockStore, store_block
from hutong.relay.evm.chain.blocks import EvmBlock, EvmHeader, block_body
from hutong.relay.evm.chain.log_backfill import index_some_older_blocks
from hutong.relay.evm.chain.log_criteria import LogCriteria
from hutong.relay.evm.chain.log_index import INDEX_TABLE, INDEXED_FROM, PROGRESS_TABLE
from hutong.relay.evm.rpc.json_errors import JsonRpcError
from hutong.relay.evm.rpc.log_query import MAX_INDEX_READS, MAX_LOG_BLOCKS, MAX_LOGS, MAX_QUERY_S, logs_in_range
from hutong.relay.evm.store.database import MemoryStore, Table, WritableTable
from hutong.relay.evm.vm.outcomes import Log, TransactionOutcome
from tests.relay.evm.evm_transactions import CHAIN_ID, signed

TRANSACTIONS = [signed(nonce=nonce, to=b"\x01" * 20) for nonce in range(2)]
ADDRESSES = [bytes([number]) * 20 for number in range(3)]
TOPICS = [bytes([number]) * 32 for number in range(3)]
LOGS = st.builds(
    Log, st.sampled_from(ADDRESSES), st.lists(st.sampled_from(TOPICS), max_size=4).map(tuple), st.just(b"")
)
CHAINS = st.lists(st.lists(st.lists(LOGS, max_size=3), max_size=2), min_size=1, max_size=12)
CHOICES = st.one_of(st.none(), st.frozensets(st.sampled_from(TOPICS), min_size=1))
CRITERIA = st.builds(
    LogCriteria,
    from_block=st.none(),
    to_block=st.none(),
    block_hash=st.none(),
    addresses=st.frozensets(st.sampled_from(ADDRESSES)),
    topics=st.lists(CHOICES, max_size=4).map(tuple),
)


def outcome(logs):
    return TransactionOutcome(
        success=True, gas_used=21_000, logs=tuple(logs), contract_address=None, return_data=b"", failure=None,
        failure_detail="",
    )  # fmt: skip


def add_block(store, number, logs_of_transactions):
    body = block_body([(TRANSACTIONS[at], outcome(logs)) for at, logs in enumerate(logs_of_transactions)])
    header = EvmHeader(
        parent_hash=bytes(32), coinbase=bytes(20), state_root=bytes(32), transactions_root=body.transactions_root,
        receipts_root=body.receipts_root, logs_bloom=body.logs_bloom, number=number, gas_limit=10**7,
        gas_used=body.gas_used, timestamp_s=number, base_fee_wei=0,
    )  # fmt: skip
    block = EvmBlock(keccak(header.encode()), header, body.transactions)
    with store.batch() as batch:
        store_block(batch, block, body.receipts)


def chain_of(blocks):
    store = MemoryStore()
    for number, logs in enumerate(blocks):
        add_block(store, number, logs)
    return store


def forget_index(store, first=0):
    """As a database is that an older version filled up to before block `first`."""
    with store.batch() as batch:
        index = WritableTable(batch, INDEX_TABLE)
        for key, _ in list(Table(store, INDEX_TABLE).items()):
            if not first or int.from_bytes(key[-8:], "big") < first:
                index.delete(key)
        progress = WritableTable(batch, PROGRESS_TABLE)
        progress.delete(INDEXED_FROM)
        if first:
            progress.put(INDEXED_FROM, first.to_bytes(8, "big"))


def plainly(blocks, criteria, first, last):
    found = []
    for number in range(first, min(last, len(blocks) - 1) + 1):
        index = 0
        for logs in blocks[number]:
            for log in logs:
                if (not criteria.addresses or log.address in criteria.addresses) and (
                    len(criteria.topics) <= len(log.topics)
                    and all(
                        choices is None or topic in choices
                        for choices, topic in zip(criteria.topics, log.topics, strict=False)
                    )
                ):
                    found.append((number, index))
                index += 1
    return found


def asked(store, criteria, first, last, **options):
    answer = logs_in_range(BlockStore(store, CHAIN_ID), criteria, first, last, **options)
    return [(int(entry["blockNumber"], 16), int(entry["logIndex"], 16)) for entry in answer]


def criteria_of(addresses=(), topics=()):
    return LogCriteria(None, None, None, frozenset(addresses), topics)


@pytest.mark.long
@given(CHAINS, CRITERIA, st.integers(0, 12), st.integers(0, 14), st.integers(0, 12), st.integers(1, 5))
@settings(max_examples=150, deadline=None)
def test_property_index_scan_and_both_find_the_same(blocks, criteria, first, more, indexed_from, batch):
    store = chain_of(blocks)
    last = first + more
    expected = plainly(blocks, criteria, first, last)
    assert asked(store, criteria, first, last) == expected
    whole = dict(store.items())
    forget_index(store, min(indexed_from, len(blocks)))
    assert asked(store, criteria, first, last) == expected
    while index_some_older_blocks(store, CHAIN_ID, batch):
        assert asked(store, criteria, first, last) == expected
    assert dict(store.items()) == whole


def test_a_database_from_before_is_indexed_by_what_is_added_and_then_backwards():
    store = chain_of([[[Log(ADDRESSES[1], (TOPICS[0],), b"")]] for _ in range(5)])
    forget_index(store)
    blocks = BlockStore(store, CHAIN_ID)
    assert blocks.log_index.indexed_from() is None
    add_block(store, 5, [[Log(ADDRESSES[1], (), b"")]])
    assert blocks.log_index.indexed_from() == 5
    assert index_some_older_blocks(store, CHAIN_ID, 3) is True
    assert blocks.log_index.indexed_from() == 2
    assert index_some_older_blocks(store, CHAIN_ID, 3) is False
    assert blocks.log_index.indexed_from() == 0
    assert index_some_older_blocks(store, CHAIN_ID, 3) is False
    assert asked(store, criteria_of([ADDRESSES[1]]), 0, 9) == [(number, 0) for number in range(6)]


def test_index_is_written_in_the_blocks_own_batch():
    store = MemoryStore()
    with pytest.raises(ZeroDivisionError), store.batch() as batch:
        body = block_body([(TRANSACTIONS[0], outcome([Log(ADDRESSES[0], (), b"")]))])
        header = EvmHeader(
            bytes(32), bytes(20), bytes(32), bytes(32), bytes(32), body.logs_bloom, 0, 1, 1, 1
        )  # fmt: skip
        store_block(batch, EvmBlock(bytes(32), header, body.transactions), body.receipts)
        assert Table(batch, INDEX_TABLE).next(b"") is not None
        raise ZeroDivisionError
    assert list(store.items()) == []


def refused(store, criteria, first, last, **options):
    with pytest.raises(JsonRpcError) as caught:
        asked(store, criteria, first, last, **options)
    assert caught.value.code == -32005
    return caught.value


def test_a_wide_range_is_for_those_who_name_an_address_or_a_topic():
    store = chain_of([[[Log(ADDRESSES[0], (TOPICS[1],), b"")]]])
    error = refused(store, criteria_of(), 0, 10**6)
    assert error.data == {"fromBlock": "0x0", "toBlock": hex(MAX_LOG_BLOCKS - 1)}
    assert error.message == (
        f"block range of 1000001 exceeds {MAX_LOG_BLOCKS} blocks, narrow the block range"
        " (this one fits: 0x0 to 0x270f), or name an address or a topic"
    )
    assert asked(store, criteria_of([ADDRESSES[0]]), 0, 10**6) == [(0, 0)]
    assert asked(store, criteria_of((), (frozenset(TOPICS[:2]),)), 0, 10**6) == [(0, 0)]
    assert asked(store, criteria_of((), (None,)), 0, MAX_LOG_BLOCKS - 1) == [(0, 0)]
    forget_index(store)
    assert "exceeds" in refused(store, criteria_of([ADDRESSES[0]]), 0, 10**6).message


@pytest.mark.long
def test_too_many_results_name_the_range_that_fits():
    half = [[Log(ADDRESSES[0], (), b"")] * (MAX_LOGS // 2)]
    store = chain_of([half, half, [[Log(ADDRESSES[0], (), b"")]]])
    error = refused(store, criteria_of([ADDRESSES[0]]), 0, 2)
    assert error.data == {"fromBlock": "0x0", "toBlock": "0x1"}
    assert f"returned more than {MAX_LOGS} results" in error.message
    assert len(asked(store, criteria_of([ADDRESSES[0]]), 0, 1)) == MAX_LOGS
    one = chain_of([[[Log(ADDRESSES[0], (), b"")] * (MAX_LOGS + 1)]])
    assert refused(one, criteria_of(), 0, 0).message.endswith("narrow the criteria")


def test_a_query_ends_in_time_and_names_what_it_had_done():
    store = chain_of([[[Log(ADDRESSES[0], (), b"")]] for _ in range(6)])
    ticks = iter([0.0, 1.0, 2.0, 3.0, MAX_QUERY_S + 0.1])
    error = refused(store, criteria_of([ADDRESSES[0]]), 0, 5, now_s=lambda: next(ticks, math.inf))
    assert error.data == {"fromBlock": "0x0", "toBlock": "0x2"}
    assert "takes longer than 5 s" in error.message


def test_index_reads_are_bounded(monkeypatch):
    monkeypatch.setattr("hutong.relay.evm.rpc.log_query.MAX_INDEX_READS", 10)
    assert MAX_INDEX_READS == 200_000
    alternating = [[[Log(ADDRESSES[number % 2], (), b"")]] for number in range(40)]
    store = chain_of(alternating)
    assert len(asked(store, criteria_of([ADDRESSES[0]]), 0, 15)) == 8
    error = refused(store, criteria_of([ADDRESSES[0]]), 0, 39)
    assert "reads more than 10 index entries" in error.message and error.data["toBlock"] == "0x12"
