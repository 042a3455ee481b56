"""A feed that is read on another chain by a record of its slot, as `ExampleRemoteFeed` of the dapp guide does."""

import pytest

from hutong.light_clients.feeds import feed_id, round_slot
from hutong.light_clients.records import ObservationKey, SlotPlace
from tests.contracts.evm import Reverted
from tests.contracts.feed.feed_desk import FeedDesk, refused
from tests.contracts.records.reader_lane import SOURCE, ReaderLane
from tests.light_clients.feeds.feed_signers import feed_of, reported

MAX_AGE_S = 60


class FeedAndHub:
    """A Feed on chain A, whose storage the hub observes, and a contract on chain B that reads it."""

    def __init__(self):
        self.hub, self.feed, self.desk = ReaderLane(), feed_of(3), FeedDesk()
        self.desk.evm.timestamp_s = self.hub.now_s
        place = SlotPlace(self.desk.contract.address, round_slot(feed_id(self.feed)))
        self.key = ObservationKey.of(SOURCE, place).to_bytes()
        self.remote = self.hub.evm.deploy(
            "ExampleRemoteFeed", self.hub.reader.address, SOURCE, self.desk.contract.address, feed_id(self.feed)
        )

    def push(self, values, age_s=0):
        time_s = self.hub.now_s - age_s
        self.desk.push(self.feed, reported(self.feed, values, time_s=time_s), time_s=time_s)

    def observed(self, **options):
        word = self.desk.word(self.feed)
        return self.hub.observed(word if any(word) else None, **options)

    def value(self, shown, max_age_s=MAX_AGE_S):
        (record,) = shown.records
        return self.remote.call("value", record.value, shown.proof_fields, shown.height_fields, max_age_s)


def test_a_feeds_value_is_read_on_another_chain():
    place = FeedAndHub()
    place.push([-3, -1, -2])
    assert place.value(place.hub.show({place.key: place.observed()})) == -2
    # a second feed, and another slot, are other records
    other = ObservationKey.of(SOURCE, SlotPlace(place.desk.contract.address, bytes(32))).to_bytes()
    refused("InvalidProof", lambda: place.value(place.hub.show({other: place.observed()})))


def test_attack_F20_contract_a_stale_round_is_refused_under_a_fresh_record():
    """Observations go on while the signers are silent: the record is new, and what it says is old."""
    place = FeedAndHub()
    place.push([1, 2, 3], age_s=MAX_AGE_S - 10)
    shown = place.hub.show({place.key: place.observed()})
    assert place.value(shown) == 2
    with place.hub.evm.at(place.hub.now_s + 10):
        refused("RoundTooOld", lambda: place.value(shown))
        assert place.value(shown, MAX_AGE_S * 2) == 2


@pytest.mark.parametrize(("age_s", "error"), [(MAX_AGE_S + 1, "StaleSource"), (0, "StaleHeader")])
def test_attack_F20_contract_a_stale_record_is_refused_whatever_it_says(age_s, error):
    place = FeedAndHub()
    place.push([1, 2, 3])
    shown = place.hub.show({place.key: place.observed(age_s=age_s)})
    with place.hub.evm.at(place.hub.now_s + (0 if age_s else MAX_AGE_S)):
        refused(error, lambda: place.value(shown))


def test_a_feed_without_a_round_has_no_value():
    place = FeedAndHub()
    shown = place.hub.show({place.key: place.observed()})
    with pytest.raises(Reverted) as caught:
        place.value(shown)
    assert caught.value.name == "NoRound"
