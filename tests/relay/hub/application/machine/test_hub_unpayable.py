"""Transactions that their senders can no longer pay for, on a hub with fees: a proposer passes over them once."""

from dataclasses import replace

import pytest
import trio
from eth_account import Account

from hutong.relay.evm.chain.mempool import Mempool
from hutong.relay.evm.vm.transaction import SignedTransaction, decode_cached
from hutong.relay.hub.application.governance import block_proposals
from hutong.relay.hub.application.machine.fees import MAX_UNPAYABLE, payable
from hutong.relay.hub.consensus.signing import LastSigned
from hutong.relay.hub.engine.alone import Alone
from hutong.relay.hub.engine.driver import ConsensusDriver, DrivenValidator
from hutong.relay.hub.engine.signer import FileSigner
from hutong.relay.hub.engine.timeouts import Timeouts
from hutong.relay.hub.engine.wal import WriteAheadLog
from hutong.relay.hub.home.home import LAST_SIGNED_FILE
from hutong.relay.hub.home.last_signed import encode_last_signed
from tests.relay.hub.application.machine.test_hub_base_fee import LEAST_WEI, fee_hub, signed
from tests.relay.hub.simulated_hub import EVM_CHAIN_ID, VALIDATOR, SimulatedHub, address_of, decoded

PRICE_WEI = 10 * LEAST_WEI
COST_WEI = 21_000 * PRICE_WEI


def accounts(count: int):
    return [Account.from_key(b"\x77" * 28 + number.to_bytes(4, "big")) for number in range(count)]


def of(account, nonce: int, value: int = 0) -> SignedTransaction:
    fields = {"chainId": EVM_CHAIN_ID, "nonce": nonce, "gas": 21_000, "maxFeePerGas": PRICE_WEI, "value": value}
    fields |= {"maxPriorityFeePerGas": 5, "to": "0x" + "11" * 20, "data": b""}
    return decoded(bytes(account.sign_transaction(fields).raw_transaction))[0]


def filled(hub: SimulatedHub, senders) -> Mempool:
    """Three transactions of each sender, all paid for; then a block takes other ones of all but the last sender, which leave
    the first enough for one, and those between a wei less."""
    pool = Mempool()
    hub.advance(*(signed(hub, cap_wei=PRICE_WEI, to=address_of(item), value=3 * COST_WEI) for item in senders))
    for account in senders:
        for nonce in range(3):
            transaction = of(account, nonce)
            sender = hub.application.check_sender(transaction)
            pool.add(transaction, sender.nonce, sender.balance_wei)
    left_wei = [COST_WEI, *[COST_WEI - 1] * (len(senders) - 2)]
    fee_wei = 21_000 * (hub.application.next_base_fee_wei + 5)
    others = [of(account, 0, 3 * COST_WEI - fee_wei - left) for account, left in zip(senders, left_wei)]
    assert all(outcome.ok for outcome in hub.advance(*(item.raw for item in others)))
    pool.remove_included(tuple(others))
    return pool


def driver_of(hub: SimulatedHub, pool: Mempool, home) -> ConsensusDriver:
    async def on_block(_height: int) -> None:
        raise AssertionError("no block is decided here")

    (home / LAST_SIGNED_FILE).write_bytes(encode_last_signed(LastSigned()))
    signer = FileSigner(home, VALIDATOR, hub.genesis.chain_id)
    address = VALIDATOR.public_key.address
    log, timeouts = WriteAheadLog(home), Timeouts.without_peers()
    return ConsensusDriver(DrivenValidator(hub.ledger, signer, address, pool, log, on_block, timeouts), Alone(print))


def test_what_its_sender_cannot_pay_for_leaves_the_pool_and_is_not_judged_again(tmp_path, monkeypatch):
    hub = fee_hub()
    *poor, rich = accounts(6)
    pool = filled(hub, [*poor, rich])
    read: list[bytes] = []

    def counting(candidates, base_fee_wei, balance_wei, unpayable):
        def counted(sender):
            read.append(sender)
            return balance_wei(sender)

        return payable(candidates, base_fee_wei, counted, unpayable)

    monkeypatch.setattr(block_proposals, "payable", counting)

    async def proposed():
        driver = driver_of(hub, pool, tmp_path)
        return [driver._block_for(hub.height + 1, None) for _ in range(2)]

    assert pool.statistics().transactions == 2 * len(poor) + 3
    first, second = trio.run(proposed)
    included = {(item.sender, item.nonce) for item in decoded(*first.transactions)}
    assert included == {(address_of(poor[0]), 1), *((address_of(rich), nonce) for nonce in range(3))}
    assert second.transactions == first.transactions
    assert pool.statistics().transactions == len(first.transactions)
    assert len(read) == 6 + 2


def test_a_pool_hands_over_what_it_has_decoded():
    hub = fee_hub()
    pool = filled(hub, accounts(3))
    hub.application.prepare_proposal(pool.select(hub.application.next_base_fee_wei), 10**6)
    decode_cached.cache_clear()
    hub.application.prepare_proposal(pool.select(hub.application.next_base_fee_wei), 10**6)
    assert decode_cached.cache_info().misses == 0


@pytest.mark.long
def test_a_proposal_reads_no_more_accounts_than_its_bound():
    rich, poor = accounts(2)
    asked: list[bytes] = []

    def balance_wei(sender) -> int:
        asked.append(sender)
        return 10**24 if sender == address_of(rich) else 0

    strangers = [replace(of(poor, 0), sender=number.to_bytes(20, "big")) for number in range(MAX_UNPAYABLE + 500)]
    unpayable: list[SignedTransaction] = []
    assert list(payable([of(rich, 0), *strangers, of(rich, 1)], LEAST_WEI, balance_wei, unpayable)) == [of(rich, 0)]
    assert len(asked) == 1 + MAX_UNPAYABLE
    assert unpayable == strangers[:MAX_UNPAYABLE]


def test_what_only_waits_for_the_fee_to_fall_stays():
    [rich] = accounts(1)
    unpayable: list[SignedTransaction] = []
    assert list(payable([of(rich, 0), of(rich, 1)], PRICE_WEI + 1, lambda _sender: 10**24, unpayable)) == []
    assert unpayable == []


def test_a_dropped_senders_later_ones_go_with_it_and_earlier_ones_stay():
    one, other = accounts(2)
    pool = Mempool()
    kept = [of(one, 0), of(other, 0), of(other, 1)]
    for transaction in (*kept, of(one, 1), of(one, 2), of(one, 4)):
        pool.add(transaction, 0)
    pool.drop_unpayable([of(one, 1), of(one, 3)])
    assert list(pool.select()) == [of(one, 0), of(other, 0), of(other, 1)]
    assert pool.statistics().transactions == 3
    pool.add(of(one, 1), 0)
    assert pool.next_nonce(address_of(one), 0) == 2
