"""A token of two chains of which no more exists than custodians report: its rules, and two chains that mint at once."""

import pytest

from hutong.light_clients.feeds import feed_id
from hutong.light_clients.records import ObservationKey, SlotPlace, StorePlace
from tests.contracts.feed.feed_desk import description_tuple, refused
from tests.contracts.records.reader_lane import SOURCE, ReaderLane
from tests.light_clients.feeds.feed_signers import feed_of, reported

MAX_AGE_S = 60
ELSEWHERE = b"\x77" * 20
COMMITTED = (5).to_bytes(32, "big")
KEY = ObservationKey.of(SOURCE, SlotPlace(ELSEWHERE, COMMITTED)).to_bytes()
COSMOS_KEY = ObservationKey.of(SOURCE, StorePlace(b"bank", b"\0courtyard")).to_bytes()
BLOCKS_LATER = 2
"""After these the observed block is later than what was done here before."""
HOLDER, STRANGER = b"\x61" * 20, b"\x62" * 20


class Issuer:
    """The token on this chain, beside a Feed of five custodians and a reader of what the hub observed of the other chain."""

    def __init__(self, reserve=1_000, told=True, keys=(KEY,)):
        self.hub, self.feed = ReaderLane(), feed_of(5, 3)
        self.feeds = self.hub.evm.deploy("Feed")
        arguments = (self.feeds.address, feed_id(self.feed), self.hub.reader.address, MAX_AGE_S)
        self.token = self.hub.evm.deploy("ExampleReserveToken", *arguments)
        if told:
            self.token.transact("tell", list(keys))
        if reserve is not None:
            self.report([reserve] * 3)

    def report(self, values, age_s=0):
        time_s = self.hub.now_s - age_s
        reports = reported(self.feed, values, time_s=time_s)
        signatures = b"".join(one.signature for one in reports)
        self.feeds.transact("push", description_tuple(self.feed), time_s, [one.value for one in reports], signatures)

    def see(self, committed):
        """The hub's record of what the other chain has committed reaches this chain's reader."""
        self.see_value(KEY, committed.to_bytes(32, "big") if committed else None)

    def see_value(self, key, value):
        for _ in range(BLOCKS_LATER):
            self.hub.publish()
        self.hub.keep(self.hub.show({key: self.hub.observed(value)}))

    def commit(self, amount):
        self.token.transact("commit", amount)

    def mint(self):
        self.token.transact("mint", HOLDER)

    @property
    def supply(self):
        return self.token.call("totalSupply")


def test_as_much_is_minted_as_is_held_and_not_one_unit_more():
    issuer = Issuer()
    issuer.commit(600)
    issuer.see(400)
    issuer.mint()
    assert issuer.supply == 600
    issuer.commit(1)
    issuer.see(400)
    assert refused("PastReserves", issuer.mint) == (1_001, 1_000)
    issuer.see(399)
    issuer.mint()
    assert issuer.supply == issuer.token.call("committed") == 601


@pytest.mark.long
def test_what_exists_on_a_cosmos_chain_counts_as_its_bank_module_writes_it():
    issuer = Issuer(keys=[COSMOS_KEY])
    issuer.commit(601)
    issuer.see_value(COSMOS_KEY, b"400")
    assert refused("PastReserves", issuer.mint) == (1_001, 1_000)
    for value in (b"-1", b"4x", b"1" * 39, (1).to_bytes(32, "big")):
        issuer.see_value(COSMOS_KEY, value)
        assert refused("NotAnAmount", issuer.mint) == (value,)
    issuer.see_value(COSMOS_KEY, b"399")
    issuer.mint()
    assert issuer.supply == 601


def test_a_record_of_before_the_promise_is_not_enough():
    """What the other chain promised meanwhile would not be in it."""
    issuer = Issuer()
    issuer.see(0)
    issuer.commit(1)
    refused("NotSeenElsewhere", issuer.mint)
    issuer.see(0)
    issuer.mint()
    assert issuer.supply == 1


def test_of_two_chains_that_promise_at_once_one_sees_the_other():
    """Each promises all that is free. Whichever reads the later record of the other counts both promises."""
    issuer = Issuer()
    issuer.commit(1_000)
    issuer.see(1_000)
    assert refused("PastReserves", issuer.mint) == (2_000, 1_000)
    issuer.commit(0)
    issuer.see(1_000)
    issuer.mint()
    assert issuer.supply == 0


def test_without_a_fresh_report_of_three_nothing_is_minted():
    issuer = Issuer(reserve=None)
    issuer.commit(1)
    issuer.see(0)
    refused("NothingReported", issuer.mint)
    issuer.report([1_000] * 3, age_s=MAX_AGE_S)
    refused("StaleRound", issuer.mint)
    refused("InvalidReportCount", lambda: issuer.report([1_000] * 2))
    refused("StaleRound", issuer.mint)
    issuer.report([1_000] * 3)
    issuer.mint()
    assert issuer.supply == 1


def test_a_reserve_below_zero_allows_nothing():
    issuer = Issuer(reserve=-1)
    issuer.commit(0)
    issuer.see(0)
    refused("PastReserves", issuer.mint)


def test_an_old_record_pauses_minting_too():
    issuer = Issuer()
    issuer.commit(1)
    issuer.see(0)
    with issuer.hub.evm.at(issuer.hub.now_s + MAX_AGE_S - 1):
        issuer.report([1_000] * 3)
        refused("StaleHeader", issuer.mint)


def test_nothing_was_ever_observed():
    issuer = Issuer()
    issuer.commit(1)
    refused("NotKept", issuer.mint)


def test_who_knows_of_no_other_chain_mints_nothing():
    """It would mint the whole reserve, as the other chain's token does."""
    issuer = Issuer(told=False)
    issuer.commit(1)
    refused("NotTold", issuer.mint)
    issuer.token.transact("tell", [])
    refused("NotTold", issuer.mint)


def test_only_the_issuer_and_once():
    issuer = Issuer()
    for call in (("commit", 1), ("mint", STRANGER), ("tell", [KEY])):
        refused("OnlyIssuer", lambda of=call: issuer.token.transact(*of, sender=STRANGER))
    refused("AlreadyTold", lambda: issuer.token.transact("tell", [KEY]))
