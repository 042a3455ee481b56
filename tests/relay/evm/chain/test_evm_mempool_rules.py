"""The pool's rules one by one, and all of them against a plain model in a state machine."""

import pytest
from eth_account import Account
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from hutong.relay.evm.chain.mempool import DEFAULT_LIFETIME_S, MAX_FREE_REPLACEMENTS, REMEMBERED_ARRIVALS, Mempool
from hutong.relay.evm.errors import InvalidReason, InvalidTransaction
from tests.relay.evm.evm_transactions import KEY, OTHER_KEY, signed

THIRD_KEY = Account.from_key(b"\x33" * 32)
KEYS = (KEY, OTHER_KEY, THIRD_KEY)
TO = b"\x01" * 20
GAS = 21_000


def tx(nonce, cap=0, tip=None, key=KEY, value=0):
    tip = cap if tip is None else tip
    return signed(key, nonce=nonce, to=TO, gas=GAS, value=value, maxFeePerGas=cap, maxPriorityFeePerGas=tip)


def refusal(pool, transaction, account_nonce=0, balance_wei=None):
    before = pool.statistics()
    with pytest.raises(InvalidTransaction) as caught:
        pool.add(transaction, account_nonce, balance_wei)
    assert pool.statistics() == before
    return caught.value.reason, caught.value.got, caught.value.expected


class Clock:
    def __init__(self):
        self.now_s = 0.0

    def __call__(self):
        return self.now_s


def test_a_sender_must_pay_for_all_that_waits():
    pool = Mempool()
    pool.add(tx(0, 10), 0, GAS * 20 + 5)
    assert refusal(pool, tx(1, 10, value=6), 0, GAS * 20 + 5) == (
        InvalidReason.INSUFFICIENT_FUNDS, GAS * 20 + 5, GAS * 20 + 6,
    )  # fmt: skip
    pool.add(tx(1, 10, value=5), 0, GAS * 20 + 5)
    # What is replaced is not paid for twice.
    pool.add(tx(0, 11), 0, GAS * 21 + 5)
    assert refusal(pool, tx(0, 13), 0, GAS * 23 + 4)[0] is InvalidReason.INSUFFICIENT_FUNDS
    pool.drop(tx(1, 10, value=5).hash)
    pool.add(tx(0, 13), 0, GAS * 13)


def test_both_fees_of_a_replacement_are_a_tenth_higher():
    pool = Mempool()
    pool.add(tx(0, 1_000, 100), 0)
    assert refusal(pool, tx(0, 1_099, 110)) == (InvalidReason.REPLACEMENT_UNDERPRICED, 1_099, 1_100)
    assert refusal(pool, tx(0, 1_100, 109)) == (InvalidReason.REPLACEMENT_UNDERPRICED, 109, 110)
    pool.add(tx(0, 1_100, 110), 0)
    assert [item.max_fee_per_gas_wei for item in pool.select()] == [1_100]


def test_behind_a_gap_the_free_replaces_the_free_some_times_and_never_what_replaced_it():
    pool = Mempool()
    offers = [tx(1, value=value) for value in range(MAX_FREE_REPLACEMENTS + 2)]
    for offer in offers[:-1]:
        pool.add(offer, 0)
        assert pool.get(offer.hash) == offer and pool.statistics().transactions == 1
    assert refusal(pool, offers[-1]) == (
        InvalidReason.REPLACEMENT_UNDERPRICED, MAX_FREE_REPLACEMENTS, MAX_FREE_REPLACEMENTS,
    )  # fmt: skip
    assert refusal(pool, offers[0]) == (InvalidReason.REPLACEMENT_UNDERPRICED, offers[0].hash, None)
    pool.add(tx(0), 0)
    assert refusal(pool, offers[-1]) == (InvalidReason.REPLACEMENT_UNDERPRICED, 0, 1)


def test_what_no_block_took_in_an_hour_leaves():
    clock = Clock()
    pool = Mempool(now_s=clock)
    old, young = tx(1), tx(2)
    pool.add(old, 0)
    clock.now_s = 10.0
    pool.add(young, 0)
    clock.now_s = DEFAULT_LIFETIME_S - 0.1
    pool.remove_included(())
    assert pool.statistics().transactions == 2
    clock.now_s = DEFAULT_LIFETIME_S
    pool.remove_included(())
    assert (pool.get(old.hash), pool.get(young.hash)) == (None, young)
    clock.now_s += 10.0
    pool.add(tx(0, key=OTHER_KEY), 0)
    assert pool.statistics().transactions == 1


def test_a_full_pool_takes_who_pays_a_tenth_more_than_the_cheapest_last():
    pool = Mempool(max_transactions=3)
    for transaction in (tx(0, 100), tx(1, 10), tx(0, 50, key=OTHER_KEY)):
        pool.add(transaction, 0)
    assert refusal(pool, tx(0, 10, key=THIRD_KEY)) == (InvalidReason.POOL_FULL, 3, 3)
    assert refusal(pool, tx(1, 11, key=THIRD_KEY)) == (InvalidReason.POOL_FULL, 3, 3)
    pool.add(tx(0, 11, key=THIRD_KEY), 0)
    assert sorted(item.max_fee_per_gas_wei for item in pool.select()) == [11, 50, 100]
    # Its own last is no room for a sender: it would open a gap before the newcomer.
    assert refusal(pool, tx(1, 12, key=THIRD_KEY)) == (InvalidReason.POOL_FULL, 3, 3)


def test_a_run_ends_at_what_offers_less_than_the_base_fee_and_waits_for_it_to_fall():
    pool = Mempool()
    first, cheap, third, other = tx(0, 200, 5), tx(1, 100, 5), tx(2, 300, 5), tx(0, 150, 3, OTHER_KEY)
    for transaction in (first, cheap, third, other):
        pool.add(transaction, 0)
    assert list(pool.select(101)) == [first, other]
    assert list(pool.select(201)) == []
    assert list(pool.select(100)) == [first, other, cheap, third]


def test_announced_once_when_nothing_is_missing_before_it():
    told = []
    pool = Mempool()
    pool.listen(lambda: told.append(pool.announcements(0)))
    gapped, first = tx(1), tx(0)
    pool.add(gapped, 0)
    assert told == [] and pool.announcements(0) == (0, ())
    pool.add(first, 0)
    assert told == [(2, (first.hash, gapped.hash))]
    pool.remove_included((first,))
    assert len(told) == 1 and pool.announcements(1) == (2, (gapped.hash,))
    pool.add(tx(4), 1)
    pool.remove_included((tx(3),))
    assert told[1:] == [(3, (first.hash, gapped.hash, tx(4).hash))]
    assert pool.announcements(3) == (3, ())


def test_announcements_are_remembered_within_a_bound():
    pool = Mempool()
    transaction = tx(0)
    for _ in range(REMEMBERED_ARRIVALS + 5):
        pool.add(transaction, 0)
        pool.drop(transaction.hash)
    count, hashes = pool.announcements(2)
    assert (count, len(hashes)) == (REMEMBERED_ARRIVALS + 5, REMEMBERED_ARRIVALS)


def test_what_waits_is_shown_by_sender_and_nonce():
    pool = Mempool()
    for transaction in (tx(3), tx(0), tx(1), tx(2, key=OTHER_KEY)):
        pool.add(transaction, 0)
    shown = {one.sender: one for one in pool.waiting()}
    assert [item.nonce for item in shown[tx(0).sender].executable] == [0, 1]
    assert [item.nonce for item in shown[tx(0).sender].queued] == [3]
    assert pool.waiting(tx(0, key=OTHER_KEY).sender) == (shown[tx(0, key=OTHER_KEY).sender],)
    assert pool.waiting(b"\x09" * 20) == ()


# --- the state machine

CAPS = (0, 100, 105, 110, 121)
OFFERS = {
    (who, nonce, cap, value): tx(nonce, cap, key=KEYS[who], value=value)
    for who in range(3)
    for nonce in range(5)
    for cap in CAPS
    for value in (0, 1)
}
BALANCE_WEI = 3 * GAS * 110
MOST = 7


class PoolMachine(RuleBasedStateMachine):
    """The model: what waits, by sender and nonce, with the time of arrival."""

    def __init__(self):
        super().__init__()
        self.clock = Clock()
        self.pool = Mempool(max_transactions=MOST, max_per_sender=4, lifetime_s=100.0, now_s=self.clock)
        self.waits = {}
        self.nonces = {tx(0, key=key).sender: 0 for key in KEYS}
        self.announced = 0

    def of(self, sender):
        return {nonce: item for (who, nonce), (item, _) in self.waits.items() if who == sender}

    def run(self, sender):
        mine, nonce = self.of(sender), self.nonces[sender]
        while nonce in mine:
            nonce += 1
        return nonce

    def expire(self):
        self.waits = {at: entry for at, entry in self.waits.items() if entry[1] > self.clock.now_s - 100.0}

    @rule(offer=st.sampled_from(sorted(OFFERS)))
    def add(self, offer):
        self.expire()
        new = OFFERS[offer]
        sender, known = new.sender, self.of(new.sender).get(new.nonce)
        cost_wei = sum(item.most_cost_wei for item in self.of(sender).values() if item is not known)
        executable = new.nonce <= self.run(sender)
        free = new.max_fee_per_gas_wei == 0
        try:
            self.pool.add(new, self.nonces[sender], BALANCE_WEI)
        except InvalidTransaction as error:
            expected = {
                InvalidReason.ALREADY_KNOWN: known is not None and known.hash == new.hash,
                InvalidReason.NONCE_TOO_LOW: new.nonce < self.nonces[sender],
                InvalidReason.INSUFFICIENT_FUNDS: cost_wei + new.most_cost_wei > BALANCE_WEI,
                InvalidReason.REPLACEMENT_UNDERPRICED: known is not None
                and (free or new.max_fee_per_gas_wei * 10 < known.max_fee_per_gas_wei * 11),
                InvalidReason.POOL_FULL: known is None and (len(self.waits) >= MOST or len(self.of(sender)) >= 4),
            }
            assert expected[error.reason], error
            return
        assert new.nonce >= self.nonces[sender] and cost_wei + new.most_cost_wei <= BALANCE_WEI
        if known is not None:
            was_executable = new.nonce < self.run(sender)
            gap_swap = free and known.max_fee_per_gas_wei == 0 and not was_executable
            assert gap_swap or new.max_fee_per_gas_wei * 10 >= known.max_fee_per_gas_wei * 11
            assert gap_swap or new.max_fee_per_gas_wei > known.max_fee_per_gas_wei
        else:
            gone = [at for at, (item, _) in self.waits.items() if self.pool.get(item.hash) is None]
            assert len(gone) == (len(self.waits) >= MOST)
            for who, nonce in gone:
                lost = self.waits[who, nonce][0]
                behind_gap = nonce > self.run(who)
                assert executable
                assert behind_gap or (
                    who != sender
                    and nonce == self.run(who) - 1
                    and new.max_fee_per_gas_wei * 10 >= lost.max_fee_per_gas_wei * 11
                    and not any(other > self.run(each) for each, other in self.waits)
                )
                del self.waits[who, nonce]
        self.waits[sender, new.nonce] = new, self.clock.now_s

    @rule(base_fee_wei=st.sampled_from((0, 100, 110)), most=st.integers(0, 3))
    def block(self, base_fee_wei, most):
        taken = []
        left = dict(self.nonces)
        for item in self.pool.select(base_fee_wei):
            heads = [self.waits[at][0] for at in left.items() if at in self.waits]
            assert item.nonce == left[item.sender]
            assert item.max_fee_per_gas_wei >= base_fee_wei
            assert item.max_fee_per_gas_wei == max(head.max_fee_per_gas_wei for head in heads)
            left[item.sender] += 1
            taken.append(item)
        rest = [self.waits[at][0] for at in left.items() if at in self.waits]
        assert all(head.max_fee_per_gas_wei < base_fee_wei for head in rest)
        taken = taken[:most]
        for item in taken:
            self.nonces[item.sender] += 1
            del self.waits[item.sender, item.nonce]
        self.expire()
        self.pool.remove_included(tuple(taken))

    @rule(data=st.data())
    def drop(self, data):
        if self.waits:
            at = data.draw(st.sampled_from(sorted(self.waits)))
            self.pool.drop(self.waits.pop(at)[0].hash)

    @rule(seconds=st.sampled_from((1.0, 60.0)))
    def wait(self, seconds):
        self.clock.now_s += seconds

    @invariant()
    def agrees(self):
        statistics = self.pool.statistics()
        runs = {sender: self.run(sender) for sender in self.nonces}
        assert statistics.transactions == len(self.waits) <= MOST
        assert statistics.bytes == sum(len(item.raw) for item, _ in self.waits.values())
        assert statistics.executable == sum(runs[sender] - self.nonces[sender] for sender in runs)
        for sender, end in runs.items():
            assert self.pool.next_nonce(sender, self.nonces[sender]) == end
        count, _ = self.pool.announcements(0)
        assert count >= self.announced
        self.announced = count
        listed = {item.hash for one in self.pool.waiting() for item in (*one.executable, *one.queued)}
        assert listed == {item.hash for item, _ in self.waits.values()}


TestPoolMachine = PoolMachine.TestCase
TestPoolMachine.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)


def test_a_full_pool_compares_what_proposers_get_at_the_present_base_fee():
    """A great tip below a low cap is none: at a base fee of 90 the first leaves 10, the second 20."""
    pool = Mempool(max_transactions=1)
    low = tx(0, cap=100, tip=100)
    better = tx(0, cap=200, tip=20, key=OTHER_KEY)
    pool.add(low, 0, base_fee_wei=90)
    assert refusal(pool, better)[0] is InvalidReason.POOL_FULL
    pool.add(better, 0, base_fee_wei=90)
    assert pool.get(low.hash) is None
    # One that does not even offer the base fee is displaced by any that does, and displaces none.
    with pytest.raises(InvalidTransaction):
        pool.add(low, 0, base_fee_wei=150)
    stale = Mempool(max_transactions=1)
    stale.add(low, 0)
    stale.add(tx(0, cap=150, tip=0, key=OTHER_KEY), 0, base_fee_wei=150)
    assert stale.get(low.hash) is None
