"""Example contracts that act on a feed: a toll with its board on another chain, and a registry of green certificates."""

import pytest
from eth_abi.abi import encode

from hutong.light_clients.crypto import keccak256
from hutong.light_clients.feeds import feed_id
from tests.contracts.evm import Evm
from tests.contracts.feed.feed_desk import FeedDesk, refused
from tests.contracts.title.title_city import ALICE, AWAY, BOB, RETIRED, STRANGER, TitleCity, client_of, text, title_id
from tests.light_clients.feeds.feed_signers import TIME_S, feed_of, reported

MAX_AGE_S = 60
FREE, BASE, RATE = 1_000, 200, 3
GRID = b"\x6d" * 20
MAILBOX = b"\x3b" * 20
TOLL = b"\x70" * 20


class TollRoad:
    def __init__(self):
        self.feed, self.desk = feed_of(7, 5), FeedDesk()
        self.toll = self.desk.evm.deploy(
            "ExampleToll", self.desk.contract.address, feed_id(self.feed), MAILBOX, MAX_AGE_S, (FREE, BASE, RATE)
        )

    def push(self, values, time_s=TIME_S):
        self.desk.push(self.feed, reported(self.feed, values, time_s=time_s), time_s=time_s)


def test_a_toll_follows_its_rule_and_keeps_every_price_in_one_word():
    road, day = TollRoad(), bytes(32)
    for time_s, (flow, price) in enumerate(((0, BASE), (1_000, BASE), (1_100, BASE + 300), (-5, BASE)), TIME_S):
        road.push([flow] * 5, time_s)
        road.toll.transact("update")
        assert road.toll.call("quote") == (price, time_s, False)
        day = keccak256(encode(["bytes32", "uint64", "int128", "uint128"], [day, time_s, flow, price]))
        assert road.toll.call("day") == day
    word = road.desk.evm.storage(road.toll.address, 1)
    assert (word & (2**128 - 1), word >> 128 & (2**64 - 1), word >> 192) == (BASE, TIME_S + 3, 4)


def test_the_old_price_stays_and_is_stale_where_four_of_seven_are_silent():
    road = TollRoad()
    road.push([1_100] * 5)
    road.toll.transact("update")
    refused("NothingNewer", lambda: road.toll.transact("update"))
    with road.desk.evm.at(TIME_S + MAX_AGE_S):
        refused("InvalidReportCount", lambda: road.push([0] * 3, TIME_S + MAX_AGE_S))
        assert road.toll.call("quote") == (BASE + 300, TIME_S, True)
        refused("StaleRound", lambda: road.toll.transact("update"))


@pytest.fixture
def board():
    evm = Evm(timestamp_s=TIME_S)
    return evm.deploy("ExampleTollBoard", MAILBOX, "bft-evm-0", text(TOLL), MAX_AGE_S)


def announce(board, price=500, time_s=TIME_S, *, client="bft-evm-0", sender=TOLL, forwarded=True, by=MAILBOX):
    origin = ("e1", client, "gmpport", 1, forwarded)
    board.transact("onMessage", origin, text(sender), encode(["uint128", "uint64"], [price, time_s]), sender=by)


def test_a_board_shows_what_the_toll_alone_announced(board):
    assert board.call("quote") == (0, 0, True)
    announce(board)
    assert board.call("quote") == (500, TIME_S, False)
    refused("OnlyMailbox", lambda: announce(board, 1, TIME_S + 1, by=STRANGER))
    for changed in ({"client": "bft-evm-1"}, {"sender": STRANGER}, {"forwarded": False}):
        refused("OnlyToll", lambda changed=changed: announce(board, 1, TIME_S + 1, **changed))
    for time_s in (TIME_S, TIME_S - 1):
        refused("NothingNewer", lambda time_s=time_s: announce(board, 1, time_s))
    announce(board, 7, TIME_S + 1)
    assert board.call("quote") == (7, TIME_S + 1, False)
    with board.evm.at(TIME_S + 1 + MAX_AGE_S):
        assert board.call("quote") == (7, TIME_S + 1, True)


class Certificates:
    """A registry at A whose titles go to B."""

    def __init__(self):
        self.city, self.feed = TitleCity("AB"), feed_of(3, 2)
        self.evm = self.city["A"].evm
        self.desk = FeedDesk()
        self.desk.evm, self.desk.contract = self.evm, self.evm.deploy("Feed")
        self.registry = self.evm.deploy(
            "ExampleGreenRegistry",
            self.desk.contract.address,
            feed_id(self.feed),
            self.city["A"].title.address,
            MAX_AGE_S,
            GRID,
        )

    def meter(self, *values):
        time_s = self.evm.timestamp_s
        self.desk.push(self.feed, reported(self.feed, values, time_s=time_s), time_s=time_s)

    def mint(self, kwh, sender=GRID):
        self.registry.transact("mint", ALICE, kwh, sender=sender)

    def certify(self, number, kwh):
        return self.registry.transact("certify", number.to_bytes(32, "big"), kwh, sender=ALICE).value


def test_tokens_are_for_no_more_than_was_metered_and_a_kwh_is_a_token_or_in_a_certificate():
    place = Certificates()
    refused("NothingReported", lambda: place.mint(1))
    refused("InvalidReportCount", lambda: place.meter(100))
    place.meter(100, 110, 105)
    refused("OnlyGrid", lambda: place.mint(1, sender=STRANGER))
    assert refused("MoreThanMetered", lambda: place.mint(106)) == (106, 105)
    place.mint(105)
    refused("MoreThanMetered", lambda: place.mint(1))
    refused("NoEnergy", lambda: place.certify(1, 0))
    refused("ERC20InsufficientBalance", lambda: place.certify(1, 106))
    place.certify(1, 100)
    assert (place.registry.call("totalSupply"), place.registry.call("certified")) == (5, 100)
    assert place.evm.storage(place.registry.address, 5) == 100, "where evidence reads it"
    refused("MoreThanMetered", lambda: place.mint(1))
    refused("ERC20InsufficientBalance", lambda: place.certify(2, 6))
    refused("TitleExists", lambda: place.certify(1, 5))
    place.city.pass_time(1)
    place.meter(200, 200)
    place.mint(95)
    place.certify(2, 100)
    assert place.registry.call("minted") == 200
    with place.evm.at(place.evm.timestamp_s + MAX_AGE_S):
        refused("StaleRound", lambda: place.mint(1))


def test_a_certificate_that_was_retired_elsewhere_is_neither_moved_nor_claimed_here():
    place = Certificates()
    place.meter(100, 100)
    place.mint(100)
    home = place.certify(1, 100)
    city = place.city
    away = title_id(client_of("B", "A"), place.registry.address, (1).to_bytes(32, "big"))
    city.carry("A", "B", home)
    assert city["B"].of(away)["content"] == (100).to_bytes(32, "big")
    city["B"].title.transact("retire", away, sender=BOB)
    assert (city["A"].state(home), city["B"].state(away)) == (AWAY, RETIRED)
    title = city["A"].title
    refused("NotLive", lambda: title.transact("transfer", home, BOB, sender=ALICE))
    refused("NotLive", lambda: title.transact("retire", home, sender=ALICE))
    refused("NotLive", lambda: city.move("A", "B", home, sender=ALICE))
    refused("NotLive", lambda: city.move("B", "A", away, sender=BOB))
