"""The rule of case 19, on what statements show: an exhibit between two times, on any chain that is left, seen by order alone."""

from dataclasses import replace

import pytest

from hutong.light_clients.crypto import keccak256
from hutong.relay.audit import MissingTrust
from hutong.relay.audit.cases.storage.court_evidence import conclude
from hutong.relay.services.storage.rules.records.values import encode_seed_record
from tests.relay.audit.cases.shown_recall import concluded
from tests.relay.audit.cases.storage.shown_exhibit import (
    ANCHORED_S,
    BEFORE_S,
    HEIGHT,
    PIECE,
    PIECES,
    READER,
    SEED,
    SIZE,
    UNTIL_S,
    anchored,
    beacon,
    book,
    exhibit,
    hub_state,
    record,
    stated,
    trust,
    without,
)

SAID = {"bytes": SIZE, "exhibit": "camera-1", "object": "bafyrei1", "sha256": "ab" * 32}
ACCESS = {"order": 0, "reader": f"0x{READER.hex()}", "released_at_s": ANCHORED_S + 5}


def refused(shown) -> object:
    return concluded(conclude, shown, trust())


def test_what_holds_is_concluded():
    assert refused(exhibit()) == {
        "exhibit": SAID,
        "not_before_s": BEFORE_S,
        "not_after_s": ANCHORED_S,
        "anchored_on": ["e1", "p1"],
        "accesses": [ACCESS],
    }


def test_one_of_the_two_chains_may_be_lost():
    by_p1 = refused(without(exhibit(), "e1-"))
    assert (by_p1["anchored_on"], by_p1["not_after_s"], by_p1["accesses"]) == (["p1"], ANCHORED_S + 30, [ACCESS])
    by_e1 = refused(without(exhibit(), "p1-", "order", "release"))
    assert (by_e1["anchored_on"], by_e1["not_after_s"], by_e1["accesses"]) == (["e1"], ANCHORED_S, None)
    assert refused(without(exhibit(), "p1-", "e1-", "order", "release")) == "a_chain_is_left"
    assert refused(without(exhibit(), "p1-")) == "orders_are_whole", "orders of a chain that shows nothing"


def test_no_order_and_no_access():
    assert refused(exhibit(**book([], [])) | {}) == "orders_are_whole"
    assert refused(without(exhibit(), "order", "release") | book([], []))["accesses"] == []


def test_attack_J21_a_recording_that_may_be_older_than_the_seed():
    for changed in (
        {"beacon-before": hub_state("beacon-before", encode_seed_record(SEED), HEIGHT, BEFORE_S)},
        beacon(None),
        beacon(replace(SEED, reveals=0)),
        beacon(replace(SEED, header_height=HEIGHT)),
    ):
        assert refused(exhibit(**changed)) == "seed_is_younger"
    assert refused(exhibit(**beacon(replace(SEED, seed=b"\x09" * 32)))) == "head_has_the_beacon"
    assert refused(exhibit(pieces=[b"\0" * PIECE, *PIECES[1:]])) == "head_has_the_beacon"
    cut = [PIECES[0][:100], *PIECES[1:]]
    assert refused(exhibit(pieces=cut)) == "head_has_the_beacon"


def test_attack_J21_a_seed_of_another_hub_or_epoch():
    other = hub_state("beacon-before", None, HEIGHT, BEFORE_S, b"storage/seed/other")
    assert refused(exhibit(**{"beacon-before": other})) == "hub_record_is_meant"
    foreign = stated(beacon()["beacon"], chain_id="hutong-2")
    assert refused(exhibit(beacon=foreign)) == "hub_record_is_meant"
    assert refused(without(exhibit(), "beacon")) == "hub_record_is_meant"
    assert concluded(conclude, exhibit(), trust(**{"beacon-epoch": "-7"})) == "epoch_is_meant"


def test_attack_J21_an_anchor_of_another_tree_or_place():
    shown = exhibit()
    assert refused(shown | anchored("p1", [*PIECES, record(exhibit="camera-2")])) == "record_is_the_recordings"
    assert refused(exhibit(record(bytes=SIZE + PIECE))) == "record_is_the_recordings"
    assert refused(exhibit(b"no record")) == "record_is_the_recordings"
    for name, fields in (("e1-head", {"index": 1}), ("e1-record", {"size": 3}), ("p1-head", {"under": "e1-root"})):
        assert refused(shown | {name: stated(shown[name], **fields)}) == "entry_is_at"
    assert concluded(conclude, shown, trust(**{"anchor-e1": "3"})) == "slot_is_meant"
    assert concluded(conclude, shown, trust(**{"anchor-e1": "x"})) == "index_is_meant"
    with pytest.raises(MissingTrust):
        concluded(conclude, shown, replace(trust(), people={}))


def test_attack_J21_an_access_without_an_order():
    mine = keccak256(record())
    for orders, releases, refusal in (
        ([(UNTIL_S, mine)], [(1, ANCHORED_S)], "release_is_under_its_order"),
        ([(UNTIL_S, mine)], [(0, UNTIL_S)], "release_is_under_its_order"),
        ([(UNTIL_S, b"\x09" * 32)], [(0, ANCHORED_S)], "release_is_under_its_order"),
        ([(UNTIL_S, mine)] * 65, [], "count_is_bounded"),
    ):
        shown = without(exhibit(), "order", "release") | book(orders, releases)
        assert refused(shown) == refusal
    assert refused(without(exhibit(), "release-0000")) == "statement_is_there", "a release that is left out"
    renamed = exhibit()["release-0000"]
    assert refused(exhibit(**{"release-0001": stated(renamed, id="release-0001")})) == "orders_are_whole"
