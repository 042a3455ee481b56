"""Where gas is free a stranger with a thousand accounts shares a lane with strangers, and not with relays (audit L2)."""

from hashlib import sha256
from itertools import islice

import pytest
from eth_account import Account

from hutong.relay.evm.chain.mempool import Mempool
from hutong.relay.evm.chain.pool_lanes import NAMED_WEIGHT, Lane, PoolLanes
from hutong.relay.evm.errors import InvalidReason, InvalidTransaction
from hutong.relay.evm.vm.transaction import decode_transaction

CHAIN_ID = 7
RELAY, SECOND_RELAY = (Account.from_key(sha256(b"relay %d" % number).digest()) for number in range(2))
NAMED = {bytes.fromhex(account.address[2:]) for account in (RELAY, SECOND_RELAY)}


def stranger(number: int):
    return Account.from_key(sha256(b"stranger %d" % number).digest())


def tx(account, nonce=0, gas=21_000, tip=0, data=b""):
    fields = {"chainId": CHAIN_ID, "nonce": nonce, "gas": gas, "gasPrice": tip, "value": 0, "data": data}
    raw = account.sign_transaction({**fields, "to": "0x" + "11" * 20}).raw_transaction
    return decode_transaction(bytes(raw), CHAIN_ID)


def pool(**bounds) -> Mempool:
    return Mempool(lanes=PoolLanes(NAMED.__contains__), **bounds)


def refused(of: Mempool, transaction) -> InvalidTransaction:
    with pytest.raises(InvalidTransaction) as refusal:
        of.add(transaction, 0)
    assert refusal.value.reason is InvalidReason.POOL_FULL
    return refusal.value


def test_audit_L2_strangers_leave_half_of_the_pool_to_relays():
    spammed = pool(max_transactions=8)
    for number in range(4):
        spammed.add(tx(stranger(number)), 0)
    full = refused(spammed, tx(stranger(9)))
    assert (full.got, full.expected) == (4, 4)
    assert "this node does not know as relays" in str(full)
    for nonce in range(4):
        spammed.add(tx(RELAY, nonce), 0)
    assert refused(spammed, tx(RELAY, 4)).expected == 8


def test_bytes_are_shared_like_places():
    size = len(tx(stranger(0), data=bytes(1_000), gas=100_000).raw)
    spammed = pool(max_bytes=4 * size)
    for number in range(2):
        spammed.add(tx(stranger(number), data=bytes(1_000), gas=100_000), 0)
    assert "bytes" in str(refused(spammed, tx(stranger(2), data=bytes(1_000), gas=100_000)))
    spammed.add(tx(RELAY, data=bytes(1_000), gas=100_000), 0)


def test_room_comes_back_when_strangers_transactions_leave():
    spammed = pool(max_transactions=4)
    first = tx(stranger(0))
    spammed.add(first, 0)
    spammed.add(tx(stranger(1)), 0)
    refused(spammed, tx(stranger(2)))
    spammed.remove_included((first,))
    spammed.add(tx(stranger(2)), 0)
    spammed.clear()
    spammed.add(tx(stranger(3)), 0)
    spammed.add(tx(stranger(4)), 0)
    refused(spammed, tx(stranger(5)))


def test_audit_L2_a_block_is_three_quarters_of_relays_and_no_tip_buys_a_place():
    spammed = pool()
    for number in range(40):
        spammed.add(tx(stranger(number), tip=10**9), 0)
    for nonce in range(30):
        spammed.add(tx(RELAY, nonce), 0)
    order = list(spammed.select())
    assert len(order) == 70
    first = order[:16]
    named = [item for item in first if item.sender in NAMED]
    assert len(named) == len(first) * NAMED_WEIGHT // (NAMED_WEIGHT + 1)
    assert [item.nonce for item in order if item.sender in NAMED] == list(range(30))


def test_gas_is_what_is_shared_and_not_a_number_of_transactions():
    spammed = pool()
    for number in range(6):
        spammed.add(tx(stranger(number), gas=1_000_000), 0)
    for nonce in range(60):
        spammed.add(tx(RELAY, nonce, gas=100_000), 0)
    before_the_second = []
    for item in islice(spammed.select(), 60):
        if item.sender not in NAMED and any(other.sender not in NAMED for other in before_the_second):
            break
        before_the_second.append(item)
    assert sum(item.gas_limit for item in before_the_second if item.sender in NAMED) >= 3 * 1_000_000


def test_within_a_lane_senders_take_turns():
    spammed = pool()
    for nonce in range(3):
        spammed.add(tx(RELAY, nonce), 0)
    for nonce in range(2):
        spammed.add(tx(SECOND_RELAY, nonce), 0)
    order = [(item.sender == bytes.fromhex(RELAY.address[2:]), item.nonce) for item in spammed.select()]
    assert order == [(True, 0), (False, 0), (True, 1), (False, 1), (True, 2)]


def test_without_named_accounts_strangers_have_the_block():
    spammed = pool()
    for number in range(5):
        spammed.add(tx(stranger(number)), 0)
    assert len(list(spammed.select())) == 5


def test_an_account_stays_in_its_lane_while_anything_of_it_waits():
    known = set()
    lanes = PoolLanes(known.__contains__)
    mixed = Mempool(lanes=lanes)
    late = tx(RELAY)
    mixed.add(late, 0)
    known.add(late.sender)
    assert lanes.lane_of(late.sender) is Lane.OPEN
    mixed.remove_included((late,))
    assert lanes.lane_of(late.sender) is Lane.NAMED
