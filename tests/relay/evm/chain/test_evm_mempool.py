"""The pool against a model: what waits, what is executable, what a block takes."""

from collections import defaultdict

import pytest
from eth_account import Account
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.relay.evm.chain.mempool import MAX_NONCE_GAP, Mempool
from hutong.relay.evm.errors import InvalidReason, InvalidTransaction
from tests.relay.evm.evm_transactions import KEY, OTHER_KEY, signed

THIRD_KEY = Account.from_key(b"\x33" * 32)
KEYS = (KEY, OTHER_KEY, THIRD_KEY)
TO = b"\x01" * 20


def tx(nonce, tip=0, key=KEY, **fields):
    return signed(key, nonce=nonce, to=TO, maxFeePerGas=tip, maxPriorityFeePerGas=tip, **fields)


def refused(pool, transaction, reason, account_nonce=0):
    before = pool.statistics()
    with pytest.raises(InvalidTransaction) as caught:
        pool.add(transaction, account_nonce)
    assert caught.value.reason is reason
    assert pool.statistics() == before


def test_one_sender_goes_by_nonce_and_gaps_wait():
    pool = Mempool()
    first, second, fourth = tx(0), tx(1), tx(3)
    for transaction in (fourth, second, first):
        pool.add(transaction, 0)
    assert list(pool.select()) == [first, second]
    assert pool.next_nonce(first.sender, 0) == 2
    third = tx(2)
    pool.add(third, 0)
    assert list(pool.select()) == [first, second, third, fourth]
    assert (pool.statistics().transactions, pool.statistics().executable, pool.statistics().senders) == (4, 4, 1)
    assert pool.statistics().bytes == sum(len(item.raw) for item in (first, second, third, fourth))


def test_order_is_by_tip_then_by_arrival_and_never_against_a_nonce():
    pool = Mempool()
    late_rich, cheap_first, rich_second = tx(0, 5, OTHER_KEY), tx(0, 1), tx(1, 9)
    same_tip = tx(0, 1, THIRD_KEY)
    for transaction in (cheap_first, rich_second, same_tip, late_rich):
        pool.add(transaction, 0)
    assert list(pool.select()) == [late_rich, cheap_first, rich_second, same_tip]


def test_refusals():
    pool = Mempool()
    pool.add(tx(5, 100), 5)
    refused(pool, tx(5, 100), InvalidReason.ALREADY_KNOWN, 5)
    refused(pool, tx(4), InvalidReason.NONCE_TOO_LOW, 5)
    refused(pool, tx(5 + MAX_NONCE_GAP + 1), InvalidReason.NONCE_TOO_HIGH, 5)
    refused(pool, tx(5, 109), InvalidReason.REPLACEMENT_UNDERPRICED, 5)
    pool.add(tx(5, 110), 5)
    assert [item.max_fee_per_gas_wei for item in pool.select()] == [110]


def test_nothing_replaces_where_fees_are_zero_but_one_wei_does():
    pool = Mempool()
    pool.add(tx(0), 0)
    refused(pool, tx(0, value=1), InvalidReason.REPLACEMENT_UNDERPRICED)
    pool.add(tx(0, 1), 0)
    assert len(list(pool.select())) == 1


def test_a_full_pool_refuses_but_a_gap_closer_displaces_a_waiter():
    pool = Mempool(max_transactions=3)
    pool.add(tx(0), 0)
    pool.add(tx(2), 0)
    pool.add(tx(0, key=OTHER_KEY), 0)
    refused(pool, tx(7, key=THIRD_KEY), InvalidReason.POOL_FULL)
    pool.add(tx(0, key=THIRD_KEY), 0)  # executable: takes the place of the one behind a gap
    assert [item.nonce for item in pool.select()] == [0, 0, 0]
    refused(pool, tx(1), InvalidReason.POOL_FULL)


def test_bytes_and_senders_are_bounded():
    pool = Mempool(max_bytes=1_000)
    pool.add(tx(0, data=bytes(600)), 0)
    refused(pool, tx(1, data=bytes(600)), InvalidReason.POOL_FULL)
    pool.add(tx(1), 0)
    pool = Mempool(max_per_sender=2)
    pool.add(tx(0), 0)
    pool.add(tx(1), 0)
    refused(pool, tx(2), InvalidReason.POOL_FULL)
    pool.add(tx(0, key=OTHER_KEY), 0)


def test_after_a_block_what_was_used_is_gone_and_the_rest_goes_on():
    pool = Mempool()
    transactions = [tx(nonce) for nonce in range(4)]
    for transaction in transactions:
        pool.add(transaction, 0)
    pool.remove_included((transactions[0], transactions[1]))
    assert list(pool.select()) == transactions[2:]
    assert pool.get(transactions[0].hash) is None and pool.get(transactions[2].hash) == transactions[2]
    pool.drop(transactions[2].hash)
    pool.drop(transactions[2].hash)
    assert list(pool.select()) == [] and pool.statistics().transactions == 1
    pool.remove_included((transactions[3],))
    assert pool.statistics() == Mempool().statistics()


def test_a_block_by_others_with_the_same_nonce_removes_the_rival():
    pool = Mempool()
    pool.add(tx(0), 0)
    pool.add(tx(1), 0)
    pool.remove_included((tx(0, value=1),))
    assert [item.nonce for item in pool.select()] == [1]


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.integers(0, 2), st.integers(0, 5), st.integers(0, 3)),
        st.tuples(st.just("block"), st.integers(0, 4)),
        st.tuples(st.just("drop"), st.integers(0, 20)),
    ),
    max_size=25,
)
SIGNED = {(who, nonce, tip): tx(nonce, tip, KEYS[who]) for who in range(3) for nonce in range(6) for tip in range(4)}


@given(STEPS)
@settings(max_examples=200, deadline=None)
def test_property_the_pool_holds_one_per_nonce_and_offers_unbroken_runs(steps):
    pool, model, nonces = Mempool(max_transactions=8), {}, defaultdict(int)
    for step in steps:
        if step[0] == "add":
            transaction = SIGNED[step[1:]]
            try:
                pool.add(transaction, nonces[transaction.sender])
            except InvalidTransaction:
                pass
        elif step[0] == "block":
            taken = list(pool.select())[: step[1]]
            for transaction in taken:
                assert transaction.nonce == nonces[transaction.sender]
                nonces[transaction.sender] += 1
            pool.remove_included(tuple(taken))
        else:
            known = sorted(model)
            if known:
                pool.drop(known[step[1] % len(known)])
        model = {item.hash: item for item in SIGNED.values() if pool.get(item.hash)}
        assert len({(item.sender, item.nonce) for item in model.values()}) == len(model) <= 8
        assert all(item.nonce >= nonces[item.sender] for item in model.values())
        statistics = pool.statistics()
        assert (statistics.transactions, statistics.bytes) == (
            len(model),
            sum(len(item.raw) for item in model.values()),
        )
        run = defaultdict(list)
        for item in pool.select():
            run[item.sender].append(item.nonce)
        for key in KEYS:
            sender = bytes.fromhex(key.address[2:])
            waiting = {item.nonce for item in model.values() if item.sender == sender}
            expected = []
            while nonces[sender] + len(expected) in waiting:
                expected.append(nonces[sender] + len(expected))
            assert run[sender] == expected
            assert pool.next_nonce(sender, nonces[sender]) == nonces[sender] + len(expected)
